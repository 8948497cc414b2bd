/**
 * Match types (RFC 5228 §2.7.1, RFC 5231, the regex draft, RFC 6134): values of a message against keys of a script.
 *
 * @module
 */
import { compileRegExp, type LinearRegExp, RegExpSyntaxError } from "../../config/sconf/regexp.ts";
import { maxMatchIndex, type Text } from "../language/text.ts";
import { type Run, SieveRuntimeError } from "../run/run.ts";
import { type Comparator, compare, equal, folded } from "./comparators.ts";
import { contains } from "./contains.ts";
import { compileGlob, type Glob, matchGlob } from "./glob.ts";
import { PosixRegExp } from "./posix.ts";

export type MatchType = "is" | "contains" | "matches" | "regex" | "value" | "count" | "list";
export type Relation = "gt" | "ge" | "lt" | "le" | "eq" | "ne";

export interface Match {
  type: MatchType;
  relation: Relation;
  comparator: Comparator;
}

/** Most characters of a value that a regular expression is matched against; fewer for a long expression. */
const maxRegexText = 32 * 1024;
/** Most steps of one expression on one value: some milliseconds. */
const maxRegexSteps = 150_000;
/** Factor of more steps for finding groups, which are cheaper. */
const groupFactor = 4;

/** Two forms of a pattern: one that only tests for a match, and one that finds its groups, which costs more. */
export interface SieveRegExp {
  linear: LinearRegExp;
  posix(): PosixRegExp;
}

/** Collating symbols and equivalence classes of one character (IEEE 1003.1 §9.3.5), such as `[[.-.]a]`: the character. */
function withoutCollation(pattern: string): string {
  if (!/\[[.=]/.test(pattern)) return pattern;
  return pattern.replace(
    /\\.|\[\^?\]?(?:\[([.=:]).*?\1\]|\\.|[^\]])*\]/gsu,
    (part) =>
      part.startsWith("[")
        ? part.replace(/\[([.=])([^\]])\1\]/gu, (_, __, c) => /\w/.test(c) ? c : `\\${c}`)
        : part,
  );
}

/** A regular expression that ignores case where the comparator does. @throws RegExpSyntaxError */
export function sieveRegExp(pattern: string, comparator: Comparator): SieveRegExp {
  const syntax = withoutCollation(pattern);
  const whole = comparator === "i;octet" ? syntax : `(?i)${syntax}`;
  const linear = compileRegExp(whole);
  if (linear.groups > maxMatchIndex + 1) {
    throw new RegExpSyntaxError(`has more than ${maxMatchIndex} groups`);
  }
  let posix: PosixRegExp | undefined;
  return { linear, posix: () => posix ??= new PosixRegExp(whole) };
}

/** A key of a test, with the form for its match type, computed on first use. */
class Key {
  readonly text: string;
  #made: string | Glob | SieveRegExp | undefined;

  constructor(text: string) {
    this.text = text;
  }

  /** For `:contains`. */
  folded(comparator: Comparator): string {
    return (this.#made ??= folded(comparator, this.text)) as string;
  }
  /** For `:matches`. */
  glob(comparator: Comparator): Glob {
    return (this.#made ??= compileGlob(this.text, comparator)) as Glob;
  }
  /** For `:regex`. @throws SieveRuntimeError */
  regexp(comparator: Comparator): SieveRegExp {
    return (this.#made ??= regexpOf(this.text, comparator)) as SieveRegExp;
  }
}

function regexpOf(text: string, comparator: Comparator): SieveRegExp {
  try {
    return sieveRegExp(text, comparator);
  } catch (err) {
    if (!(err instanceof RegExpSyntaxError)) throw err;
    throw new SieveRuntimeError(
      `the regular expression ${JSON.stringify(text.slice(0, 100))} ${err.message}`,
    );
  }
}

/** Keys and how they are compared; those without variables are prepared once. */
export class Matcher {
  readonly match: Match;
  readonly #keys: (Key | Text)[];

  constructor(match: Match, keys: readonly Text[]) {
    this.match = match;
    this.#keys = keys.map((k) => typeof k === "string" ? new Key(k) : k);
  }

  #each(run: Run, test: (key: Key) => boolean): boolean {
    for (const k of this.#keys) {
      if (test(k instanceof Key ? k : new Key(run.text(k)))) return true;
    }
    return false;
  }

  /** Whether a count matches a key of `:count`. */
  count(run: Run, n: number): boolean {
    run.spend(1);
    const { relation } = this.match;
    return this.#each(run, (k) => holds(relation, compare("i;ascii-numeric", String(n), k.text)));
  }

  /**
   * Whether a value matches a key; the matches of wildcards are kept then.
   * @param keep false if the test doesn't set `${1}` and so on (RFC 5173 §6)
   */
  value(run: Run, value: string, keep = true): boolean {
    const m = this.match;
    run.spend(1 + (value.length >> 8));
    const text = m.type === "contains" ? foldedLately(m.comparator, value) : value;
    return this.#each(run, (key) => {
      run.spend(1 + (value.length >> 10));
      switch (m.type) {
        case "is":
          return equal(m.comparator, value, key.text);
        case "contains":
          return contains(text, key.folded(m.comparator));
        case "value":
          return holds(m.relation, compare(m.comparator, value, key.text));
        case "matches": {
          const found = matchGlob(key.glob(m.comparator), value, {
            spend: (n) => run.spend(n / 32),
          });
          if (found && keep) run.captures = [value, ...found];
          return found !== undefined;
        }
        case "regex": {
          const { linear, posix } = key.regexp(m.comparator);
          const end = affordable(value.length, linear.size);
          run.spend(1 + end * linear.size / 64);
          if (!linear.test(value, undefined, end)) return false;
          if (keep) {
            const { cost } = posix();
            const part = affordable(end, cost / groupFactor);
            run.spend(part * cost / 64);
            // If that is too much work, the groups are those of the first alternative that matches.
            const groups = posix().exec(value, part) ??
              linear.exec(value, 0, undefined, end)!.groups;
            run.captures = groups.map((g) => g ?? "");
          }
          return true;
        }
        case "list":
          return run.context.inList(key.text, value) === true;
        case "count":
          return false;
      }
    });
  }

  /** Whether one of the values matches, or their number does. */
  any(run: Run, values: readonly string[], keep = true): boolean {
    if (this.match.type === "count") return this.count(run, values.length);
    return values.some((v) => this.value(run, v, keep));
  }
}

/** How much of a text of so many characters an expression may be matched against. */
function affordable(length: number, cost: number): number {
  return Math.min(length, maxRegexText, Math.ceil(maxRegexSteps / cost));
}

let lately: { comparator: Comparator; value: string; text: string } | undefined;

/** Rules often compare the same field, one after the other. */
function foldedLately(comparator: Comparator, value: string): string {
  if (lately?.value !== value || lately.comparator !== comparator) {
    lately = { comparator, value, text: folded(comparator, value) };
  }
  return lately.text;
}

function holds(relation: Relation, order: number): boolean {
  switch (relation) {
    case "gt":
      return order > 0;
    case "ge":
      return order >= 0;
    case "lt":
      return order < 0;
    case "le":
      return order <= 0;
    case "eq":
      return order === 0;
    case "ne":
      return order !== 0;
  }
}
