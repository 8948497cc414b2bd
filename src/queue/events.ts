/** What an attempt means for its recipient, and who is notified. @module */
import type { Log } from "../log/mod.ts";
import { isJustOver, waitUntil } from "./deliver_by.ts";
import { delayedAfter, nextWait, remaining } from "./scheduling/schedule.ts";
import type {
  Attempt,
  DeliverBy,
  DsnEvent,
  OutgoingEvent,
  QueueItem,
  QueueMessage,
  Result,
} from "./types.ts";

/** Most results kept for a recipient. */
export const maxResults = 10;
/** Milliseconds until a DSN that could not be created is tried again. */
const dsnWait = 7.5 * 60_000;
/** How often creating a DSN is tried. */
const maxDsnTries = 100;

/** An item after an attempt. */
export interface Done {
  item: QueueItem;
  attempt: Attempt;
  /** Milliseconds until the next attempt; undefined if it is done. */
  wait: number | undefined;
  /** How it left the queue, if it did. */
  outcome: "delivered" | "relayed" | "failed" | "suppressed" | "canceled" | undefined;
  unreachable?: boolean;
  /** Another server notifies the sender of the delivery. */
  reported?: boolean;
  /** As in the result. */
  unwatched?: boolean;
  /** It failed before: only its DSN is owed. */
  again?: boolean;
}

/** Notes a result in the item. */
export function attempted(
  item: QueueItem,
  result: Result,
  now: number,
  random: number,
  deliverBy?: DeliverBy,
): Done {
  const attempt: Attempt = result.kind === "delivered"
    ? {
      time: now,
      kind: "delivered",
      code: result.code ?? 250,
      enhanced: result.enhanced ?? "2.0.0",
      text: result.text ?? "delivered",
      remoteMta: result.remoteMta,
    }
    : {
      time: now,
      kind: result.kind,
      code: result.code,
      enhanced: result.enhanced,
      text: result.text,
      remoteMta: result.remoteMta,
    };
  item.attempts++;
  item.results = [...item.results, attempt].slice(-maxResults);
  const scheduled = result.kind === "temporary" ? nextWait(item.attempts, random) : undefined;
  const wait = waitUntil(deliverBy, scheduled, now);
  if (result.kind === "delivered") {
    const outcome = result.relayed === "untold" ? "relayed" : "delivered";
    return {
      ...{ item, attempt, wait, outcome },
      reported: result.relayed === "told",
      unwatched: result.unwatched,
    };
  }
  return {
    item,
    attempt,
    wait,
    outcome: wait === undefined ? "failed" : undefined,
    unreachable: result.unreachable,
  };
}

/** The DSNs that attempts require (RFC 3461 §6.2). */
export function dsnEvents(message: QueueMessage, done: readonly Done[]): Iterable<DsnEvent> {
  const events = new Map<DsnEvent["action"], DsnEvent>();
  // RFC 3461 §6.2, RFC 5321 §4.5.5: never in answer to a DSN.
  if (message.mailFrom === "" || message.isDsn) return [];
  for (const { item, attempt, wait, outcome, reported: told, unwatched } of done) {
    const asked = item.notify;
    let action: DsnEvent["action"];
    if (attempt.kind === "delivered") {
      const passedOn = unwatched === true && !asked?.includes("never");
      if (!passedOn && (!asked?.includes("success") || told)) continue;
      action = outcome === "relayed" || passedOn ? "relayed" : "delivered";
    } else if (wait === undefined) {
      if (asked && !asked.includes("failure")) continue;
      action = "failed";
    } else {
      const usual = item.attempts === delayedAfter && (!asked || asked.includes("delay"));
      const over = isJustOver(message, item) && !asked?.includes("never");
      if (!usual && !over) continue;
      action = "delayed";
    }
    let event = events.get(action);
    if (!event) events.set(action, event = { action, message, recipients: [] });
    event.recipients.push({
      item,
      result: attempt,
      retryUntil: wait === undefined ? undefined : attempt.time + remaining(item.attempts),
    });
  }
  return events.values();
}

/** Keeps the items of a DSN that could not be created: every sender must be notified. */
export function owe(done: readonly Done[], event: DsnEvent, log: Log): void {
  const ids = new Set(event.recipients.map((r) => r.item.id));
  for (const d of done) {
    if (!ids.has(d.item.id)) continue;
    if (++d.item.dsnOwed < maxDsnTries) d.wait = dsnWait;
    else log.error("giving up on telling the sender", { id: d.item.id, to: d.item.address });
  }
}

/** The event for webhooks. */
export function outgoingEvent(message: QueueMessage, done: Done): OutgoingEvent | undefined {
  const { item, attempt } = done;
  if (done.again) return undefined;
  if (done.outcome === undefined) {
    return {
      kind: "delayed",
      message,
      item,
      attempt,
      nextAttempt: attempt.time + (done.wait ?? 0),
    };
  }
  return { kind: done.outcome, message, item, attempt, nextAttempt: undefined };
}
