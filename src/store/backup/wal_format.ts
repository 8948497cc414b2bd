/**
 * The format of write-ahead logs, after the section "WAL-Mode File Format" of SQLite's documentation: headers,
 * frames, and how far complete transactions go.
 *
 * @module
 */

/** Bytes of a log's header. */
export const headerSize = 32;
/** Bytes before the page of a frame. */
export const frameHead = 24;
/** Bytes of a log in memory at a time, about. */
const chunkSize = 1024 * 1024;

/** The running checksum of a log. */
export interface Sum {
  a: number;
  b: number;
}

/** Contents of a log's header. */
export interface Header {
  bytes: Uint8Array<ArrayBuffer>;
  /** Salts, which change when the log restarts. */
  generation: string;
  littleEndian: boolean;
  pageSize: number;
  sum: Sum;
}

/** Additions to the log, to be appended to the copy's log. */
export interface Pending {
  header: Header;
  /** Where they begin; 0 includes the header. */
  at: number;
  end: number;
  /** Checksum of the log up to its end. */
  sum: Sum;
}

function add(sum: Sum, view: DataView, from: number, to: number, little: boolean): Sum {
  let { a, b } = sum;
  for (let i = from; i < to; i += 8) {
    a = (a + view.getUint32(i, little) + b) >>> 0;
    b = (b + view.getUint32(i + 4, little) + a) >>> 0;
  }
  return { a, b };
}

/** The header of a log; undefined for none, and while it is being written. */
export function readHeader(file: Deno.FsFile): Header | undefined {
  const bytes = new Uint8Array(headerSize);
  file.seekSync(0, Deno.SeekMode.Start);
  if (file.readSync(bytes) !== headerSize) return undefined;
  const view = new DataView(bytes.buffer);
  const magic = view.getUint32(0);
  if (magic !== 0x377f0682 && magic !== 0x377f0683) return undefined;
  const littleEndian = magic === 0x377f0682;
  const sum = add({ a: 0, b: 0 }, view, 0, 24, littleEndian);
  // It is being written at this moment.
  if (sum.a !== view.getUint32(24) || sum.b !== view.getUint32(28)) return undefined;
  return {
    bytes,
    generation: `${view.getUint32(16)}.${view.getUint32(20)}`,
    littleEndian,
    pageSize: view.getUint32(8),
    sum,
  };
}

/** How far complete transactions go in a log from an offset on; `until` stops at an offset. */
export function scanFrames(
  file: Deno.FsFile,
  header: Header,
  at: number,
  sum: Sum,
  until = Infinity,
): { end: number; sum: Sum } {
  const frame = frameHead + header.pageSize;
  const bytes = new Uint8Array(frame * Math.max(1, Math.floor(chunkSize / frame)));
  const view = new DataView(bytes.buffer);
  let whole = { end: at, sum };
  for (let more = true; more;) {
    const got = readAt(file, bytes, at);
    let n = 0;
    for (; n + frame <= got; n += frame) {
      if (at + n + frame > until) break;
      if (`${view.getUint32(n + 8)}.${view.getUint32(n + 12)}` !== header.generation) break;
      let next = add(sum, view, n, n + 8, header.littleEndian);
      next = add(next, view, n + frameHead, n + frame, header.littleEndian);
      // From before the restart, or being written at this moment.
      if (next.a !== view.getUint32(n + 16) || next.b !== view.getUint32(n + 20)) break;
      sum = next;
      // The last frame of a transaction has the size of the database.
      if (view.getUint32(n + 4) !== 0) whole = { end: at + n + frame, sum };
    }
    at += n;
    more = n === bytes.length;
  }
  return whole;
}

/** Fills the buffer from an offset of the file; returns less than its length at the file's end. */
export function readAt(file: Deno.FsFile, buffer: Uint8Array, at: number): number {
  file.seekSync(at, Deno.SeekMode.Start);
  let n = 0;
  while (n < buffer.length) {
    const got = file.readSync(buffer.subarray(n));
    if (got === null || got === 0) break;
    n += got;
  }
  return n;
}

/** Writes a header at the file's position. */
export function writeHeader(file: Deno.FsFile, header: Header): void {
  for (let n = 0; n < headerSize;) n += file.writeSync(header.bytes.subarray(n));
}

/** Copies a range of one file to the same offsets of another. */
export function copyStretch(from: Deno.FsFile, to: Deno.FsFile, at: number, end: number): void {
  const buffer = new Uint8Array(Math.min(chunkSize, end - at));
  to.seekSync(at, Deno.SeekMode.Start);
  while (at < end) {
    const part = buffer.subarray(0, Math.min(buffer.length, end - at));
    if (readAt(from, part, at) !== part.length) throw new Error("the log has become shorter");
    for (let n = 0; n < part.length;) n += to.writeSync(part.subarray(n));
    at += part.length;
  }
}
