/**
 * Delivery as localserve does it: nothing leaves, all is delivered to itself; and recipients whose
 * localpart starts with "queue" fail as the end of it asks for.
 *
 * @module
 */
import type { Deliverer, QueueItem, QueueMessage, Result } from "./types.ts";
import { misbehaviourOf } from "../mail/misbehaviour.ts";

/** How long a delivery takes that is asked to time out, in milliseconds. */
const anHour = 3600_000;

/** Delivers through `deliverLocal`, which returns nothing if it worked. */
export function localDeliverer(
  deliverLocal: (message: QueueMessage, item: QueueItem) => Promise<Result>,
): Deliverer {
  return {
    async deliver(message, items, signal) {
      const results: Result[] = [];
      for (const item of items) results.push(await one(message, item, signal));
      return results;
    },
  };

  async function one(
    message: QueueMessage,
    item: QueueItem,
    signal: AbortSignal,
  ): Promise<Result> {
    const localpart = item.address.slice(0, item.address.lastIndexOf("@"));
    const asked = localpart.toLowerCase().startsWith("queue")
      ? misbehaviourOf(localpart)
      : undefined;
    if (asked?.kind === "timeout") {
      await sleep(anHour, signal);
      return { kind: "temporary", code: 451, enhanced: "4.4.1", text: "timeout, as you asked for" };
    }
    if (asked) {
      const kind = asked.code < 500 ? "temporary" : "permanent";
      const enhanced = `${Math.floor(asked.code / 100)}.3.0`;
      return { kind, code: asked.code, enhanced, text: "as you asked for" };
    }
    return await deliverLocal(message, item);
  }
}

/** Waits, unless the signal aborts: then it throws. */
function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", aborted);
      resolve();
    }, ms);
    const aborted = () => {
      clearTimeout(timer);
      reject(new Error("queue is stopping"));
    };
    signal.addEventListener("abort", aborted, { once: true });
    if (signal.aborted) aborted();
  });
}
