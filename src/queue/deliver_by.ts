/**
 * Times by which messages are to be delivered (RFC 2852): until then they are tried as all are; then they go back,
 * or their sender is told and they are tried on.
 *
 * @module
 */
import { permanent } from "./failure.ts";
import type { DeliverBy, QueueItem, QueueMessage, Result } from "./types.ts";

/** The failure of a message that must not be delivered any more (RFC 2852 §4.1.4). */
export const overdue: Result = permanent(
  "5.4.7",
  "the time by which it was to be delivered is over",
);

/** True for a message that goes back instead of being delivered now. */
export function isOverdue(message: Pick<QueueMessage, "deliverBy">, now: number): boolean {
  return message.deliverBy?.mode === "return" && message.deliverBy.until <= now;
}

/** Milliseconds to the next attempt: not beyond the time, at which the sender is told. */
export function waitUntil(
  deliverBy: DeliverBy | undefined,
  wait: number | undefined,
  now: number,
): number | undefined {
  if (wait === undefined || !deliverBy || deliverBy.until <= now) return wait;
  return Math.min(wait, deliverBy.until - now);
}

/** True if the last attempt of a recipient is the first after the time (mode "notify"). */
export function isJustOver(
  { deliverBy, queued }: Pick<QueueMessage, "deliverBy" | "queued">,
  { results }: Pick<QueueItem, "results">,
): boolean {
  if (deliverBy?.mode !== "notify") return false;
  const last = results[results.length - 1]?.time ?? queued;
  const before = results[results.length - 2]?.time;
  return last >= deliverBy.until && (before === undefined || before < deliverBy.until);
}

/** The parameter BY for another server, with the seconds that are left (RFC 2852 §4). */
export function byParameter(
  deliverBy: DeliverBy,
  now: number,
): { seconds: number; mode: "notify" | "return"; trace: boolean } {
  const left = (deliverBy.until - now) / 1000;
  const { mode, trace } = deliverBy;
  // At least one second where it would go back at once, and nine digits.
  const seconds = Math.min(999_999_999, Math.max(-999_999_999, Math.floor(left)));
  return { seconds: mode === "return" ? Math.max(1, seconds) : seconds, mode, trace };
}
