/** Messages that Dovecot has compressed in their files (its plugins zlib and mail-compress, as cPanel and mailcow set them up). @module */
import { promisify } from "node:util";
import { gunzip, zstdDecompress } from "node:zlib";
import { maxMessage, tooLarge } from "./sources.ts";

type Unpack = (bytes: Uint8Array, o: { maxOutputLength: number }) => Promise<Uint8Array>;

/** How files of each kind begin, and how they are read. */
const kinds: readonly (readonly [name: string, bytes: readonly number[], unpack: Unpack])[] = [
  ["gzip", [0x1f, 0x8b, 8], promisify(gunzip) as Unpack],
  ["zstd", [0x28, 0xb5, 0x2f, 0xfd], promisify(zstdDecompress) as Unpack],
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
    if (name === "zstd" && !isWholeZstd(content)) return "is compressed with zstd, and damaged";
    return Uint8Array.from(await unpack(content, { maxOutputLength: maxMessage }));
  } catch (err) {
    const large = (err as { code?: string }).code === "ERR_BUFFER_TOO_LARGE";
    return large ? tooLarge : `is compressed with ${name}, and damaged`;
  }
}

/** Bytes of the fields of a frame's header, by the bits in its descriptor. */
const dictionaryBytes = [0, 1, 2, 4], sizeBytes = [0, 2, 4, 8];

/**
 * Whether the frames end where the bytes do (RFC 8878 §3.1): the runtime gives what there is of a frame that was cut
 * off, without an error.
 */
function isWholeZstd(b: Uint8Array): boolean {
  let at = 0;
  while (at < b.length) {
    const magic = b[at] | b[at + 1] << 8 | b[at + 2] << 16 | b[at + 3] << 24;
    if ((magic & 0xfffffff0) === 0x184d2a50) {
      // A frame to be skipped.
      at += 8 + ((b[at + 4] | b[at + 5] << 8 | b[at + 6] << 16 | b[at + 7] << 24) >>> 0);
      continue;
    }
    if (magic !== (0xfd2fb528 | 0)) return false;
    const descriptor = b[at + 4];
    const single = (descriptor & 0x20) !== 0;
    const size = single && descriptor >> 6 === 0 ? 1 : sizeBytes[descriptor >> 6];
    at += 5 + (single ? 0 : 1) + dictionaryBytes[descriptor & 3] + size;
    for (let last = false; !last;) {
      if (at + 3 > b.length) return false;
      const block = b[at] | b[at + 1] << 8 | b[at + 2] << 16;
      last = (block & 1) !== 0;
      // A block of one repeated byte has its size for the text, not for the file.
      at += 3 + ((block >> 1 & 3) === 1 ? 1 : block >> 3);
    }
    if (descriptor & 4) at += 4;
  }
  return at === b.length;
}
