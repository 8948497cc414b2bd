/**
 * Reading mailboxes in one file: mboxrd, mboxo, mboxcl and mboxcl2, with CRLF or LF (RFC 4155 and practice).
 *
 * If a message's Content-Length leads to the next "From " line or to the end of the file, it is valid (mboxcl2,
 * as written by mutt and Dovecot): lines in between that begin with "From " belong to the message, and nothing
 * was quoted. Otherwise it is wrong, as in edited files, and each such line begins a message.
 *
 * @module
 */
import { giveWay } from "../../platform/turns.ts";
import { parseDate } from "../header/date.ts";
import { Lines, type MboxFormat, quotes, startsWith } from "./lines.ts";

/** A file that is not an mbox. */
export class MboxError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "MboxError";
  }
}

/** A message of a mailbox file. */
export interface MboxMessage {
  /** Sender of the envelope. */
  sender: string;
  /** When it arrived, from the "From " line; undefined if missing there. */
  date: Date | undefined;
  /** Lines end in CRLF; undefined if it exceeds the requested size. */
  message: Uint8Array | undefined;
}

/** Most bytes of a line that starts a message. */
const maxFromLine = 1000;

const decoder = new TextDecoder();
const crlf = new TextEncoder().encode("\r\n");
const gt = 62;
/** UTF-8's byte order mark. */
const bom = [0xef, 0xbb, 0xbf];

/**
 * The "From " line of a message: its sender and date; undefined if it is more likely an unquoted sentence. A
 * valid line has a date with time, or, after an empty line, only a sender, or nothing.
 */
function fromLine(
  line: Uint8Array,
  afterEmpty: boolean,
): { sender: string; date: Date | undefined } | undefined {
  if (line.length > maxFromLine || !startsWith(line, 0)) return undefined;
  const text = decoder.decode(line.subarray(5)).trim();
  const blank = text.search(/[ \t]/);
  const sender = blank < 0 ? text : text.slice(0, blank);
  const rest = blank < 0 ? "" : text.slice(blank);
  if (rest === "") return afterEmpty ? { sender, date: undefined } : undefined;
  const date = /\d:\d\d/.test(rest) ? parseDate(rest) : undefined;
  return date && { sender, date };
}

/** Bytes of memory kept for the next message; the memory of a larger message is handed over with it. */
const mostKept = 1024 * 1024;

/** A growing buffer; added bytes are copied. */
class Buffer {
  #bytes = new Uint8Array(64 * 1024);
  size = 0;

  add(more: Uint8Array): void {
    if (this.size + more.length > this.#bytes.length) {
      // The smaller buffer is released.
      const larger = Math.max(this.#bytes.length * 2, this.size + more.length);
      this.#bytes = new Uint8Array(this.#bytes.buffer.transfer(larger));
    }
    this.#bytes.set(more, this.size);
    this.size += more.length;
  }

  copy(start: number, end: number): Uint8Array {
    return this.#bytes.slice(start, end);
  }

  /** Hands everything over to the caller and empties the buffer. A large one is not copied. */
  take(): Uint8Array {
    const all = this.#bytes.length > mostKept
      ? this.#bytes.subarray(0, this.size)
      : this.copy(0, this.size);
    this.clear();
    return all;
  }

  clear(): void {
    this.size = 0;
    // One large message must not hold its memory until the end of the file.
    if (this.#bytes.length > mostKept) this.#bytes = new Uint8Array(64 * 1024);
  }
}

type Start = { sender: string; date: Date | undefined };

/** A message that may still have the marks before its lines that begin with "From ". */
type Assembled = MboxMessage & { quoted?: boolean };

/** A line in a message of known length that begins another message if that length is wrong. */
interface Tentative {
  start: Start;
  /** The end of the previous message, and the start of its own lines. */
  end: number;
  next: number;
}

/** Assembles messages from lines. */
class Assembler {
  readonly done: Assembled[] = [];
  readonly #maxSize: number;
  readonly #out = new Buffer();
  #start: Start | undefined;
  #tooLarge = false;
  #inHeader = true;
  /** Content-Length. */
  #needed: number | undefined;
  /** Bytes of the body in the file: actual ones, and with each line end counted as one. */
  #body = 0;
  #bodyLf = 0;
  // The empty line before the next message isn't part of this one, so each is held back until this is known.
  #pendingEmpty = false;
  #tentative: Tentative[] = [];

  constructor(options: { format?: MboxFormat; maxSize: number }) {
    this.#maxSize = options.maxSize;
  }

  line(piece: Uint8Array, first: boolean, last: boolean, end: number): void {
    // Editors on Windows put a byte order mark before the text.
    if (this.#start === undefined && bom.every((b, i) => piece[i] === b)) piece = piece.subarray(3);
    if (first && last) {
      if (piece.length === 0) return this.#emptyLine(end);
      const start = fromLine(piece, this.#pendingEmpty || this.#start === undefined);
      if (start && !this.#isWithin(start, piece)) {
        this.#finish();
        this.#start = start;
        return;
      }
    }
    if (this.#start === undefined) {
      throw new MboxError('the file is not an mbox: it doesn\'t start with "From "');
    }
    if (first && this.#inHeader && last) this.#headerLine(piece);
    this.#add(piece, last);
    this.#count(piece.length, end);
  }

  #emptyLine(end: number): void {
    if (this.#start === undefined) return;
    this.#flushEmpty();
    this.#pendingEmpty = true;
    if (this.#inHeader) this.#inHeader = false;
    else this.#count(0, end);
  }

  #count(length: number, end: number): void {
    if (this.#inHeader) return;
    this.#body += length + end;
    this.#bodyLf += length + (end > 0 ? 1 : 0);
  }

  #headerLine(piece: Uint8Array): void {
    if (piece.length > 40 || (piece[0] | 32) !== 99) return;
    const m = /^content-length:[ \t]*(\d{1,12})[ \t]*$/i.exec(decoder.decode(piece));
    if (m) this.#needed = Number(m[1]);
  }

  #flushEmpty(): void {
    if (!this.#pendingEmpty) return;
    this.#pendingEmpty = false;
    this.#add(new Uint8Array(0), true);
  }

  #add(piece: Uint8Array, last: boolean): void {
    if (this.#pendingEmpty) this.#flushEmpty();
    if (this.#tooLarge) return;
    if (this.#out.size + piece.length + 2 > this.#maxSize) {
      // A length that leads this far is invalid.
      if (this.#tentative.length > 0) this.#split();
      if (this.#out.size + piece.length + 2 > this.#maxSize) {
        this.#tooLarge = true;
        this.#needed = undefined;
        this.#out.clear();
        return;
      }
    }
    this.#out.add(piece);
    if (last) this.#out.add(crlf);
  }

  /** Whether the length leads here, or past it by the line that separates messages. */
  #leadsHere(): boolean {
    const n = this.#needed!;
    return [this.#body, this.#bodyLf].some((at) => at >= n && at <= n + 2);
  }

  /** Whether a "From " line belongs to the message around it, as far as known. */
  #isWithin(start: Start, line: Uint8Array): boolean {
    if (this.#needed === undefined || this.#inHeader || this.#bodyLf >= this.#needed) return false;
    if (this.#leadsHere()) return false;
    const end = this.#out.size;
    // It doesn't separate messages if the length is right, but does if it is wrong.
    this.#flushEmpty();
    this.#tentative.push({ start, end, next: this.#out.size + line.length + 2 });
    return true;
  }

  /** The length is wrong: the message so far is really several. */
  #split(): void {
    this.#needed = undefined;
    if (this.#tentative.length === 0) return;
    let from = 0;
    for (const t of this.#tentative) {
      this.#hand(this.#out.copy(from, t.end));
      this.#start = t.start;
      from = t.next;
    }
    this.#tentative = [];
    const rest = this.#out.copy(from, this.#out.size);
    this.#out.clear();
    this.#out.add(rest);
  }

  #hand(raw: Uint8Array): void {
    this.done.push({ ...this.#start!, message: raw, quoted: true });
  }

  #finish(): void {
    if (this.#start === undefined) return;
    if (this.#needed !== undefined && !this.#inHeader && this.#leadsHere()) {
      // Without an empty line between messages, one at the end belongs to the message.
      if (this.#body === this.#needed) this.#flushEmpty();
      this.done.push({ ...this.#start, message: this.#out.take() });
    } else {
      this.#split();
      if (this.#tooLarge) this.done.push({ ...this.#start, message: undefined });
      else this.#hand(this.#out.take());
    }
    this.#out.clear();
    this.#tentative = [];
    this.#needed = undefined;
    this.#inHeader = true;
    this.#pendingEmpty = false;
    this.#tooLarge = false;
    this.#body = this.#bodyLf = 0;
  }

  /** The file has ended. */
  end(): void {
    this.#finish();
    this.#start = undefined;
  }
}

/** Bytes processed between two turns for other work. */
const slice = 256 * 1024;

/** The message without the marks before its lines that begin with "From ", in the same memory. They may be millions. */
async function unquoted(bytes: Uint8Array, mboxo: boolean): Promise<Uint8Array> {
  let size = 0;
  let from = 0;
  let next = slice;
  for (let at = bytes.indexOf(gt); at >= 0; at = bytes.indexOf(gt, at + 1)) {
    if (at >= next) {
      next = at + slice;
      await giveWay();
    }
    if (at > 0 && bytes[at - 1] !== 10) continue;
    const n = quotes(bytes, at);
    if (n === undefined || mboxo && n !== 1) continue;
    // The moved bytes end before the next ones to be read.
    if (at - from > 64) {
      bytes.copyWithin(size, from, at);
      size += at - from;
    } else for (let i = from; i < at; i++) bytes[size++] = bytes[i];
    from = at + 1;
    at += n - 1;
  }
  if (from === 0) return bytes;
  bytes.copyWithin(size, from);
  return bytes.subarray(0, size + bytes.length - from);
}

async function finished({ quoted, ...m }: Assembled, mboxo: boolean): Promise<MboxMessage> {
  return quoted && m.message ? { ...m, message: await unquoted(m.message, mboxo) } : m;
}

/**
 * The messages of a mailbox file, each whole in memory; the file never is.
 * @param options.maxSize bytes of a message; of larger ones only the position is returned
 * @throws MboxError if the file isn't empty and doesn't start with a "From " line
 */
export async function* mboxMessages(
  chunks: AsyncIterable<Uint8Array>,
  options: { format?: MboxFormat; maxSize: number },
): AsyncGenerator<MboxMessage> {
  const messages = new Assembler(options);
  const mboxo = options.format === "mboxo";
  const lines = new Lines((piece, first, last, end) => messages.line(piece, first, last, end));
  for await (const chunk of chunks) {
    lines.write(chunk);
    for (const m of messages.done.splice(0)) yield await finished(m, mboxo);
    await giveWay();
  }
  lines.finish();
  messages.end();
  for (const m of messages.done) yield await finished(m, mboxo);
}
