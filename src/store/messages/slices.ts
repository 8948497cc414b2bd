/**
 * Changes of many messages in slices: each is a write of its own, whole and broadcast when it is made, and
 * others read and write in between.
 *
 * @module
 */
import { giveWay } from "../../platform/turns.ts";
import type { WriteContext, Writer } from "../database/writer.ts";
import type { Listener } from "../types.ts";

/** Messages in one write: some 15 ms of it. */
const perSlice = 400;
/** The same of a write that changes flags only. */
export const flagsPerSlice = 1000;

/** True if so many messages come in more than one write. */
export function isSliced(uids: ArrayLike<number>): boolean {
  return uids.length > perSlice;
}

/** Runs one part of a change in a transaction. */
export type WritePart = <R>(fn: (ctx: WriteContext) => R) => Promise<R>;

/**
 * Calls `step` for one part of the uids after the other; what it writes is on disk when all of them are done, with one
 * fsync. If one fails nothing more is written; what was is the caller's to undo, if it must be.
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
