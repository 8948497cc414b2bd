/**
 * MIME structure of a message with byte offsets (RFC 2045, 2046), computed while it streams by.
 *
 * Never fails: any bytes give a structure. Linear in the size, in constant memory except for headers, which are
 * kept up to {@link limits}. Lines may end in CRLF, in LF alone, and in CR CR LF. Beyond a limit the rest of a
 * part is not searched for parts.
 *
 * @module
 */
import { splitHeader } from "../header/header.ts";
import { HeaderLines } from "./header_lines.ts";
import { dropParams, limits, newPart, type Part, setFromHeader } from "./part.ts";

export { leaves, limits, type Part } from "./part.ts";

/** Bytes of a line that SMTP can carry, without its end. */
export const maxLine = 998;

export interface ParsedMessage {
  root: Part;
  /** Total bytes. */
  size: number;
  /**
   * A header of the message or a part has non-ASCII bytes (RFC 6532). Headers of embedded messages count as
   * content.
   */
  utf8Headers: boolean;
  /** A line is too long for SMTP. */
  longLines: boolean;
  /** Whether it contains a NUL byte. */
  hasNul: boolean;
}

interface Open {
  part: Part;
  /** For a multipart: "--" and the boundary. */
  delimiter: Uint8Array | undefined;
  /** Its boundary was given with trailing spaces, which also precede the "--" of the last line. */
  blanks: boolean;
  digest: boolean;
  /** Count of lines when the body began, and whether it began with a whole line. */
  linesBefore: number;
}

const empty = new Uint8Array(0);
/** A boundary line is recognised by its first bytes: "--", at most 250, "--", spaces. */
const maxDelimiterLine = 512;

/** Parses a message in pieces of any size. */
export class StructureParser {
  readonly #root: Part;
  readonly #stack: Open[] = [];
  #offset = 0;
  #lines = 0;
  /** The relevant bytes of a line that continues in the next piece. */
  #carry: Uint8Array = empty;
  #carryTotal = 0;
  #inHeader = true;
  readonly #header = new HeaderLines();
  #parts = 1;
  #params = 0;
  /** Length of the line end before the current line: 0, 1 (LF) or 2 (CRLF). */
  #lastEnd = 0;
  /** True if the last line was empty. */
  #lastEmpty = false;
  #utf8Headers = false;
  #longLines = false;
  #hasNul = false;
  /** Open multiparts: without one no line can be a boundary. */
  #multiparts = 0;

  constructor() {
    this.#root = newPart(0);
    this.#push(this.#root, false);
  }

  #push(part: Part, digest: boolean): void {
    this.#stack.push({ part, delimiter: undefined, blanks: false, digest, linesBefore: 0 });
    this.#inHeader = true;
    this.#header.begin();
  }

  /** The next bytes; they may be reused after the call. */
  write(chunk: Uint8Array): void {
    let at = 0;
    this.#hasNul ||= chunk.includes(0);
    if (this.#carryTotal > 0) {
      const end = chunk.indexOf(10);
      if (end < 0) {
        this.#keep(chunk);
        return;
      }
      this.#keep(chunk.subarray(0, end + 1));
      at = end + 1;
      const line = this.#carry;
      const total = this.#carryTotal;
      this.#carry = empty;
      this.#carryTotal = 0;
      // If the kept bytes were cut, their last byte is not the line's last.
      const lineEnd = end > 0
        ? (chunk[end - 1] === 13 ? 2 : 1)
        : (line.length === total && line.length > 1 && line[line.length - 2] === 13 ? 2 : 1);
      this.#line(line, 0, line.length, total, lineEnd);
    }
    while (at < chunk.length) {
      // Most of a large body is lines that can't be boundaries.
      const end = chunk.indexOf(10, at);
      if (end < 0) break;
      const lineEnd = end > at && chunk[end - 1] === 13 ? 2 : 1;
      if (!this.#inHeader && (chunk[at] !== 45 || this.#multiparts === 0)) {
        this.#lines++;
        this.#lastEnd = lineEnd;
        this.#lastEmpty = end + 1 - at === lineEnd;
        this.#offset += end + 1 - at;
        if (end + 1 - at > maxLine + lineEnd) this.#long();
      } else {
        this.#line(chunk, at, end + 1, end + 1 - at, lineEnd);
      }
      at = end + 1;
    }
    if (at < chunk.length) this.#keep(chunk.subarray(at));
  }

  #long(): void {
    this.#longLines = true;
    this.#stack[this.#stack.length - 1].part.longLine = true;
  }

  #keep(bytes: Uint8Array): void {
    const limit = this.#inHeader ? limits.header : maxDelimiterLine;
    const room = Math.max(0, limit - this.#carry.length);
    if (room > 0) {
      const part = bytes.subarray(0, room);
      const joined = new Uint8Array(this.#carry.length + part.length);
      joined.set(this.#carry);
      joined.set(part, this.#carry.length);
      this.#carry = joined;
    }
    this.#carryTotal += bytes.length;
  }

  /**
   * A line: `buf[from, to)` is its start; the whole line has `length` bytes, the last `lineEnd` of which are
   * its end.
   */
  #line(buf: Uint8Array, from: number, to: number, length: number, lineEnd: number): void {
    const start = this.#offset;
    if (buf[from] === 45 && buf[from + 1] === 45) {
      if (this.#inHeader && this.#header.isOwnBoundary(buf, from, to)) this.#endHeader(start);
      if (this.#multiparts > 0 && this.#boundary(buf, from, to, start, length)) {
        this.#lastEnd = lineEnd;
        this.#lines++;
        return;
      }
    }
    this.#offset = start + length;
    this.#lines++;
    this.#lastEnd = lineEnd;
    this.#lastEmpty = length === lineEnd;
    if (length > maxLine + lineEnd) this.#long();
    if (!this.#inHeader) return;
    if (length === lineEnd || isEmptyLine(buf, from, to, length)) {
      this.#endHeader(this.#offset);
      return;
    }
    this.#header.add(buf, from, to, { offset: start, lines: this.#lines - 1 });
  }

  /** Handles a boundary line; false if it is not one. */
  #boundary(buf: Uint8Array, from: number, to: number, start: number, length: number): boolean {
    for (let i = this.#stack.length - 1; i >= 0; i--) {
      const d = this.#stack[i].delimiter;
      if (!d || !startsWith(buf, from, to, d)) continue;
      let at = from + d.length;
      if (this.#stack[i].blanks) { while (at < to && (buf[at] === 32 || buf[at] === 9)) at++; }
      const close = buf[at] === 45 && buf[at + 1] === 45 && at + 1 < to;
      if (close) at += 2;
      // RFC 2046 §5.1.1: only spaces may follow.
      while (at < to && (buf[at] === 32 || buf[at] === 9)) at++;
      if (at < to && buf[at] !== 13 && buf[at] !== 10) continue;
      this.#closeAbove(i, start);
      this.#offset = start + length;
      const open = this.#stack[i];
      if (close) {
        open.delimiter = undefined;
        this.#multiparts--;
        return true;
      }
      if (this.#parts >= limits.parts) {
        // The rest belongs to the last part, unparsed.
        open.delimiter = undefined;
        this.#multiparts--;
        return true;
      }
      this.#parts++;
      const part = newPart(this.#offset);
      if (open.digest) [part.type, part.subtype] = ["message", "rfc822"];
      open.part.parts.push(part);
      this.#push(part, false);
      return true;
    }
    return false;
  }

  /** Ends the parts above the i-th of the stack, before a boundary line that starts at the offset. */
  #closeAbove(i: number, start: number): void {
    const end = start - this.#lastEnd;
    while (this.#stack.length > i + 1) {
      if (this.#inHeader) this.#endHeader(start, true);
      const open = this.#stack.pop()!;
      if (open.delimiter) this.#multiparts--;
      this.#end(open, end, true);
    }
  }

  #end(open: Open, end: number, atBoundary: boolean): void {
    const p = open.part;
    if (p.type === "multipart") asFound(p);
    p.endOffset = Math.max(p.bodyOffset, end);
    if (p.endOffset === p.bodyOffset) return;
    const lines = this.#lines - open.linesBefore;
    // A line without an end counts; at a boundary the last line's end isn't part of the body, so an empty last
    // line doesn't count.
    if (atBoundary) p.lines = this.#lastEmpty ? lines - 1 : lines;
    else p.lines = this.#carryTotal > 0 ? lines + 1 : lines;
  }

  /** The header of the innermost part is complete; its body starts at the offset. */
  #endHeader(offset: number, closing = false): void {
    this.#inHeader = false;
    const open = this.#stack[this.#stack.length - 1];
    const p = open.part;
    const { bytes, body } = this.#header.end(p.type, closing);
    p.bodyOffset = body?.offset ?? offset;
    open.linesBefore = body?.lines ?? this.#lines;
    if (!this.#stack.some((o) => o.part.message)) this.#utf8Headers ||= beyondAscii(bytes);
    setFromHeader(p, splitHeader(bytes));
    this.#params += Object.keys(p.params).length + Object.keys(p.dispositionParams ?? {}).length;
    if (this.#params > limits.params) dropParams(p);
    if (this.#isMessage(this.#stack.length - 1)) p.header = bytes;
    if (closing || this.#stack.length >= limits.depth) return;
    const identity = p.encoding === "7bit" || p.encoding === "8bit" || p.encoding === "binary";
    // RFC 2046 §5.1.1: a boundary doesn't end in a space.
    const boundary = p.type === "multipart" ? p.params.boundary?.trimEnd().slice(0, 250) : "";
    if (boundary) {
      // RFC 2045 §6.4: a multipart is never encoded, whatever its header says.
      open.delimiter = new TextEncoder().encode(`--${boundary}`);
      open.blanks = boundary !== p.params.boundary;
      open.digest = p.subtype === "digest";
      this.#multiparts++;
    } else if (
      p.type === "message" && (p.subtype === "rfc822" || p.subtype === "global") && identity &&
      this.#parts < limits.parts
    ) {
      this.#parts++;
      p.message = newPart(offset);
      this.#push(p.message, false);
    }
  }

  #isMessage(i: number): boolean {
    return i === 0 || this.#stack[i - 1].part.message === this.#stack[i].part;
  }

  /** Ends the message and returns its structure. */
  end(): ParsedMessage {
    let rest = this.#carryTotal;
    if (rest > 0) {
      // A last line without its end.
      const line = this.#carry;
      const start = this.#offset;
      if (
        this.#multiparts > 0 && line[0] === 45 && line[1] === 45 &&
        this.#boundary(line, 0, line.length, start, rest)
      ) {
        rest = 0;
        this.#carryTotal = 0;
        this.#lastEnd = 0;
      } else {
        if (this.#inHeader) {
          this.#header.add(line, 0, line.length, { offset: start, lines: this.#lines });
        }
        this.#offset += rest;
        if (rest > maxLine) this.#long();
      }
    }
    while (this.#stack.length > 0) {
      if (this.#inHeader) this.#endHeader(this.#offset, true);
      const open = this.#stack.pop()!;
      this.#end(open, this.#offset, false);
    }
    if (this.#hasNul) this.#root.hasNul = true;
    return {
      root: this.#root,
      size: this.#offset,
      utf8Headers: this.#utf8Headers,
      longLines: this.#longLines,
      hasNul: this.#hasNul,
    };
  }
}

/** Sets a multipart's real kind: unencoded with parts, or else a text. */
function asFound(part: Part): void {
  if (part.parts.length > 0) {
    if (part.encoding !== "8bit" && part.encoding !== "binary") part.encoding = "7bit";
    return;
  }
  part.type = "text";
  part.subtype = "plain";
  const charset = part.params.charset;
  part.params = charset === undefined ? {} : { charset };
}

function beyondAscii(bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) if (bytes[i] >= 128) return true;
  return false;
}

/** Whether a line consists only of its end, including CR CR LF. */
function isEmptyLine(buf: Uint8Array, from: number, to: number, length: number): boolean {
  return length === 3 && to - from === 3 && buf[from] === 13 && buf[from + 1] === 13;
}

function startsWith(buf: Uint8Array, from: number, to: number, d: Uint8Array): boolean {
  if (to - from < d.length) return false;
  for (let i = 2; i < d.length; i++) if (buf[from + i] !== d[i]) return false;
  return true;
}

/** Structure of a message in memory. */
export function parseMessage(bytes: Uint8Array): ParsedMessage {
  const p = new StructureParser();
  p.write(bytes);
  return p.end();
}

/** Whether a message or a part has a header that only SMTPUTF8 can carry. */
export function headersNeedUtf8(message: Uint8Array): boolean {
  return parseMessage(message).utf8Headers;
}
