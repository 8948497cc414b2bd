/**
 * Finding messages of a mailbox: exactly, in slices, with bounded memory.
 *
 * Columns and summaries decide first; only messages still undecided are opened. The work is done in slices, so
 * that other connections are served in between.
 *
 * @module
 */
import type { EmailId, MailboxId } from "../ids.ts";
import type { Account } from "./account.ts";
import { addressText, foldCase, MessageText, type TextNode, withoutMarks } from "../search/text.ts";
import { scanMailbox, Verdict } from "./search_scan.ts";
import { needs, type SearchNode, type SummaryField } from "../search/types.ts";
import { isCutSummary } from "../messages/summary.ts";
import { type FetchRow, type MessageReader, type Summary, Want } from "../types.ts";

export { foldCase } from "../search/text.ts";

/** Milliseconds of work between two turns of the event loop. */
const sliceTime = 10;
const rowsPerSlice = 500;
/** A message above this many bytes is searched with pauses in which others are served. */
const largeMessage = 1024 * 1024;
/** For up to this many messages, narrowing costs more than it saves. */
const smallRange = 200;
/** Below this part of a mailbox, the mailbox is not scanned as a whole. */
const smallPart = 1 / 16;

export interface SearchOptions {
  /** Stops the search; the hits so far are returned. */
  stopped?: () => boolean;
  /** Called between slices with the number of messages done. */
  progress?: (done: number, total: number) => void;
  /** Uids to search; all if not given. */
  uids?: Uint32Array;
}

export interface SearchResult {
  /** Ascending. */
  uids: number[];
  /** Highest modseq among them, 0 if there are none. */
  modseq: number;
}

/** The tree with its texts folded, so that this is done only once. */
export function folded(node: SearchNode): SearchNode {
  switch (node.op) {
    case "and":
    case "or":
      return { op: node.op, nodes: node.nodes.map(folded) };
    case "not":
      return { op: "not", node: folded(node.node) };
    case "summary":
      return {
        ...node,
        text: node.loose ? withoutMarks(foldCase(node.text)) : foldCase(node.text),
      };
    case "shown":
      return { ...node, text: withoutMarks(foldCase(node.text)) };
    case "header":
    case "body":
    case "text":
      return { ...node, text: foldCase(node.text) };
    default:
      return node;
  }
}

/** Runs a search. */
export async function searchMailbox(
  account: Account,
  mailboxId: MailboxId,
  node: SearchNode,
  options: SearchOptions = {},
): Promise<SearchResult> {
  const tree = folded(node);
  const flags = flagsOnly(tree);
  if (flags) {
    const r: SearchResult = { uids: [], modseq: 0 };
    const known = options.uids;
    let at = 0;
    account.eachWithFlags(mailboxId, flags.set, flags.clear, (uid, modseq) => {
      if (known !== undefined) {
        while (known[at] < uid) at++;
        if (known[at] !== uid) return;
      }
      r.uids.push(uid);
      if (modseq > r.modseq) r.modseq = modseq;
    });
    return r;
  }
  const asked = options.uids ?? account.uids(mailboxId);
  const scanned = asked.length < smallRange
    ? undefined
    : await scan(account, mailboxId, tree, asked, options.uids !== undefined);
  if (!scanned) {
    const uids = narrowed(account, mailboxId, tree, asked);
    return await lookThrough(account, mailboxId, tree, uids, options);
  }
  const { result, left } = scanned;
  if (left.length === 0) return result;
  const more = await lookThrough(account, mailboxId, tree, left, options);
  return {
    uids: merged(result.uids, more.uids),
    modseq: Math.max(result.modseq, more.modseq),
  };
}

/** The hits of a scan of the mailbox among uids, and the messages that it can't decide. */
async function scan(
  account: Account,
  mailboxId: MailboxId,
  tree: SearchNode,
  asked: Uint32Array,
  some: boolean,
): Promise<{ result: SearchResult; left: Uint32Array } | undefined> {
  if (!account.rows.get(mailboxId)) await account.prepareRows(mailboxId);
  const { count } = account.rows.get(mailboxId) ?? { count: 0 };
  // For a small part of a mailbox, the whole need not be scanned.
  if (count === 0 || asked.length < count * smallPart) return undefined;
  const scanned = await scanMailbox(account, mailboxId, tree);
  if (!scanned) return undefined;
  const { rows, verdicts } = scanned;
  const result: SearchResult = { uids: [], modseq: 0 };
  const left: number[] = [];
  let at = 0;
  for (let i = 0; i < rows.count; i++) {
    const verdict = verdicts[i];
    if (verdict === Verdict.No) continue;
    const uid = rows.uids[i];
    if (some) {
      while (asked[at] < uid) at++;
      if (asked[at] !== uid) continue;
    }
    if (verdict === Verdict.Unknown) {
      left.push(uid);
      continue;
    }
    result.uids.push(uid);
    if (rows.modseqs[i] > result.modseq) result.modseq = rows.modseqs[i];
  }
  return { result, left: Uint32Array.from(left) };
}

/** Merges two ascending lists. */
function merged(a: readonly number[], b: readonly number[]): number[] {
  if (a.length === 0) return b as number[];
  const out: number[] = [];
  let i = 0;
  for (const uid of b) {
    while (i < a.length && a[i] < uid) out.push(a[i++]);
    out.push(uid);
  }
  while (i < a.length) out.push(a[i++]);
  return out;
}

/** Checks the messages one by one. */
async function lookThrough(
  account: Account,
  mailboxId: MailboxId,
  tree: SearchNode,
  uids: Uint32Array,
  options: SearchOptions,
): Promise<SearchResult> {
  const need = needs(tree);
  let want = 0;
  if (need.summary) want |= Want.Summary;
  if (need.thread) want |= Want.Thread;
  const r: SearchResult = { uids: [], modseq: 0 };
  let turn = performance.now();
  for (let i = 0; i < uids.length && !options.stopped?.();) {
    const part = uids.subarray(i, i + rowsPerSlice);
    let last = 0;
    let stoppedEarly = false;
    let large: FetchRow | undefined;
    const found = (row: FetchRow) => {
      r.uids.push(row.uid);
      if (row.modseq > r.modseq) r.modseq = row.modseq;
    };
    account.fetch(mailboxId, part, want, (row) => {
      last = row.uid;
      const quick = decide(tree, row, (n) => kept(account, n, row.emailId));
      if (quick === undefined && row.size > largeMessage) {
        large = row.kept();
        stoppedEarly = true;
        return false;
      }
      if (quick ?? matches(account, mailboxId, tree, row)) found(row);
      if (need.file && performance.now() - turn > sliceTime) {
        stoppedEarly = true;
        return false;
      }
    });
    if (large && await matchesLarge(account, mailboxId, tree, large, options.stopped)) found(large);
    if (stoppedEarly) {
      while (i < uids.length && uids[i] <= last) i++;
    } else {
      i += part.length;
    }
    if (performance.now() - turn > sliceTime) {
      options.progress?.(i, uids.length);
      await new Promise<void>((resolve) => setTimeout(resolve, 0));
      turn = performance.now();
    }
  }
  return r;
}

/** The flags that a tree asks for, if it asks for nothing else. */
function flagsOnly(node: SearchNode): { set: number; clear: number } | undefined {
  switch (node.op) {
    case "all":
      return { set: 0, clear: 0 };
    case "flag":
      return { set: node.bit, clear: 0 };
    case "not":
      return node.node.op === "flag" ? { set: 0, clear: node.node.bit } : undefined;
    case "and": {
      const all = { set: 0, clear: 0 };
      for (const c of node.nodes) {
        const f = flagsOnly(c);
        if (!f) return undefined;
        all.set |= f.set;
        all.clear |= f.clear;
      }
      // A mask can't express a flag that is both set and clear.
      return (all.set & all.clear) !== 0 ? undefined : all;
    }
    default:
      return undefined;
  }
}

/** False if a stored summary can't have the folded text in one of its fields. */
function summaryMayHave(summaryText: string, text: string, loose: boolean): boolean {
  // Characters that JSON escapes, or that separate name and address, need the parsed fields.
  // deno-lint-ignore no-control-regex
  if (/["\\<>\x00-\x1f\x7f]/.test(text)) return true;
  const all = foldCase(summaryText);
  return (loose ? withoutMarks(all) : all).includes(text);
}

const nothing: MessageReader = {
  size: 0,
  readInto: () => 0,
  read: () => new Uint8Array(0),
  close() {},
};

/** Opens a message's file. One that can't be read has no texts: the search goes on with the others. */
export function openOrNothing(
  account: Account,
  row: { emailId: EmailId; prefix: Uint8Array; size: number },
): MessageReader {
  try {
    return account.openRow(row);
  } catch (err) {
    account.log.error("message file can't be searched; see verifydata", {
      err: err as Error,
      emailid: row.emailId,
    });
    return nothing;
  }
}

/**
 * The texts of a message; undefined if it is gone. Used only if nothing else decides: most are decided without.
 */
function textOf(account: Account, mailboxId: MailboxId, uid: number): MessageText | undefined {
  let text: MessageText | undefined;
  account.fetch(mailboxId, [uid], Want.Content, ({ emailId, prefix, size, structure }) => {
    const row = { emailId, prefix: prefix.slice(), size };
    text = new MessageText(structure, () => openOrNothing(account, row));
  });
  return text;
}

function matches(account: Account, mailboxId: MailboxId, tree: SearchNode, row: FetchRow): boolean {
  const text = textOf(account, mailboxId, row.uid);
  if (!text) return false;
  try {
    return decide(tree, row, (node) => {
      const steps = text.find(node);
      for (;;) {
        const s = steps.next();
        if (s.done) return s.value;
      }
    }) === true;
  } finally {
    text.close();
  }
}

/** The same for a message that takes long to search. */
async function matchesLarge(
  account: Account,
  mailboxId: MailboxId,
  tree: SearchNode,
  row: FetchRow,
  stopped: (() => boolean) | undefined,
): Promise<boolean> {
  const text = textOf(account, mailboxId, row.uid);
  if (!text) return false;
  try {
    const known = new Map<TextNode, boolean>();
    let asked: TextNode | undefined;
    for (;;) {
      // One after the other, and only the texts that matter.
      const d = decide(tree, row, (node) => {
        const k = known.get(node) ?? kept(account, node, row.emailId);
        if (k === undefined) asked ??= node;
        return k;
      });
      if (d !== undefined) return d;
      const steps = text.find(asked!);
      let turn = performance.now();
      for (let s = steps.next();; s = steps.next()) {
        if (s.done) {
          known.set(asked!, s.value);
          break;
        }
        if (performance.now() - turn < sliceTime) continue;
        await new Promise<void>((resolve) => setTimeout(resolve, 0));
        if (stopped?.()) return false;
        turn = performance.now();
      }
      asked = undefined;
    }
  } finally {
    text.close();
  }
}

/** The index's answer for the message; undefined if it must be read. */
export function kept(account: Account, node: TextNode, emailId: EmailId): boolean | undefined {
  if (node.op === "summary") return undefined;
  if (node.op === "shown") return account.fulltext.keptShown(emailId, node.text);
  if (node.op === "header") return account.fulltext.keptHeader(emailId, node.name, node.text);
  const k = account.fulltext.kept(emailId, node.text);
  return k && (k.body || (node.op === "text" && k.header));
}

/** The uids that a search has to check, as far as the index can tell. */
function narrowed(
  account: Account,
  mailboxId: MailboxId,
  tree: SearchNode,
  uids: Uint32Array,
): Uint32Array {
  // A few messages are checked faster than the index is queried: lists do that for each thread.
  if (uids.length < smallRange) return uids;
  // While the index is far behind, most remain anyway.
  if (account.fulltext.behind > uids.length / 4) return uids;
  const emails = account.fulltext.narrow(tree);
  // Where many remain, going through the mailbox in order costs less than finding each of them.
  if (emails === undefined || emails.size > uids.length / 4) return uids;
  const left = account.uidsOfEmails(mailboxId, emails, account.fulltext.below);
  return left.filter((uid) => includesSorted(uids, uid));
}

function includesSorted(list: Uint32Array, value: number): boolean {
  let lo = 0;
  let hi = list.length;
  while (lo < hi) {
    const mid = (lo + hi) >>> 1;
    if (list[mid] < value) lo = mid + 1;
    else hi = mid;
  }
  return list[lo] === value;
}

/** True, false, or undefined where the message must be read and isn't loaded. */
export function decide(
  node: SearchNode,
  row: FetchRow,
  text: (n: TextNode) => boolean | undefined,
): boolean | undefined {
  switch (node.op) {
    case "all":
      return true;
    case "none":
      return false;
    case "and": {
      let unknown = false;
      for (const c of node.nodes) {
        const d = decide(c, row, text);
        if (d === false) return false;
        if (d === undefined) unknown = true;
      }
      return unknown ? undefined : true;
    }
    case "or": {
      let unknown = false;
      for (const c of node.nodes) {
        const d = decide(c, row, text);
        if (d === true) return true;
        if (d === undefined) unknown = true;
      }
      return unknown ? undefined : false;
    }
    case "not": {
      const d = decide(node.node, row, text);
      return d === undefined ? undefined : !d;
    }
    case "flag":
      return (row.flags & node.bit) !== 0;
    case "keyword":
      return row.keywords !== "" && ` ${row.keywords} `.includes(` ${node.keyword} `);
    case "uid":
      return inRanges(node.ranges, row.uid);
    case "modseq":
      return row.modseq >= node.min;
    case "larger":
      return row.size > node.size;
    case "smaller":
      return row.size < node.size;
    case "received":
      return within(row.received, node.from, node.before);
    case "saved":
      return within(row.saved, node.from, node.before);
    case "sent":
      // RFC 9051 gives no answer for messages without a Date: they match nothing.
      if (row.summary.sent === undefined) return false;
      // The day as written in the header, in the sender's time zone.
      return within(
        row.summary.sent + (row.summary.sentZone ?? 0) * 60_000,
        node.from,
        node.before,
      );
    case "attachment":
      return row.summary.hasAttachment;
    case "emailId":
      return row.emailId === node.id;
    case "threadId":
      return row.threadId === node.id;
    case "summary":
      // RFC 9051 §6.4.4: the complete envelope counts, and this summary is cut.
      if (isCutSummary(row.summary)) return text(node);
      return summaryMayHave(row.summaryText, node.text, node.loose === true) &&
        fieldMatches(row.summary, node.field, node.text, node.loose === true);
    case "shown":
      if (
        summaryMayHave(row.summaryText, node.text, true) &&
        summaryFields.some((f) => fieldMatches(row.summary, f, node.text, true))
      ) {
        return true;
      }
      return text(node);
    case "header":
    case "body":
    case "text":
      return text(node);
  }
}

function within(t: number, from: number | undefined, before: number | undefined): boolean {
  return (from === undefined || t >= from) && (before === undefined || t < before);
}

function inRanges(ranges: readonly (readonly [number, number])[], uid: number): boolean {
  let lo = 0;
  let hi = ranges.length;
  while (lo < hi) {
    const mid = (lo + hi) >>> 1;
    if (ranges[mid][1] < uid) lo = mid + 1;
    else hi = mid;
  }
  return lo < ranges.length && ranges[lo][0] <= uid;
}

const summaryFields: readonly SummaryField[] = ["subject", "from", "to", "cc", "bcc"];

function fieldMatches(
  summary: Summary,
  field: SummaryField,
  text: string,
  loose: boolean,
): boolean {
  const has = (t: string) => (loose ? withoutMarks(t) : t).includes(text);
  if (field === "subject") return has(foldCase(summary.subject));
  for (const a of summary[field]) if (has(addressText(a))) return true;
  return (summary.groups?.[field]?.names ?? []).some((g) => has(foldCase(g)));
}
