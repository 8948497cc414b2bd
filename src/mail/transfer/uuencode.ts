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

/** The lines of one file: where each stands, their bytes in all, and where the file ends. */
interface FileLines {
  /** Start and end of each, in turn. */
  lines: number[];
  bytes: number;
  end: number;
}

/** Finds the lines of one file; what is no line of it ends it. */
function fileLines(b: Uint8Array, from: number): FileLines {
  const lines: number[] = [];
  let bytes = 0;
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

/** The first "begin" line of a file at or after the position. */
function findBegin(
  bytes: Uint8Array,
  from: number,
): { at: number; name: string; next: number } | undefined {
  for (let at = from; at >= 0 && at < bytes.length;) {
    let end = bytes.indexOf(10, at);
    if (end < 0) end = bytes.length;
    if (bytes[at] === 98 && bytes[at + 1] === 101) {
      const line = latin1.decode(bytes.subarray(at, Math.min(end, at + 300)));
      const [start] = /^begin [0-7]{3,4} (?=\S)/.exec(line) ?? [""];
      const name = line.slice(start.length).trimEnd();
      if (start !== "" && name.length <= 255 && end < bytes.length) {
        return { at, name, next: end + 1 };
      }
    }
    at = end + 1;
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
      // No file: a line that happens to look like it.
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
