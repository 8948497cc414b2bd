/**
 * The search language of the API: words and "phrases", and filters such as `from:ann`, `is:unread`,
 * `has:attachment`, `tag:"first mail"`, `before:2026-01-31`, `larger:2M`; `-` or `!` in front negates.
 *
 * @module
 */
import type { SearchNode, SummaryField } from "../../store/search/types.ts";
import { Flag } from "../../store/types.ts";
import { zoneClock } from "../../mail/calendar/zone_clock.ts";
import { keywordsLike } from "./tags.ts";

/** A search that can't be understood. */
export class QueryError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "QueryError";
  }
}

/** Context for parsing a search. */
export interface QueryContext {
  /** Keywords in use, for tags. */
  keywords: readonly string[];
  /** Name of a time zone for dates without one, such as "Europe/Berlin"; UTC if not given. */
  timeZone?: string;
}

/** Characters of a search, and conditions in it. */
const maxQuery = 4000;
const maxTerms = 100;

interface Term {
  negated: boolean;
  /** Lower case; "" for words. */
  filter: string;
  value: string;
}

const filters = new Set([
  "from",
  "to",
  "cc",
  "bcc",
  "reply-to",
  "addressed",
  "subject",
  "message-id",
  "tag",
  "is",
  "has",
  "before",
  "after",
  "larger",
  "smaller",
  "anywhere",
]);

/** Splits a search into conditions. */
function* terms(text: string): Generator<Term> {
  let at = 0;
  const quoted = (): string => {
    const end = text.indexOf('"', at + 1);
    const value = text.slice(at + 1, end < 0 ? undefined : end);
    at = end < 0 ? text.length : end + 1;
    return value;
  };
  const word = (ends: RegExp): string => {
    const start = at;
    while (at < text.length && !ends.test(text[at])) at++;
    return text.slice(start, at);
  };
  while (at < text.length) {
    if (/\s/.test(text[at])) {
      at++;
      continue;
    }
    const negated = (text[at] === "-" || text[at] === "!") && at + 1 < text.length;
    if (negated) at++;
    if (text[at] === '"') {
      yield { negated, filter: "", value: quoted() };
      continue;
    }
    const start = at;
    const name = word(/[\s:"]/).toLowerCase();
    if (text[at] === ":" && filters.has(name)) {
      at++;
      yield { negated, filter: name, value: text[at] === '"' ? quoted() : word(/\s/) };
    } else {
      at = start;
      yield { negated, filter: "", value: word(/\s/) };
    }
  }
}

/** Offset in minutes of a zone from UTC at a moment, positive to the east. */
const offsetAt = (zone: string, ms: number): number => Math.round(zoneClock(zone)(ms) / 60_000);

function dateOf(text: string, zone: string | undefined): number {
  const local = /^(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?:[T ](\d{1,2}):(\d{2})(?::(\d{2}))?)?$/.exec(
    text,
  );
  if (local !== null) {
    const [y, mo, d, h, mi, s] = local.slice(1).map((x) => Number(x ?? 0));
    const utc = Date.UTC(y, mo - 1, d, h, mi, s);
    if (zone === undefined || Number.isNaN(utc)) return utc;
    try {
      return utc - offsetAt(zone, utc) * 60_000;
    } catch {
      throw new QueryError(`there is no time zone ${JSON.stringify(zone)}`);
    }
  }
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) {
    throw new QueryError(`${JSON.stringify(text)} is no date such as 2026-01-31`);
  }
  return ms;
}

function sizeOf(text: string): number {
  const parts = /^(\d+(?:\.\d+)?)\s*([km]?)b?$/i.exec(text);
  if (parts === null) throw new QueryError(`${JSON.stringify(text)} is no size such as 200k or 2M`);
  const unit = { "": 1, k: 1024, m: 1024 * 1024 }[parts[2].toLowerCase()]!;
  return Math.round(Number(parts[1]) * unit);
}

const summary = (text: string, ...fields: SummaryField[]): SearchNode => ({
  op: "or",
  nodes: fields.map((field): SearchNode => ({ op: "summary", field, text })),
});

const tagged = (keywords: readonly string[]): SearchNode => ({
  op: "or",
  nodes: keywords.map((keyword): SearchNode => ({ op: "keyword", keyword })),
});

function nodeOf({ filter, value }: Term, context: QueryContext): SearchNode {
  switch (filter) {
    case "from":
    case "cc":
    case "bcc":
    case "subject":
      return { op: "summary", field: filter, text: value };
    case "to":
      // Envelope-only recipients are kept as Bcc.
      return summary(value, "to", "cc", "bcc");
    case "addressed":
      return summary(value, "from", "to", "cc", "bcc");
    case "reply-to":
    case "message-id":
      return { op: "header", name: filter, text: value };
    case "tag":
      return tagged(keywordsLike(context.keywords, value));
    case "is":
      switch (value.toLowerCase()) {
        case "read":
          return { op: "flag", bit: Flag.Seen };
        case "unread":
          return { op: "not", node: { op: "flag", bit: Flag.Seen } };
        case "tagged":
          return tagged(context.keywords.filter((k) => k.startsWith("tag:")));
        default:
          throw new QueryError("is: takes read, unread or tagged");
      }
    case "has":
      if (/^attachments?$/i.test(value)) return { op: "attachment" };
      throw new QueryError("has: takes attachment");
    case "before":
      return { op: "received", before: dateOf(value, context.timeZone) };
    case "after":
      return { op: "received", from: dateOf(value, context.timeZone) };
    case "larger":
      return { op: "larger", size: sizeOf(value) };
    case "smaller":
      return { op: "smaller", size: sizeOf(value) };
    case "anywhere":
      return {
        op: "or",
        nodes: [summary(value, "subject", "from", "to", "cc", "bcc"), { op: "text", text: value }],
      };
    default:
      // Not the header: its names, and the envelope in it, have common words in every message. What the summary
      // has is found without a look at the text.
      return {
        op: "or",
        nodes: [
          summary(value, "subject", "from", "to", "cc", "bcc"),
          { op: "shown", text: value },
        ],
      };
  }
}

/** A search for one text as it is: in all of a message with its header, or in its sender or recipients. */
export function textQuery(filter: "anywhere" | "from" | "to", value: string): SearchNode {
  return value === "" ? { op: "all" } : nodeOf({ negated: false, filter, value }, { keywords: [] });
}

/** A search as a tree of the store. @throws QueryError */
export function parseQuery(text: string, context: QueryContext): SearchNode {
  if (text.length > maxQuery) throw new QueryError(`a search has at most ${maxQuery} characters`);
  const nodes: SearchNode[] = [];
  for (const term of terms(text)) {
    if (nodes.length >= maxTerms) {
      throw new QueryError(`a search has at most ${maxTerms} conditions`);
    }
    if (term.value === "") continue;
    const node = nodeOf(term, context);
    nodes.push(term.negated ? { op: "not", node } : node);
  }
  if (nodes.length === 0) return { op: "all" };
  return nodes.length === 1 ? nodes[0] : { op: "and", nodes };
}
