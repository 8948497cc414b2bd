/**
 * Forwarding: a message accepted for an account is sent on unchanged to other addresses, with a
 * sender address that leads bounces back (SRS) and sealed authentication results (ARC).
 *
 * @module
 */
import type { Account as AccountConfig } from "../../config/mod.ts";
import { counter } from "../../metrics/mod.ts";
import { type Address, addressText, type IncomingMessage } from "../../smtp/server/mod.ts";
import type { DeliverBy, NewQueueRecipient } from "../../queue/mod.ts";
import type { Incoming } from "../arrival/incoming.ts";
import { queueArrived } from "../arrival/queue_arrived.ts";
import type { ReceivingServices } from "../arrival/services.ts";
import type { Plan } from "../arrival/plan.ts";
import { forwardingSignatures } from "../sending/signing.ts";
import { maxHeader, vouches } from "./vouch.ts";
import { asksForNoTls } from "../sending/tls_required.ts";

const forwarded = counter(
  "mox_forward_total",
  "Recipients that messages for accounts were forwarded to, by result.",
  { result: ["queued", "loop", "suppressed"] },
);

/** Where a message is forwarded to. */
export interface Onward {
  to: readonly string[];
  /** The account gets it as well. */
  keep: boolean;
}

/** Whether and where a message accepted by an account is forwarded. */
export function onwardOf(
  services: ReceivingServices,
  incoming: Incoming,
  plan: Plan,
  account: string,
  conf: AccountConfig,
): Onward {
  if (conf.ForwardTo.length === 0) return { to: [], keep: true };
  const to = mayGoOn(services, incoming, plan, account, conf.ForwardTo);
  return { to, keep: !conf.ForwardOnly || to.length === 0 };
}

/** The addresses that may get the message: none if it was forwarded here before, and none that is suppressed. */
export function mayGoOn(
  services: ReceivingServices,
  incoming: Incoming,
  plan: Plan,
  account: string,
  addresses: readonly string[],
): string[] {
  return cameBefore(incoming, plan, account) ? [] : allowed(services, incoming, account, addresses);
}

/** Whether a message was already forwarded by the same address. */
export function cameBefore(incoming: Incoming, plan: Plan, account: string): boolean {
  const recipient = addressText(plan.recipient.address).toLowerCase();
  const before = incoming.arrived.description.fields.some((f) =>
    f.name === "delivered-to" && f.value.trim().replace(/^<|>$/g, "").toLowerCase() === recipient
  );
  if (before) {
    forwarded.inc({ result: "loop" });
    incoming.session.log.warn("message was forwarded before, not again", {
      account,
      to: recipient,
    });
  }
  return before;
}

/** The addresses that an account's forwarded messages may go to. */
export function allowed(
  services: ReceivingServices,
  incoming: Incoming,
  account: string,
  addresses: readonly string[],
): string[] {
  return addresses.filter((address) => {
    const refused = services.queue.suppressed(account, address);
    if (!refused) return true;
    forwarded.inc({ result: "suppressed" });
    incoming.session.log.warn("not forwarding, the address is suppressed", { account, address });
    return false;
  });
}

/** Envelope sender of a forwarded message: rewritten so that bounces return through this server, unless it is local. */
export function senderFor(
  services: ReceivingServices,
  from: Address | undefined,
  via: Address,
): string {
  if (!from) return "";
  if (services.config.domain(from.domain)) return addressText(from);
  const localpart = services.srs.rewrite({ localpart: from.localpart, domain: from.asciiDomain });
  // If it is too long for that, failures are reported to the account.
  return localpart === undefined ? addressText(via) : addressText({ ...via, localpart });
}

/** Changes to the forwarded message, requested by a script. */
export interface Changed {
  /** A file that replaces the received one, including the fields in front. */
  file?: { file: string; fileSize: number };
  /** DSN parameters (RFC 6009). */
  notify?: NewQueueRecipient["notify"];
  ret?: "full" | "hdrs";
  deliverBy?: DeliverBy;
  /** As that of NewQueueMessage. */
  onAdded?: () => void;
}

/** The first bytes of a file, in which its header is. */
async function startOf(path: string): Promise<Uint8Array> {
  const file = await Deno.open(path, { read: true });
  try {
    const bytes = new Uint8Array(maxHeader);
    let n = 0;
    while (n < bytes.length) {
      const got = await file.read(bytes.subarray(n));
      if (got === null) break;
      n += got;
    }
    return bytes.subarray(0, n);
  } finally {
    file.close();
  }
}

/**
 * Queues a message for the addresses it is forwarded to; durable when it resolves.
 * @param account that owns the message
 * @throws file and database errors
 */
export async function forward(
  services: ReceivingServices,
  incoming: Incoming,
  plan: Plan,
  account: string,
  onward: Onward,
  message: IncomingMessage,
  changed: Changed = {},
): Promise<void> {
  const { arrived, transaction, sender } = incoming;
  const via = plan.recipient.address;
  const recipient = addressText(via);
  // Our own results mean nothing to the next server: it gets them, sealed, in ARC's field.
  const head = new TextEncoder().encode(
    `Delivered-To: <${recipient}>\r\n` + message.receivedHeader(via),
  );
  const file = {
    ...changed.file ?? { file: arrived.file, fileSize: arrived.size },
    prefix: head,
  };
  const signed = new TextEncoder().encode(
    await forwardingSignatures(services.config, via.domain, file, {
      chain: sender.auth?.arc,
      results: sender.results,
      // A script may have changed the author, which is then unverified.
      vouched: changed.file
        ? vouches(via.asciiDomain, await startOf(changed.file.file), undefined)
        : vouches(via.asciiDomain, arrived.header, sender.auth),
    }),
  );
  const prefix = new Uint8Array(signed.length + head.length);
  prefix.set(signed);
  prefix.set(head, signed.length);
  const { notify, originalRecipient } = plan.recipient;
  const ids = await queueArrived(services, incoming, message, {
    ...changed.file,
    prefix,
    senderAccount: account,
    mailFrom: senderFor(services, transaction.mailFrom, via),
    recipients: onward.to.map((address) => ({
      address,
      notify: changed.notify ?? notify,
      originalRecipient: originalRecipient ?? { type: "rfc822", address: recipient },
    })),
    tlsOptional: asksForNoTls(arrived.description.fields, transaction.requireTls),
    ret: changed.ret ?? transaction.ret,
    deliverBy: changed.deliverBy,
    onAdded: changed.onAdded,
  });
  forwarded.inc({ result: "queued" }, ids.length);
  incoming.session.log.info("forwarded", { account, to: onward.to.join(" "), ids: ids.join(" ") });
}
