/**
 * Answering FETCH: rows from the database become text, a slice at a time, with back-pressure.
 *
 * Metadata opens no file. The text of a slice is gathered in pieces that the connection encodes into
 * its buffer; after each slice it waits for the peer, so a slow reader costs bounded memory.
 *
 * @module
 */
import type { FetchRow } from "../../../store/messages/row.ts";
import { chooseFieldLines, listedFields } from "../../../mail/header/filter.ts";
import { Flag, type MessageReader, Want } from "../../../store/types.ts";
import { formatFlags } from "../../format/text.ts";
import type { FetchItem } from "../../parse/fetch.ts";
import { lowerBound } from "../../parse/numset.ts";
import { withoutGlobal } from "./plain_structure.ts";
import { contentPieces, simpleItem, wholeMessage } from "./items.ts";
import { idSuffix } from "../mailboxes/places.ts";
import { FlagLines } from "./flags_bytes.ts";
import { announceKeywords } from "./flags_lines.ts";
import type { Session } from "../session/session.ts";

/** Messages between two waits for the peer. */
const slice = 500;
const contentSlice = 100;
/** Bytes of messages between two waits for the peer. */
const contentBytes = 256 * 1024;
/** A message above this is written with waits in between. */
const largeMessage = 256 * 1024;
/** Characters gathered before they are handed to the connection. */
const piece = 16 * 1024;

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
  /** Fields of the only item that has any, if there is just one: the store selects them. */
  fields: ReadonlySet<string> | undefined;
}

function plan(session: Session, items: readonly FetchItem[], options: FetchOptions): Plan {
  const p: Plan = {
    want: 0,
    items: [],
    content: false,
    modseq: false,
    flags: false,
    listed: new Map(),
    fields: undefined,
  };
  const seen = new Set<string>();
  for (const item of items) {
    // Repeating a simple item adds nothing.
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
        // Where literal8 is allowed it matters whether there is a NUL, which the structure records.
        p.want |= wholeMessage(item) && !session.enabled.has("IMAP4REV2")
          ? Want.Prefix
          : Want.Content;
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
  // The file is opened in any case, so the fields are read from it as well.
  if (p.content && p.listed.size > 0) p.want |= Want.Content;
  if (!p.content && p.listed.size === 1) [p.fields] = p.listed.values();
  // RFC 7162 §3.1.4.1: CHANGEDSINCE asks for MODSEQ too; §3.1: each FETCH has it once flags are in it.
  if (options.changedSince !== undefined || (session.condstore && p.flags)) p.modseq = true;
  if (seen.has("uid") || session.uidOnly) options.uid = true;
  return p;
}

/** How a FETCH went. */
export interface Fetched {
  /** Messages that no longer existed. */
  missing: number;
  /** A part's transfer encoding can't be undone. */
  unknownEncoding: boolean;
  /** Uids of messages whose files can't be read; only their other items were sent. */
  unreadable: number[];
}

/** Writes the answers for uids of the selected mailbox. */
export async function fetchUids(
  session: Session,
  uids: Uint32Array,
  items: readonly FetchItem[],
  options: FetchOptions,
): Promise<Fetched> {
  const o = { ...options };
  const p = plan(session, items, o);
  const v = session.selected;
  const account = v.account;
  const conn = session.conn;
  const r: Fetched = { missing: 0, unknownEncoding: false, unreadable: [] };
  // RFC 4314 §4: without the right, messages stay unseen.
  const sets = p.items.some((i) => i.kind === "section" && !i.peek) && !v.readOnly &&
    v.rights.includes("s");
  const all = v.uids;
  const suffix = idSuffix(session, account);
  let at = uids.length > 0 ? v.seqOf(uids[0]) - 1 : 0;
  const flagLines = p.flags && p.items.length === 1 && !session.uidOnly &&
      o.changedSince === undefined
    ? new FlagLines((bytes) => conn.write(bytes), v.keywords)
    : undefined;
  const changedSince = o.changedSince ?? -1;
  const uidOnly = session.uidOnly;
  const plain = !session.utf8 && (p.want & (Want.Body | Want.BodyStructure)) !== 0;

  for (let i = 0; i < uids.length && !conn.closed;) {
    const part = uids.subarray(i, i + (p.content ? contentSlice : slice));
    // Must precede an answer with keywords that others have just created.
    if (p.flags || sets) announceKeywords(session, account.mailbox(v.mailboxId)?.keywords ?? []);
    const nowSeen = sets ? await setSeen(session, part) : undefined;
    let out = "";
    let found = 0;
    let bytes = 0;
    let last = 0;
    /** A message too large to write without waiting in between. */
    let large: { row: FetchRow; reader: MessageReader } | undefined;

    const begin = (row: FetchRow): string | undefined => {
      if (plain) forRev1(row);
      const uid = row.uid;
      while (all[at] < uid) at++;
      const marked = nowSeen?.get(uid);
      const modseq = marked ?? row.modseq;
      if (modseq <= changedSince) return undefined;
      row.flags = session.shownFlags(uid, row.flags);
      let line = uidOnly ? `* ${uid} UIDFETCH (` : `* ${at + 1} FETCH (`;
      const start = line.length;
      if (o.uid && !uidOnly) line += `UID ${uid} `;
      if (p.modseq || (marked !== undefined && session.condstore)) line += `MODSEQ (${modseq}) `;
      if (marked !== undefined) {
        row.flags |= Flag.Seen;
        if (!p.flags) line += `FLAGS (${formatFlags(row.flags, row.keywords, v.keywords)}) `;
      }
      if (p.items.length > 0) return line;
      // RFC 9586 §3.2: never empty.
      return line.length > start ? line.slice(0, -1) : `${line}UID ${uid}`;
    };

    account.fetch(v.mailboxId, part, p.want, (row) => {
      found++;
      last = row.uid;
      if (flagLines) {
        while (all[at] < row.uid) at++;
        const flags = session.shownFlags(row.uid, row.flags);
        const modseq = p.modseq ? row.modseq : 0;
        flagLines.add(at + 1, o.uid ? row.uid : 0, flags, row.keywords, modseq);
        return;
      }
      const line = begin(row);
      if (line === undefined) return;
      if (p.content) {
        const reader = openContent(session, row, r);
        if (reader === undefined) {
          out += withoutContent(line, p.items, row, suffix, v.keywords);
          return;
        }
        if (row.size > largeMessage) {
          out += line;
          large = { row: row.kept(), reader };
          return false;
        }
        writeContent(session, row, reader, p.items, r, out + line);
        bytes += row.size;
        out = ")\r\n";
        return bytes < contentBytes;
      }
      if (row.listed === null && p.listed.size > 0) {
        if (readInstead(session, row, p.items, r, out + line)) out = ")\r\n";
        else out += withoutContent(line, p.items, row, suffix, v.keywords);
        return;
      }
      out += line;
      for (let k = 0; k < p.items.length; k++) {
        if (k > 0) out += " ";
        const item = p.items[k];
        const names = p.listed.get(item);
        out += names
          ? listedItem(item, p.fields ? row.listed! : chooseFieldLines(row.listed!, names))
          : simpleItem(item, row, suffix, v.keywords);
      }
      out += ")\r\n";
      if (out.length > piece) {
        conn.write(out);
        out = "";
      }
    }, p.fields);
    flagLines?.flush();
    if (out !== "") conn.write(out);
    if (large) {
      const { row, reader } = large;
      try {
        for (const _ of contentPieces(session, row, reader, p.items, r, "")) await conn.flush();
      } finally {
        reader.close();
      }
      conn.write(")\r\n");
    }
    // Messages visited: the whole part, or up to the message at which reading stopped.
    const stopped = large !== undefined || bytes >= contentBytes;
    const done = stopped ? lowerBound(part, last + 1) : part.length;
    r.missing += done - found;
    i += done;
    await conn.flush();
  }
  return r;
}

/** A row in the form that IMAP4rev1 clients can read. */
function forRev1(row: FetchRow): void {
  row.body = withoutGlobal(row.body);
  row.bodyStructure = withoutGlobal(row.bodyStructure);
}

/** The names of fields that are asked for, if the store keeps all of them. */
function listedNames(item: FetchItem): ReadonlySet<string> | undefined {
  if (item.kind !== "section" || item.binary || item.section.part.length > 0) return undefined;
  if (item.section.text !== "HEADER.FIELDS") return undefined;
  const names = new Set(item.section.fields.map((f) => f.toLowerCase()));
  for (const n of names) if (!listedFields.has(n)) return undefined;
  return names;
}

/** Header fields from the stored ones, which are ASCII. */
function listedItem(item: FetchItem, lines: string): string {
  const { section, partial, name } = item as FetchItem & { kind: "section" };
  let text = `${lines}\r\n`;
  let label = name ?? `BODY[${section.label}]`;
  if (partial) {
    text = text.slice(partial[0], partial[0] + partial[1]);
    label += `<${partial[0]}>`;
  }
  return `${label} {${text.length}}\r\n${text}`;
}

/** Opens a message's file; a failure is noted, and other messages are still served. */
function openContent(session: Session, row: FetchRow, fetched: Fetched): MessageReader | undefined {
  let reader: MessageReader;
  try {
    reader = session.selected.account.openRow(row);
  } catch (err) {
    session.log.error("message file can't be read; see verifydata", {
      err: err as Error,
      uid: row.uid,
      emailid: row.emailId,
    });
    fetched.unreadable.push(row.uid);
    return undefined;
  }
  if (reader.size < row.size) {
    session.log.error("message file is shorter than recorded; what is left is given", {
      uid: row.uid,
      emailid: row.emailId,
      size: reader.size,
      recorded: row.size,
    });
  }
  return reader;
}

/** Writes a small message's items in one go, and closes its file. */
function writeContent(
  session: Session,
  row: FetchRow,
  reader: MessageReader,
  items: readonly FetchItem[],
  fetched: Fetched,
  before: string,
): void {
  try {
    for (const _ of contentPieces(session, row, reader, items, fetched, before)) {
      // No waiting in between.
    }
  } finally {
    reader.close();
  }
}

/** An answer of the items that need no file; empty if there are none. */
function withoutContent(
  line: string,
  items: readonly FetchItem[],
  row: FetchRow,
  suffix: string,
  spelled: ReadonlyMap<string, string>,
): string {
  const simple = items.filter((i) => i.kind !== "section" && i.kind !== "binarysize");
  const text = line + simple.map((i) => simpleItem(i, row, suffix, spelled)).join(" ");
  return text.endsWith("(") ? "" : `${text.trimEnd()})\r\n`;
}

/** The items of a message whose header fields weren't kept: it is opened. False if it can't be. */
function readInstead(
  session: Session,
  { uid, flags }: FetchRow,
  items: readonly FetchItem[],
  fetched: Fetched,
  before: string,
): boolean {
  const want = Want.Content | Want.Envelope | Want.Body | Want.BodyStructure | Want.Summary |
    Want.Thread;
  const { account, mailboxId } = session.selected;
  let written = false;
  account.fetch(mailboxId, [uid], want, (row) => {
    if (!session.utf8) forRev1(row);
    // As it will be reported: \Seen may just have been set.
    row.flags |= flags;
    const reader = openContent(session, row, fetched);
    if (reader === undefined) return;
    writeContent(session, row, reader, items, fetched, before);
    written = true;
  });
  return written;
}

/** Sets \Seen on those of the uids that don't have it; their new modseqs. */
async function setSeen(session: Session, uids: Uint32Array): Promise<Map<number, number>> {
  const unseen: number[] = [];
  const { account, mailboxId, source } = session.selected;
  account.fetch(mailboxId, uids, 0, (row) => {
    if (!(row.flags & Flag.Seen)) unseen.push(row.uid);
  });
  const changed = new Map<number, number>();
  if (unseen.length === 0) return changed;
  const r = await account.storeFlags(mailboxId, unseen, "add", Flag.Seen, [], {
    origin: source.listener,
  });
  session.noteOwnFlags(r.changed, false);
  for (const c of r.changed) changed.set(c.uid, c.modseq);
  return changed;
}
