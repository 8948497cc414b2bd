/** Reports about forwarded messages, on their way back to the original senders. @module */
import type { Config } from "../../config/mod.ts";
import type { Srs } from "../../senderauth/mod.ts";
import {
  type Address,
  addressText,
  type IncomingMessage,
  localpartText,
} from "../../smtp/server/mod.ts";
import { domainToUnicode } from "node:url";
import type { Incoming } from "../arrival/incoming.ts";
import { queueArrived } from "../arrival/queue_arrived.ts";
import type { ReceivingServices } from "../arrival/services.ts";

/** The original of a rewritten address of this server; undefined if it isn't one. */
export function originalSender(config: Config, srs: Srs, address: Address): Address | undefined {
  if (!/^SRS[01]/i.test(address.localpart) || !config.domain(address.domain)) return undefined;
  const original = srs.original(address.localpart);
  return original && {
    localpart: original.localpart,
    domain: domainToUnicode(original.domain) || original.domain,
    asciiDomain: original.domain,
  };
}

/** Queues a report for the sender of the message concerned; durable when it resolves. */
export async function sendBack(
  services: ReceivingServices,
  incoming: Incoming,
  via: Address,
  sender: Address,
  message: IncomingMessage,
): Promise<void> {
  const ids = await queueArrived(services, incoming, message, {
    prefix: new TextEncoder().encode(incoming.sender.headers + message.receivedHeader(via)),
    mailFrom: "",
    recipients: [{
      address: `${localpartText(sender.localpart)}@${sender.asciiDomain}`,
      notify: ["never"],
    }],
    ret: undefined,
    envelopeId: undefined,
    isDsn: true,
  });
  incoming.session.log.info("sent back", { to: addressText(sender), ids: ids.join(" ") });
}
