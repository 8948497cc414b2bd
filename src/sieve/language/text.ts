/**
 * Strings of a script: encoded characters (RFC 5228 §2.4.2.4) and variables in them (RFC 5229 §3).
 *
 * @module
 */

/** A reference to a variable, or by number to the match of a wildcard. */
export type Reference = { name: string } | { match: number };

/** A string with variables in it. */
export interface Template {
  parts: (string | Reference)[];
}

/** A constant string, or one that is assembled when the script runs. */
export type Text = string | Template;

/** The largest number of a `${1}`; RFC 5229 §3.2 requires at least 9. */
export const maxMatchIndex = 99;

/** A string is invalid. */
export class TextError extends Error {}

const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
const encoder = new TextEncoder();

/** Replaces `${hex: …}` and `${unicode: …}`. @throws TextError for numbers that are not characters */
export function decodeEncodedCharacters(s: string): string {
  if (!s.includes("${")) return s;
  const pattern = /\$\{(hex|unicode):\s*([0-9a-f]+(?:\s+[0-9a-f]+)*)\s*\}/gi;
  // The octets of a character may come from several references.
  const pieces: Uint8Array[] = [];
  let at = 0;
  let any = false;
  for (const m of s.matchAll(pattern)) {
    const words = m[2].split(/\s+/);
    if (m[1].toLowerCase() === "hex") {
      if (!words.every((w) => w.length === 2)) continue;
      pieces.push(encoder.encode(s.slice(at, m.index)));
      pieces.push(Uint8Array.from(words, (w) => parseInt(w, 16)));
    } else {
      const codes = words.map((w) => parseInt(w, 16));
      const bad = codes.find((c) => c > 0x10ffff || c >= 0xd800 && c <= 0xdfff);
      if (bad !== undefined) {
        throw new TextError(`${bad.toString(16)} is no number of a Unicode character`);
      }
      pieces.push(encoder.encode(s.slice(at, m.index) + String.fromCodePoint(...codes)));
    }
    at = m.index + m[0].length;
    any = true;
  }
  if (!any) return s;
  pieces.push(encoder.encode(s.slice(at)));
  const bytes = new Uint8Array(pieces.reduce((n, p) => n + p.length, 0));
  let n = 0;
  for (const p of pieces) {
    bytes.set(p, n);
    n += p.length;
  }
  return utf8.decode(bytes);
}

const reference = /\$\{(?:([0-9]+)|((?:[a-z_]\w*\.(?:\w+\.)*)?(?:[a-z_]\w*|[0-9]+)))\}/gi;

/** Finds the variables in a string. @throws TextError for a number beyond {@link maxMatchIndex} */
export function parseVariables(s: string): Text {
  if (!s.includes("${")) return s;
  const parts: Template["parts"] = [];
  let at = 0;
  for (const m of s.matchAll(reference)) {
    if (m.index > at) parts.push(s.slice(at, m.index));
    if (m[1] !== undefined) {
      const match = Number(m[1]);
      if (match > maxMatchIndex) {
        throw new TextError(`\${${m[1]}} is beyond what wildcards are kept for (${maxMatchIndex})`);
      }
      parts.push({ match });
    } else {
      parts.push({ name: m[2].toLowerCase() });
    }
    at = m.index + m[0].length;
  }
  if (parts.length === 0) return s;
  if (at < s.length) parts.push(s.slice(at));
  return { parts };
}

/** The string if it has no variables. */
export function constant(text: Text | undefined): string | undefined {
  return typeof text === "string" ? text : undefined;
}
