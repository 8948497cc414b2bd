/** Tar archives with gzip around them, written as a stream. @module */
import { Readable } from "node:stream";
import { createGzip } from "node:zlib";
import tar from "tar-stream";
import type { ZipEntry } from "./zip.ts";

/** Writes an archive of files whose sizes are found by reading them once before: tar has them in front. */
export async function* writeTgz(entries: AsyncIterable<ZipEntry>): AsyncGenerator<Uint8Array> {
  const pack = tar.pack();
  const gzip = createGzip({ level: 6 });
  const filled = fill(pack, entries);
  // Told by the stream, which is read below.
  filled.catch((err) => pack.destroy(err));
  pack.on("error", (err) => gzip.destroy(err));
  pack.pipe(gzip);
  try {
    for await (const piece of gzip) yield piece as Uint8Array;
  } finally {
    pack.destroy();
    gzip.destroy();
    await filled.catch(() => {});
  }
}

async function fill(pack: tar.Pack, entries: AsyncIterable<ZipEntry>): Promise<void> {
  for await (const e of entries) {
    if (e.name.endsWith("/")) {
      pack.entry({ name: e.name, type: "directory", mode: 0o700 });
      continue;
    }
    let size = 0;
    for await (const p of e.pieces) size += p.length;
    const modified = e.modified === undefined ? new Date() : new Date(e.modified);
    await new Promise<void>((resolve, reject) => {
      const out = pack.entry(
        { name: e.name, size, mode: 0o600, mtime: modified },
        (err) => err ? reject(err) : resolve(),
      );
      Readable.from(e.pieces).on("error", reject).pipe(out);
    });
  }
  pack.finalize();
}
