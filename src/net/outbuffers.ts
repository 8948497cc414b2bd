/**
 * Memory for output on its way to sockets, used again once a write is done.
 *
 * @module
 */

/** Bytes in one buffer: what a connection gathers before it sends by itself. */
export const outBufferSize = 64 * 1024;

const free: Uint8Array[] = [];
const keep = 32;

/** A buffer of {@link outBufferSize} bytes with any content. */
export function takeOutBuffer(): Uint8Array {
  return free.pop() ?? new Uint8Array(outBufferSize);
}

/** Gives a buffer back when nobody reads it any more. */
export function releaseOutBuffer(buffer: Uint8Array): void {
  if (free.length < keep) free.push(buffer);
}
