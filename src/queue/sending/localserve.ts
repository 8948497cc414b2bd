/**
 * Delivery in localserve: nothing leaves, everything is delivered to itself; and recipients whose localpart
 * starts with "queue" fail as its end requests.
 *
 * @module
 */
import type { Deliverer, QueueItem, QueueMessage, Result } from "../types.ts";
import { misbehaviourOf } from "../../mail/misbehaviour.ts";

/** Delivers through `deliverLocal`, which returns nothing if it worked. */
export function localDeliverer(
  deliverLocal: (message: QueueMessage, item: QueueItem) => Promise<Result>,
): Deliverer {
  return {
    async deliver(message, items) {
      const results: Result[] = [];
      for (const item of items) results.push(await one(message, item));
      return results;
    },
  };

  async function one(message: QueueMessage, item: QueueItem): Promise<Result> {
    const localpart = item.address.slice(0, item.address.lastIndexOf("@"));
    const asked = localpart.toLowerCase().startsWith("queue")
      ? misbehaviourOf(localpart)
      : undefined;
    // The result of an attempt without an answer. It isn't waited for: other senders' messages would have to
    // wait as well.
    if (asked?.kind === "timeout") {
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
