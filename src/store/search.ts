/**
 * Finding messages of a mailbox: exactly, in slices, with bounded memory.
 *
 * What the columns and the summary can decide is decided first; only messages that are then still
 * undecided are opened. The work is cut into slices, so that other connections are served in between.
 *
 * @module
 */
import { decodeCharset } from "../mail/charset.ts";
import { splitHeader } from "../mail/header.ts";
import { decodeWords } from "../mail/words.ts";
import { type Part, unpackStructure } from "../mail/structure.ts";
import { decodeTransferEncoding } from "../mail/transfer.ts";
import type { Account } from "./account.ts";
import { needs, type SearchNode } from "./search_types.ts";
import { type FetchRow, type MessageReader, type SummaryAddress, Want } from "./types.ts";

/** Milliseconds of work between two turns of the event loop. */
const sliceTime = 10;
const rowsPerSlice = 500;
/** Bytes of a part that are decoded at a time. */
const maxPartBytes = 32 * 1024 * 1024;
const maxHeaderBytes = 1024 * 1024;

export interface SearchOptions {
  /** Stops the search; what was found so far is returned. */
  stopped?: () => boolean;
  /** Called between slices with the messages looked at. */
  progress?: (done: number, total: number) => void;
  /** Ids of emails that may contain the text in body or headers; undefined if there is no index. */
  narrow?: (mailboxId: number, text: string) => Set<number> | undefined;
  /** Uids to look at; all if not given. */
  uids?: Uint32Array;
}

export interface SearchResult {
  /** Ascending. */
  uids: number[];
  /** Highest modseq among them, 0 if there are none. */
  modseq: number;
}

/** Text for comparing without regard to case: upper case takes ß with SS and ς with σ as one. */
export function foldCase(s: string): string {
  return s.normalize("NFC").toUpperCase();
}

/** The tree with its texts folded, so that this is done once. */
function folded(n: SearchNode): SearchNode {
  switch (n.op) {
    case "and":
    case "or":
      return { op: n.op, nodes: n.nodes.map(folded) };
    case "not":
      return { op: "not", node: folded(n.node) };
    case "summary":
    case "header":
    case "body":
    case "text":
      return { ...n, text: foldCase(n.text) };
    default:
      return n;
  }
}

/** Runs a search. */
export async function searchMailbox(
  account: Account,
  mailboxId: number,
  node: SearchNode,
  o: SearchOptions = {},
): Promise<SearchResult> {
  const tree = folded(node);
  const need = needs(tree);
  let want = 0;
  if (need.summary) want |= Want.Summary;
  if (need.file) want |= Want.Content;
  if (need.thread) want |= Want.Thread;
  const flags = flagsOnly(tree);
  if (flags && o.uids === undefined) {
    const found = account.uidsByFlags(mailboxId, flags.set, flags.clear);
    return {
      uids: found.map((m) => m.uid),
      modseq: found.reduce((highest, m) => Math.max(highest, m.modseq), 0),
    };
  }
  const uids = o.uids ?? account.uids(mailboxId);
  const r: SearchResult = { uids: [], modseq: 0 };
  let turn = performance.now();
  for (let i = 0; i < uids.length && !o.stopped?.();) {
    const part = uids.subarray(i, i + rowsPerSlice);
    let last = 0;
    let stoppedEarly = false;
    account.fetch(mailboxId, part, want, (row) => {
      last = row.uid;
      if (matches(account, mailboxId, tree, row, o)) {
        r.uids.push(row.uid);
        if (row.modseq > r.modseq) r.modseq = row.modseq;
      }
      if (need.file && performance.now() - turn > sliceTime) {
        stoppedEarly = true;
        return false;
      }
    });
    if (stoppedEarly) {
      while (i < uids.length && uids[i] <= last) i++;
    } else {
      i += part.length;
    }
    if (performance.now() - turn > sliceTime) {
      o.progress?.(i, uids.length);
      await new Promise<void>((resolve) => setTimeout(resolve, 0));
      turn = performance.now();
    }
  }
  return r;
}

/** The flags that a tree asks for, if it asks for nothing else. */
function flagsOnly(n: SearchNode): { set: number; clear: number } | undefined {
  switch (n.op) {
    case "flag":
      return { set: n.bit, clear: 0 };
    case "not":
      return n.node.op === "flag" ? { set: 0, clear: n.node.bit } : undefined;
    case "and": {
      const all = { set: 0, clear: 0 };
      for (const c of n.nodes) {
        const f = flagsOnly(c);
        if (!f) return undefined;
        all.set |= f.set;
        all.clear |= f.clear;
      }
      // Both set and clear is nothing that a mask can say.
      return (all.set & all.clear) !== 0 ? undefined : all;
    }
    default:
      return undefined;
  }
}

/** False if a summary as it is stored can't have the folded text in one of its fields. */
function summaryMayHave(summaryText: string, text: string): boolean {
  // Characters that JSON escapes, or that stand between name and address, need the parsed fields.
  // deno-lint-ignore no-control-regex
  return /["\\<>\x00-\x1f\x7f]/.test(text) || foldCase(summaryText).includes(text);
}

function matches(
  account: Account,
  mailboxId: number,
  tree: SearchNode,
  row: FetchRow,
  o: SearchOptions,
): boolean {
  const quick = decide(tree, row, undefined, mailboxId, o);
  if (quick !== undefined) return quick;
  const content = new Content(account, row);
  try {
    return decide(tree, row, content, mailboxId, o) === true;
  } finally {
    content.close();
  }
}

/** True, false, or undefined where the message must be read and isn't at hand. */
function decide(
  n: SearchNode,
  row: FetchRow,
  content: Content | undefined,
  mailboxId: number,
  o: SearchOptions,
): boolean | undefined {
  switch (n.op) {
    case "all":
      return true;
    case "none":
      return false;
    case "and": {
      let unknown = false;
      for (const c of n.nodes) {
        const d = decide(c, row, content, mailboxId, o);
        if (d === false) return false;
        if (d === undefined) unknown = true;
      }
      return unknown ? undefined : true;
    }
    case "or": {
      let unknown = false;
      for (const c of n.nodes) {
        const d = decide(c, row, content, mailboxId, o);
        if (d === true) return true;
        if (d === undefined) unknown = true;
      }
      return unknown ? undefined : false;
    }
    case "not": {
      const d = decide(n.node, row, content, mailboxId, o);
      return d === undefined ? undefined : !d;
    }
    case "flag":
      return (row.flags & n.bit) !== 0;
    case "keyword":
      return row.keywords !== "" && ` ${row.keywords} `.includes(` ${n.keyword} `);
    case "uid":
      return inRanges(n.ranges, row.uid);
    case "modseq":
      return row.modseq >= n.min;
    case "larger":
      return row.size > n.size;
    case "smaller":
      return row.size < n.size;
    case "received":
      return within(row.received, n.from, n.before);
    case "saved":
      return within(row.saved, n.from, n.before);
    case "sent":
      // RFC 9051 gives no answer for messages without a Date: they match nothing.
      return row.summary.sent !== undefined && within(row.summary.sent, n.from, n.before);
    case "attachment":
      return row.summary.hasAttachment;
    case "emailId":
      return row.emailId === n.id;
    case "threadId":
      return row.threadId === n.id;
    case "summary":
      if (!summaryMayHave(row.summaryText, n.text)) return false;
      if (n.field === "subject") return foldCase(row.summary.subject).includes(n.text);
      return addressMatches(row.summary[n.field], n.text);
    case "header":
      return content?.header(n.name, n.text);
    case "body":
    case "text": {
      if (content) return content.body(n.text) || (n.op === "text" && content.headers(n.text));
      const narrowed = o.narrow?.(mailboxId, n.text);
      return narrowed && !narrowed.has(row.emailId) ? false : undefined;
    }
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

function addressMatches(list: readonly SummaryAddress[], text: string): boolean {
  for (const a of list) {
    if (foldCase(a.name === "" ? a.address : `${a.name} <${a.address}>`).includes(text)) {
      return true;
    }
  }
  return false;
}

/** A message's decoded texts, read as they are asked for. */
class Content {
  readonly #account: Account;
  readonly #row: { emailId: number; prefix: Uint8Array; size: number };
  readonly #root: Part;
  #reader: MessageReader | undefined;
  #fields: { name: string; value: string }[] | undefined;

  constructor(account: Account, row: FetchRow) {
    this.#account = account;
    this.#row = { emailId: row.emailId, prefix: row.prefix, size: row.size };
    this.#root = unpackStructure(row.structure);
  }

  close(): void {
    this.#reader?.close();
  }

  #open(): MessageReader {
    return this.#reader ??= this.#account.openRow(this.#row);
  }

  /** Fields of the message's own header, decoded and folded. */
  #headerFields(): { name: string; value: string }[] {
    if (this.#fields) return this.#fields;
    const end = Math.min(this.#root.bodyOffset, maxHeaderBytes);
    return this.#fields = parseFields(this.#open().read(0, end));
  }

  header(name: string, text: string): boolean {
    return this.#headerFields().some((f) => f.name === name && f.value.includes(text));
  }

  headers(text: string): boolean {
    return this.#headerFields().some((f) => `${f.name.toUpperCase()}: ${f.value}`.includes(text));
  }

  body(text: string): boolean {
    return this.#partMatches(this.#root, text);
  }

  #partMatches(p: Part, text: string): boolean {
    if (p.message) {
      const head = this.#open().read(
        p.message.headerOffset,
        p.message.bodyOffset,
      );
      if (parseFields(head).some((f) => `${f.name.toUpperCase()}: ${f.value}`.includes(text))) {
        return true;
      }
      return this.#partMatches(p.message, text);
    }
    if (p.parts.length > 0) return p.parts.some((c) => this.#partMatches(c, text));
    if (p.type !== "text" && p.type !== "") return false;
    const from = p.bodyOffset;
    const raw = this.#open().read(from, Math.min(p.endOffset, from + maxPartBytes));
    const bytes = decodeTransferEncoding(raw, p.encoding) ?? raw;
    return foldCase(decodeCharset(bytes, p.params.charset ?? "utf-8")).includes(text);
  }
}

/** Fields of a header block: names in lower case, values decoded and folded. */
function parseFields(header: Uint8Array): { name: string; value: string }[] {
  return splitHeader(header).map(({ name, value }) => ({
    name,
    value: foldCase(decodeWords(value)),
  }));
}
