/** The system clock. @module */
import type { Clock } from "../types.ts";

export const systemClock: Clock = {
  now: Date.now,
  after(ms, fn) {
    const t = setTimeout(fn, ms);
    return () => clearTimeout(t);
  },
  random: Math.random,
};
