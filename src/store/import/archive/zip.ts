/**
 * Reading zip archives (APPNOTE.TXT): stored and deflated files, also beyond 4 GB (zip64). The central directory
 * counts; each file's length and checksum are verified.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { crc32, createInflateRaw } from "node:zlib";
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

/** A zip archive in a file. @throws ArchiveError if it is none or can't be used as a whole */
export function zipArchive(path: string): Archive {
  return {
    async *entries() {
      const file = await Deno.open(path);
      try {
        const meter = new Meter();
        for await (const c of directory(file)) {
          meter.entry();
          if (!c.name.endsWith("/")) yield entry(file, c, meter);
        }
      } finally {
        file.close();
      }
    },
  };
}

async function readAt(file: Deno.FsFile, at: number, length: number): Promise<Buffer> {
  const out = Buffer.alloc(length);
  await file.seek(at, Deno.SeekMode.Start);
  for (let n = 0; n < length;) {
    const got = await file.read(out.subarray(n));
    if (got === null) throw broken("it ends in the middle");
    n += got;
  }
  return out;
}

/** Where the list of files is. */
async function findDirectory(
  file: Deno.FsFile,
): Promise<{ at: number; size: number; count: number }> {
  const { size } = await file.stat();
  const from = Math.max(0, size - maxEnd);
  const tail = await readAt(file, from, size - from);
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
    const end = await readAt(file, where, 56);
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

async function* directory(file: Deno.FsFile): AsyncGenerator<Central> {
  const { at, size, count } = await findDirectory(file);
  let pos = at;
  const end = at + size;
  for (let i = 0; i < count; i++) {
    if (pos + 46 > end) throw broken("its list of files ends too soon");
    const head = await readAt(file, pos, 46);
    if (head.readUInt32LE(0) !== centralSignature) throw broken("its list of files can't be read");
    const nameLength = head.readUInt16LE(28);
    const extraLength = head.readUInt16LE(30);
    const rest = await readAt(file, pos + 46, nameLength + extraLength);
    pos += 46 + nameLength + extraLength + head.readUInt16LE(32);
    const flags = head.readUInt16LE(8);
    const name = checkedName(decodeName(rest.subarray(0, nameLength), (flags & 0x800) !== 0));
    if (flags & 1) {
      throw new ArchiveError(`${JSON.stringify(name)} is encrypted: unpack it yourself`);
    }
    // Made on Unix: the upper half has the mode.
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

/** Names are UTF-8 if they say so, or look it; else as DOS programs wrote them, near enough. */
function decodeName(bytes: Uint8Array, utf8: boolean): string {
  try {
    return new TextDecoder("utf-8", { fatal: !utf8 }).decode(bytes);
  } catch {
    return new TextDecoder("windows-1252").decode(bytes);
  }
}

/** Fields beyond 4 GB (id 1), and the time with its zone (0x5455). */
function readExtra(extra: Buffer, c: Central): void {
  for (let at = 0; at + 4 <= extra.length;) {
    const id = extra.readUInt16LE(at);
    const length = extra.readUInt16LE(at + 2);
    const data = extra.subarray(at + 4, at + 4 + length);
    at += 4 + length;
    if (id === 1) {
      let pos = 0;
      const next = () => {
        if (pos + 8 > data.length) throw broken(`the sizes of ${c.name} are missing`);
        pos += 8;
        return Number(data.readBigUInt64LE(pos - 8));
      };
      if (c.size === 0xffffffff) c.size = next();
      if (c.packed === 0xffffffff) c.packed = next();
      if (c.offset === 0xffffffff) c.offset = next();
    } else if (id === 0x5455 && data.length >= 5 && data[0] & 1) {
      c.modified = data.readUInt32LE(1) * 1000;
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

function entry(file: Deno.FsFile, c: Central, meter: Meter): ArchiveEntry {
  return {
    name: c.name,
    size: c.size,
    modified: c.modified,
    async *pieces() {
      const local = await readAt(file, c.offset, 30);
      if (local.readUInt32LE(0) !== localSignature) {
        throw broken(`${c.name} is not where it should be`);
      }
      const start = c.offset + 30 + local.readUInt16LE(26) + local.readUInt16LE(28);
      let crc = 0;
      let size = 0;
      for await (const piece of unpacked(file, c, start)) {
        crc = crc32(piece, crc);
        size += piece.length;
        if (size > c.size) throw broken(`${c.name} is longer than it says`);
        meter.bytes(piece.length, c.name, size, c.packed);
        yield piece;
      }
      if (size !== c.size || crc !== c.crc) throw broken(`${c.name} is not what was packed`);
    },
  };
}

async function* packed(
  file: Deno.FsFile,
  start: number,
  length: number,
): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < length; at += pieceSize) {
    yield await readAt(file, start + at, Math.min(pieceSize, length - at));
  }
}

async function* unpacked(file: Deno.FsFile, c: Central, start: number): AsyncIterable<Uint8Array> {
  const bytes = packed(file, start, c.packed);
  if (c.method === 0) {
    yield* bytes;
    return;
  }
  if (c.method !== 8) {
    throw new ArchiveError(`${c.name} is packed in a way (${c.method}) that is not known here`);
  }
  const { Readable } = await import("node:stream");
  const source = Readable.from(bytes);
  const inflate = createInflateRaw();
  source.on("error", (e) => inflate.destroy(e));
  try {
    for await (const piece of source.pipe(inflate)) yield piece as Uint8Array;
  } catch (err) {
    if (err instanceof ArchiveError) throw err;
    throw broken(`${c.name} can't be unpacked`);
  } finally {
    source.destroy();
    inflate.destroy();
  }
}
