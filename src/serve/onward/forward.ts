/**
 * Forwarding: a message that was accepted for an account goes on to other addresses, as it came, with a
 * sender address that reports find their way back by (SRS) and the results of its authentication sealed (ARC).
 *
 * @module
 */
import type { Account as AccountConfig } from "../../config/mod.ts";
import { counter } from "../../metrics/mod.ts";
import { syncFile } from "../../platform/files.ts";
import { type Address, addressText, type IncomingMessage } from "../../smtp/server/mod.ts";
import type { Incoming } from "../receiving/incoming.ts";
import type { ReceivingServices } from "../receiving/services.ts";
import type { Plan } from "../receiving/plan.ts";
import { forwardingSignatures } from "../sending/signing.ts";
import { asksForNoTls } from "../sending/tls_required.ts";

const forwarded = counter(
  "mox_forward_total",
  "Recipients that messages for accounts were forwarded to, by result.",
  { result: ["queued", "loop", "suppressed"] },
);

/** Where a message goes on to. */
export interface Onward {
  to: readonly string[];
  /** The account gets it as well. */
  keep: boolean;
}

/** Whether and where a message that an account has accepted goes on. */
export function onwardOf(
  s: ReceivingServices,
  m: Incoming,
  plan: Plan,
  account: string,
  conf: AccountConfig,
): Onward {
  if (conf.ForwardTo.length === 0) return { to: [], keep: true };
  const recipient = addressText(plan.recipient.address).toLowerCase();
  const { log } = m.session;
  // It came by here before, when it was forwarded.
  const before = m.arrived.description.fields.some((f) =>
    f.name === "delivered-to" && f.value.trim().replace(/^<|>$/g, "").toLowerCase() === recipient
  );
  if (before) {
    forwarded.inc({ result: "loop" });
    log.warn("message was forwarded before, keeping it", { account, to: recipient });
    return { to: [], keep: true };
  }
  const to = conf.ForwardTo.filter((address) => {
    const refused = s.queue.suppressed(account, address);
    if (!refused) return true;
    forwarded.inc({ result: "suppressed" });
    log.warn("not forwarding, the address is suppressed", { account, address });
    return false;
  });
  return { to, keep: !conf.ForwardOnly || to.length === 0 };
}

/** The sender's address of a forwarded message: bounces come back over us if it is not ours anyway. */
function senderFor(s: ReceivingServices, from: Address | undefined, via: Address): string {
  if (!from) return "";
  if (s.config.domain(from.domain)) return addressText(from);
  const localpart = s.srs.rewrite({ localpart: from.localpart, domain: from.asciiDomain });
  // With one too long for that, the account is told of failures.
  return localpart === undefined ? addressText(via) : addressText({ ...via, localpart });
}

/**
 * Queues a message for the addresses that it goes on to; durable when it resolves.
 * @param account whose message it is
 * @throws file and database errors
 */
export async function forward(
  s: ReceivingServices,
  m: Incoming,
  plan: Plan,
  account: string,
  onward: Onward,
  message: IncomingMessage,
): Promise<void> {
  const { arrived, transaction, sender } = m;
  const via = plan.recipient.address;
  const recipient = addressText(via);
  const head = new TextEncoder().encode(
    `Delivered-To: <${recipient}>\r\n` + sender.headers + message.receivedHeader(via),
  );
  const file = { file: arrived.file, fileSize: arrived.size, prefix: head };
  const signed = new TextEncoder().encode(
    await forwardingSignatures(s.config, via.domain, file, sender.auth?.arc, sender.results),
  );
  const prefix = new Uint8Array(signed.length + head.length);
  prefix.set(signed);
  prefix.set(head, signed.length);
  await (arrived.synced ?? syncFile(arrived.file));
  const { notify, originalRecipient } = plan.recipient;
  const ids = await s.queue.add({
    ...file,
    prefix,
    senderAccount: account,
    mailFrom: senderFor(s, transaction.mailFrom, via),
    recipients: onward.to.map((address) => ({
      address,
      notify,
      originalRecipient: originalRecipient ?? { type: "rfc822", address: recipient },
    })),
    smtputf8: message.headerHas8bit,
    has8bit: message.has8bit,
    binary: transaction.body === "binarymime",
    requireTls: transaction.requireTls,
    tlsOptional: asksForNoTls(arrived.description.fields, transaction.requireTls),
    ret: transaction.ret,
    envelopeId: transaction.envelopeId,
    messageId: arrived.description.summary.messageId,
    subject: arrived.description.summary.subject,
  });
  forwarded.inc({ result: "queued" }, ids.length);
  m.session.log.info("forwarded", { account, to: onward.to.join(" "), ids: ids.join(" ") });
}
