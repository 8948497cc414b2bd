/**
 * Search keys (RFC 9051 §6.4.4 and the extensions that add to them).
 *
 * The resulting tree still has message sets as the client wrote them: what they mean depends on
 * the session, which resolves them with {@link resolveSearch}.
 *
 * @module
 */
import { flagBit } from "../../store/mailboxes/keywords.ts";
import type { SearchNode } from "../../store/search/types.ts";
import { Flag } from "../../store/types.ts";
import type { Cursor } from "./cursor.ts";
import { type NumSet, parseNumSet } from "./numset.ts";

/** A key before its sets are resolved. */
export type SearchKey =
  | Exclude<SearchNode, { op: "and" | "or" | "not" | "uid" }>
  | { op: "and" | "or"; keys: SearchKey[] }
  | { op: "not"; key: SearchKey }
  | { op: "set"; uid: boolean; set: NumSet }
  | { op: "fuzzy"; key: SearchKey }
  | { op: "recent" };

/** Keys in a command, not counting those that hold others; and levels of the resulting condition. */
const maxKeys = 2000;
const maxDepth = 500;
/** Brackets and operators open at a time: more than fit in a line of 64 KB, the limit of other servers. */
const maxOpen = 30_000;

const dayMs = 86_400_000;

/** How a search wants its texts to be read. */
export interface SearchContext {
  keys: number;
  /** True if there was a MODSEQ key: the answer then has the highest modseq (RFC 7162 §3.1.5). */
  modseq: boolean;
  /** True if a sequence number (not uid) was used: refused with UIDONLY. */
  sequenceNumbers: boolean;
  /** Suffix of email and thread ids where the mailbox is another account's. */
  idSuffix: string;
  decode(bytes: Uint8Array): string | undefined;
}

const flagKeys: Record<string, [number, boolean]> = {
  ANSWERED: [Flag.Answered, true],
  DELETED: [Flag.Deleted, true],
  DRAFT: [Flag.Draft, true],
  FLAGGED: [Flag.Flagged, true],
  SEEN: [Flag.Seen, true],
  UNANSWERED: [Flag.Answered, false],
  UNDELETED: [Flag.Deleted, false],
  UNDRAFT: [Flag.Draft, false],
  UNFLAGGED: [Flag.Flagged, false],
  UNSEEN: [Flag.Seen, false],
};

function not(key: SearchKey): SearchKey {
  return key.op === "not" ? key.key : { op: "not", key };
}

function keywordKey(name: string): SearchKey {
  const bit = flagBit(name);
  return bit !== undefined ? { op: "flag", bit } : { op: "keyword", keyword: name.toLowerCase() };
}

function text(cursor: Cursor, ctx: SearchContext): string {
  const start = cursor.pos;
  const bytes = cursor.astringBytes("text to search for");
  const t = ctx.decode(bytes);
  if (t === undefined) cursor.fail("text in the charset given", start);
  return t;
}

/** The key that contains the one being read. */
interface Open {
  op: "and" | "or" | "not" | "fuzzy";
  /** Of "and" and "or"; an AND within an AND, and an OR within an OR, is merged into it. */
  keys: SearchKey[];
  /** Keys read for it so far. */
  got: number;
}

/** Reads one search key, however deeply nested: without recursion, keeping only nodes that matter. */
export function parseSearchKey(cursor: Cursor, ctx: SearchContext): SearchKey {
  const open: Open[] = [];
  for (;;) {
    let key: SearchKey | undefined = opener(cursor, open) ? undefined : singleKey(cursor, ctx);
    while (key !== undefined) {
      const within = open[open.length - 1];
      if (!within) {
        checkDepth(cursor, key);
        return key;
      }
      within.got++;
      const { op } = within;
      if (op === "not" || op === "fuzzy") {
        open.pop();
        key = op === "not" ? not(key) : key.op === "fuzzy" ? key : { op, key };
        continue;
      }
      if (key.op === op) {
        for (const k of (key as { keys: SearchKey[] }).keys) within.keys.push(k);
      } else within.keys.push(key);
      key = undefined;
      if (op === "or" ? within.got < 2 : !cursor.take(")")) {
        cursor.sp();
        continue;
      }
      open.pop();
      key = within.keys.length === 1 ? within.keys[0] : { op, keys: within.keys };
    }
  }
}

/** Consumes the start of a key that holds other keys. */
function opener(cursor: Cursor, open: Open[]): boolean {
  if (open.length > maxOpen) cursor.fail(`nesting of at most ${maxOpen} levels`);
  if (cursor.take("(")) {
    open.push({ op: "and", keys: [], got: 0 });
    return true;
  }
  for (const word of ["NOT", "OR", "FUZZY"] as const) {
    if (!cursor.takeWord(word)) continue;
    cursor.sp();
    open.push({ op: word.toLowerCase() as "not" | "or" | "fuzzy", keys: [], got: 0 });
    return true;
  }
  return false;
}

/** @throws ParseError for a tree that is too deep to search with */
function checkDepth(cursor: Cursor, key: SearchKey): void {
  let level: SearchKey[] = [key];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > maxDepth) cursor.fail(`conditions of at most ${maxDepth} levels that differ`);
    level = level.flatMap((k) =>
      k.op === "and" || k.op === "or" ? k.keys : k.op === "not" || k.op === "fuzzy" ? [k.key] : []
    );
  }
}

function singleKey(cursor: Cursor, ctx: SearchContext): SearchKey {
  if (++ctx.keys > maxKeys) cursor.fail(`at most ${maxKeys} search keys`);
  const first = cursor.peek();
  if (first === 0x2a || first === 0x24 || (first >= 0x30 && first <= 0x39)) {
    const set = parseNumSet(cursor);
    if (!set.saved) ctx.sequenceNumbers = true;
    return { op: "set", uid: false, set };
  }
  const start = cursor.pos;
  const word = cursor.word("search key");
  const flag = flagKeys[word];
  if (flag) {
    const key: SearchKey = { op: "flag", bit: flag[0] };
    return flag[1] ? key : not(key);
  }
  switch (word) {
    case "ALL":
      return { op: "all" };
    case "NEW":
      return { op: "and", keys: [{ op: "recent" }, not({ op: "flag", bit: Flag.Seen })] };
    case "OLD":
      return not({ op: "recent" });
    case "RECENT":
      return { op: "recent" };
    case "FROM":
    case "TO":
    case "CC":
    case "BCC":
    case "SUBJECT":
      cursor.sp();
      return {
        op: "summary",
        field: word.toLowerCase() as "from" | "to" | "cc" | "bcc" | "subject",
        text: text(cursor, ctx),
      };
    case "BODY":
    case "TEXT":
      cursor.sp();
      return { op: word === "BODY" ? "body" : "text", text: text(cursor, ctx) };
    case "HEADER": {
      cursor.sp();
      const name = cursor.astring("header field name").toLowerCase();
      cursor.sp();
      return { op: "header", name, text: text(cursor, ctx) };
    }
    case "KEYWORD":
      cursor.sp();
      return keywordKey(cursor.atom("keyword"));
    case "UNKEYWORD":
      cursor.sp();
      return not(keywordKey(cursor.atom("keyword")));
    case "BEFORE":
      cursor.sp();
      return { op: "received", before: cursor.date() };
    case "ON": {
      cursor.sp();
      const d = cursor.date();
      return { op: "received", from: d, before: d + dayMs };
    }
    case "SINCE":
      cursor.sp();
      return { op: "received", from: cursor.date() };
    case "SENTBEFORE":
      cursor.sp();
      return { op: "sent", before: cursor.date() };
    case "SENTON": {
      cursor.sp();
      const d = cursor.date();
      return { op: "sent", from: d, before: d + dayMs };
    }
    case "SENTSINCE":
      cursor.sp();
      return { op: "sent", from: cursor.date() };
    // RFC 8514: SAVEDATE.
    case "SAVEDBEFORE":
      cursor.sp();
      return { op: "saved", before: cursor.date() };
    case "SAVEDON": {
      cursor.sp();
      const d = cursor.date();
      return { op: "saved", from: d, before: d + dayMs };
    }
    case "SAVEDSINCE":
      cursor.sp();
      return { op: "saved", from: cursor.date() };
    case "SAVEDATESUPPORTED":
      return { op: "all" };
    // RFC 5032: WITHIN.
    case "OLDER":
      cursor.sp();
      return { op: "received", before: Date.now() - cursor.nzNumber("seconds") * 1000 + 1 };
    case "YOUNGER":
      cursor.sp();
      return { op: "received", from: Date.now() - cursor.nzNumber("seconds") * 1000 };
    case "LARGER":
      cursor.sp();
      return { op: "larger", size: cursor.number64("size") };
    case "SMALLER":
      cursor.sp();
      return { op: "smaller", size: cursor.number64("size") };
    case "UID":
      cursor.sp();
      return { op: "set", uid: true, set: parseNumSet(cursor, "uid set") };
    case "MODSEQ": {
      // RFC 7162 §3.1.5: the name and type of a metadata item may come first; all have one modseq here.
      cursor.sp();
      if (cursor.at('"')) {
        const at = cursor.pos;
        const name = cursor.string();
        if (!name.toLowerCase().startsWith("/flags/")) cursor.fail('entry name "/flags/..."', at);
        cursor.sp();
        cursor.oneOf(["PRIV", "SHARED", "ALL"], "priv, shared or all");
        cursor.sp();
      }
      ctx.modseq = true;
      return { op: "modseq", min: cursor.number64("modseq") };
    }
    case "EMAILID":
      cursor.sp();
      return idKey("emailId", "E", cursor.atom("EMAILID"), ctx.idSuffix);
    case "THREADID":
      cursor.sp();
      return idKey("threadId", "T", cursor.atom("THREADID"), ctx.idSuffix);
  }
  cursor.fail("known search key", start);
}

function idKey(
  op: "emailId" | "threadId",
  prefix: string,
  id: string,
  suffix: string,
): SearchKey {
  // RFC 8474 §4: ids are opaque, and an unknown one just matches nothing.
  const digits = id.slice(1, id.length - suffix.length);
  if (!id.startsWith(prefix) || !id.endsWith(suffix) || !/^[1-9][0-9]{0,15}$/.test(digits)) {
    return { op: "none" };
  }
  return { op, id: Number(digits) };
}

/**
 * How texts below FUZZY are taken (RFC 6203 §3 leaves it to the server): as they are, as words in any order,
 * or as the beginnings of words, without endings.
 */
export type Fuzziness = "none" | "words" | "stems";

const endings = /(?:ings?|ers?|e[ds]?|s)$/;

/** The words of a text, as conditions. */
function fuzzyText(node: SearchNode & { text: string }, fuzziness: Fuzziness): SearchNode {
  const words = node.text.split(/[\s,;]+/).filter((w) => w !== "").slice(0, 20);
  if (fuzziness === "none" || words.length === 0) return node;
  const nodes = words.map((w) => ({
    ...node,
    text: fuzziness === "stems" && w.length > 4 ? w.toLowerCase().replace(endings, "") : w,
  }));
  return nodes.length === 1 ? nodes[0] : { op: "and", nodes };
}

export interface ResolveOptions {
  /** "stems" without it. */
  fuzziness?: Fuzziness;
  /** Uids of messages that are \Recent in the session, as ascending ranges; if absent, none is. */
  recent?: readonly [number, number][];
}

/** Turns a key into a condition, resolving sets against the session. */
export function resolveSearch(
  key: SearchKey,
  uidRanges: (set: NumSet, uid: boolean) => [number, number][],
  options: ResolveOptions = {},
  fuzzy = false,
): SearchNode {
  const { fuzziness = "stems", recent } = options;
  const resolved = (k: SearchKey) => resolveSearch(k, uidRanges, options, fuzzy);
  switch (key.op) {
    case "and":
    case "or":
      return { op: key.op, nodes: key.keys.map(resolved) };
    case "not":
      return { op: "not", node: resolved(key.key) };
    case "fuzzy":
      return resolveSearch(key.key, uidRanges, options, true);
    case "summary":
    case "header":
    case "body":
    case "text":
      return fuzzy ? fuzzyText(key, fuzziness) : key;
    case "set":
      return { op: "uid", ranges: uidRanges(key.set, key.uid) };
    case "recent":
      return recent ? { op: "uid", ranges: recent } : { op: "none" };
    default:
      return key;
  }
}
