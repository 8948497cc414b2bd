/** Lists of tags with values, as in DKIM, ARC and DMARC (RFC 6376 §3.2). @module */

/** A list that doesn't follow RFC 6376 §3.2, or has a tag twice. */
export class TagListError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "TagListError";
  }
}

/** Most tags of one list. */
const MAX_TAGS = 100;

/**
 * Parses "a=b; c=d". Names keep their case, as they are case-sensitive (RFC 6376 §3.2); values are trimmed.
 * Other bytes in values are kept. Throws {@link TagListError}.
 */
export function parseTagList(text: string): Map<string, string> {
  const tags = new Map<string, string>();
  const parts = text.split(";", MAX_TAGS + 2);
  if (parts.length > MAX_TAGS) throw new TagListError("too many tags");
  for (let i = 0; i < parts.length; i++) {
    const part = trimWhiteSpace(parts[i]);
    if (part === "") {
      // Only the last may be empty: the list may end in a semicolon.
      if (i === parts.length - 1) break;
      throw new TagListError("empty tag");
    }
    const equals = part.indexOf("=");
    if (equals <= 0) throw new TagListError("tag without value");
    const name = trimWhiteSpace(part.slice(0, equals));
    if (!isTagName(name)) throw new TagListError("bad tag name");
    if (tags.has(name)) throw new TagListError(`tag ${name} twice`);
    tags.set(name, trimWhiteSpace(part.slice(equals + 1)));
  }
  return tags;
}

function isTagName(name: string): boolean {
  for (let i = 0; i < name.length; i++) {
    const c = name.charCodeAt(i);
    const lower = c | 0x20;
    const alpha = lower >= 0x61 && lower <= 0x7a;
    if (!alpha && (i === 0 || !((c >= 0x30 && c <= 0x39) || c === 0x5f))) return false;
  }
  return name.length > 0 && name.length <= 64;
}

function isWhiteSpace(c: number): boolean {
  return c === 0x20 || c === 0x09 || c === 0x0d || c === 0x0a;
}

function trimWhiteSpace(s: string): string {
  let start = 0;
  let end = s.length;
  while (start < end && isWhiteSpace(s.charCodeAt(start))) start++;
  while (end > start && isWhiteSpace(s.charCodeAt(end - 1))) end--;
  return s.slice(start, end);
}

/** Removes all white space: lists, base64 and names may be folded anywhere. */
export function withoutWhiteSpace(s: string): string {
  let out = "";
  let start = 0;
  for (let i = 0; i <= s.length; i++) {
    if (i < s.length && !isWhiteSpace(s.charCodeAt(i))) continue;
    if (i > start) out += s.slice(start, i);
    start = i + 1;
  }
  return out;
}

/** The bytes of base64 with white space anywhere; undefined for anything else. */
export function decodeBase64(s: string): Uint8Array | undefined {
  const compact = withoutWhiteSpace(s);
  try {
    return Uint8Array.from(atob(compact), (c) => c.charCodeAt(0));
  } catch {
    return undefined;
  }
}

/** A number of at most `maxDigits` digits. */
export function parseDigits(s: string, maxDigits: number): number | undefined {
  if (s === "" || s.length > maxDigits) return undefined;
  let n = 0;
  for (let i = 0; i < s.length; i++) {
    const d = s.charCodeAt(i) - 0x30;
    if (d < 0 || d > 9) return undefined;
    n = n * 10 + d;
  }
  return n;
}
