/** Archives of files with the rights they need: tar with gzip, and zip for Windows. @module */
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { crc32, createGzip, deflateRawSync } from "node:zlib";
import { pipeline } from "node:stream/promises";
import tar from "tar-stream";

/** A file of an archive, whole in memory: the largest is the runtime, with 100 MB. */
export interface ArchiveFile {
  /** With `/` between its folders. */
  name: string;
  bytes: Uint8Array;
  executable?: boolean;
}

/** The same files give the same archive, whenever it is made: each has this time (seconds since the epoch). */
const fixedTime = 1_767_225_600;

/** Writes a `.tar.gz`. */
export async function writeTarGz(path: string, files: readonly ArchiveFile[]): Promise<void> {
  const pack = tar.pack();
  const written = pipeline(pack, createGzip({ level: 6 }), createWriteStream(path));
  for (const f of files) {
    const mode = f.executable ? 0o755 : 0o644;
    const entry = pack.entry({
      name: f.name,
      size: f.bytes.length,
      mode,
      mtime: new Date(fixedTime * 1000),
    });
    entry.end(f.bytes);
    await once(entry, "finish");
  }
  pack.finalize();
  await written;
}

function record(...fields: [value: number, bytes: 2 | 4][]): Uint8Array {
  const out = new Uint8Array(fields.reduce((n, [, b]) => n + b, 0));
  const view = new DataView(out.buffer);
  let at = 0;
  for (const [value, bytes] of fields) {
    if (bytes === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    at += bytes;
  }
  return out;
}

/** 2026-01-01 00:00 in the form of MS-DOS (APPNOTE.TXT 4.4.6). */
const dosDate = (2026 - 1980) << 9 | 1 << 5 | 1;

/** Writes a `.zip` (APPNOTE.TXT of PKWARE), deflated. Files and archive are below 4 GB. */
export async function writeZipFile(path: string, files: readonly ArchiveFile[]): Promise<void> {
  using out = await Deno.open(path, { write: true, create: true, truncate: true });
  const directory: Uint8Array[] = [];
  let offset = 0;
  const write = async (bytes: Uint8Array) => {
    for (let at = 0; at < bytes.length;) at += await out.write(bytes.subarray(at));
    offset += bytes.length;
  };
  for (const f of files) {
    const name = new TextEncoder().encode(f.name);
    const data = deflateRawSync(f.bytes, { level: 6 });
    // Version 2.0, names in UTF-8, deflated.
    const common: [number, 2 | 4][] = [
      [20, 2],
      [0x0800, 2],
      [8, 2],
      [0, 2],
      [dosDate, 2],
      [crc32(f.bytes), 4],
      [data.length, 4],
      [f.bytes.length, 4],
      [name.length, 2],
      [0, 2],
    ];
    const start = offset;
    await write(record([0x04034b50, 4], ...common));
    await write(name);
    await write(data);
    const rights = (0o100000 | (f.executable ? 0o755 : 0o644)) * 0x10000;
    directory.push(
      record([0x02014b50, 4], [0x0314, 2], ...common, [0, 2], [0, 2], [0, 2], [rights, 4], [
        start,
        4,
      ]),
      name,
    );
  }
  const start = offset;
  for (const d of directory) await write(d);
  await write(
    record(
      [0x06054b50, 4],
      [0, 2],
      [0, 2],
      [files.length, 2],
      [files.length, 2],
      [
        offset - start,
        4,
      ],
      [start, 4],
      [0, 2],
    ),
  );
}
