/**
 * Networks whose connections repeatedly cause useless work: each new one is disconnected earlier. A client
 * there may still be legitimate (others share its network), so none is refused.
 *
 * @module
 */
import { RateLimiter } from "../../../net/mod.ts";

/** Disconnections per minute from an address's networks above which they are suspect. */
const limiter = new RateLimiter([{ window: 60_000, limits: [5, 15, 45] }]);

/** A connection of this address was disconnected. */
export function sentAway(ip: string): void {
  limiter.take(ip);
}

/** Many connections of this address's networks were disconnected lately. */
export function isSuspect(ip: string): boolean {
  return !limiter.allows(ip);
}
