/**
 * A search over a whole mailbox at once: verdicts for all messages from rows in memory and from columns.
 *
 * It decides exactly as `decide` of search.ts does message by message, or leaves a message undecided: then
 * `decide` does it. Texts of the envelope are found in chunks of columns (columns/chunk.ts), a thousand
 * messages in one pass; the full-text index excludes messages that can't have a text.
 *
 * @module
 */
import type { MailboxId } from "../ids.ts";
import { giveWay } from "../../platform/turns.ts";
import type { Account } from "./account.ts";
import { TextChunk } from "../columns/chunk.ts";
import { chunkEmails, type NumberColumn, unknownValue } from "../columns/values.ts";
import type { MailboxRows } from "../messages/mailbox_rows.ts";
import { withoutMarks } from "../search/text.ts";
import { nodesOf, type SearchNode } from "../search/types.ts";

/** Whether a message meets a condition. */
export const Verdict = { No: 0, Yes: 1, Unknown: 2 } as const;

/** Messages that must be in a chunk to make unpacking it worthwhile. */
const sparseChunk = 8;
/** Conditions times messages processed without a pause: some 10 ms. */
const maxWork = 8_000_000;
/** Up to this many messages are read rather than asked for in the full-text index. */
const smallRest = 200;

/** Verdicts by email id, from the first one on. */
interface OfEmails {
  first: number;
  verdicts: Uint8Array;
}

/**
 * Verdicts for the rows of a mailbox, in their order; undefined if going message by message is as fast.
 * @param tree with its texts folded
 */
export async function scanMailbox(
  account: Account,
  mailboxId: MailboxId,
  tree: SearchNode,
): Promise<{ rows: MailboxRows; verdicts: Uint8Array } | undefined> {
  const known = new Map<SearchNode, OfEmails>();
  const leaves = leavesOf(tree);
  const before = account.rows.get(mailboxId);
  if (!before || leaves.count * before.count > maxWork) return undefined;
  if (leaves.ofEnvelope.length > 0) {
    const chunks = chunksOf(before);
    if (chunks.size * sparseChunk > before.count) return undefined;
    if (!await account.columns.follow()) return undefined;
    for (const leaf of leaves.ofEnvelope) {
      known.set(leaf, await verdictsOf(account, chunks, leaf));
    }
  }
  let rows = account.rows.get(mailboxId);
  if (!rows) return undefined;
  let verdicts = evaluate(tree, rows, known);
  if (leaves.ofTexts.length > 0 && undecided(verdicts) > smallRest) {
    for (const leaf of leaves.ofTexts) {
      const narrowed = narrow(account, rows, leaf);
      if (narrowed) known.set(leaf, narrowed);
    }
    await giveWay();
    rows = account.rows.get(mailboxId);
    if (!rows) return undefined;
    verdicts = evaluate(tree, rows, known);
  }
  return { rows, verdicts };
}

interface Leaves {
  count: number;
  /** Conditions that columns can decide. */
  ofEnvelope: SearchNode[];
  /** Conditions that the full-text index can narrow. */
  ofTexts: SearchNode[];
}

function leavesOf(tree: SearchNode): Leaves {
  const r: Leaves = { count: 0, ofEnvelope: [], ofTexts: [] };
  for (const n of nodesOf(tree)) {
    r.count++;
    switch (n.op) {
      case "summary":
      case "sent":
      case "attachment":
        r.ofEnvelope.push(n);
        break;
      case "text":
      case "body":
      case "header":
      case "shown":
        r.ofTexts.push(n);
    }
  }
  return r;
}

/** Numbers of the chunks that the mailbox's emails are in. */
function chunksOf(rows: MailboxRows): Set<number> {
  const chunks = new Set<number>();
  let last = -1;
  for (let i = 0; i < rows.count; i++) {
    const n = Math.floor(rows.emailIds[i] / chunkEmails);
    if (n !== last) chunks.add(last = n);
  }
  return chunks;
}

/** The columns' verdicts for emails in the chunks. */
async function verdictsOf(
  account: Account,
  chunks: ReadonlySet<number>,
  leaf: SearchNode,
): Promise<OfEmails> {
  let lowest = Infinity;
  let highest = -1;
  for (const n of chunks) {
    if (n < lowest) lowest = n;
    if (n > highest) highest = n;
  }
  const first = lowest * chunkEmails;
  const size = highest < 0 ? 0 : (highest - lowest + 1) * chunkEmails;
  const all = { first, verdicts: new Uint8Array(size).fill(Verdict.Unknown) };
  for (const n of chunks) {
    const at = (n - lowest) * chunkEmails;
    decideChunk(account, n, leaf, all.verdicts.subarray(at, at + chunkEmails));
    // Emails that came later.
    const { below } = account.columns;
    if (below < (n + 1) * chunkEmails) {
      const from = Math.max(0, below - n * chunkEmails);
      all.verdicts.fill(Verdict.Unknown, at + from, at + chunkEmails);
    }
    await giveWay();
  }
  return all;
}

function decideChunk(account: Account, n: number, leaf: SearchNode, out: Uint8Array): void {
  switch (leaf.op) {
    case "summary": {
      const texts = account.columns.text(n, leaf.field);
      if (texts) findText(texts, leaf.text, leaf.loose === true, out);
      return;
    }
    case "sent":
      // RFC 9051 gives no answer for messages without a Date: they match nothing.
      return decideNumbers(
        account,
        n,
        "sentDay",
        out,
        (t) =>
          !Number.isNaN(t) && (leaf.from === undefined || t >= leaf.from) &&
          (leaf.before === undefined || t < leaf.before),
      );
    case "attachment":
      return decideNumbers(account, n, "attachment", out, (a) => a === 1);
  }
}

function decideNumbers(
  account: Account,
  n: number,
  column: NumberColumn,
  out: Uint8Array,
  fits: (value: number) => boolean,
): void {
  const values = account.columns.numbers(n, column);
  if (!values) return;
  for (let i = 0; i < chunkEmails; i++) out[i] = fits(values[i]) ? Verdict.Yes : Verdict.No;
}

// deno-lint-ignore no-control-regex -- these separate values
const separators = /[\x00-\x03]/;

/** Marks the places in a chunk whose value contains the text. */
export function findText(texts: TextChunk, wanted: string, loose: boolean, out: Uint8Array): void {
  // An empty text is contained in each address, but not in a missing one.
  if (wanted === "" || separators.test(wanted)) return;
  out.fill(Verdict.No);
  let form = texts;
  if (loose) {
    const plain = withoutMarks(texts.text);
    if (plain !== texts.text) form = new TextChunk(plain);
  }
  mark(form, wanted, Verdict.Yes, out);
  mark(form, unknownValue, Verdict.Unknown, out);
}

function mark(texts: TextChunk, wanted: string, verdict: number, out: Uint8Array): void {
  const { text } = texts;
  for (let at = text.indexOf(wanted); at >= 0;) {
    const place = texts.placeOf(at);
    out[place] = verdict;
    at = text.indexOf(wanted, texts.endOf(place));
  }
}

/** The full-text index's verdicts: it knows which messages can't have the text. */
function narrow(account: Account, rows: MailboxRows, leaf: SearchNode): OfEmails | undefined {
  // While the index is far behind, most remain anyway.
  if (account.fulltext.behind > rows.count / 4) return undefined;
  const emails = account.fulltext.narrow(leaf);
  if (emails === undefined) return undefined;
  let first = Infinity;
  let highest = -1;
  for (let i = 0; i < rows.count; i++) {
    const id = rows.emailIds[i];
    if (id < first) first = id;
    if (id > highest) highest = id;
  }
  const { below } = account.fulltext;
  const end = Math.min(below - 1, highest);
  if (end < first) return undefined;
  const verdicts = new Uint8Array(end - first + 1);
  for (const id of emails) if (id >= first && id <= end) verdicts[id - first] = Verdict.Unknown;
  return { first, verdicts };
}

function undecided(verdicts: Uint8Array): number {
  let n = 0;
  for (const v of verdicts) if (v === Verdict.Unknown) n++;
  return n;
}

/** Evaluates a tree: combines the verdicts of its conditions message by message. */
function evaluate(
  node: SearchNode,
  rows: MailboxRows,
  known: ReadonlyMap<SearchNode, OfEmails>,
): Uint8Array {
  const { count } = rows;
  const out = new Uint8Array(count);
  switch (node.op) {
    case "all":
      return out.fill(Verdict.Yes);
    case "none":
      return out;
    case "and":
      out.fill(Verdict.Yes);
      for (const c of node.nodes) {
        const v = evaluate(c, rows, known);
        // No before unknown before yes.
        for (let i = 0; i < count; i++) {
          if (v[i] === Verdict.No || out[i] === Verdict.No) out[i] = Verdict.No;
          else if (v[i] === Verdict.Unknown) out[i] = Verdict.Unknown;
        }
      }
      return out;
    case "or":
      for (const c of node.nodes) {
        const v = evaluate(c, rows, known);
        for (let i = 0; i < count; i++) {
          if (v[i] === Verdict.Yes || out[i] === Verdict.Yes) out[i] = Verdict.Yes;
          else if (v[i] === Verdict.Unknown) out[i] = Verdict.Unknown;
        }
      }
      return out;
    case "not": {
      const v = evaluate(node.node, rows, known);
      for (let i = 0; i < count; i++) {
        out[i] = v[i] === Verdict.Unknown ? Verdict.Unknown : 1 - v[i];
      }
      return out;
    }
    case "flag": {
      const { flags } = rows;
      for (let i = 0; i < count; i++) out[i] = (flags[i] & node.bit) !== 0 ? 1 : 0;
      return out;
    }
    case "keyword": {
      const { keywords } = rows;
      const wanted = ` ${node.keyword} `;
      for (let i = 0; i < count; i++) {
        out[i] = keywords[i] !== "" && ` ${keywords[i]} `.includes(wanted) ? 1 : 0;
      }
      return out;
    }
    case "uid":
      for (const [from, to] of node.ranges) {
        const a = rows.indexOf(from);
        let b = rows.indexOf(to);
        if (b < count && rows.uids[b] === to) b++;
        out.fill(Verdict.Yes, a, Math.max(a, b));
      }
      return out;
    case "modseq":
      for (let i = 0; i < count; i++) out[i] = rows.modseqs[i] >= node.min ? 1 : 0;
      return out;
    case "larger":
      return above(rows.sizes, node.size, out);
    case "smaller": {
      const { sizes } = rows;
      for (let i = 0; i < count; i++) out[i] = sizes[i] < node.size ? 1 : 0;
      return out;
    }
    case "received":
    case "saved": {
      const dates = node.op === "received" ? rows.received : rows.saved;
      const from = node.from ?? -Infinity;
      const before = node.before ?? Infinity;
      for (let i = 0; i < count; i++) out[i] = dates[i] >= from && dates[i] < before ? 1 : 0;
      return out;
    }
    case "emailId": {
      const { emailIds } = rows;
      for (let i = 0; i < count; i++) out[i] = emailIds[i] === node.id ? 1 : 0;
      return out;
    }
    default: {
      // Texts, the envelope, threads.
      out.fill(Verdict.Unknown);
      const of = known.get(node);
      if (!of) return out;
      const { emailIds } = rows;
      const { first, verdicts } = of;
      for (let i = 0; i < count; i++) {
        const at = emailIds[i] - first;
        if (at >= 0 && at < verdicts.length) out[i] = verdicts[at];
      }
      return out;
    }
  }
}

function above(values: Float64Array, limit: number, out: Uint8Array): Uint8Array {
  for (let i = 0; i < out.length; i++) out[i] = values[i] > limit ? 1 : 0;
  return out;
}
