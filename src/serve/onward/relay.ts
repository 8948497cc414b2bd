/** Messages for addresses on other servers by their domain's Relay, on their way there. @module */
import type { QueueMessage } from "../../queue/mod.ts";
import { addressText, type IncomingMessage } from "../../smtp/server/mod.ts";
import type { Incoming } from "../arrival/incoming.ts";
import type { Plan } from "../arrival/plan.ts";
import { mayBeTold, queueArrived } from "../arrival/queue_arrived.ts";
import type { ReceivingServices } from "../arrival/services.ts";

/** Marks such messages in the queue; no user can choose it, as names of the web API's fields are "X-...". */
const mark = "mox:relay";

/** Whether a message is relayed, and so belongs to no account here. */
export function isRelayed(message: Pick<QueueMessage, "extra">): boolean {
  return mark in message.extra;
}

/**
 * Queues a message for the server that has its recipient; durable when it resolves. The sender's address is unchanged, as
 * this server is the regular route for the domain's mail.
 * @param headers fields with the judge's findings, placed before the results of the sender's authentication
 * @throws file and database errors
 */
export async function relay(
  services: ReceivingServices,
  incoming: Incoming,
  plan: Plan,
  headers: string,
  message: IncomingMessage,
): Promise<void> {
  const { sender, session } = incoming;
  const { address, notify, originalRecipient } = plan.recipient;
  const ids = await queueArrived(services, incoming, message, {
    prefix: new TextEncoder().encode(headers + sender.headers + message.receivedHeader(address)),
    recipients: [{
      address: addressText(address),
      notify: mayBeTold(sender) ? notify : ["never"],
      originalRecipient,
    }],
    extra: { [mark]: "" },
  });
  session.log.info("relayed", { to: addressText(address), ids: ids.join(" ") });
}
