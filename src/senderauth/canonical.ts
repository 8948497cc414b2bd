/** Canonical forms of headers and bodies (RFC 6376 §3.4). @module */
import { Buffer } from "node:buffer";
import { createHash, type Hash } from "node:crypto";
import type { HeaderField, HeaderFields } from "./header_fields.ts";

export type Canonicalization = "simple" | "relaxed";

const CR = 0x0d, LF = 0x0a, SP = 0x20, TAB = 0x09, COLON = 0x3a;

/** A field in canonical form, including its CRLF. */
export function canonicalField(
  header: HeaderFields,
  field: HeaderField,
  form: Canonicalization,
): Uint8Array {
  const raw = header.bytes.subarray(field.start, field.end);
  return form === "simple" ? withCrlf(raw) : relaxedField(raw);
}

/** The last field of a header may lack its line end; each signed one has it. */
function withCrlf(raw: Uint8Array): Uint8Array {
  if (raw.at(-1) === LF) return raw;
  return Buffer.concat([raw, Buffer.from("\r\n")]);
}

/** RFC 6376 §3.4.2. */
export function relaxedField(raw: Uint8Array): Uint8Array {
  const out = Buffer.allocUnsafe(raw.length + 2);
  let n = 0;
  let i = 0;
  for (; i < raw.length && raw[i] !== COLON; i++) {
    const c = raw[i];
    if (c === SP || c === TAB || c === CR || c === LF) continue;
    out[n++] = c >= 0x41 && c <= 0x5a ? c | 0x20 : c;
  }
  out[n++] = COLON;
  let space = false;
  let started = false;
  for (i++; i < raw.length; i++) {
    const c = raw[i];
    if (c === SP || c === TAB) space = true;
    else if (c === LF || (c === CR && raw[i + 1] === LF)) continue;
    else {
      if (space && started) out[n++] = SP;
      space = false;
      started = true;
      out[n++] = c;
    }
  }
  out[n++] = CR;
  out[n++] = LF;
  return out.subarray(0, n);
}

/** The source of a body, read in pieces. */
export interface MessageSource {
  /** Bytes of the whole message, including the header. */
  size: number;
  /** At least one byte from the offset if it is before the end, at most `length`. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** A message in memory as a source. */
export function bytesSource(bytes: Uint8Array): MessageSource {
  return {
    size: bytes.length,
    read: (offset, length) => Promise.resolve(bytes.subarray(offset, offset + length)),
  };
}

/** A requested body hash: of the canonical form, or of its first `length` bytes if given. */
export interface BodyHashRequest {
  form: Canonicalization;
  length?: number;
}

/** A body hash. `complete` says that no byte of the canonical body was left out. */
export interface BodyHash {
  digest: Uint8Array;
  /** Bytes of the whole canonical body. */
  canonicalLength: number;
  complete: boolean;
}

/** Bytes read at a time. */
const CHUNK = 64 * 1024;

/**
 * Hashes a body in one pass for all requests. A form is computed once, however many lengths of it are
 * requested. Memory: two pieces.
 */
export async function hashBody(
  source: MessageSource,
  bodyOffset: number,
  requests: readonly BodyHashRequest[],
): Promise<BodyHash[]> {
  const consumers = requests.map((r) => ({ ...r, hash: createHash("sha256"), taken: 0 }));
  const lengths = { simple: 0, relaxed: 0 };
  const feeds = (["simple", "relaxed"] as const).flatMap((form) => {
    const mine = consumers.filter((c) => c.form === form);
    if (mine.length === 0) return [];
    const sink = (bytes: Uint8Array) => {
      lengths[form] += bytes.length;
      for (const c of mine) take(c, bytes);
    };
    return [form === "simple" ? simpleBody(sink) : relaxedBody(sink)];
  });
  for (let offset = bodyOffset; offset < source.size && feeds.length > 0;) {
    const piece = await source.read(offset, Math.min(CHUNK, source.size - offset));
    if (piece.length === 0) break;
    offset += piece.length;
    for (const feed of feeds) feed.write(piece);
  }
  for (const feed of feeds) feed.end();
  return consumers.map((c) => ({
    digest: new Uint8Array(c.hash.digest()),
    canonicalLength: lengths[c.form],
    complete: c.taken === lengths[c.form],
  }));
}

function take(c: { hash: Hash; taken: number; length?: number }, bytes: Uint8Array): void {
  const room = c.length === undefined ? bytes.length : c.length - c.taken;
  if (room <= 0) return;
  const part = room < bytes.length ? bytes.subarray(0, room) : bytes;
  c.hash.update(part);
  c.taken += part.length;
}

interface BodyForm {
  write(piece: Uint8Array): void;
  end(): void;
}

const crlf = Uint8Array.of(CR, LF);
const manyLines = new Uint8Array(Buffer.from("\r\n".repeat(4096)));

function writeLines(sink: (bytes: Uint8Array) => void, count: number): void {
  for (let left = count; left > 0; left -= 4096) {
    sink(manyLines.subarray(0, 2 * Math.min(left, 4096)));
  }
}

/** RFC 6376 §3.4.3: empty lines at the end become one CRLF; an empty body is one CRLF. */
function simpleBody(sink: (bytes: Uint8Array) => void): BodyForm {
  // CRLFs are held back until other content follows.
  let held = 0;
  let heldCr = false;
  return {
    write(piece) {
      let start = 0;
      if (heldCr) {
        heldCr = false;
        if (piece[0] === LF) {
          held++;
          start = 1;
        } else {
          writeLines(sink, held);
          held = 0;
          sink(crlf.subarray(0, 1));
        }
      }
      let end = piece.length;
      // A CR at the very end may be half of a CRLF.
      if (end > start && piece[end - 1] === CR) {
        heldCr = true;
        end--;
      }
      let trailing = 0;
      while (end - start >= 2 && piece[end - 2] === CR && piece[end - 1] === LF) {
        trailing++;
        end -= 2;
      }
      if (end > start) {
        writeLines(sink, held);
        held = 0;
        sink(piece.subarray(start, end));
      }
      held += trailing;
    },
    end() {
      if (heldCr) {
        writeLines(sink, held);
        sink(crlf.subarray(0, 1));
      }
      sink(crlf);
    },
  };
}

/**
 * RFC 6376 §3.4.4: white space at line ends is removed, runs of it become one space, empty lines at the end are
 * removed; an empty body stays empty, any other ends in CRLF.
 */
function relaxedBody(sink: (bytes: Uint8Array) => void): BodyForm {
  // Bytes that may have to be written before the next byte of content.
  let heldLines = 0;
  let heldSpace = false;
  let heldCr = false;
  let any = false;
  let out = new Uint8Array(CHUNK + 16);

  return {
    write(piece) {
      if (out.length < 3 * piece.length + 16) out = new Uint8Array(3 * piece.length + 16);
      // Locals, for speed: this loop sees every byte of every signed message.
      const to = out;
      const size = piece.length;
      let n = 0;
      let lines = heldLines;
      let space = heldSpace;
      let cr = heldCr;
      for (let i = 0; i < size; i++) {
        const c = piece[i];
        if (c === LF && cr) {
          // The line end is written when more content comes, or at the end: see end().
          cr = false;
          space = false;
          lines++;
          continue;
        }
        if (!cr && (c === SP || c === TAB)) {
          space = true;
          continue;
        }
        if (c === CR && !cr) {
          cr = true;
          continue;
        }
        if (lines > 0) {
          any = true;
          if (lines <= 2) {
            for (; lines > 0; lines--) {
              to[n++] = CR;
              to[n++] = LF;
            }
          } else {
            if (n > 0) sink(to.subarray(0, n));
            n = 0;
            writeLines(sink, lines);
            lines = 0;
          }
        }
        if (space) to[n++] = SP;
        space = false;
        if (cr) {
          // A CR without LF is content; the byte after it is handled separately.
          to[n++] = CR;
          cr = false;
          any = true;
          i--;
          continue;
        }
        to[n++] = c;
        any = true;
        // The rest of the word, without anything in between.
        for (let next = piece[i + 1]; next > SP; next = piece[i + 1]) {
          to[n++] = next;
          i++;
        }
      }
      heldLines = lines;
      heldSpace = space;
      heldCr = cr;
      if (n > 0) sink(to.subarray(0, n));
    },
    end() {
      if (heldCr) {
        writeLines(sink, heldLines);
        sink(Uint8Array.of(...(heldSpace ? [SP] : []), CR));
        any = true;
      }
      if (any) sink(crlf);
    },
  };
}
