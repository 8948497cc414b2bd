/**
 * Encoded words (RFC 2047, with the language tags of RFC 2231).
 *
 * @module
 */
import { decodeCharset, isKnownCharset } from "../text/charset.ts";
import { base64Decoder, decodeQuotedPrintable } from "../transfer/transfer.ts";

interface Word {
  start: number;
  end: number;
  charset: string;
  /** Decoded; base64 stays undecoded, as some senders split it within a group of four. */
  bytes: Uint8Array;
  base64: boolean;
}

/** Parses an encoded word that starts at "=?"; undefined if there is none. */
function wordAt(s: string, start: number): Word | undefined {
  const q1 = s.indexOf("?", start + 2);
  if (q1 < 0 || q1 - start > 80) return undefined;
  const q2 = q1 + 2;
  if (s[q2] !== "?") return undefined;
  const q3 = s.indexOf("?=", q2 + 1);
  // Many programs exceed the 75 that RFC 2047 §2 allows; without a bound this would be quadratic.
  if (q3 < 0 || q3 - start > 10_000) return undefined;
  const charset = s.slice(start + 2, q1).split("*", 1)[0];
  if (!isKnownCharset(charset)) return undefined;
  const text = s.slice(q2 + 1, q3);
  if (text.includes("?") && text.includes("=?")) return undefined;
  const raw = new TextEncoder().encode(text);
  const encoding = s[q1 + 1].toLowerCase();
  let bytes: Uint8Array;
  if (encoding === "b") {
    bytes = raw;
  } else if (encoding === "q") {
    for (let i = 0; i < raw.length; i++) if (raw[i] === 95) raw[i] = 32;
    // A space at the end counts here.
    bytes = decodeQuotedPrintable(raw);
  } else {
    return undefined;
  }
  return {
    start,
    end: q3 + 2,
    charset: charset.toLowerCase(),
    bytes,
    base64: encoding === "b",
  };
}

/**
 * The text with its encoded words decoded. Consecutive words with the same charset are joined before decoding,
 * as senders split characters between them; spaces between words are dropped (RFC 2047 §6.2). Invalid encoded
 * words stay unchanged.
 */
export function decodeWords(s: string): string {
  if (!s.includes("=?")) return s;
  let out = "";
  let at = 0;
  let pending:
    | { charset: string; bytes: Uint8Array[]; base64?: (bytes: Uint8Array) => Uint8Array }
    | undefined;
  const flush = () => {
    if (!pending) return;
    const size = pending.bytes.reduce((n, b) => n + b.length, 0);
    const all = new Uint8Array(size);
    let n = 0;
    for (const b of pending.bytes) {
      all.set(b, n);
      n += b.length;
    }
    out += decodeCharset(all, pending.charset);
    pending = undefined;
  };
  // After a failed search for the end, later positions need no search.
  let noEndAfter = Infinity;
  for (;;) {
    const start = s.indexOf("=?", at);
    const word = start < 0 || start >= noEndAfter ? undefined : wordAt(s, start);
    if (start < 0) break;
    if (!word) {
      if (s.indexOf("?=", start + 2) < 0) noEndAfter = Math.min(noEndAfter, start);
      flush();
      out += s.slice(at, start + 2);
      at = start + 2;
      continue;
    }
    const between = s.slice(at, start);
    if (!(pending && between.trim() === "")) {
      flush();
      out += between;
    } else if (pending.charset !== word.charset) {
      flush();
    }
    pending ??= { charset: word.charset, bytes: [] };
    if (word.base64) {
      pending.base64 ??= base64Decoder();
      pending.bytes.push(pending.base64(word.bytes));
    } else {
      pending.base64 = undefined;
      pending.bytes.push(word.bytes);
    }
    at = word.end;
  }
  flush();
  return out + s.slice(at);
}
