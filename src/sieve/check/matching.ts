/**
 * Tags that many tests share: match types, comparators, address parts, indexes, MIME parts.
 *
 * @module
 */
import { RegExpSyntaxError } from "../../config/sconf/regexp.ts";
import { type Comparator, comparators } from "../matching/comparators.ts";
import {
  type Match,
  Matcher,
  type MatchType,
  type Relation,
  sieveRegExp,
} from "../matching/match.ts";
import type { Args, Checker, PlacedText, Tags } from "./definition.ts";
import { constant } from "../language/text.ts";

/** Match types and comparator (RFC 5228 §2.7, RFC 5231, RFC 6134). */
export const matchTags: Tags = {
  is: {},
  contains: {},
  matches: {},
  regex: { extension: "regex" },
  value: { takes: "string", extension: "relational" },
  count: { takes: "string", extension: "relational" },
  list: { extension: "extlists" },
  comparator: { takes: "string" },
};

const types: readonly MatchType[] = [
  "is",
  "contains",
  "matches",
  "regex",
  "value",
  "count",
  "list",
];
const relations: readonly string[] = ["gt", "ge", "lt", "le", "eq", "ne"];

/** The one tag given of some exclusive ones, if any. */
export function oneOf<T extends string>(
  checker: Checker,
  args: Args,
  tags: readonly T[],
  what: string,
): T | undefined {
  if (!args.tagged) return undefined;
  let given: T | undefined;
  for (const t of tags) {
    if (!args.has(t)) continue;
    if (given === undefined) given = t;
    else {
      checker.error(
        args.tagAt(t),
        `:${given} and :${t} exclude each other: a test has one ${what}`,
      );
    }
  }
  return given;
}

/** The usual ones, each once for all scripts. */
const usual = new Map<MatchType, Match>(
  types.map((type) => [type, { type, relation: "eq", comparator: "i;ascii-casemap" }]),
);

/** The match type and comparator that the tags choose. */
export function compileMatch(checker: Checker, args: Args): Match {
  if (!args.tagged) return usual.get("is")!;
  const type = oneOf(checker, args, types, "match type") ?? "is";
  const bare = usual.get(type)!;
  if (type !== "value" && type !== "count" && !args.has("comparator")) return bare;
  const match: Match = { ...bare };
  if (type === "value" || type === "count") {
    const relation = constant(args.text(type))?.toLowerCase();
    if (relation === undefined || !relations.includes(relation)) {
      checker.error(
        args.tagAt(type),
        `:${type} needs one of the relations ${relations.join(", ")} after it`,
      );
    } else {
      match.relation = relation as Relation;
    }
  }
  if (args.has("comparator")) {
    const name = constant(args.text("comparator"));
    const known = name === undefined ? undefined : comparators.get(name);
    if (name === undefined || !known) {
      checker.error(
        args.tagAt("comparator"),
        `there is no comparator ${JSON.stringify(name ?? "with variables in it")}`,
      );
      return match;
    }
    const always = name === "i;octet" || name === "i;ascii-casemap";
    if (!always && !checker.requires(`comparator-${name}`)) {
      checker.error(
        args.tagAt("comparator"),
        `the comparator ${name} needs require "comparator-${name}"`,
      );
    }
    match.comparator = name as Comparator;
    if (!known.substring && (type === "contains" || type === "matches" || type === "regex")) {
      checker.error(
        args.tagAt(type),
        `:${type} can't be used with the comparator ${name}, which looks at whole values`,
      );
    }
  }
  return match;
}

/** Keys of a test, with the match type of its tags. */
export function compileMatcher(checker: Checker, args: Args, keys: readonly PlacedText[]): Matcher {
  const match = compileMatch(checker, args);
  if (match.type === "regex") {
    for (const k of keys) {
      if (typeof k.text !== "string") continue;
      try {
        sieveRegExp(k.text, match.comparator);
      } catch (err) {
        if (!(err instanceof RegExpSyntaxError)) throw err;
        checker.error(k.at, `this regular expression ${err.message}`);
        return new Matcher({ ...match, type: "is" }, []);
      }
    }
  }
  return new Matcher(match, keys.map((k) => k.text));
}

/** RFC 5228 §2.7.4, RFC 5233. */
export type AddressPart = "all" | "localpart" | "domain" | "user" | "detail";
const addressParts: readonly AddressPart[] = ["all", "localpart", "domain", "user", "detail"];
export const addressPartTags: Tags = {
  all: {},
  localpart: {},
  domain: {},
  user: { extension: "subaddress" },
  detail: { extension: "subaddress" },
};

export function compileAddressPart(checker: Checker, args: Args): AddressPart {
  return oneOf(checker, args, addressParts, "address part") ?? "all";
}

/** RFC 5260 §6. */
export interface IndexChoice {
  index: number;
  last: boolean;
}
export const indexTags: Tags = {
  index: { takes: "number", extension: "index" },
  last: { extension: "index" },
};

export function compileIndex(checker: Checker, args: Args): IndexChoice | undefined {
  const index = args.number("index");
  if (args.has("last") && index === undefined) {
    checker.error(args.tagAt("last"), ":last needs :index beside it");
  }
  if (index === undefined) return undefined;
  if (index < 1) checker.error(args.tagAt("index"), ":index counts from 1");
  return { index, last: args.has("last") };
}

/** The chosen one of several fields in a header. */
export function atIndex<T>(list: readonly T[], choice: IndexChoice | undefined): readonly T[] {
  if (!choice) return list;
  const i = choice.last ? list.length - choice.index : choice.index - 1;
  return i >= 0 && i < list.length ? [list[i]] : [];
}

const fieldName = /^[\x21-\x39\x3b-\x7e]+$/;

/** Checks names of header fields: invalid names match nothing and give a warning. */
export function checkFieldNames(checker: Checker, names: readonly PlacedText[]): void {
  for (const n of names) {
    const name = constant(n.text);
    if (name !== undefined && !fieldName.test(name)) {
      checker.warn(
        n.at,
        `${JSON.stringify(name.slice(0, 80))} can't be the name of a header field`,
      );
    }
  }
}

/** Whether a text can be the name of a header field (RFC 5322 §3.6.8). */
export function isFieldName(name: string): boolean {
  return fieldName.test(name);
}
