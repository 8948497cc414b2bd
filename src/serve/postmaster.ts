/** Messages of the server to its postmaster. @module */
import type { Config } from "../config/mod.ts";
import { formatDate } from "../mail/header/date.ts";
import { withTempFile } from "../platform/files.ts";
import type { Queue } from "../queue/mod.ts";
import type { Accounts } from "../store/account/accounts.ts";
import { describeFile } from "../store/messages/describe.ts";
import { hostDomain } from "./host_domain.ts";
import { addressOf } from "./onward/dsn.ts";
import { queueOutgoing } from "./sending/outgoing.ts";
import { deliverToSelf } from "./smtp_backend.ts";

/** What is needed for messages to the postmaster. */
export interface PostmasterServices {
  config: Config;
  accounts: Accounts;
  tempDir: string;
  /** For a postmaster with an account on another node; only if there are nodes. */
  queue?: Queue;
}

/** A message of the server, as text. @param lines of its text, without line ends */
export function noticeText(
  fields: { hostname: string; to: string; subject: string; messageId: string; date: Date },
  lines: readonly string[],
): string {
  return [
    `From: <postmaster@${fields.hostname}>`,
    `To: ${fields.to}`,
    `Subject: ${fields.subject}`,
    `Date: ${formatDate(fields.date)}`,
    `Message-ID: <${fields.messageId}>`,
    "Auto-Submitted: auto-generated",
    "MIME-Version: 1.0",
    "Content-Type: text/plain; charset=utf-8",
    "Content-Transfer-Encoding: 8bit",
    "",
    ...lines,
    "",
  ].join("\r\n");
}

/**
 * Delivers a message from and to the postmaster, or queues it for the node that has the account; durable when it resolves.
 * @param lines of its text, without line ends
 */
export async function deliverToPostmaster(
  s: PostmasterServices,
  subject: string,
  lines: readonly string[],
): Promise<void> {
  const hostname = s.config.static.Hostname;
  const account = s.config.static.Postmaster.Account;
  const address = `postmaster@${hostname}`;
  const messageId = `${crypto.randomUUID()}@${hostname}`;
  const plain = subject.replace(/[^\x20-\x7e]/g, "?");
  const text = noticeText(
    { hostname, to: `<${address}>`, subject: plain, messageId, date: new Date() },
    lines,
  );
  const bytes = new TextEncoder().encode(text);
  await withTempFile(s.tempDir, "notice-", bytes, async (path) => {
    if (s.queue !== undefined && !s.config.isHere(account)) {
      await queueOutgoing({ config: s.config, queue: s.queue }, {
        senderAccount: account,
        fromDomain: hostDomain(s.config),
        mailFrom: "",
        recipients: [{ address, notify: ["never"] }],
        file: path,
        fileSize: bytes.length,
        prefix: new Uint8Array(0),
        smtputf8: false,
        has8bit: bytes.some((b) => b >= 128),
        requireTls: false,
        messageId: `<${messageId}>`,
        subject: plain,
        isDsn: true,
      });
      return;
    }
    await deliverToSelf(s, addressOf(address), undefined, {
      file: path,
      fileSize: bytes.length,
      prefix: new TextEncoder().encode("Return-Path: <>\r\n"),
    }, await describeFile(path));
  });
}
