/**
 * When a certificate is obtained or renewed. Pure functions of times, so that they can be tested.
 *
 * @module
 */

/** First waits after failures, and the longest, in milliseconds: authorities count failures by the hour. */
const firstWaits = [5, 20, 60, 120, 240].map((minutes) => minutes * 60_000);
const longestWait = 8 * 3_600_000;

/**
 * When to renew: the configured time before the end, but not before a third of the lifetime has passed, nor
 * after five sixths of it (for authorities whose certificates are valid for days). `random` in [0, 1) spreads
 * servers over a twentieth of the lifetime.
 */
export function renewAt(
  notBefore: number,
  notAfter: number,
  renewBefore: number,
  random: number,
): number {
  const life = notAfter - notBefore;
  const wanted = notAfter - renewBefore;
  const at = Math.min(Math.max(wanted, notBefore + life / 3), notBefore + life * 5 / 6);
  return at - random * life / 20;
}

/** Milliseconds to wait after a number of failures in a row; at least as long as the authority asks for. */
export function waitAfter(failures: number, retryAfter: number, random: number): number {
  const wait = firstWaits[failures - 1] ?? longestWait;
  return Math.max(wait * (0.9 + random / 5), Math.min(retryAfter, 7 * 24 * 3_600_000));
}
