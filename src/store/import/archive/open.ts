/** Detects the kind of a given file: zip, tar, either with gzip, or a mailbox file. @module */
import { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { tarArchive } from "./tar.ts";
import { looksLikeHeader } from "./source.ts";
import { fileBytes } from "./file_bytes.ts";
import { type Archive, ArchiveError, checkedName, Meter } from "./types.ts";
import { zipArchive } from "./zip.ts";

async function start(bytes: AsyncIterable<Uint8Array>, length: number): Promise<Uint8Array> {
  const out = new Uint8Array(length);
  let n = 0;
  for await (const b of bytes) {
    const part = b.subarray(0, length - n);
    out.set(part, n);
    n += part.length;
    if (n === length) break;
  }
  return out.subarray(0, n);
}

async function* gunzipped(path: string): AsyncGenerator<Uint8Array> {
  const source = Readable.from(fileBytes(path));
  const gunzip = createGunzip();
  source.on("error", (e) => gunzip.destroy(e));
  try {
    for await (const piece of source.pipe(gunzip)) yield piece as Uint8Array;
  } catch (err) {
    throw new ArchiveError(`the gzip file is damaged: ${(err as Error).message}`, { cause: err });
  } finally {
    source.destroy();
    gunzip.destroy();
  }
}

const isTar = (b: Uint8Array) =>
  b.length >= 262 && new TextDecoder("latin1").decode(b.subarray(257, 262)) === "ustar";
const isMbox = (b: Uint8Array) => new TextDecoder("latin1").decode(b.subarray(0, 5)) === "From ";

const repack = "unpack it, and pack the folder as zip or tgz";

/** Other kinds that people may try, by their first bytes. */
const others: [string, string][] = [
  ["7z\xbc\xaf\x27\x1c", `7z archives can't be read here: ${repack}`],
  ["Rar!", `rar archives can't be read here: ${repack}`],
  ["BZh", `what is packed with bzip2 can't be read here: ${repack}`],
  ["\xfd7zXZ", `what is packed with xz can't be read here: ${repack}`],
  ["\x28\xb5\x2f\xfd", `what is packed with zstd can't be read here: ${repack}`],
  [
    "!BDN",
    "data files of Outlook (pst, ost) can't be read here: import from the server by IMAP, or drag the folders " +
    "into Thunderbird and pack its folder",
  ],
];

/** One file, presented as an archive. */
function single(path: string, name: string, gzip: boolean): Archive {
  return {
    async *entries() {
      const { size, mtime } = await Deno.stat(path);
      const meter = new Meter();
      const checked = checkedName(name.replaceAll("/", "_"));
      yield {
        name: checked,
        size: gzip ? undefined : size,
        modified: mtime?.getTime() ?? Date.now(),
        async *pieces() {
          let total = 0;
          for await (const b of gzip ? gunzipped(path) : fileBytes(path)) {
            total += b.length;
            meter.bytes(b.length, checked, total, size);
            yield b;
          }
        },
      };
    },
  };
}

/**
 * Opens an uploaded file.
 * @param name the name that the user's program gave it, for the mailbox of a single file
 * @throws ArchiveError if its kind is unknown
 */
export async function openArchive(path: string, name: string): Promise<Archive> {
  const head = await start(fileBytes(path), 512);
  const text = new TextDecoder("latin1").decode(head);
  if (head[0] === 0x50 && head[1] === 0x4b) return zipArchive(path);
  if (isTar(head)) return tarArchive(path, false);
  if (isMbox(head)) return single(path, name, false);
  if (head[0] === 0x1f && head[1] === 0x8b) {
    const inside = await start(gunzipped(path), 512);
    if (isTar(inside)) return tarArchive(path, true);
    if (isMbox(inside)) return single(path, name.replace(/\.gz$/i, ""), true);
    throw new ArchiveError("what is packed with gzip is neither a tar archive nor a mailbox file");
  }
  if (/\.emlx?$/i.test(name) && (looksLikeHeader(text) || /^\s*\d+\s*\n/.test(text))) {
    return single(path, name, false);
  }
  const other = others.find(([magic]) => text.startsWith(magic));
  if (other) throw new ArchiveError(other[1]);
  if (head.length === 0) throw new ArchiveError("the file is empty");
  throw new ArchiveError(
    "this is no zip, tar or tgz archive, no mailbox file (mbox), which begins with “From ”, and no .eml file",
  );
}
