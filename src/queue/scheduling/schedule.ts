/**
 * When delivery is tried again, and when it is given up.
 *
 * @module
 */

const minute = 60_000;

/** Waits after the 1st, 2nd, ... failed attempt, in milliseconds. No wait follows the last attempt. */
export const backoff: readonly number[] = [7.5, 15, 30, 60, 120, 240, 480, 960].map((m) =>
  m * minute
);

/**
 * After this many failed attempts (the last one 2 hours after the previous) the sender is notified of the
 * delay.
 */
export const delayedAfter = 6;

/** Most attempts. */
export const maxAttempts = backoff.length + 1;

/**
 * Milliseconds to wait after the given number of failed attempts, up to 10 % more or less; undefined to give
 * up.
 */
export function nextWait(attempts: number, random: number): number | undefined {
  const base = backoff[attempts - 1];
  return base === undefined ? undefined : Math.round(base * (0.9 + random * 0.2));
}

/** Milliseconds from now until the last attempt will have been made. */
export function remaining(attempts: number): number {
  return backoff.slice(attempts - 1).reduce((a, b) => a + b, 0);
}
