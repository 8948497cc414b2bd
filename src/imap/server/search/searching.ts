/**
 * What SEARCH, SORT, THREAD and ESEARCH share: return options, charsets, running a search, and its answer
 * (RFC 4731, 5182, 5267, 9394, 9585).
 *
 * @module
 */
import { decodeCharset, isKnownCharset } from "../../../mail/text/charset.ts";
import { searchMailbox } from "../../../store/account/search.ts";
import type { SearchNode } from "../../../store/search/types.ts";
import { formatString } from "../../format/text.ts";
import type { Cursor } from "../../parse/cursor.ts";
import { type FetchItem, parseFetchItems } from "../../parse/fetch.ts";
import { formatNumSet, type NumSet } from "../../parse/numset.ts";
import { parsePartialRange, type PartialRange, slicePartial } from "../../parse/partial.ts";
import {
  parseSearchKey,
  resolveSearch,
  type SearchContext,
  type SearchKey,
} from "../../parse/search.ts";
import { ImapBad, ImapNo } from "../session/answer.ts";
import { idSuffix } from "../mailboxes/places.ts";
import type { Session } from "../session/session.ts";
import type { View } from "../session/view.ts";

const returnOptions = [
  "MIN",
  "MAX",
  "ALL",
  "COUNT",
  "SAVE",
  "PARTIAL",
  "UPDATE",
  "CONTEXT",
  "RELEVANCY",
] as const;

export interface ReturnOptions {
  min: boolean;
  max: boolean;
  all: boolean;
  count: boolean;
  save: boolean;
  /** RFC 5267 §4.3. */
  update: boolean;
  /** What is sent of messages that come into the result (RFC 5465 §7). */
  updateItems: FetchItem[];
  /** RFC 6203 §4. */
  relevancy: boolean;
  partial?: PartialRange;
}

export function noOptions(): ReturnOptions {
  return {
    min: false,
    max: false,
    all: false,
    count: false,
    save: false,
    update: false,
    updateItems: [],
    relevancy: false,
  };
}

/** What an answer without return options contains. */
export const allOptions = (): ReturnOptions => ({ ...noOptions(), all: true });

/** True if a result is asked for, not just that it be kept. */
export function asksForResult(options: ReturnOptions): boolean {
  return options.min || options.max || options.all || options.count || options.relevancy ||
    options.partial !== undefined;
}

/** RETURN with its options, if it comes next. */
export function takeReturn(cursor: Cursor): ReturnOptions | undefined {
  if (!cursor.takeText("RETURN ")) return undefined;
  const options = parseReturn(cursor);
  cursor.sp();
  return options;
}

function parseReturn(cursor: Cursor): ReturnOptions {
  const r = noOptions();
  cursor.expect("(");
  const start = cursor.pos;
  while (!cursor.take(")")) {
    if (cursor.pos > start) cursor.sp();
    const w = cursor.oneOf(returnOptions, "search return option");
    if (w === "PARTIAL") {
      if (r.partial) cursor.fail("only one PARTIAL", start);
      cursor.sp();
      r.partial = parsePartialRange(cursor);
    } else if (w !== "CONTEXT") {
      // RFC 5267 §4.2: CONTEXT is a hint that more searches like this will come.
      r[w.toLowerCase() as "min"] = true;
      if (w === "UPDATE" && cursor.at(" ") && cursor.bytes[cursor.pos + 1] === 0x28) {
        cursor.sp();
        r.updateItems = parseFetchItems(cursor);
      }
    }
  }
  // RFC 4731 §3.1: "()" is ALL; SAVE and UPDATE alone ask for no result.
  if (!asksForResult(r) && !r.save && !r.update) r.all = true;
  if (r.all && r.partial) cursor.fail("only one of ALL and PARTIAL", start);
  return r;
}

/** A {@link SearchContext} with the charset of texts, which may come first. */
export interface CharsetContext extends SearchContext {
  charset: string;
}

export function searchContext(session: Session): CharsetContext {
  const { view } = session;
  return {
    idSuffix: view ? idSuffix(session, view.account) : "",
    keys: 0,
    modseq: false,
    sequenceNumbers: false,
    charset: "utf-8",
    decode(bytes) {
      if (this.charset === "utf-8") {
        try {
          return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
        } catch {
          // Some clients send 8-bit text and no charset; latin1 finds at least itself.
          return session.utf8 ? undefined : new TextDecoder("latin1").decode(bytes);
        }
      }
      return decodeCharset(bytes, this.charset);
    },
  };
}

/** A charset; unknown ones are reported once the whole command has been read. */
function setCharset(ctx: CharsetContext, name: string): boolean {
  const lower = name.toLowerCase();
  if (lower === "utf-8" || lower === "us-ascii") return true;
  if (!isKnownCharset(lower)) return false;
  ctx.charset = lower;
  return true;
}

function parseKeys(cursor: Cursor, ctx: SearchContext): SearchKey {
  const keys = [parseSearchKey(cursor, ctx)];
  while (cursor.take(" ")) keys.push(parseSearchKey(cursor, ctx));
  return keys.length === 1 ? keys[0] : { op: "and", keys };
}

/**
 * The search program, to the end of the command. SORT and THREAD require a charset before it ("must"), other
 * searches may have one.
 * @returns undefined if the charset is not known: see {@link badCharset}
 */
export function parseCriteria(
  cursor: Cursor,
  session: Session,
  ctx: CharsetContext,
  charset: "must" | "may",
): SearchKey | undefined {
  if (charset === "must" || cursor.takeText("CHARSET ")) {
    // RFC 6855 §3: with UTF8=ACCEPT everything is UTF-8, and a charset must not be named.
    if (charset === "may" && session.enabled.has("UTF8=ACCEPT")) {
      throw new ImapBad("no CHARSET after ENABLE UTF8=ACCEPT");
    }
    const known = setCharset(ctx, cursor.astring("charset"));
    cursor.sp();
    if (!known) {
      // What follows can't be decoded, so it isn't parsed.
      cursor.pos = cursor.bytes.length;
      return undefined;
    }
  }
  return parseKeys(cursor, ctx);
}

/** Refuses an unknown charset. RFC 5182 §2.1: a failed search with SAVE leaves nothing saved. */
export function badCharset(session: Session, options: ReturnOptions | undefined): ImapNo {
  if (options?.save && session.view) session.view.saved = [];
  return new ImapNo("charset is not known", "BADCHARSET (US-ASCII UTF-8)");
}

/** Keeps the client informed of a long search (RFC 9585). */
export function progress(session: Session, tag: string): (done: number, total: number) => void {
  const interval = session.backend.progressInterval ?? 10_000;
  let next = performance.now() + interval;
  return (done, total) => {
    if (performance.now() < next) return;
    next = performance.now() + interval;
    session.untagged(`OK [INPROGRESS (${formatString(tag, false)} ${done} ${total})] searching`);
    session.conn.flush().catch(() => {
      // The command itself will notice that the connection is gone.
    });
  };
}

export async function runSearch(
  session: Session,
  key: SearchKey,
  ctx: SearchContext,
  uid: boolean,
): Promise<{ uids: number[]; modseq: number; node: SearchNode }> {
  if ((!uid || ctx.sequenceNumbers)) session.requireSequenceNumbers();
  if (ctx.modseq) session.enableCondstore();
  const v = session.selected;
  const node = resolveSearch(key, rangesIn(v), { recent: recentIn(session, v) });
  const r = await searchMailbox(v.account, v.mailboxId, node, {
    uids: v.uids.slice(),
    stopped: () => session.conn.closed,
    progress: progress(session, session.tag),
  });
  return { ...r, node };
}

/**
 * Sets in a search, as ranges of uids. RFC 9051 §6.4.4 has no error for numbers that no message has: such a search
 * finds the messages that exist.
 */
function rangesIn(view: View): (set: NumSet, uid: boolean) => [number, number][] {
  return (set, uid) => view.uidRanges(set, uid);
}

/** Uids of messages that are \Recent in a view, if the client gets \Recent at all; they grow with the view. */
export function recentIn(
  session: Session,
  view: View,
): readonly [number, number][] | undefined {
  return session.tellsRecent ? view.recent : undefined;
}

/**
 * Relevance of messages in a result, from 1 to 100 (RFC 6203 §4): highest with the texts as given, lower
 * with all their words, lowest with words that only begin like them.
 */
export async function relevancies(
  session: Session,
  key: SearchKey,
  uids: readonly number[],
): Promise<Map<number, number>> {
  const v = session.selected;
  const scores = new Map(uids.map((u) => [u, 50]));
  for (const [fuzziness, score] of [["words", 75], ["none", 100]] as const) {
    const node = resolveSearch(key, rangesIn(v), { fuzziness, recent: recentIn(session, v) });
    const ascending = Uint32Array.from(uids).sort();
    const r = await searchMailbox(v.account, v.mailboxId, node, { uids: ascending });
    for (const u of r.uids) scores.set(u, score);
  }
  return scores;
}

/** The rest of an ESEARCH line: the requested items of a result, in its order. */
export function esearchItems(
  numbers: readonly number[],
  modseq: number | undefined,
  options: ReturnOptions,
  scores?: readonly number[],
): string {
  let out = "";
  if (numbers.length > 0) {
    if (options.min) out += ` MIN ${numbers[0]}`;
    if (options.max) out += ` MAX ${numbers[numbers.length - 1]}`;
    if (options.all) out += ` ALL ${formatNumSet(numbers)}`;
  }
  if (options.count) out += ` COUNT ${numbers.length}`;
  if (options.partial) {
    const part = slicePartial(numbers as number[], options.partial);
    out += ` PARTIAL (${options.partial.label} ${part.length > 0 ? formatNumSet(part) : "NIL"})`;
  }
  if (scores && options.relevancy && numbers.length > 0) {
    const shown = options.partial ? slicePartial(scores as number[], options.partial) : scores;
    if (shown.length > 0) out += ` RELEVANCY (${shown.join(" ")})`;
  }
  if (modseq !== undefined && numbers.length > 0) out += ` MODSEQ ${modseq}`;
  return out;
}

/**
 * The MODSEQ of an answer (RFC 4731 §3.2): the highest of the result, or, if only MIN or MAX is requested,
 * of those.
 */
export function resultModseq(
  session: Session,
  uids: readonly number[],
  options: ReturnOptions,
): number {
  const onlyEnds = (options.min || options.max) && !options.all && !options.count &&
    !options.partial;
  const asked = onlyEnds
    ? [...(options.min ? uids.slice(0, 1) : []), ...(options.max ? uids.slice(-1) : [])].sort((
      a,
      b,
    ) => a - b)
    : [...uids].sort((a, b) => a - b);
  let highest = 0;
  session.selected.account.fetch(session.selected.mailboxId, asked, 0, (row) => {
    if (row.modseq > highest) highest = row.modseq;
  });
  return highest;
}

export function toNumbers(session: Session, uids: readonly number[], uid: boolean): number[] {
  if (uid) return uids as number[];
  const { uids: all } = session.selected;
  const numbers = new Array<number>(uids.length);
  let at = 0;
  for (let i = 0; i < uids.length; i++) {
    // Ascending uids are found by moving forward, others of a sorted result by lookup.
    if (at < all.length && all[at] === uids[i]) numbers[i] = ++at;
    else {
      numbers[i] = session.selected.seqOf(uids[i]);
      at = numbers[i];
    }
  }
  return numbers;
}

/**
 * What SAVE keeps: everything found, or without ALL and COUNT just what MIN, MAX (RFC 5182 §2.4) and PARTIAL
 * (RFC 9394 §3.2) return.
 */
export function saveResult(session: Session, uids: number[], options: ReturnOptions): void {
  let kept = uids;
  if ((options.min || options.max || options.partial) && !options.all && !options.count) {
    kept = options.partial ? [...slicePartial(uids, options.partial)] : [];
    if (options.min) kept.push(...uids.slice(0, 1));
    if (options.max) kept.push(...uids.slice(-1));
  }
  session.selected.saved = [...new Set(kept)].sort((a, b) => a - b);
}
