/** Trial changes of domains.conf: checked as if they were made, but not made. @module */
import { AsyncLocalStorage } from "node:async_hooks";
import type { Dynamic } from "./dynamic/dynamic.ts";

/** Set while changes are only tried. */
export const trials: AsyncLocalStorage<true> = new AsyncLocalStorage();

/** Ends a trial where the change would be written. */
export class TrialEnd extends Error {
  override name = "TrialEnd";
  readonly before: Dynamic;
  readonly after: Dynamic;
  constructor(before: Dynamic, after: Dynamic) {
    super("the change was only tried");
    this.before = before;
    this.after = after;
  }
}

/**
 * Runs a function up to its first change of domains.conf, which is checked but not made. The rest of the
 * function is not run.
 * @returns the values before and after; undefined if it has ended without a change, with all its effects
 * @throws what the function throws, including mistakes of the change
 */
export async function tryChange(
  fn: () => unknown,
): Promise<{ before: Dynamic; after: Dynamic } | undefined> {
  try {
    await trials.run(true, async () => await fn());
    return undefined;
  } catch (err) {
    if (err instanceof TrialEnd) return { before: err.before, after: err.after };
    throw err;
  }
}
