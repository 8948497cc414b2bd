/**
 * Memory for output to sockets, reused once a write is done.
 *
 * @module
 */

/** Bytes per buffer: what a connection collects before it sends on its own. */
export const outBufferSize = 64 * 1024;

const free: Uint8Array[] = [];
const keep = 32;

/** A buffer of {@link outBufferSize} bytes with arbitrary content. */
export function takeOutBuffer(): Uint8Array {
  return free.pop() ?? new Uint8Array(outBufferSize);
}

/** Returns a buffer when nobody reads it any more. */
export function releaseOutBuffer(buffer: Uint8Array): void {
  if (free.length < keep) free.push(buffer);
}
