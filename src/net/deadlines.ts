/**
 * Timeouts for many waiting connections without a timer for each read: one interval checks all of them once a
 * second. A timeout can therefore be up to a second late, which doesn't matter for protocol timeouts of
 * minutes; waits shorter than two seconds get their own timer.
 *
 * @module
 */

/** The result of setTimeout. */
export type Timer = ReturnType<typeof setTimeout>;

/** Something that repeatedly waits for an event until a deadline. */
export interface Waiter {
  /** Milliseconds of performance.now() at which the current wait ends; Infinity while not waiting. */
  expiresAt: number;
  /** The timer of a short wait. */
  ownTimer: Timer | undefined;
  /** Called when the deadline has passed; `expiresAt` is Infinity again by then. Must not throw. */
  expire(): void;
}

const tickMs = 1000;
const waiters = new Set<Waiter>();
let interval: Timer | undefined;

function tick(): void {
  const now = performance.now();
  for (const w of waiters) {
    if (w.expiresAt > now) continue;
    w.expiresAt = Infinity;
    w.expire();
  }
}

/** Registers a waiter for its lifetime; {@link unregister} must follow. */
export function register(waiter: Waiter): void {
  waiters.add(waiter);
  if (interval !== undefined) return;
  const started = interval = setInterval(tick, tickMs);
  // A waiting connection's socket keeps the process alive; its timeout must not.
  Deno.unrefTimer(started);
}

/** Ends the waiter's wait, if any, and forgets it. */
export function unregister(waiter: Waiter): void {
  disarm(waiter);
  waiters.delete(waiter);
  if (waiters.size > 0 || interval === undefined) return;
  clearInterval(interval);
  interval = undefined;
}

/** Starts a wait of `ms` milliseconds for a registered waiter that isn't waiting. */
export function arm(waiter: Waiter, ms: number): void {
  if (ms >= 2 * tickMs) {
    waiter.expiresAt = performance.now() + ms;
    return;
  }
  waiter.ownTimer = setTimeout(() => {
    waiter.ownTimer = undefined;
    waiter.expire();
  }, ms);
}

/** Ends a wait; harmless if there is none. */
export function disarm(waiter: Waiter): void {
  waiter.expiresAt = Infinity;
  if (waiter.ownTimer === undefined) return;
  clearTimeout(waiter.ownTimer);
  waiter.ownTimer = undefined;
}
