/** Comparing texts (RFC 4790, RFC 5051): collations and kinds of matches of queries. @module */
import type { TextMatch } from "../../mail/calendar/filter.ts";
import { DavError } from "../core/errors.ts";
import { attribute, textOf, type XmlElement } from "../xml/parse.ts";
import { el } from "../xml/write.ts";

const folds: Record<string, (s: string) => string> = {
  "i;octet": (s) => s,
  "i;ascii-casemap": (s) => s.replace(/[A-Z]+/g, (c) => c.toLowerCase()),
  // Equates upper and lower case, and compatibility forms of letters.
  "i;unicode-casemap": (s) => s.normalize("NFKD").toUpperCase().toLowerCase().normalize("NFKD"),
};

/**
 * Reads a text-match. `fallback` is the default collation.
 * @throws DavError 403 supported-collation
 */
export function textMatch(
  element: XmlElement,
  ns: string,
  fallback: string,
): TextMatch {
  let name = attribute(element, "collation") ?? fallback;
  if (name === "default") name = fallback;
  const fold = folds[name];
  if (fold === undefined) {
    throw new DavError(
      403,
      `there is no collation ${name}`,
      el(ns, "supported-collation"),
    );
  }
  const text = textOf(element);
  const wanted = fold(text);
  const kind = attribute(element, "match-type") ?? "contains";
  const by: Record<string, (v: string) => boolean> = {
    "contains": (v) => v.includes(wanted),
    "equals": (v) => v === wanted,
    "starts-with": (v) => v.startsWith(wanted),
    "ends-with": (v) => v.endsWith(wanted),
  };
  const matches = by[kind];
  if (matches === undefined) {
    throw new DavError(403, `there is no match-type ${kind}`, el(ns, "valid-filter"));
  }
  return {
    text,
    negate: attribute(element, "negate-condition") === "yes",
    matches: (value) => matches(fold(value)),
  };
}
