/**
 * Answering FETCH: rows from the database become text, a slice at a time, with back-pressure.
 *
 * Metadata opens no file. The text of a slice is gathered in pieces that the connection encodes into
 * its buffer; after each slice the peer is waited for, so a slow reader costs bounded memory.
 *
 * @module
 */
import { chooseFieldLines, listedFields } from "../../mail/header_filter.ts";
import { type Part, unpackStructure } from "../../mail/structure.ts";
import { type FetchRow, Flag, type MessageReader, Want } from "../../store/types.ts";
import { formatDateTime, formatFlags, formatString } from "../format/text.ts";
import type { FetchItem } from "../parse/fetch.ts";
import { lowerBound } from "../parse/numset.ts";
import { idSuffix } from "./places.ts";
import { readBinary, readSection, sectionSpan } from "./sections.ts";
import type { Session } from "./session.ts";

/** Messages between two waits for the peer. */
const slice = 500;
const contentSlice = 100;
/** Bytes of messages between two waits for the peer. */
const contentBytes = 256 * 1024;
/** A message above this is written with waits in between. */
const largeMessage = 256 * 1024;
/** Characters gathered before they are handed to the connection. */
const piece = 16 * 1024;
/** Bytes read from a file at a time. */
const fileBuffer = new Uint8Array(64 * 1024);
/** Decoded parts (BINARY) are held in memory, up to so many bytes. */
const maxBinaryBytes = 64 * 1024 * 1024;

export interface FetchOptions {
  /** Answer with UID in any case (UID FETCH). */
  uid: boolean;
  /** Only messages with a higher modseq (CHANGEDSINCE). */
  changedSince?: number;
}

interface Plan {
  want: number;
  items: FetchItem[];
  /** Message bytes are needed. */
  content: boolean;
  modseq: boolean;
  flags: boolean;
  /** Header fields that the store has kept, by item. */
  listed: Map<FetchItem, ReadonlySet<string>>;
}

function plan(s: Session, items: readonly FetchItem[], o: FetchOptions): Plan {
  const p: Plan = {
    want: 0,
    items: [],
    content: false,
    modseq: false,
    flags: false,
    listed: new Map(),
  };
  const seen = new Set<string>();
  for (const item of items) {
    // Of simple items a second one says nothing new.
    if (item.kind !== "section" && item.kind !== "binarysize") {
      if (seen.has(item.kind)) continue;
      seen.add(item.kind);
    }
    switch (item.kind) {
      case "envelope":
        p.want |= Want.Envelope;
        break;
      case "body":
        p.want |= Want.Body;
        break;
      case "bodystructure":
        p.want |= Want.BodyStructure;
        break;
      case "preview":
        p.want |= Want.Summary;
        break;
      case "threadid":
        p.want |= Want.Thread;
        break;
      case "section": {
        const names = listedNames(item);
        if (names) {
          p.listed.set(item, names);
          p.want |= Want.Listed;
          break;
        }
        p.want |= wholeMessage(item) ? Want.Prefix : Want.Content;
        p.content = true;
        break;
      }
      case "binarysize":
        p.want |= Want.Content;
        p.content = true;
        break;
      case "modseq":
        p.modseq = true;
        continue;
      case "flags":
        p.flags = true;
        break;
      case "uid":
        continue;
    }
    p.items.push(item);
  }
  // Opened in any case: the fields are taken from there as well.
  if (p.content && p.listed.size > 0) p.want |= Want.Content;
  // RFC 7162 §3.1.4.1: CHANGEDSINCE asks for MODSEQ too; §3.1: each FETCH has it once flags are in it.
  if (o.changedSince !== undefined || (s.condstore && p.flags)) p.modseq = true;
  if (seen.has("uid") || s.uidOnly) o.uid = true;
  return p;
}

/** Writes the answers for uids of the selected mailbox; returns how many messages weren't there. */
export async function fetchUids(
  s: Session,
  uids: Uint32Array,
  items: readonly FetchItem[],
  options: FetchOptions,
): Promise<{ missing: number; unknownEncoding: boolean }> {
  const o = { ...options };
  const p = plan(s, items, o);
  const v = s.selected;
  const account = v.account;
  const conn = s.conn;
  const r = { missing: 0, unknownEncoding: false };
  // RFC 4314 §4: without the right, messages stay unseen.
  const sets = p.items.some((i) => i.kind === "section" && !i.peek) && !v.readOnly &&
    v.rights.includes("s");
  const all = v.uids;
  const suffix = idSuffix(s, account);
  let at = uids.length > 0 ? v.seqOf(uids[0]) - 1 : 0;
  const changedSince = o.changedSince ?? -1;
  const uidOnly = s.uidOnly;

  for (let i = 0; i < uids.length && !conn.closed;) {
    const part = uids.subarray(i, i + (p.content ? contentSlice : slice));
    const nowSeen = sets ? await setSeen(s, part) : undefined;
    let out = "";
    let found = 0;
    let bytes = 0;
    let last = 0;
    /** A message too large to write without waiting in between. */
    let large: FetchRow | undefined;

    const begin = (row: FetchRow): string | undefined => {
      const uid = row.uid;
      while (all[at] < uid) at++;
      const marked = nowSeen?.get(uid);
      const modseq = marked ?? row.modseq;
      if (modseq <= changedSince) return undefined;
      let line = uidOnly ? `* ${uid} UIDFETCH (` : `* ${at + 1} FETCH (`;
      const start = line.length;
      if (o.uid && !uidOnly) line += `UID ${uid} `;
      if (p.modseq || (marked !== undefined && s.condstore)) line += `MODSEQ (${modseq}) `;
      if (marked !== undefined) {
        row.flags |= Flag.Seen;
        if (!p.flags) line += `FLAGS (${formatFlags(row.flags, row.keywords)}) `;
      }
      if (p.items.length > 0) return line;
      // RFC 9586 §3.2: never empty.
      return line.length > start ? line.slice(0, -1) : `${line}UID ${uid}`;
    };

    account.fetch(v.mailboxId, part, p.want, (row) => {
      found++;
      last = row.uid;
      const line = begin(row);
      if (line === undefined) return;
      out += line;
      if (p.content) {
        if (row.size > largeMessage) {
          large = { ...row };
          return false;
        }
        conn.write(out);
        out = "";
        for (const _ of contentPieces(s, row, p.items, r)) {
          // Small: written in one go.
        }
        bytes += row.size;
        out += ")\r\n";
        return bytes < contentBytes;
      }
      if (row.listed === null && p.listed.size > 0) {
        conn.write(out);
        out = "";
        readInstead(s, row, p.items, r);
        out += ")\r\n";
        return;
      }
      for (let k = 0; k < p.items.length; k++) {
        if (k > 0) out += " ";
        const item = p.items[k];
        const names = p.listed.get(item);
        out += names ? listedItem(item, names, row.listed!) : simpleItem(item, row, suffix);
      }
      out += ")\r\n";
      if (out.length > piece) {
        conn.write(out);
        out = "";
      }
    });
    if (out !== "") conn.write(out);
    if (large) {
      for (const _ of contentPieces(s, large, p.items, r)) await conn.flush();
      conn.write(")\r\n");
    }
    // What was looked at: all of the part, or up to the message at which the reading stopped.
    const stopped = large !== undefined || bytes >= contentBytes;
    const done = stopped ? lowerBound(part, last + 1) : part.length;
    r.missing += done - found;
    i += done;
    await conn.flush();
  }
  return r;
}

/** The names of fields that are asked for, if the store keeps all of them. */
function listedNames(item: FetchItem): ReadonlySet<string> | undefined {
  if (item.kind !== "section" || item.binary || item.section.part.length > 0) return undefined;
  if (item.section.text !== "HEADER.FIELDS") return undefined;
  const names = new Set(item.section.fields.map((f) => f.toLowerCase()));
  for (const n of names) if (!listedFields.has(n)) return undefined;
  return names;
}

/** Header fields out of the lines that were kept, which are ASCII. */
function listedItem(item: FetchItem, names: ReadonlySet<string>, lines: string): string {
  const { section, partial, name } = item as FetchItem & { kind: "section" };
  let text = `${chooseFieldLines(lines, names)}\r\n`;
  let label = name ?? `BODY[${section.label}]`;
  if (partial) {
    text = text.slice(partial[0], partial[0] + partial[1]);
    label += `<${partial[0]}>`;
  }
  return `${label} {${text.length}}\r\n${text}`;
}

/** The items of a message whose header fields weren't kept: it is opened. */
function readInstead(
  s: Session,
  { uid, flags }: FetchRow,
  items: readonly FetchItem[],
  r: { unknownEncoding: boolean },
): void {
  const want = Want.Content | Want.Envelope | Want.Body | Want.BodyStructure | Want.Summary |
    Want.Thread;
  const { account, mailboxId } = s.selected;
  account.fetch(mailboxId, [uid], want, (row) => {
    // As it will be told: \Seen may have been set just now.
    row.flags |= flags;
    for (const _ of contentPieces(s, row, items, r)) {
      // A header is small: written in one go.
    }
  });
}

/** Sets \Seen on those of the uids that don't have it; their new modseqs. */
async function setSeen(s: Session, uids: Uint32Array): Promise<Map<number, number>> {
  const unseen: number[] = [];
  const { account, mailboxId, source } = s.selected;
  account.fetch(mailboxId, uids, 0, (row) => {
    if (!(row.flags & Flag.Seen)) unseen.push(row.uid);
  });
  const changed = new Map<number, number>();
  if (unseen.length === 0) return changed;
  const r = await account.storeFlags(mailboxId, unseen, "add", Flag.Seen, [], {
    origin: source.listener,
  });
  s.noteOwnFlags(r.changed, false);
  for (const c of r.changed) changed.set(c.uid, c.modseq);
  return changed;
}

function simpleItem(item: FetchItem, row: FetchRow, idSuffix: string): string {
  switch (item.kind) {
    case "flags":
      return `FLAGS (${formatFlags(row.flags, row.keywords)})`;
    case "internaldate":
      return `INTERNALDATE ${formatDateTime(row.received)}`;
    case "size":
      return `RFC822.SIZE ${row.size}`;
    case "envelope":
      return `ENVELOPE ${row.envelope}`;
    case "body":
      return `BODY ${row.body}`;
    case "bodystructure":
      return `BODYSTRUCTURE ${row.bodyStructure}`;
    case "savedate":
      return `SAVEDATE ${formatDateTime(row.saved)}`;
    case "emailid":
      return `EMAILID (E${row.emailId}${idSuffix})`;
    case "threadid":
      return `THREADID (T${row.threadId}${idSuffix})`;
    case "preview":
      return `PREVIEW ${formatPreview(row.summary.preview)}`;
    default:
      return "";
  }
}

/** RFC 8970 §3.1: at most 256 characters. Always in UTF-8: a preview is a string, a literal if need be. */
function formatPreview(text: string): string {
  return formatString([...text.replace(/[\r\n\0]+/g, " ")].slice(0, 200).join(""), false);
}

/** Writes the items of a row of which some are message bytes. Yields where a large one may wait. */
function* contentPieces(
  s: Session,
  row: FetchRow,
  items: readonly FetchItem[],
  r: { unknownEncoding: boolean },
): Generator<void> {
  let sep = "";
  const conn = s.conn;
  let structure: Part | undefined;
  const root = () => structure ??= unpackStructure(row.structure);
  let reader: MessageReader | undefined;
  const open = () => reader ??= s.selected.account.openRow(row);
  try {
    for (const item of items) {
      if (item.kind !== "section" && item.kind !== "binarysize") {
        conn.write(sep + simpleItem(item, row, idSuffix(s, s.selected.account)));
        sep = " ";
        continue;
      }
      const section = item.section;
      if (item.kind === "binarysize" || item.binary) {
        const bytes = row.size <= maxBinaryBytes ? readBinary(open(), root(), section) : "unknown";
        const known = typeof bytes !== "string";
        if (bytes === "unknown") r.unknownEncoding = true;
        if (item.kind === "binarysize") {
          conn.write(`${sep}BINARY.SIZE[${section.label}] ${known ? bytes.length : 0}`);
        } else {
          conn.write(`${sep}BINARY[${section.label}]`);
          if (item.partial) conn.write(`<${item.partial[0]}>`);
          writeBytes(s, known ? cut(bytes, item.partial) : undefined, true);
        }
        sep = " ";
        continue;
      }
      conn.write(`${sep}${item.name ?? `BODY[${section.label}]`}`);
      if (item.partial) conn.write(`<${item.partial[0]}>`);
      sep = " ";
      const span = wholeMessage(item)
        ? { from: 0, to: row.size }
        : sectionSpan(root(), section, row.size);
      if (!span) {
        conn.write(" NIL");
      } else if (section.fields.length > 0) {
        writeBytes(s, cut(readSection(open(), span, section), item.partial), false);
      } else {
        yield* writeSpan(s, open(), span.from, span.to, item.partial);
      }
    }
  } finally {
    reader?.close();
  }
}

/** The whole message, byte for byte: what its parts are doesn't matter. */
function wholeMessage(item: FetchItem & { kind: "section" | "binarysize" }): boolean {
  return item.kind === "section" && !item.binary && item.section.part.length === 0 &&
    item.section.text === "";
}

function cut(bytes: Uint8Array, partial: [number, number] | undefined): Uint8Array {
  return partial ? bytes.subarray(partial[0], partial[0] + partial[1]) : bytes;
}

/** A literal, or a literal8 where NUL is in it and may be. */
function writeBytes(s: Session, bytes: Uint8Array | undefined, binary: boolean): void {
  if (!bytes) {
    s.conn.write(" NIL");
    return;
  }
  const eight = binary && bytes.includes(0) ? "~" : "";
  s.conn.write(` ${eight}{${bytes.length}}\r\n`);
  s.conn.write(bytes);
}

/** A span of the file as a literal, through one buffer. */
function* writeSpan(
  s: Session,
  reader: MessageReader,
  from: number,
  to: number,
  partial: [number, number] | undefined,
): Generator<void> {
  if (partial) {
    from = Math.min(to, from + partial[0]);
    to = Math.min(to, from + partial[1]);
  }
  s.conn.write(` {${to - from}}\r\n`);
  while (from < to) {
    const want = Math.min(fileBuffer.length, to - from);
    const n = reader.readInto(
      want === fileBuffer.length ? fileBuffer : fileBuffer.subarray(0, want),
      from,
    );
    if (n === 0) throw new Error(`message file is shorter than recorded, ends at ${from}`);
    s.conn.write(fileBuffer.subarray(0, n));
    from += n;
    yield;
  }
}
