/**
 * Where connections come from that make work for nothing again and again: each new one is ended too, but after a part
 * of the work only. Its client may still be one that is served well (others share its network), so none is refused.
 *
 * @module
 */
import { RateLimiter } from "../../../net/mod.ts";

/** Connections that may be sent away, per minute, from the networks of an address, before others of it are suspect. */
const limiter = new RateLimiter([{ window: 60_000, limits: [5, 15, 45] }]);

/** A connection of this address was sent away. */
export function sentAway(ip: string): void {
  limiter.take(ip);
}

/** Many of this address's networks were sent away of late. */
export function isSuspect(ip: string): boolean {
  return !limiter.allows(ip);
}
