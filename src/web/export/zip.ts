/**
 * Zip archives, written as a stream, not compressed: mail's attachments mostly are already.
 *
 * Sizes follow each file's data (APPNOTE.TXT 4.4.4 bit 3), so that nothing has to be read twice. Archives
 * are below 4 GB, as messages are.
 *
 * @module
 */
import { crc32 } from "node:zlib";

export interface ZipEntry {
  name: string;
  /** Milliseconds since the epoch; now if not given. */
  modified?: number;
  /** Can be read more than once. */
  pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
}

/** Writes an archive. */
export async function* writeZip(
  entries: Iterable<ZipEntry> | AsyncIterable<ZipEntry>,
): AsyncGenerator<Uint8Array> {
  const directory: Uint8Array[] = [];
  let offset = 0;
  for await (const e of entries) {
    const name = new TextEncoder().encode(e.name);
    const start = offset;
    const local = new Uint8Array(30 + name.length);
    fields(
      local,
      0,
      0x04034b50,
      4,
      20,
      2,
      flags,
      2,
      0,
      2,
      dosTime(e.modified),
      4,
      0,
      4,
      0,
      4,
      0,
      4,
    );
    setName(local, 26, name, 30);
    yield local;
    offset += local.length;
    let crc = 0;
    let size = 0;
    for await (const piece of e.pieces) {
      crc = crc32(piece, crc);
      size += piece.length;
      yield piece;
    }
    offset += size;
    const after = new Uint8Array(16);
    fields(after, 0, 0x08074b50, 4, crc, 4, size, 4, size, 4);
    yield after;
    offset += 16;
    const central = new Uint8Array(46 + name.length);
    fields(
      central,
      0,
      0x02014b50,
      4,
      20,
      2,
      20,
      2,
      flags,
      2,
      0,
      2,
      dosTime(e.modified),
      4,
      crc,
      4,
      size,
      4,
    );
    fields(central, 24, size, 4);
    setName(central, 28, name, 46);
    fields(central, 42, start, 4);
    directory.push(central);
  }
  const length = directory.reduce((n, d) => n + d.length, 0);
  yield* directory;
  const end = new Uint8Array(22);
  fields(end, 0, 0x06054b50, 4, 0, 2, 0, 2, directory.length, 2, directory.length, 2, length, 4);
  fields(end, 16, offset, 4);
  yield end;
}

/** Bit 3: sizes follow; bit 11: names are UTF-8. */
const flags = 0x0808;

/** Pairs of value and bytes, little-endian, one after the other. */
function fields(to: Uint8Array, at: number, ...pairs: number[]): void {
  for (let i = 0; i < pairs.length; i += 2) {
    for (let k = 0; k < pairs[i + 1]; k++) to[at++] = Math.floor(pairs[i] / 2 ** (8 * k)) & 255;
  }
}

function setName(to: Uint8Array, lengthAt: number, name: Uint8Array, at: number): void {
  fields(to, lengthAt, name.length, 2);
  to.set(name, at);
}

/** A time as MS-DOS counts: date in the upper half. */
function dosTime(ms: number | undefined): number {
  const d = ms === undefined ? new Date() : new Date(Math.max(ms, Date.UTC(1980, 0, 1)));
  const date = (d.getUTCFullYear() - 1980) << 9 | (d.getUTCMonth() + 1) << 5 | d.getUTCDate();
  const time = d.getUTCHours() << 11 | d.getUTCMinutes() << 5 | d.getUTCSeconds() >> 1;
  return date * 65536 + time;
}
