/**
 * Comparing secrets.
 *
 * @module
 */
import { timingSafeEqual } from "node:crypto";

/** True if both are the same, in a time that depends on their lengths only. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
