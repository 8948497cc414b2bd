/**
 * Message files compressed by Dovecot (its plugins zlib and mail-compress, as set up by cPanel and mailcow).
 * @module
 */
import { Buffer } from "node:buffer";
import { promisify } from "node:util";
import { gunzip, zstdDecompress } from "node:zlib";
import { rareModule } from "../../platform/rare_modules.ts";
import { giveWay } from "../../platform/turns.ts";
import { unpackBzip2 } from "./bzip2.ts";
import { dovecotLz4Magic, unpackDovecotLz4 } from "./lz4.ts";
import { maxMessage, tooLarge } from "./sources.ts";
import { UnpackError } from "./unpacking.ts";

const xzPackage = rareModule<typeof import("./xz_package.ts")>(
  new URL("./xz_package.ts", import.meta.url),
);

/** Unpacks a file, up to a limit of bytes. @throws UnpackError, or errors of zlib */
type Unpack = (bytes: Uint8Array, limit: number) => Promise<Uint8Array>;
/** A function of zlib. */
type Inflate = (bytes: Uint8Array, o: { maxOutputLength: number }) => Promise<Uint8Array>;

const inflate = promisify(gunzip) as Inflate;
const unpackFrame = promisify(zstdDecompress) as Inflate;
const zstdMagic = [0x28, 0xb5, 0x2f, 0xfd];

/** The first bytes of files of each kind, and how to unpack them. */
const kinds: readonly (readonly [name: string, bytes: readonly number[], unpack: Unpack])[] = [
  ["gzip", [0x1f, 0x8b, 8], (bytes, limit) => inflate(bytes, { maxOutputLength: limit })],
  ["zstd", zstdMagic, unpackZstd],
  ["bzip2", [0x42, 0x5a, 0x68], unpackBzip2],
  ["xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0], unpackXz],
  ["lz4", dovecotLz4Magic.slice(0, 11), unpackDovecotLz4],
];

/** A message's bytes, unpacked if packed in a way that Dovecot writes; or why they can't be read. */
export async function unpacked(content: Uint8Array): Promise<Uint8Array | string> {
  const kind = kinds.find(([, begin]) => begin.every((b, i) => content[i] === b));
  // "BZh" may also begin a header field.
  if (!kind || kind[0] === "bzip2" && content[4] !== 0x31 && content[4] !== 0x17) return content;
  const [name, , unpack] = kind;
  try {
    return Uint8Array.from(await unpack(content, maxMessage));
  } catch (err) {
    const large = err instanceof UnpackError
      ? err.reason === "large"
      : (err as { code?: string }).code === "ERR_BUFFER_TOO_LARGE";
    return large ? tooLarge : `is compressed with ${name}, and damaged`;
  }
}

async function unpackXz(bytes: Uint8Array, limit: number): Promise<Uint8Array> {
  const { XzReadableStream } = await xzPackage();
  const parts: Uint8Array[] = [];
  let total = 0;
  // It throws its own error for what it can't read.
  for await (const part of new XzReadableStream(ReadableStream.from([Uint8Array.from(bytes)]))) {
    total += part.length;
    if (total > limit) throw new UnpackError("large");
    parts.push(Uint8Array.from(part));
    await giveWay();
  }
  return Uint8Array.from(Buffer.concat(parts));
}

/** Bytes of the fields of a frame's header, by the bits in its descriptor. */
const dictionaryBytes = [0, 1, 2, 4], sizeBytes = [0, 2, 4, 8];

/** Unpacks all frames: the runtime reads only the first one, and returns part of a truncated one. */
async function unpackZstd(bytes: Uint8Array, limit: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let left = limit;
  for (let at = 0; at < bytes.length;) {
    const end = frameEnd(bytes, at);
    if (end === undefined || end > bytes.length) throw new UnpackError("damaged");
    if (left <= 0) throw new UnpackError("large");
    const part = await unpackFrame(bytes.subarray(at, end), { maxOutputLength: left });
    left -= part.length;
    parts.push(part);
    at = end;
  }
  return Uint8Array.from(Buffer.concat(parts));
}

/** The end of the frame that begins there (RFC 8878 §3.1); undefined if it is not a frame. */
function frameEnd(bytes: Uint8Array, start: number): number | undefined {
  if (!zstdMagic.every((byte, i) => bytes[start + i] === byte)) return undefined;
  const descriptor = bytes[start + 4];
  const single = (descriptor & 0x20) !== 0;
  const size = single && descriptor >> 6 === 0 ? 1 : sizeBytes[descriptor >> 6];
  let at = start + 5 + (single ? 0 : 1) + dictionaryBytes[descriptor & 3] + size;
  for (let last = false; !last;) {
    if (at + 3 > bytes.length) return undefined;
    const block = bytes[at] | bytes[at + 1] << 8 | bytes[at + 2] << 16;
    last = (block & 1) !== 0;
    // A block of one repeated byte gives its unpacked size, not its size in the file.
    at += 3 + ((block >> 1 & 3) === 1 ? 1 : block >> 3);
  }
  return at + (descriptor & 4);
}
