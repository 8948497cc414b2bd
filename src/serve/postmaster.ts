/** Messages of the server to its postmaster. @module */
import type { Config } from "../config/mod.ts";
import { formatDate } from "../mail/header/date.ts";
import { withTempFile } from "../platform/files.ts";
import type { Accounts } from "../store/account/accounts.ts";
import { describeFile } from "../store/messages/describe.ts";
import { addressOf } from "./onward/dsn.ts";
import { deliverToSelf } from "./smtp_backend.ts";

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

/** Delivers a message from and to the postmaster. @param lines of its text, without line ends */
export async function deliverToPostmaster(
  s: { config: Config; accounts: Accounts; tempDir: string },
  subject: string,
  lines: readonly string[],
): Promise<void> {
  const hostname = s.config.static.Hostname;
  const text = noticeText({
    hostname,
    to: `<postmaster@${hostname}>`,
    subject: subject.replace(/[^\x20-\x7e]/g, "?"),
    messageId: `${crypto.randomUUID()}@${hostname}`,
    date: new Date(),
  }, lines);
  const bytes = new TextEncoder().encode(text);
  await withTempFile(s.tempDir, "notice-", bytes, async (path) => {
    await deliverToSelf(s, addressOf(`postmaster@${hostname}`), undefined, {
      file: path,
      fileSize: bytes.length,
      prefix: new TextEncoder().encode("Return-Path: <>\r\n"),
    }, await describeFile(path));
  });
}
