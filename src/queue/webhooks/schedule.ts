/** When a webhook call is made again. @module */

/** Waits after the 1st, 2nd, ... failed attempt, in milliseconds. No wait follows the last one. */
export const hookBackoff: readonly number[] = [1, 2, 4, 7.5, 15, 30, 60, 120, 240, 480, 960]
  .map((minutes) => minutes * 60_000);

/** Statuses by which a receiver refuses this call permanently. */
const final = new Set([403, 410]);

/** Milliseconds to wait after the given number of attempts, given the last status; undefined to give up. */
export function nextHookWait(attempts: number, code: number, random: number): number | undefined {
  const base = final.has(code) ? undefined : hookBackoff[attempts - 1];
  return base === undefined ? undefined : Math.round(base * (0.9 + random * 0.2));
}
