/**
 * Message-IDs and lists of them (RFC 5322 §3.6.4), as found in the wild.
 *
 * @module
 */

import { decodeWords } from "./words.ts";

/**
 * Most ids of a list that are kept, most characters of an id, and most characters of a field that are read,
 * from its end.
 */
const maxIds = 100;
const maxId = 500;
const maxField = 64 * 1024;

/** The id without <> and spaces; "" if there is none. */
export function normalizeMessageId(value: string): string {
  value = value.slice(0, maxField);
  return parseMessageIds(value)[0] ?? value.trim().split(/\s/, 1)[0].slice(0, maxId);
}

/** RFC 5256 §3: <"a.b"@c> is <a.b@c>. */
function withoutQuotes(id: string): string {
  const m = /^"((?:[^"\\]|\\.)*)"(@.*)?$/s.exec(id);
  return m ? m[1].replace(/\\(.)/gs, "$1") + (m[2] ?? "") : id;
}

/** Ids of References or In-Reply-To, in order, each once; the last hundred. */
export function parseMessageIds(value: string): string[] {
  if (value.length > maxField) value = value.slice(-maxField);
  // Some servers encode ids that are too long for a line, although RFC 2047 §5 forbids it.
  if (value.includes("=?")) value = decodeWords(value);
  const ids = new Set<string>();
  for (let at = value.indexOf("<"); at >= 0; at = value.indexOf("<", at + 1)) {
    const end = value.indexOf(">", at);
    if (end < 0) break;
    let id = value.slice(value.lastIndexOf("<", end) + 1, end).replace(/\s+/g, "");
    at = end;
    if (id.length <= 2 * maxId) id = withoutQuotes(id);
    if (id !== "" && id.length <= maxId) ids.add(id);
  }
  return [...ids].slice(-maxIds);
}
