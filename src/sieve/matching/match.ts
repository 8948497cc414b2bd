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

/** A regular expression that ignores case where the comparator does. @throws RegExpSyntaxError */
export function sieveRegExp(pattern: string, comparator: Comparator): LinearRegExp {
  const r = compileRegExp(comparator === "i;octet" ? pattern : `(?i)${pattern}`);
  if (r.groups > maxMatchIndex + 1) {
    throw new RegExpSyntaxError(`has more than ${maxMatchIndex} groups`);
  }
  return r;
}

/** A key of a test; `folded` is for `:contains`. */
type Key = { text: string; folded: string; glob?: Glob; regexp?: LinearRegExp };

function keyOf(match: Match, text: string): Key {
  return {
    text,
    folded: match.type === "contains" ? folded(match.comparator, text) : "",
    glob: match.type === "matches" ? compileGlob(text, match.comparator) : undefined,
    regexp: match.type === "regex" ? regexpOf(text, match.comparator) : undefined,
  };
}

function regexpOf(text: string, comparator: Comparator): LinearRegExp {
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
    this.#keys = keys.map((k) => typeof k === "string" ? keyOf(match, k) : k);
  }

  #each(run: Run, test: (key: Key) => boolean): boolean {
    for (const k of this.#keys) {
      const key = typeof k === "string" || "parts" in k ? keyOf(this.match, run.text(k)) : k;
      if (test(key)) return true;
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
          return contains(text, key.folded);
        case "value":
          return holds(m.relation, compare(m.comparator, value, key.text));
        case "matches": {
          const found = matchGlob(key.glob!, value, { spend: (n) => run.spend(n / 32) });
          if (found && keep) run.captures = [value, ...found];
          return found !== undefined;
        }
        case "regex": {
          const regexp = key.regexp!;
          // Keeping the matches of groups costs more with more groups.
          const cost = regexp.size * (1 + (keep ? regexp.groups / 8 : 0));
          const text = value.slice(0, Math.min(maxRegexText, Math.ceil(maxRegexSteps / cost)));
          run.spend(1 + text.length * cost / 64);
          if (!regexp.test(text)) return false;
          if (keep) run.captures = regexp.exec(text)!.groups.map((g) => g ?? "");
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
