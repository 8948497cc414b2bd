/**
 * Search keys (RFC 9051 §6.4.4 and the extensions that add to them).
 *
 * The tree that comes out still has message sets as the client wrote them: what they mean depends on
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

/** Keys in a command, not counting those that hold others; and levels of what is searched by in the end. */
const maxKeys = 2000;
const maxDepth = 500;
/** Brackets and operators that are open at a time: more than a line of 64 KB has, which others allow. */
const maxOpen = 30_000;

const dayMs = 86_400_000;

/** What a search said about how to read its texts. */
export interface SearchContext {
  keys: number;
  /** True if a MODSEQ key was there: the answer then has the highest modseq (RFC 7162 §3.1.5). */
  modseq: boolean;
  /** True if a sequence number (not uid) was used: refused with UIDONLY. */
  sequenceNumbers: boolean;
  /** At the end of ids of emails and threads, where the mailbox is another account's. */
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

function text(c: Cursor, ctx: SearchContext): string {
  const start = c.pos;
  const bytes = c.astringBytes("text to search for");
  const t = ctx.decode(bytes);
  if (t === undefined) c.fail("text in the charset given", start);
  return t;
}

/** What a key is a part of, while it is read. */
interface Open {
  op: "and" | "or" | "not" | "fuzzy";
  /** Of "and" and "or"; those of an AND within an AND, and of an OR within an OR, are its own. */
  keys: SearchKey[];
  /** Keys that were read for it. */
  got: number;
}

/** Reads one search key, however deep it nests: without recursion, and only what changes something is kept. */
export function parseSearchKey(c: Cursor, ctx: SearchContext): SearchKey {
  const open: Open[] = [];
  for (;;) {
    let key: SearchKey | undefined = opener(c, open) ? undefined : singleKey(c, ctx);
    while (key !== undefined) {
      const within = open[open.length - 1];
      if (!within) {
        checkDepth(c, key);
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
      if (op === "or" ? within.got < 2 : !c.take(")")) {
        c.sp();
        continue;
      }
      open.pop();
      key = within.keys.length === 1 ? within.keys[0] : { op, keys: within.keys };
    }
  }
}

/** Takes what begins a key of other keys. */
function opener(c: Cursor, open: Open[]): boolean {
  if (open.length > maxOpen) c.fail(`nesting of at most ${maxOpen} levels`);
  if (c.take("(")) {
    open.push({ op: "and", keys: [], got: 0 });
    return true;
  }
  for (const word of ["NOT", "OR", "FUZZY"] as const) {
    if (!c.takeWord(word)) continue;
    c.sp();
    open.push({ op: word.toLowerCase() as "not" | "or" | "fuzzy", keys: [], got: 0 });
    return true;
  }
  return false;
}

/** @throws ParseError for a tree that is too deep to be searched by */
function checkDepth(c: Cursor, key: SearchKey): void {
  let level: SearchKey[] = [key];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > maxDepth) c.fail(`conditions of at most ${maxDepth} levels that differ`);
    level = level.flatMap((k) =>
      k.op === "and" || k.op === "or" ? k.keys : k.op === "not" || k.op === "fuzzy" ? [k.key] : []
    );
  }
}

function singleKey(c: Cursor, ctx: SearchContext): SearchKey {
  if (++ctx.keys > maxKeys) c.fail(`at most ${maxKeys} search keys`);
  const first = c.peek();
  if (first === 0x2a || first === 0x24 || (first >= 0x30 && first <= 0x39)) {
    const set = parseNumSet(c);
    if (!set.saved) ctx.sequenceNumbers = true;
    return { op: "set", uid: false, set };
  }
  const start = c.pos;
  const word = c.word("search key");
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
      c.sp();
      return {
        op: "summary",
        field: word.toLowerCase() as "from" | "to" | "cc" | "bcc" | "subject",
        text: text(c, ctx),
      };
    case "BODY":
    case "TEXT":
      c.sp();
      return { op: word === "BODY" ? "body" : "text", text: text(c, ctx) };
    case "HEADER": {
      c.sp();
      const name = c.astring("header field name").toLowerCase();
      c.sp();
      return { op: "header", name, text: text(c, ctx) };
    }
    case "KEYWORD":
      c.sp();
      return keywordKey(c.atom("keyword"));
    case "UNKEYWORD":
      c.sp();
      return not(keywordKey(c.atom("keyword")));
    case "BEFORE":
      c.sp();
      return { op: "received", before: c.date() };
    case "ON": {
      c.sp();
      const d = c.date();
      return { op: "received", from: d, before: d + dayMs };
    }
    case "SINCE":
      c.sp();
      return { op: "received", from: c.date() };
    case "SENTBEFORE":
      c.sp();
      return { op: "sent", before: c.date() };
    case "SENTON": {
      c.sp();
      const d = c.date();
      return { op: "sent", from: d, before: d + dayMs };
    }
    case "SENTSINCE":
      c.sp();
      return { op: "sent", from: c.date() };
    // RFC 8514: SAVEDATE.
    case "SAVEDBEFORE":
      c.sp();
      return { op: "saved", before: c.date() };
    case "SAVEDON": {
      c.sp();
      const d = c.date();
      return { op: "saved", from: d, before: d + dayMs };
    }
    case "SAVEDSINCE":
      c.sp();
      return { op: "saved", from: c.date() };
    case "SAVEDATESUPPORTED":
      return { op: "all" };
    // RFC 5032: WITHIN.
    case "OLDER":
      c.sp();
      return { op: "received", before: Date.now() - c.nzNumber("seconds") * 1000 + 1 };
    case "YOUNGER":
      c.sp();
      return { op: "received", from: Date.now() - c.nzNumber("seconds") * 1000 };
    case "LARGER":
      c.sp();
      return { op: "larger", size: c.number64("size") };
    case "SMALLER":
      c.sp();
      return { op: "smaller", size: c.number64("size") };
    case "UID":
      c.sp();
      return { op: "set", uid: true, set: parseNumSet(c, "uid set") };
    case "MODSEQ": {
      // RFC 7162 §3.1.5: the name and type of a metadata item may come first; all have one modseq here.
      c.sp();
      if (c.at('"')) {
        const at = c.pos;
        const name = c.string();
        if (!name.toLowerCase().startsWith("/flags/")) c.fail('entry name "/flags/..."', at);
        c.sp();
        c.oneOf(["PRIV", "SHARED", "ALL"], "priv, shared or all");
        c.sp();
      }
      ctx.modseq = true;
      return { op: "modseq", min: c.number64("modseq") };
    }
    case "EMAILID":
      c.sp();
      return idKey("emailId", "E", c.atom("EMAILID"), ctx.idSuffix);
    case "THREADID":
      c.sp();
      return idKey("threadId", "T", c.atom("THREADID"), ctx.idSuffix);
  }
  c.fail("known search key", start);
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

/** A text's words as conditions. */
function fuzzyText(node: SearchNode & { text: string }, fuzziness: Fuzziness): SearchNode {
  const words = node.text.split(/[\s,;]+/).filter((w) => w !== "").slice(0, 20);
  if (fuzziness === "none" || words.length === 0) return node;
  const nodes = words.map((w) => ({
    ...node,
    text: fuzziness === "stems" && w.length > 4 ? w.toLowerCase().replace(endings, "") : w,
  }));
  return nodes.length === 1 ? nodes[0] : { op: "and", nodes };
}

/** Turns a key into a condition, sets by what they mean in the session. */
export function resolveSearch(
  key: SearchKey,
  uidRanges: (set: NumSet, uid: boolean) => [number, number][],
  fuzziness: Fuzziness = "stems",
  fuzzy = false,
): SearchNode {
  const resolved = (k: SearchKey) => resolveSearch(k, uidRanges, fuzziness, fuzzy);
  switch (key.op) {
    case "and":
    case "or":
      return { op: key.op, nodes: key.keys.map(resolved) };
    case "not":
      return { op: "not", node: resolved(key.key) };
    case "fuzzy":
      return resolveSearch(key.key, uidRanges, fuzziness, true);
    case "summary":
    case "header":
    case "body":
    case "text":
      return fuzzy ? fuzzyText(key, fuzziness) : key;
    case "set":
      return { op: "uid", ranges: uidRanges(key.set, key.uid) };
    case "recent":
      // RFC 9051 has no \Recent any more, and no message has it here.
      return { op: "none" };
    default:
      return key;
  }
}
