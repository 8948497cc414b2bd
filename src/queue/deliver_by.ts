/**
 * Deliver-by times of messages (RFC 2852): until then they are tried like all others; after that they bounce,
 * or their sender is notified and attempts continue.
 *
 * @module
 */
import { permanent } from "./failure.ts";
import type { DeliverBy, QueueItem, QueueMessage, Result } from "./types.ts";

/** The failure of a message that must no longer be delivered (RFC 2852 §4.1.4). */
export const overdue: Result = permanent(
  "5.4.7",
  "the time by which it was to be delivered is over",
);

/** True for a message that must bounce instead of being delivered now. */
export function isOverdue(message: Pick<QueueMessage, "deliverBy">, now: number): boolean {
  return message.deliverBy?.mode === "return" && message.deliverBy.until <= now;
}

/** Milliseconds to the next attempt, no later than the deliver-by time, when the sender is notified. */
export function waitUntil(
  deliverBy: DeliverBy | undefined,
  wait: number | undefined,
  now: number,
): number | undefined {
  if (wait === undefined || !deliverBy || deliverBy.until <= now) return wait;
  return Math.min(wait, deliverBy.until - now);
}

/** True if the last attempt for a recipient is the first after the deliver-by time (mode "notify"). */
export function isJustOver(
  { deliverBy, queued }: Pick<QueueMessage, "deliverBy" | "queued">,
  { results }: Pick<QueueItem, "results">,
): boolean {
  if (deliverBy?.mode !== "notify") return false;
  const last = results[results.length - 1]?.time ?? queued;
  const before = results[results.length - 2]?.time;
  return last >= deliverBy.until && (before === undefined || before < deliverBy.until);
}

/** The parameter BY for another server, with the remaining seconds (RFC 2852 §4). */
export function byParameter(
  deliverBy: DeliverBy,
  now: number,
): { seconds: number; mode: "notify" | "return"; trace: boolean } {
  const left = (deliverBy.until - now) / 1000;
  const { mode, trace } = deliverBy;
  // At least one second where it would bounce immediately, and at most nine digits.
  const seconds = Math.min(999_999_999, Math.max(-999_999_999, Math.floor(left)));
  return { seconds: mode === "return" ? Math.max(1, seconds) : seconds, mode, trace };
}
