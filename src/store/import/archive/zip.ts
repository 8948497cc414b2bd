/**
 * Reading zip archives (APPNOTE.TXT): stored and deflated files, including ones over 4 GB (zip64). The central
 * directory is authoritative; each file's length and checksum are verified.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { Readable } from "node:stream";
import { crc32, createInflateRaw, inflateRawSync } from "node:zlib";
import { type Archive, type ArchiveEntry, ArchiveError, checkedName, Meter } from "./types.ts";

const endSignature = 0x06054b50;
const end64Signature = 0x06064b50;
const locatorSignature = 0x07064b50;
const centralSignature = 0x02014b50;
const localSignature = 0x04034b50;
/** Bytes of an end record with the longest comment. */
const maxEnd = 22 + 65_535;
/** Bytes of the list of files. */
const maxDirectory = 1e9;
const pieceSize = 256 * 1024;
/**
 * Packed files up to this many bytes are unpacked in one go: for most messages, creating a stream takes longer.
 */
const small = 64 * 1024;

const broken = (why: string) => new ArchiveError(`the zip archive is damaged: ${why}`);

interface Central {
  name: string;
  method: number;
  crc: number;
  packed: number;
  size: number;
  offset: number;
  modified: number;
}

/** A zip archive in a file. @throws ArchiveError if it is not one or can't be used as a whole */
export function zipArchive(path: string): Archive {
  return {
    async *entries() {
      const file = await Deno.open(path);
      try {
        const meter = new Meter();
        const { size } = await file.stat();
        const content = new Reader(file);
        let left = size;
        for await (const c of directory(new Reader(file), size)) {
          meter.entry();
          // Files that share bytes are made to be unpacked repeatedly.
          left -= c.packed;
          if (left < 0) throw broken("its files are larger than itself");
          if (!c.name.endsWith("/")) yield entry(content, c, meter);
        }
      } finally {
        file.close();
      }
    },
  };
}

/** Reads at any offset of a file; nearby data is read in one go. */
class Reader {
  readonly #file: Deno.FsFile;
  #at = 0;
  #block = new Uint8Array(0);

  constructor(file: Deno.FsFile) {
    this.#file = file;
  }

  /** The bytes; the caller may keep them. */
  async read(at: number, length: number): Promise<Buffer> {
    if (at < this.#at || at + length > this.#at + this.#block.length) {
      this.#block = new Uint8Array(0);
      const block = new Uint8Array(Math.max(pieceSize, length));
      await this.#file.seek(at, Deno.SeekMode.Start);
      let n = 0;
      while (n < length) {
        const got = await this.#file.read(block.subarray(n));
        if (got === null) throw broken("it ends in the middle");
        n += got;
      }
      this.#block = block.subarray(0, n);
      this.#at = at;
    }
    const start = this.#at === at ? 0 : at - this.#at;
    return Buffer.from(this.#block.buffer, start, length);
  }
}

/** Finds the list of files. */
async function findDirectory(
  file: Reader,
  size: number,
): Promise<{ at: number; size: number; count: number }> {
  const from = Math.max(0, size - maxEnd);
  const tail = await file.read(from, size - from);
  let at = tail.length - 22;
  while (at >= 0 && tail.readUInt32LE(at) !== endSignature) at--;
  if (at < 0) throw broken("its end is missing");
  let count = tail.readUInt16LE(at + 10);
  let length = tail.readUInt32LE(at + 12);
  let start = tail.readUInt32LE(at + 16);
  if (count === 0xffff || length === 0xffffffff || start === 0xffffffff) {
    if (at < 20 || tail.readUInt32LE(at - 20) !== locatorSignature) {
      throw broken("the place of its zip64 end is missing");
    }
    const where = Number(tail.readBigUInt64LE(at - 12));
    if (where + 56 > size) throw broken("its zip64 end is missing");
    const end = await file.read(where, 56);
    if (end.readUInt32LE(0) !== end64Signature) throw broken("its zip64 end is missing");
    count = Number(end.readBigUInt64LE(32));
    length = Number(end.readBigUInt64LE(40));
    start = Number(end.readBigUInt64LE(48));
  }
  if (start + length > size || length > maxDirectory) {
    throw broken("its list of files is not in it");
  }
  return { at: start, size: length, count };
}

async function* directory(file: Reader, fileSize: number): AsyncGenerator<Central> {
  const { at, size, count } = await findDirectory(file, fileSize);
  let pos = at;
  const end = at + size;
  for (let i = 0; i < count; i++) {
    if (pos + 46 > end) throw broken("its list of files ends too soon");
    const head = await file.read(pos, 46);
    if (head.readUInt32LE(0) !== centralSignature) throw broken("its list of files can't be read");
    const nameLength = head.readUInt16LE(28);
    const extraLength = head.readUInt16LE(30);
    const rest = await file.read(pos + 46, nameLength + extraLength);
    pos += 46 + nameLength + extraLength + head.readUInt16LE(32);
    const flags = head.readUInt16LE(8);
    const name = checkedName(decodeName(rest.subarray(0, nameLength), (flags & 0x800) !== 0));
    if (flags & 1) {
      throw new ArchiveError(`${JSON.stringify(name)} is encrypted: unpack it yourself`);
    }
    // Made on Unix: the upper half holds the mode.
    if (head.readUInt16LE(4) >> 8 === 3 && (head.readUInt16LE(40) & 0xf000) === 0xa000) {
      throw new ArchiveError(`${JSON.stringify(name)} is a symbolic link: it is refused`);
    }
    const c: Central = {
      name,
      method: head.readUInt16LE(10),
      crc: head.readUInt32LE(16),
      packed: head.readUInt32LE(20),
      size: head.readUInt32LE(24),
      offset: head.readUInt32LE(42),
      modified: dosTime(head.readUInt16LE(14), head.readUInt16LE(12)),
    };
    readExtra(rest.subarray(nameLength), c);
    yield c;
  }
}

/** Names are UTF-8 if they are marked so or look so; otherwise DOS characters, approximately. */
function decodeName(bytes: Uint8Array, utf8: boolean): string {
  try {
    return new TextDecoder("utf-8", { fatal: !utf8 }).decode(bytes);
  } catch {
    return new TextDecoder("windows-1252").decode(bytes);
  }
}

/** Fields beyond 4 GB (id 1), and the time with its zone (0x5455). */
function readExtra(extra: Buffer, central: Central): void {
  for (let at = 0; at + 4 <= extra.length;) {
    const id = extra.readUInt16LE(at);
    const length = extra.readUInt16LE(at + 2);
    const data = extra.subarray(at + 4, at + 4 + length);
    at += 4 + length;
    if (id === 1) {
      let pos = 0;
      const next = () => {
        if (pos + 8 > data.length) throw broken(`the sizes of ${central.name} are missing`);
        pos += 8;
        return Number(data.readBigUInt64LE(pos - 8));
      };
      if (central.size === 0xffffffff) central.size = next();
      if (central.packed === 0xffffffff) central.packed = next();
      if (central.offset === 0xffffffff) central.offset = next();
    } else if (id === 0x5455 && data.length >= 5 && data[0] & 1) {
      central.modified = data.readUInt32LE(1) * 1000;
    }
  }
}

function dosTime(date: number, time: number): number {
  return Date.UTC(
    1980 + (date >> 9),
    ((date >> 5) & 15) - 1,
    date & 31,
    time >> 11,
    (time >> 5) & 63,
    (time & 31) * 2,
  );
}

function entry(file: Reader, central: Central, meter: Meter): ArchiveEntry {
  return {
    name: central.name,
    size: central.size,
    modified: central.modified,
    async *pieces() {
      const local = await file.read(central.offset, 30);
      if (local.readUInt32LE(0) !== localSignature) {
        throw broken(`${central.name} is not where it should be`);
      }
      const start = central.offset + 30 + local.readUInt16LE(26) + local.readUInt16LE(28);
      let crc = 0;
      let size = 0;
      for await (const piece of unpacked(file, central, start)) {
        crc = crc32(piece, crc);
        size += piece.length;
        if (size > central.size) throw broken(`${central.name} is longer than it says`);
        meter.bytes(piece.length, central.name, size, central.packed);
        yield piece;
      }
      if (size !== central.size || crc !== central.crc) {
        throw broken(`${central.name} is not what was packed`);
      }
    },
  };
}

async function* packed(
  file: Reader,
  start: number,
  length: number,
): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < length; at += pieceSize) {
    yield await file.read(start + at, Math.min(pieceSize, length - at));
  }
}

async function* unpacked(file: Reader, central: Central, start: number): AsyncIterable<Uint8Array> {
  const bytes = packed(file, start, central.packed);
  if (central.method === 0) {
    yield* bytes;
    return;
  }
  if (central.method !== 8) {
    throw new ArchiveError(
      `${central.name} is packed in a way (${central.method}) that is not known here`,
    );
  }
  if (central.packed <= small && central.size <= 4 * small) {
    const bytes = await file.read(start, central.packed);
    try {
      yield inflateRawSync(bytes, { maxOutputLength: central.size + 1 });
    } catch {
      throw broken(`${central.name} can't be unpacked`);
    }
    return;
  }
  const source = Readable.from(bytes);
  const inflate = createInflateRaw();
  source.on("error", (e) => inflate.destroy(e));
  try {
    for await (const piece of source.pipe(inflate)) yield piece as Uint8Array;
  } catch (err) {
    if (err instanceof ArchiveError) throw err;
    throw broken(`${central.name} can't be unpacked`);
  } finally {
    source.destroy();
    inflate.destroy();
  }
}
