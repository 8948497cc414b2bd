/** Messages that Dovecot has compressed in their files (its plugin zlib, as cPanel and mailcow set it up). @module */
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { maxMessage, tooLarge } from "./sources.ts";

const unpack = promisify(gunzip) as (
  bytes: Uint8Array,
  o: { maxOutputLength: number },
) => Promise<Uint8Array>;

/** How files of other kinds of compression begin. */
const others: readonly (readonly [name: string, bytes: readonly number[]])[] = [
  ["zstd", [0x28, 0xb5, 0x2f, 0xfd]],
  ["bzip2", [0x42, 0x5a, 0x68]],
  ["xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a]],
  ["lz4", [...new TextEncoder().encode("Dovecot-LZ4")]],
];

/** A message's bytes, unpacked if they were packed with gzip; or why they can't be read. */
export async function unpacked(content: Uint8Array): Promise<Uint8Array | string> {
  const begins = (bytes: readonly number[]) => bytes.every((b, i) => content[i] === b);
  for (const [name, bytes] of others) {
    if (begins(bytes)) {
      return `is compressed with ${name}: import by IMAP, or have Dovecot write it out (doveadm backup)`;
    }
  }
  if (!begins([0x1f, 0x8b, 8])) return content;
  try {
    return Uint8Array.from(await unpack(content, { maxOutputLength: maxMessage }));
  } catch (err) {
    const large = (err as { code?: string }).code === "ERR_BUFFER_TOO_LARGE";
    return large ? tooLarge : "is compressed with gzip, and damaged";
  }
}
