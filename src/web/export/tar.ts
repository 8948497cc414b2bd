/** Tar archives, with gzip around them or without, written as a stream. @module */
import { Readable } from "node:stream";
import { createGzip } from "node:zlib";
import type { Pack } from "tar-stream";
import { createTemp, removeFile, writeAll } from "../../platform/files.ts";
import { giveWay } from "../../platform/turns.ts";
import type { ExportFile } from "../../store/export/export.ts";
import { tarLibrary } from "../../store/import/archive/tar.ts";

const pieceSize = 64 * 1024;

/**
 * Writes an archive.
 * @param o.tempDir for files of unknown size: tar has it in front
 */
export async function* writeTar(
  files: AsyncIterable<ExportFile>,
  o: { gzip: boolean; tempDir: string },
): AsyncGenerator<Uint8Array> {
  const pack = (await tarLibrary()).pack();
  const gzip = o.gzip ? createGzip({ level: 6 }) : undefined;
  const filled = fill(pack, files, o.tempDir);
  // Reported by the stream, which is read below.
  filled.catch((err) => pack.destroy(err));
  pack.on("error", (err) => gzip?.destroy(err));
  const out = gzip ? pack.pipe(gzip) : pack;
  try {
    for await (const piece of out) yield piece as Uint8Array;
  } finally {
    pack.destroy();
    gzip?.destroy();
    await filled.catch(() => {});
  }
}

async function fill(
  pack: Pack,
  files: AsyncIterable<ExportFile>,
  tempDir: string,
): Promise<void> {
  for await (const f of files) {
    if (f.name.endsWith("/")) {
      pack.entry({ name: f.name, type: "directory", mode: 0o700 });
    } else if (f.size !== undefined) {
      await add(pack, f, f.size, f.pieces);
    } else {
      const { path, file } = await createTemp(tempDir, "export-");
      try {
        const size = await write(file, f.pieces);
        await file.seek(0, Deno.SeekMode.Start);
        await add(pack, f, size, read(file));
      } finally {
        file.close();
        removeFile(path);
      }
    }
  }
  pack.finalize();
}

function add(
  pack: Pack,
  { name, modified }: ExportFile,
  size: number,
  pieces: ExportFile["pieces"],
): Promise<void> {
  const mtime = modified === undefined ? new Date() : new Date(modified);
  return new Promise((resolve, reject) => {
    const out = pack.entry(
      { name, size, mode: 0o600, mtime },
      (err) => err ? reject(err) : resolve(),
    );
    // For the entry too: it fails together with the archive, and an unhandled error would end the process.
    out.on("error", reject);
    Readable.from(pieces).on("error", reject).pipe(out);
  });
}

async function write(file: Deno.FsFile, pieces: ExportFile["pieces"]): Promise<number> {
  let size = 0;
  for await (const p of pieces) {
    await writeAll(file, p);
    size += p.length;
    await giveWay();
  }
  return size;
}

async function* read(file: Deno.FsFile): AsyncGenerator<Uint8Array> {
  for (;;) {
    const piece = new Uint8Array(pieceSize);
    const n = await file.read(piece);
    if (n === null) return;
    yield piece.subarray(0, n);
    // It is compressed in one go, and there may be others.
    await giveWay();
  }
}
