/**
 * Changes of many messages in slices: each is a separate write, complete and broadcast at its commit, and
 * others read and write in between.
 *
 * @module
 */
import { giveWay } from "../../platform/turns.ts";
import type { WriteContext, Writer } from "../database/writer.ts";
import type { Listener } from "../types.ts";

/** Messages per write: some 15 ms. */
const perSlice = 400;
/** The same for a write that changes only flags. */
export const flagsPerSlice = 1000;

/** True if the messages need more than one write. */
export function isSliced(uids: ArrayLike<number>): boolean {
  return uids.length > perSlice;
}

/** Runs one part of a change in a transaction. */
export type WritePart = <R>(fn: (ctx: WriteContext) => R) => Promise<R>;

/**
 * Calls `step` for one part of the uids after the other; its writes are on disk when all are done, with one
 * fsync. If one fails nothing more is written; undoing earlier parts is up to the caller.
 */
export async function inSlices<T>(
  writer: Writer,
  origin: Listener | undefined,
  uids: ArrayLike<number>,
  step: (part: ArrayLike<number>, write: WritePart) => Promise<T>,
  size = perSlice,
): Promise<T[]> {
  if (uids.length <= size) return [await step(uids, (fn) => writer.write(fn, origin))];
  const done: T[] = [];
  const all = uids instanceof Uint32Array ? uids : Uint32Array.from(uids);
  try {
    for (let at = 0; at < all.length; at += size) {
      const part = all.subarray(at, at + size);
      done.push(await step(part, (fn) => writer.writePart(fn, origin)));
      await giveWay();
    }
  } finally {
    await writer.settle();
  }
  return done;
}
