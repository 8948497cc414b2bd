/**
 * Sending for scripts, such that a crash neither loses nor repeats it (see src/delivery/sieve/memory.ts).
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { Memory, SentNote } from "../../delivery/sieve/memory.ts";
import { counter } from "../../metrics/mod.ts";
import { withTempFile } from "../../platform/files.ts";
import type { NewQueueMessage, NewQueueRecipient } from "../../queue/mod.ts";
import type { Redirect } from "../../sieve/mod.ts";
import { addressText, type IncomingMessage } from "../../smtp/server/mod.ts";
import type { Account } from "../../store/account/account.ts";
import { forward, mayGoOn } from "../onward/forward.ts";
import type { Incoming } from "../arrival/incoming.ts";
import type { Plan } from "../arrival/plan.ts";
import type { ReceivingServices } from "../arrival/services.ts";
import { queueOutgoing } from "../sending/outgoing.ts";
import type { Written } from "./replies.ts";

export const sieveActions = counter(
  "mox_sieve_action_total",
  "What scripts did with messages for accounts.",
  {
    action: ["keep", "fileinto", "redirect", "discard", "reject", "vacation", "notify", "failed"],
  },
);

/** Bytes of a message that identify it. */
const digested = 64 * 1024;

/** A key that stays the same when the sender tries again, and differs from other messages'. */
export function keyOf(incoming: Incoming, plan: Plan, account: Account, what: string): string {
  const { arrived, transaction } = incoming;
  const hash = createHash("sha256");
  const words = [
    account.name,
    what,
    transaction.mailFrom ? addressText(transaction.mailFrom) : "",
    addressText(plan.recipient.address),
    String(arrived.size),
  ];
  hash.update(JSON.stringify(words)).update(arrived.read(0, Math.min(arrived.size, digested)));
  return hash.digest("base64url");
}

/** Queues something once for an incoming message. @returns false if it was queued before */
async function once(
  services: ReceivingServices,
  incoming: Incoming,
  account: Account,
  key: string,
  address: string,
  messageId: string,
  queue: (onAdded: () => void) => Promise<unknown>,
): Promise<boolean> {
  incoming.sentBySieve.push(key);
  const note = { key, account: account.name, address, messageId };
  return await queuedOnce(services.sieve.db.memory, note, queue);
}

/** Queues something once, whatever ends the process. @returns false if it was before */
export async function queuedOnce(
  memory: Memory,
  note: SentNote,
  queue: (onAdded: () => void) => Promise<unknown>,
): Promise<boolean> {
  if (!await memory.begin(note)) return false;
  try {
    await queue(() => memory.done(note.key));
  } catch (err) {
    memory.failed(note.key);
    throw err;
  }
  return true;
}

/** DSN and deadline parameters of a redirect (RFC 6009), in the queue's form. */
export function demands(
  r: Redirect,
): Pick<NewQueueMessage, "ret" | "deliverBy"> & Pick<NewQueueRecipient, "notify"> {
  return {
    notify: r.notify?.map((n) => n.toLowerCase() as "never"),
    ret: r.ret?.toLowerCase() as "full" | undefined,
    deliverBy: r.deliverBy && {
      until: Date.now() + r.deliverBy.seconds * 1000,
      mode: r.deliverBy.mode,
      trace: r.deliverBy.trace,
    },
  };
}

/** Redirects a message. @returns whether it was queued; if not, keep it */
export async function redirect(
  services: ReceivingServices,
  incoming: Incoming,
  plan: Plan,
  account: Account,
  r: Redirect,
  message: IncomingMessage,
  file: { file: string; fileSize: number } | undefined,
): Promise<boolean> {
  const to = mayGoOn(services, incoming, plan, account.name, [r.address]);
  if (to.length === 0) return false;
  const changed = { file, ...demands(r) };
  const { messageId } = incoming.arrived.description.summary;
  const key = keyOf(incoming, plan, account, `redirect ${r.address}`);
  await once(
    services,
    incoming,
    account,
    key,
    r.address,
    messageId,
    (onAdded) =>
      forward(services, incoming, plan, account.name, { to, keep: false }, message, {
        ...changed,
        onAdded,
      }),
  );
  return true;
}

/** Queues a message that was written for a user. @throws SmtpError beyond the account's limits */
export async function sendWritten(
  services: ReceivingServices,
  incoming: Incoming,
  plan: Plan,
  account: Account,
  written: Written,
  what: string,
): Promise<void> {
  const key = keyOf(incoming, plan, account, what);
  await withTempFile(
    services.tempDir,
    "sieve-",
    written.bytes,
    (path) =>
      once(
        services,
        incoming,
        account,
        key,
        written.to[0],
        written.messageId,
        (onAdded) =>
          queueOutgoing(services, {
            onAdded,
            priority: -1,
            senderAccount: account.name,
            fromDomain: plan.recipient.address.domain,
            // RFC 3834 §3.3, RFC 5436 §2.6: it must not cause bounces.
            mailFrom: "",
            recipients: written.to.map((address) => ({ address, notify: ["never"] as const })),
            file: path,
            fileSize: written.bytes.length,
            prefix: new Uint8Array(0),
            smtputf8: written.smtputf8,
            has8bit: written.bytes.some((b) => b >= 128),
            requireTls: incoming.transaction.requireTls,
            messageId: written.messageId,
            subject: written.subject,
            isDsn: true,
          }),
      ),
  );
}
