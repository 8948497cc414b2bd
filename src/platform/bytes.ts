/** Bytes in memory. @module */

/** Concatenates pieces. */
export function joined(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(pieces.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const p of pieces) {
    all.set(p, at);
    at += p.length;
  }
  return all;
}

/** Bytes below which memory is left to the collector of garbage. */
const leastGivenBack = 4096;

/**
 * Frees the memory of bytes that nothing uses any more; they are empty afterwards. Pieces of network input are
 * dropped faster than the collector runs: 60 connections that send bodies leave 150 MB to it. Does nothing if
 * the bytes are a part of other memory, or few.
 */
export function giveBack(bytes: Uint8Array): void {
  const { buffer } = bytes;
  if (bytes.length < leastGivenBack || bytes.length !== buffer.byteLength) return;
  if (buffer instanceof ArrayBuffer) buffer.transfer(0);
}
