/**
 * Zip archives, written as a stream, not compressed: attachments of mail mostly are already.
 *
 * Sizes follow each file's data (APPNOTE.TXT 4.4.4 bit 3), so that nothing has to be read twice. Sizes above 4 GB
 * and more than 65,534 files are written to the fields of zip64 (4.5.3, 4.3.14), which are only present if needed.
 *
 * @module
 */
import { crc32 } from "node:zlib";
import type { ExportFile } from "../../store/export/export.ts";
import { joined } from "../../platform/bytes.ts";

/** A file of an archive; its pieces are read once. */
export type ZipEntry = ExportFile;

const max16 = 0xffff;
const max32 = 0xffffffff;
/** For a file of unknown size: from here on it may need zip64. */
const maybeLarge = 4e9;

/** Writes an archive. */
export async function* writeZip(
  entries: Iterable<ZipEntry> | AsyncIterable<ZipEntry>,
): AsyncGenerator<Uint8Array> {
  const directory: Uint8Array[] = [];
  let offset = 0;
  for await (const e of entries) {
    const name = new TextEncoder().encode(e.name);
    const start = offset;
    const large = (e.size ?? e.atMost ?? 0) > maybeLarge;
    const time = e.modified ?? Date.now();
    const head = localHeader(name, time, large);
    yield head;
    let crc = 0;
    let size = 0;
    for await (const piece of e.pieces) {
      crc = crc32(piece, crc);
      size += piece.length;
      yield piece;
    }
    if (!large && size > max32) throw new Error(`${e.name} is larger than was said`);
    const wide = large ? 8 : 4;
    // The data descriptor, 4.3.9.
    const after = fields([0x08074b50, 4], [crc, 4], [size, wide], [size, wide]);
    yield after;
    offset += head.length + size + after.length;
    directory.push(centralHeader(name, time, { crc, size, start, large }));
  }
  yield* directory;
  yield* endOfDirectory(directory.length, directory.reduce((n, d) => n + d.length, 0), offset);
}

/** Bit 3: sizes follow; bit 11: names are UTF-8. */
const flags = 0x0808;
/** Versions of the format that are needed to read it. */
const version = (zip64: boolean) => zip64 ? 45 : 20;

function localHeader(name: Uint8Array, time: number, large: boolean): Uint8Array {
  // The zip64 field announces 8-byte sizes in the data descriptor.
  const sizes = large ? fields([1, 2], [16, 2], [0, 8], [0, 8]) : new Uint8Array(0);
  const extra = joined([sizes, unixTime(time)]);
  const size = large ? max32 : 0;
  return joined([
    fields([0x04034b50, 4], [version(large), 2], [flags, 2], [0, 2], [dosTime(time), 4], [0, 4]),
    fields([size, 4], [size, 4], [name.length, 2], [extra.length, 2]),
    name,
    extra,
  ]);
}

function centralHeader(
  name: Uint8Array,
  time: number,
  { crc, size, start, large }: { crc: number; size: number; start: number; large: boolean },
): Uint8Array {
  const far = start >= max32;
  const wide = [...large ? [size, size] : [], ...far ? [start] : []];
  const zip64 = wide.length > 0
    ? fields([1, 2], [wide.length * 8, 2], ...wide.map((n) => [n, 8] as [number, number]))
    : new Uint8Array(0);
  const extra = joined([zip64, unixTime(time)]);
  const shown = large ? max32 : size;
  const needed = version(large || far);
  return joined([
    fields([0x02014b50, 4], [needed, 2], [needed, 2], [flags, 2], [0, 2], [dosTime(time), 4], [
      crc,
      4,
    ]),
    fields([shown, 4], [shown, 4], [name.length, 2], [extra.length, 2], [0, 2], [0, 2], [0, 2]),
    fields([0, 4], [far ? max32 : start, 4]),
    name,
    extra,
  ]);
}

function* endOfDirectory(count: number, length: number, at: number): Generator<Uint8Array> {
  if (count >= max16 || length >= max32 || at >= max32) {
    yield fields([0x06064b50, 4], [44, 8], [45, 2], [45, 2], [0, 4], [0, 4], [count, 8], [
      count,
      8,
    ]);
    yield fields([length, 8], [at, 8]);
    yield fields([0x07064b50, 4], [0, 4], [at + length, 8], [1, 4]);
  }
  const [c, l, a] = [Math.min(count, max16), Math.min(length, max32), Math.min(at, max32)];
  yield fields([0x06054b50, 4], [0, 2], [0, 2], [c, 2], [c, 2], [l, 4], [a, 4], [0, 2]);
}

/** Concatenated numbers with their widths in bytes, little-endian. */
function fields(...list: (readonly [value: number, width: number])[]): Uint8Array {
  const out = new Uint8Array(list.reduce((n, [, width]) => n + width, 0));
  let at = 0;
  for (const [value, width] of list) {
    for (let k = 0; k < width; k++) out[at++] = Math.floor(value / 2 ** (8 * k)) & 255;
  }
  return out;
}

/** A time in MS-DOS format: date in the upper half, units of two seconds. */
function dosTime(ms: number): number {
  const d = new Date(Math.max(ms, Date.UTC(1980, 0, 1)));
  const date = (d.getUTCFullYear() - 1980) << 9 | (d.getUTCMonth() + 1) << 5 | d.getUTCDate();
  const time = d.getUTCHours() << 11 | d.getUTCMinutes() << 5 | d.getUTCSeconds() >> 1;
  return date * 65536 + time;
}

/** The field with the time in seconds, in UTC. */
function unixTime(ms: number): Uint8Array {
  return fields([0x5455, 2], [5, 2], [1, 1], [Math.floor(ms / 1000), 4]);
}
