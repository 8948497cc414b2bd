/** Changes of domains.conf that are tried: checked as if they were made, and not made. @module */
import { AsyncLocalStorage } from "node:async_hooks";
import type { Dynamic } from "./dynamic/dynamic.ts";

/** Set where changes are only tried. */
export const trials: AsyncLocalStorage<true> = new AsyncLocalStorage();

/** The end of what is tried, where the change would be written. */
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
 * Runs something up to its first change of domains.conf, which is checked but not made. What comes after the change in
 * it is not run.
 * @returns the values before and after; undefined if it has ended without a change, having done what it does
 * @throws what it throws, mistakes of the change among it
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
