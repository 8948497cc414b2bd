/**
 * Files in texts by uuencode, as programs of before MIME and some of today put them there.
 *
 * @module
 */

/** A file that was found in something else. */
export interface PackedFile {
  name: string;
  content: Uint8Array;
}

/** Files of a text that are looked at. */
const maxFiles = 100;

const latin1 = new TextDecoder("latin1");

/** Decodes the lines of one file; what is no line of it ends it. Returns where it ends too. */
function decodeLines(b: Uint8Array, from: number): { content: Uint8Array; end: number } {
  const out = new Uint8Array(Math.ceil((b.length - from) * 3 / 4));
  let n = 0;
  let at = from;
  while (at < b.length) {
    let end = b.indexOf(10, at);
    if (end < 0) end = b.length;
    const stop = end > at && b[end - 1] === 13 ? end - 1 : end;
    const next = Math.min(b.length, end + 1);
    // A length of zero is "`" or a blank.
    const count = stop === at ? 0 : (b[at] - 32) & 63;
    if (count === 0 || b[at] < 32 || b[at] > 96) {
      const isEnd = (p: number) => b[p] === 101 && b[p + 1] === 110 && b[p + 2] === 100;
      if (isEnd(at)) at = next;
      else if (isEnd(next)) at = Math.min(b.length, (b.indexOf(10, next) + 1) || b.length);
      break;
    }
    for (let i = 0; i < count; i += 3) {
      const p = at + 1 + i / 3 * 4;
      const value = (k: number) => p + k < stop ? (b[p + k] - 32) & 63 : 0;
      const v = value(0) << 18 | value(1) << 12 | value(2) << 6 | value(3);
      out[n++] = v >> 16;
      if (i + 1 < count) out[n++] = v >> 8 & 255;
      if (i + 2 < count) out[n++] = v & 255;
    }
    at = next;
  }
  return { content: out.subarray(0, n), end: at };
}

/** The first "begin" line of a file at or after the position. */
function findBegin(
  b: Uint8Array,
  from: number,
): { at: number; name: string; next: number } | undefined {
  for (let at = from; at >= 0 && at < b.length;) {
    let end = b.indexOf(10, at);
    if (end < 0) end = b.length;
    if (b[at] === 98 && b[at + 1] === 101) {
      const m = /^begin [0-7]{3,4} (\S.{0,254}?)\s*$/.exec(
        latin1.decode(b.subarray(at, Math.min(end, at + 300))),
      );
      if (m && end < b.length) return { at, name: m[1], next: end + 1 };
    }
    at = end + 1;
  }
  return undefined;
}

/** Files in a text, and the text without them. Linear. */
export function uuencodedFiles(text: Uint8Array): { files: PackedFile[]; rest: Uint8Array } {
  const files: PackedFile[] = [];
  const rest: Uint8Array[] = [];
  let done = 0;
  while (files.length < maxFiles) {
    const begin = findBegin(text, done);
    if (!begin) break;
    const { content, end } = decodeLines(text, begin.next);
    if (content.length === 0) {
      // No file: a line that happens to look like it.
      rest.push(text.subarray(done, begin.next));
      done = begin.next;
      continue;
    }
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
