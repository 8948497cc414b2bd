/**
 * Mail for accounts of a node that is away, if domains.conf says to queue it (QueueWhenAway). The node judges it when
 * back, by the client that sent the message.
 *
 * @module
 */
import * as v from "valibot";
import type { PassedClient } from "../../nodes/pass_on.ts";
import type { QueueMessage } from "../../queue/mod.ts";
import {
  addressText,
  type IncomingMessage,
  type Recipient,
  type SmtpSession,
  type Transaction,
} from "../../smtp/server/mod.ts";
import { openArrived } from "../arrival/arrived.ts";
import { mayBeTold, queueArrived } from "../arrival/queue_arrived.ts";
import { checkSender } from "../arrival/sender.ts";
import type { ReceivingServices } from "../arrival/services.ts";
import { storeFailure } from "./failure.ts";

/** Marks such messages in the queue; no user can choose it, as names of the web API's fields are "X-...". */
const mark = "mox:client";

const clientSchema = v.object({
  remoteIp: v.string(),
  remotePort: v.number(),
  localIp: v.string(),
  localPort: v.number(),
  hello: v.string(),
  tls: v.optional(v.object({ version: v.string(), cipher: v.string() })),
});

/** The client that sent a queued message for another node; undefined for other messages. */
export function clientOf(message: Pick<QueueMessage, "extra">): PassedClient | undefined {
  const text = message.extra[mark];
  return text === undefined
    ? undefined
    : { tls: undefined, ...v.parse(clientSchema, JSON.parse(text)) };
}

/** Queues a message for its recipients at a node; durable when it resolves. @throws SmtpError */
export async function queueForNode(
  services: ReceivingServices,
  session: SmtpSession,
  transaction: Transaction,
  message: IncomingMessage,
  recipients: readonly Recipient[],
): Promise<void> {
  const hostname = services.config.static.Hostname;
  try {
    // No fields are removed: the node does that.
    const arrived = await openArrived(message, [], services.tempDir);
    try {
      const sender = await checkSender(session, transaction, arrived, services.resolver, hostname);
      const { remoteIp, remotePort, localIp, localPort, hello, tls } = session;
      const client: PassedClient = {
        ...{ remoteIp, remotePort, localIp, localPort, hello: hello.name },
        tls: tls && { version: tls.version, cipher: tls.cipher },
      };
      const ids = await queueArrived(services, { arrived, transaction }, message, {
        prefix: new TextEncoder().encode(message.receivedHeader()),
        recipients: recipients.map((recipient) => ({
          address: addressText(recipient.address),
          notify: mayBeTold(sender) ? recipient.notify : ["never" as const],
          originalRecipient: recipient.originalRecipient,
        })),
        smtputf8: transaction.smtpUtf8 || message.headerHas8bit,
        extra: { [mark]: JSON.stringify(client) },
      });
      session.log.info("a message waits for a node that is away", {
        recipients: recipients.length,
        ids: ids.slice(0, 10).join(" "),
      });
    } finally {
      arrived.close();
    }
  } catch (err) {
    throw storeFailure(err, session.log);
  }
}
