/**
 * One message's FETCH items (RFC 9051 §7.5.2): those that the store keeps as text, and message bytes.
 *
 * @module
 */
import type { FetchRow } from "../../../store/messages/row.ts";
import type { Part } from "../../../mail/structure/structure.ts";
import { unpackStructure } from "../../../mail/structure/packed.ts";
import type { MessageReader } from "../../../store/types.ts";
import { formatDateTime, formatFlags, formatString } from "../../format/text.ts";
import type { FetchItem } from "../../parse/fetch.ts";
import { idSuffix } from "../mailboxes/places.ts";
import { binaryPieces, readSection, sectionSpan } from "./sections.ts";
import type { Session } from "../session/session.ts";

/** Bytes read from a file at a time. */
const fileBuffer = new Uint8Array(64 * 1024);
/** Decoded parts (BINARY) are held in memory, up to so many bytes. */
const maxBinaryBytes = 64 * 1024 * 1024;

/** An item without message bytes. */
export function simpleItem(
  item: FetchItem,
  row: FetchRow,
  idSuffix: string,
  spelled: ReadonlyMap<string, string>,
): string {
  switch (item.kind) {
    case "flags":
      return `FLAGS (${formatFlags(row.flags, row.keywords, spelled)})`;
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

/**
 * Writes the items of a row, some of which are message bytes. Yields where a large one may wait.
 * @param before text that goes out before the first item
 */
export function* contentPieces(
  session: Session,
  row: FetchRow,
  reader: MessageReader,
  items: readonly FetchItem[],
  r: { unknownEncoding: boolean },
  before: string,
): Generator<void> {
  let sep = before;
  const conn = session.conn;
  let structure: Part | undefined;
  const root = () => structure ??= unpackStructure(row.structure);
  for (const item of items) {
    if (item.kind !== "section" && item.kind !== "binarysize") {
      conn.write(
        sep +
          simpleItem(
            item,
            row,
            idSuffix(session, session.selected.account),
            session.selected.keywords,
          ),
      );
      sep = " ";
      continue;
    }
    const section = item.section;
    if (item.kind === "binarysize" || item.binary) {
      const pieces = row.size <= maxBinaryBytes
        ? yield* binaryPieces(reader, root(), section)
        : "unknown";
      const known = typeof pieces !== "string";
      if (pieces === "unknown") r.unknownEncoding = true;
      if (item.kind === "binarysize") {
        const size = known ? pieces.reduce((n, b) => n + b.length, 0) : 0;
        conn.write(`${sep}BINARY.SIZE[${section.label}] ${size}`);
      } else {
        const label = `${sep}BINARY[${section.label}]${originText(item.partial)}`;
        if (known) yield* writePieces(session, label, cutPieces(pieces, item.partial));
        else conn.write(`${label} NIL`);
      }
      sep = " ";
      continue;
    }
    const label = `${sep}${item.name ?? `BODY[${section.label}]`}${originText(item.partial)}`;
    sep = " ";
    const span = wholeMessage(item)
      ? { from: 0, to: reader.size }
      : sectionSpan(root(), section, reader.size);
    if (!span) {
      conn.write(`${label} NIL`);
    } else if (section.fields.length > 0) {
      writeBytes(session, label, cut(readSection(reader, span, section), item.partial));
    } else {
      const nul = structure ? structure.hasNul === true : row.structure.includes('"z":1');
      yield* writeSpan(session, label, reader, span.from, span.to, item.partial, nul);
    }
  }
}

/** The whole message, byte for byte, whatever its parts. */
export function wholeMessage(item: FetchItem & { kind: "section" | "binarysize" }): boolean {
  return item.kind === "section" && !item.binary && item.section.part.length === 0 &&
    item.section.text === "";
}

/** The origin octet of a partial section in the answer (RFC 9051 §7.5.2). */
function originText(partial: [number, number] | undefined): string {
  return partial ? `<${partial[0]}>` : "";
}

function cut(bytes: Uint8Array, partial: [number, number] | undefined): Uint8Array {
  return partial ? bytes.subarray(partial[0], partial[0] + partial[1]) : bytes;
}

/** A range of the bytes that the pieces make up. */
function cutPieces(
  pieces: readonly Uint8Array[],
  partial: [number, number] | undefined,
): readonly Uint8Array[] {
  if (!partial) return pieces;
  let skip = partial[0];
  let left = partial[1];
  const chosen: Uint8Array[] = [];
  for (const piece of pieces) {
    const part = piece.subarray(skip, skip + left);
    skip = Math.max(0, skip - piece.length);
    left -= part.length;
    if (part.length > 0) chosen.push(part);
  }
  return chosen;
}

/** A literal of decoded bytes: a literal8 if it contains NUL. */
function* writePieces(
  session: Session,
  label: string,
  pieces: readonly Uint8Array[],
): Generator<void> {
  const size = pieces.reduce((n, b) => n + b.length, 0);
  const eight = pieces.some((b) => b.includes(0)) ? "~" : "";
  session.conn.write(`${label} ${eight}{${size}}\r\n`);
  for (const b of pieces) {
    session.conn.write(b);
    yield;
  }
}

/** A literal of a message's own bytes. */
function writeBytes(session: Session, label: string, bytes: Uint8Array): void {
  session.conn.write(`${label} {${bytes.length}}\r\n`);
  session.conn.write(withoutNul(bytes));
}

/**
 * RFC 9051 §4.3: NUL is not allowed in a literal, and clients without IMAP4rev2 don't expect literal8 here: they get
 * 0x80, which keeps sizes right. BINARY has the original bytes.
 */
function withoutNul(bytes: Uint8Array): Uint8Array {
  return bytes.includes(0) ? bytes.map((b) => b === 0 ? 0x80 : b) : bytes;
}

/** A span of the file as a literal, through one buffer. */
function* writeSpan(
  session: Session,
  label: string,
  reader: MessageReader,
  from: number,
  to: number,
  partial: [number, number] | undefined,
  nul: boolean,
): Generator<void> {
  // A damaged file may end early.
  to = Math.min(to, reader.size);
  from = Math.min(from, to);
  if (partial) {
    from = Math.min(to, from + partial[0]);
    to = Math.min(to, from + partial[1]);
  }
  if (partial && from === to) {
    // RFC 9051 §6.4.5: past the end it is an empty string.
    session.conn.write(`${label} ""`);
    return;
  }
  const eight = nul && session.enabled.has("IMAP4REV2") ? "~" : "";
  session.conn.write(`${label} ${eight}{${to - from}}\r\n`);
  while (from < to) {
    const want = Math.min(fileBuffer.length, to - from);
    const n = reader.readInto(
      want === fileBuffer.length ? fileBuffer : fileBuffer.subarray(0, want),
      from,
    );
    if (n === 0) throw new Error(`message file is shorter than recorded, ends at ${from}`);
    const bytes = fileBuffer.subarray(0, n);
    session.conn.write(eight === "" ? withoutNul(bytes) : bytes);
    from += n;
    yield;
  }
}
