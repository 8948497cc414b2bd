/**
 * Reporting to the sender of an incoming message: which of several recipients did not get it,
 * as SMTP has only one answer for all (RFC 5321 §6.1), and who got it if requested (RFC 3461).
 *
 * Nothing is reported of messages refused for their content, nor of deliveries, unless SPF verified
 * the sender: the sender of spam is mostly forged, and its owner has nothing to do with it (RFC
 * 5321 §6.2). The recipient finds refused ones in Rejects.
 *
 * @module
 */
import { composeDsn, type Dsn, type DsnRecipient } from "../../mail/dsn/dsn.ts";
import { headerField, splitHeader } from "../../mail/header/header.ts";
import { parseMessageIds } from "../../mail/header/messageid.ts";
import { decodeWords } from "../../mail/header/words.ts";
import { headersNeedUtf8 } from "../../mail/structure/structure.ts";
import { withTempFile } from "../../platform/files.ts";
import { hostDomain } from "../host_domain.ts";
import { queueOutgoing } from "../sending/outgoing.ts";
import {
  addressText,
  type IncomingMessage,
  type Recipient,
  SmtpError,
  type SmtpSession,
  type Transaction,
} from "../../smtp/server/mod.ts";
import { checkSpf, type SpfResult } from "../../senderauth/mod.ts";
import type { ReceivingServices } from "../arrival/services.ts";

/** Bytes quoted of the original's header. */
const maxQuoted = 64 * 1024;

/** A refusal because of the message itself, not because of a local problem: see notifyFailures. */
export class RefusedMessage extends SmtpError {}

/** Queues a DSN about the failed recipients. If it throws, the sender tries again for all. */
export async function notifyFailures(
  services: ReceivingServices,
  session: SmtpSession,
  transaction: Transaction,
  message: IncomingMessage,
  failures: readonly { recipient: Recipient; error: SmtpError }[],
): Promise<void> {
  const { mailFrom } = transaction;
  // RFC 5321 §6.1: never about a DSN.
  if (!mailFrom) return;
  let reported = failures.filter((f) =>
    f.recipient.notify === undefined || f.recipient.notify.includes("failure")
  );
  if (reported.some((f) => f.error instanceof RefusedMessage) && services.resolver) {
    const spf = await checkSpf({
      ip: session.remoteIp,
      helo: session.hello.name,
      mailFrom: addressText(mailFrom, true),
      resolver: services.resolver,
      hostname: services.config.static.Hostname,
      now: new Date(),
    });
    if (spf.result !== "pass") {
      reported = reported.filter((f) => !(f.error instanceof RefusedMessage));
    }
  }
  if (reported.length === 0) {
    session.log.info("some recipients refused the message, its sender is not told", {
      from: addressText(mailFrom),
      recipients: failures.map((f) => addressText(f.recipient.address)).join(" "),
    });
    return;
  }
  await tell(services, transaction, message, {
    action: "failed",
    recipients: reported.map(({ recipient, error }) => ({
      ...named(recipient),
      status: error.status,
      diagnostic: `${error.code} ${error.status} ${error.message}`,
    })),
  });
}

/**
 * Queues a DSN about delivered recipients, if the sender asked for it. Never throws: the
 * message is delivered.
 */
export async function notifyDelivered(
  services: ReceivingServices,
  session: SmtpSession,
  transaction: Transaction,
  message: IncomingMessage,
  spf: SpfResult | undefined,
  delivered: readonly Recipient[],
): Promise<void> {
  const asked = delivered.filter((r) => r.notify?.includes("success"));
  if (!transaction.mailFrom || asked.length === 0) return;
  // Without DNS nothing is verified, and nothing is sent.
  if (spf !== undefined && spf !== "pass") {
    session.log.info("not telling of a delivery, as the sender's address is not verified", {
      from: addressText(transaction.mailFrom),
      spf,
    });
    return;
  }
  try {
    await tell(services, transaction, message, {
      action: "delivered",
      recipients: asked.map((r) => ({ ...named(r), status: "2.0.0" })),
    });
  } catch (err) {
    session.log.error("telling of a delivery", { err: err as Error });
  }
}

function named(recipient: Recipient): Pick<DsnRecipient, "finalRecipient" | "originalRecipient"> {
  return {
    finalRecipient: addressText(recipient.address),
    originalRecipient: recipient.originalRecipient,
  };
}

/** Composes and queues. */
async function tell(
  services: ReceivingServices,
  transaction: Transaction,
  message: IncomingMessage,
  about: Pick<Dsn, "action" | "recipients">,
): Promise<void> {
  const mailFrom = transaction.mailFrom!;
  const { Hostname, Postmaster } = services.config.static;
  const messageId = `${crypto.randomUUID()}@${Hostname}`;
  const now = new Date();
  const original = await headerOf(message);
  const fields = splitHeader(original);
  const bytes = composeDsn({
    ...about,
    recipients: about.recipients.map((r) => ({ ...r, lastAttempt: now })),
    reportingMta: Hostname,
    to: addressText(mailFrom),
    arrival: new Date(message.received),
    date: now,
    messageId,
    envelopeId: transaction.envelopeId,
    originalMessageId: parseMessageIds(headerField(fields, "message-id") ?? "")[0] ?? "",
    originalSubject: decodeWords(headerField(fields, "subject") ?? ""),
    original,
    originalIsWhole: false,
    smtputf8: transaction.smtpUtf8,
  });
  await withTempFile(services.tempDir, "smtp-dsn-", bytes, (path) =>
    // Signed like everything sent in our name.
    queueOutgoing(services, {
      senderAccount: Postmaster.Account,
      fromDomain: hostDomain(services.config),
      mailFrom: "",
      recipients: [{ address: addressText(mailFrom), notify: ["never"] }],
      file: path,
      fileSize: bytes.length,
      prefix: new Uint8Array(0),
      smtputf8: headersNeedUtf8(bytes),
      has8bit: bytes.some((b) => b >= 128),
      requireTls: transaction.requireTls,
      messageId: `<${messageId}>`,
      isDsn: true,
    }));
}

async function headerOf(message: IncomingMessage): Promise<Uint8Array> {
  const file = await Deno.open(message.file, { read: true });
  try {
    const out = new Uint8Array(Math.min(message.headerSize, maxQuoted));
    const n = file.readSync(out) ?? 0;
    return out.subarray(0, n);
  } finally {
    file.close();
  }
}
