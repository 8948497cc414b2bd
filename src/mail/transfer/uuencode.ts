/**
 * Uuencoded files in texts, as written by programs from before MIME and some of today.
 *
 * @module
 */

/** A file found inside something else. */
export interface PackedFile {
  name: string;
  content: Uint8Array;
}

/** Most files of a text that are read. */
const maxFiles = 100;
/** Most lines of a file; they have 45 bytes each, and the rest is left out. */
const maxLines = 500_000;

const latin1 = new TextDecoder("latin1");

/** The lines of one file: their positions, their total bytes, and the end of the file. */
interface FileLines {
  /** Start and end of each, alternating. */
  lines: number[];
  bytes: number;
  end: number;
}

/** Finds the lines of one file; the first invalid line ends it. */
function fileLines(b: Uint8Array, from: number): FileLines {
  const lines: number[] = [];
  let bytes = 0;
  let at = from;
  while (at < b.length && lines.length < 2 * maxLines) {
    let end = b.indexOf(10, at);
    if (end < 0) end = b.length;
    const stop = end > at && b[end - 1] === 13 ? end - 1 : end;
    const next = Math.min(b.length, end + 1);
    // A length of zero is "`" or a space.
    const count = stop === at ? 0 : (b[at] - 32) & 63;
    if (count === 0 || b[at] < 32 || b[at] > 96) {
      const isEnd = (p: number) => b[p] === 101 && b[p + 1] === 110 && b[p + 2] === 100;
      if (isEnd(at)) at = next;
      else if (isEnd(next)) at = Math.min(b.length, (b.indexOf(10, next) + 1) || b.length);
      break;
    }
    lines.push(at, stop);
    bytes += count;
    at = next;
  }
  return { lines, bytes, end: at };
}

function decodeLines(b: Uint8Array, { lines, bytes }: FileLines): Uint8Array {
  const out = new Uint8Array(bytes);
  let n = 0;
  for (let l = 0; l < lines.length; l += 2) {
    const at = lines[l], stop = lines[l + 1];
    const value = (p: number) => p < stop ? (b[p] - 32) & 63 : 0;
    const count = (b[at] - 32) & 63;
    for (let i = 0, p = at + 1; i < count; i += 3, p += 4) {
      const v = value(p) << 18 | value(p + 1) << 12 | value(p + 2) << 6 | value(p + 3);
      out[n++] = v >> 16;
      if (i + 1 < count) out[n++] = v >> 8 & 255;
      if (i + 2 < count) out[n++] = v & 255;
    }
  }
  return out;
}

/** Bytes of "begin ". */
const beginning = new TextEncoder().encode("begin ");
const isOctal = (byte: number) => byte >= 0x30 && byte <= 0x37;

/** Position of the name in a "begin" line, if one begins there. Reads a dozen bytes. */
function nameOfBegin(bytes: Uint8Array, at: number): number | undefined {
  for (let i = 0; i < beginning.length; i++) if (bytes[at + i] !== beginning[i]) return undefined;
  let p = at + beginning.length;
  const from = p;
  while (p - from < 4 && isOctal(bytes[p])) p++;
  if (p - from < 3 || bytes[p] !== 0x20) return undefined;
  return bytes[p + 1] > 0x20 ? p + 1 : undefined;
}

/** The first "begin" line at or after the position, which must be the start of a line. */
function findBegin(
  bytes: Uint8Array,
  from: number,
): { at: number; name: string; next: number } | undefined {
  // Byte by byte, as lines may have one byte each.
  for (let at = from; at < bytes.length; at++) {
    if (bytes[at] !== beginning[0] || (at > from && bytes[at - 1] !== 10)) continue;
    const nameAt = nameOfBegin(bytes, at);
    if (nameAt === undefined) continue;
    const rest = bytes.subarray(nameAt, nameAt + 300);
    const end = rest.indexOf(10);
    if (end < 0) continue;
    const name = latin1.decode(rest.subarray(0, end)).trimEnd();
    if (name.length <= 255) return { at, name, next: nameAt + end + 1 };
  }
  return undefined;
}

/** Files in a text, and the text without them. Linear. */
export function uuencodedFiles(text: Uint8Array): { files: PackedFile[]; rest: Uint8Array } {
  const files: PackedFile[] = [];
  const rest: Uint8Array[] = [];
  let done = 0, empty = 0;
  while (files.length < maxFiles) {
    const begin = findBegin(text, done);
    if (!begin) break;
    const found = fileLines(text, begin.next);
    if (found.bytes === 0) {
      // Not a file: a line that happens to look like one.
      if (++empty > maxFiles) break;
      rest.push(text.subarray(done, begin.next));
      done = begin.next;
      continue;
    }
    const content = decodeLines(text, found);
    const { end } = found;
    rest.push(text.subarray(done, begin.at));
    files.push({ name: begin.name, content });
    done = end;
  }
  rest.push(text.subarray(done));
  const all = new Uint8Array(rest.reduce((n, r) => n + r.length, 0));
  let n = 0;
  for (const r of rest) {
    all.set(r, n);
    n += r.length;
  }
  return { files, rest: all };
}

/** A body with the transfer encoding x-uuencode: the first file in it. */
export function decodeUuencode(body: Uint8Array): Uint8Array {
  return uuencodedFiles(body).files[0]?.content ?? body;
}
