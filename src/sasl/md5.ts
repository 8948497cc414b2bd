/**
 * MD5 (RFC 1321) whose state after a block can be saved and restored: CRAM-MD5 (RFC 2195) can then be checked
 * from the states after the padded key, without the password being stored.
 *
 * MD5 is broken for signatures. But this one old mechanism allows no other hash.
 *
 * @module
 */

/** Bytes in a block. */
export const md5BlockSize = 64;

/** Four 32-bit words. */
export type Md5State = Uint32Array;

const shifts = [[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]];
const sines = Uint32Array.from({ length: 64 }, (_, i) => Math.abs(Math.sin(i + 1)) * 2 ** 32);

/** The state before any input. */
export function md5Start(): Md5State {
  return Uint32Array.of(0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476);
}

/** Updates the state with the block at the offset. */
export function md5Block(state: Md5State, bytes: Uint8Array, offset = 0): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, md5BlockSize);
  let [a, b, c, d] = state;
  for (let i = 0; i < 64; i++) {
    const round = i >> 4;
    let f: number, k: number;
    if (round === 0) [f, k] = [(b & c) | (~b & d), i];
    else if (round === 1) [f, k] = [(d & b) | (~d & c), (5 * i + 1) & 15];
    else if (round === 2) [f, k] = [b ^ c ^ d, (3 * i + 5) & 15];
    else [f, k] = [c ^ (b | ~d), (7 * i) & 15];
    const sum = (a + f + sines[i] + view.getUint32(k * 4, true)) >>> 0;
    const s = shifts[round][i & 3];
    [a, d, c, b] = [d, c, b, (b + ((sum << s) | (sum >>> (32 - s)))) >>> 0];
  }
  state[0] += a;
  state[1] += b;
  state[2] += c;
  state[3] += d;
}

/** The digest of the rest of a message, of which `before` bytes (whole blocks) are in the state already. */
export function md5Finish(start: Md5State, rest: Uint8Array, before: number): Uint8Array {
  const state = start.slice();
  const padded = new Uint8Array((((rest.length + 8) >> 6) + 1) << 6);
  padded.set(rest);
  padded[rest.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setBigUint64(padded.length - 8, BigInt(before + rest.length) * 8n, true);
  for (let at = 0; at < padded.length; at += md5BlockSize) md5Block(state, padded, at);
  return md5StateBytes(state);
}

/** The state as 16 bytes. */
export function md5StateBytes(state: Md5State): Uint8Array {
  const out = new Uint8Array(16);
  const view = new DataView(out.buffer);
  state.forEach((word, i) => view.setUint32(i * 4, word, true));
  return out;
}

/** The state from its 16 bytes. */
export function md5StateFrom(bytes: Uint8Array): Md5State {
  const view = new DataView(bytes.buffer, bytes.byteOffset, 16);
  return Uint32Array.from({ length: 4 }, (_, i) => view.getUint32(i * 4, true));
}
