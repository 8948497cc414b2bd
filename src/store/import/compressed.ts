/** Messages that Dovecot has compressed in their files (its plugins zlib and mail-compress, as cPanel and mailcow set them up). @module */
import { Buffer } from "node:buffer";
import { promisify } from "node:util";
import { gunzip, zstdDecompress } from "node:zlib";
import { maxMessage, tooLarge } from "./sources.ts";

type Unpack = (bytes: Uint8Array, o: { maxOutputLength: number }) => Promise<Uint8Array>;

const unpackFrame = promisify(zstdDecompress) as Unpack;

/** How files of each kind begin, and how they are read. */
const kinds: readonly (readonly [name: string, bytes: readonly number[], unpack: Unpack])[] = [
  ["gzip", [0x1f, 0x8b, 8], promisify(gunzip) as Unpack],
  ["zstd", [0x28, 0xb5, 0x2f, 0xfd], unpackZstd],
];

/** How files of other kinds of compression begin. */
const others: readonly (readonly [name: string, bytes: readonly number[]])[] = [
  ["bzip2", [0x42, 0x5a, 0x68]],
  ["xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a]],
  ["lz4", [...new TextEncoder().encode("Dovecot-LZ4")]],
];

/** A message's bytes, unpacked if they were packed with gzip or zstd; or why they can't be read. */
export async function unpacked(content: Uint8Array): Promise<Uint8Array | string> {
  const begins = (bytes: readonly number[]) => bytes.every((b, i) => content[i] === b);
  for (const [name, bytes] of others) {
    if (begins(bytes)) {
      return `is compressed with ${name}: import by IMAP, or have Dovecot write it out (doveadm backup)`;
    }
  }
  const kind = kinds.find(([, bytes]) => begins(bytes));
  if (!kind) return content;
  const [name, , unpack] = kind;
  try {
    return Uint8Array.from(await unpack(content, { maxOutputLength: maxMessage }));
  } catch (err) {
    const large = (err as { code?: string }).code === "ERR_BUFFER_TOO_LARGE";
    return large ? tooLarge : `is compressed with ${name}, and damaged`;
  }
}

/** Bytes of the fields of a frame's header, by the bits in its descriptor. */
const dictionaryBytes = [0, 1, 2, 4], sizeBytes = [0, 2, 4, 8];

/** Unpacks all frames: the runtime reads the first one, and gives what there is of one that was cut off. */
async function unpackZstd(
  bytes: Uint8Array,
  { maxOutputLength }: { maxOutputLength: number },
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let left = maxOutputLength;
  for (let at = 0; at < bytes.length;) {
    const end = frameEnd(bytes, at);
    if (end === undefined || end > bytes.length) throw new Error("a frame is cut off");
    if (left <= 0) throw Object.assign(new Error("too large"), { code: "ERR_BUFFER_TOO_LARGE" });
    const part = await unpackFrame(bytes.subarray(at, end), { maxOutputLength: left });
    left -= part.length;
    parts.push(part);
    at = end;
  }
  return Uint8Array.from(Buffer.concat(parts));
}

/** Where the frame ends that begins there (RFC 8878 §3.1); undefined for bytes that are none. */
function frameEnd(b: Uint8Array, start: number): number | undefined {
  if (!kinds[1][1].every((byte, i) => b[start + i] === byte)) return undefined;
  const descriptor = b[start + 4];
  const single = (descriptor & 0x20) !== 0;
  const size = single && descriptor >> 6 === 0 ? 1 : sizeBytes[descriptor >> 6];
  let at = start + 5 + (single ? 0 : 1) + dictionaryBytes[descriptor & 3] + size;
  for (let last = false; !last;) {
    if (at + 3 > b.length) return undefined;
    const block = b[at] | b[at + 1] << 8 | b[at + 2] << 16;
    last = (block & 1) !== 0;
    // A block of one repeated byte has its size for the text, not for the file.
    at += 3 + ((block >> 1 & 3) === 1 ? 1 : block >> 3);
  }
  return at + (descriptor & 4);
}
