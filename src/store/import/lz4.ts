/** Files that Dovecot has written with `zlib_save = lz4`: LZ4 blocks after Dovecot's own header. @module */
import { giveWay } from "../../platform/turns.ts";
import { UnpackError } from "./unpacking.ts";

/** First bytes of such a file; 4 bytes with the unpacked size of its largest block follow. */
export const dovecotLz4Magic: readonly number[] = [
  ...new TextEncoder().encode("Dovecot-LZ4"),
  0x0d,
  0x2a,
  0x9b,
  0xc5,
];

/** Most unpacked bytes of a block: Dovecot writes 64 KiB. */
const maxBlock = 1 << 20;

/** Unpacks all blocks. @throws UnpackError */
export async function unpackDovecotLz4(bytes: Uint8Array, limit: number): Promise<Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = dovecotLz4Magic.length + 4;
  if (bytes.length < start || dovecotLz4Magic.some((b, i) => bytes[i] !== b)) {
    throw new UnpackError("damaged");
  }
  const most = view.getUint32(start - 4);
  if (most > maxBlock) throw new UnpackError("damaged");
  const block = new Uint8Array(most);
  const parts: Uint8Array[] = [];
  let total = 0;
  for (let at = start; at < bytes.length;) {
    if (at + 4 > bytes.length) throw new UnpackError("damaged");
    const size = view.getUint32(at);
    at += 4;
    if (size > bytes.length - at) throw new UnpackError("damaged");
    const length = unpackBlock(bytes.subarray(at, at + size), block);
    at += size;
    total += length;
    if (total > limit) throw new UnpackError("large");
    parts.push(block.slice(0, length));
    await giveWay();
  }
  const out = new Uint8Array(total);
  let to = 0;
  for (const part of parts) {
    out.set(part, to);
    to += part.length;
  }
  return out;
}

/** Unpacks one block: literals and copies of earlier bytes. Returns its length. @throws UnpackError */
function unpackBlock(from: Uint8Array, to: Uint8Array): number {
  let at = 0, end = 0;
  /** A length with 4 bits; 15 means that more bytes follow. */
  const lengthOf = (bits: number): number => {
    let length = bits;
    if (bits < 15) return length;
    for (;;) {
      if (at >= from.length) throw new UnpackError("damaged");
      const more = from[at++];
      length += more;
      if (more < 255) return length;
    }
  };
  while (at < from.length) {
    const token = from[at++];
    const literals = lengthOf(token >> 4);
    if (literals > from.length - at || literals > to.length - end) throw new UnpackError("damaged");
    to.set(from.subarray(at, at + literals), end);
    at += literals;
    end += literals;
    // The last sequence has literals only.
    if (at === from.length) break;
    if (at + 2 > from.length) throw new UnpackError("damaged");
    const offset = from[at] | from[at + 1] << 8;
    at += 2;
    const length = lengthOf(token & 15) + 4;
    if (offset === 0 || offset > end || length > to.length - end) throw new UnpackError("damaged");
    // A copy may overlap the bytes being written.
    for (let i = 0; i < length; i++) to[end + i] = to[end + i - offset];
    end += length;
  }
  return end;
}
