/**
 * Changes of many messages in slices: each is a write of its own, whole and broadcast when it is made, and
 * others read and write in between.
 *
 * @module
 */
import { giveWay } from "../../platform/turns.ts";

/** Messages in one write: some 15 ms of it. */
const perSlice = 400;

/** True if so many messages come in more than one write. */
export function isSliced(uids: ArrayLike<number>): boolean {
  return uids.length > perSlice;
}

/**
 * Calls `write` for one part of the uids after the other. If one fails nothing more is written; what was is
 * the caller's to undo, if it must be.
 */
export async function inSlices<T>(
  uids: ArrayLike<number>,
  write: (part: ArrayLike<number>) => Promise<T>,
): Promise<T[]> {
  if (uids.length <= perSlice) return [await write(uids)];
  const done: T[] = [];
  const all = uids instanceof Uint32Array ? uids : Uint32Array.from(uids);
  for (let at = 0; at < all.length; at += perSlice) {
    done.push(await write(all.subarray(at, at + perSlice)));
    await giveWay();
  }
  return done;
}
