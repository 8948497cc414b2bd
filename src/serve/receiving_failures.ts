/**
 * Telling the sender of a message for several recipients which of them did not get it, as SMTP has but
 * one answer for all (RFC 5321 §6.1).
 *
 * Nobody is told about messages that were refused for what they are, unless SPF verified the sender: the
 * sender's address of spam is mostly forged, and its owner has nothing to do with it (RFC 5321 §6.2).
 * The recipient finds them in Rejects.
 *
 * @module
 */
import { composeDsn } from "../mail/dsn.ts";
import { createTemp, removeFile } from "../platform/files.ts";
import {
  addressText,
  type IncomingMessage,
  needsUtf8,
  type Recipient,
  type SmtpError,
  type SmtpSession,
  type Transaction,
} from "../smtp/server/mod.ts";
import { checkSpf } from "../senderauth/mod.ts";
import type { ReceivingServices } from "./receiving.ts";
import { RefusedMessage } from "./receiving_deliver.ts";

/** Bytes of the original's header that are quoted. */
const maxQuoted = 64 * 1024;

/** Queues a DSN about the recipients that failed. Throwing has the sender try all again. */
export async function notifyFailures(
  s: ReceivingServices,
  session: SmtpSession,
  transaction: Transaction,
  message: IncomingMessage,
  failures: readonly { recipient: Recipient; error: SmtpError }[],
): Promise<void> {
  const { mailFrom } = transaction;
  // RFC 5321 §6.1: never about a DSN.
  if (!mailFrom) return;
  let told = failures.filter((f) =>
    f.recipient.notify === undefined || f.recipient.notify.includes("failure")
  );
  if (told.some((f) => f.error instanceof RefusedMessage) && s.resolver) {
    const spf = await checkSpf({
      ip: session.remoteIp,
      helo: session.hello.name,
      mailFrom: addressText(mailFrom, true),
      resolver: s.resolver,
      hostname: s.config.static.Hostname,
      now: new Date(),
    });
    if (spf.result !== "pass") told = told.filter((f) => !(f.error instanceof RefusedMessage));
  }
  if (told.length === 0) {
    session.log.info("some recipients refused the message, its sender is not told", {
      from: addressText(mailFrom),
      recipients: failures.map((f) => addressText(f.recipient.address)).join(" "),
    });
    return;
  }
  const { Hostname, Postmaster } = s.config.static;
  const messageId = `${crypto.randomUUID()}@${Hostname}`;
  const now = new Date();
  const bytes = composeDsn({
    action: "failed",
    reportingMta: Hostname,
    to: addressText(mailFrom),
    arrival: new Date(message.received),
    date: now,
    messageId,
    envelopeId: transaction.envelopeId,
    originalMessageId: "",
    originalSubject: "",
    recipients: told.map(({ recipient, error }) => ({
      finalRecipient: addressText(recipient.address),
      originalRecipient: recipient.originalRecipient,
      status: error.status,
      diagnostic: `${error.code} ${error.status} ${error.message}`,
      lastAttempt: now,
    })),
    original: await headerOf(message),
    originalIsWhole: false,
    smtputf8: transaction.smtpUtf8,
  });
  const { path, file } = await createTemp(s.tempDir, "smtp-dsn-");
  try {
    try {
      for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
      await file.sync();
    } finally {
      file.close();
    }
    await s.queue.add({
      senderAccount: Postmaster.Account,
      mailFrom: "",
      recipients: [{ address: addressText(mailFrom), notify: ["never"] }],
      file: path,
      fileSize: bytes.length,
      prefix: new Uint8Array(0),
      smtputf8: transaction.smtpUtf8 || needsUtf8(mailFrom),
      has8bit: bytes.some((b) => b >= 128),
      requireTls: transaction.requireTls,
      messageId: `<${messageId}>`,
    });
  } finally {
    removeFile(path);
  }
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
