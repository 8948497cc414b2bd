/** Messages of the server to its postmaster. @module */
import type { Config } from "../config/mod.ts";
import { formatDate } from "../mail/header/date.ts";
import { withTempFile } from "../platform/files.ts";
import type { Accounts } from "../store/account/accounts.ts";
import { describeFile } from "../store/messages/describe.ts";
import { addressOf } from "./onward/dsn.ts";
import { deliverToSelf } from "./smtp_backend.ts";

/** Delivers a message from and to the postmaster. @param lines of its text, without line ends */
export async function deliverToPostmaster(
  s: { config: Config; accounts: Accounts; tempDir: string },
  subject: string,
  lines: readonly string[],
): Promise<void> {
  const hostname = s.config.static.Hostname;
  const text = [
    `From: <postmaster@${hostname}>`,
    `To: <postmaster@${hostname}>`,
    `Subject: ${subject.replace(/[^\x20-\x7e]/g, "?")}`,
    `Date: ${formatDate(new Date())}`,
    `Message-ID: <${crypto.randomUUID()}@${hostname}>`,
    "Auto-Submitted: auto-generated",
    "MIME-Version: 1.0",
    "Content-Type: text/plain; charset=utf-8",
    "Content-Transfer-Encoding: 8bit",
    "",
    ...lines,
    "",
  ].join("\r\n");
  const bytes = new TextEncoder().encode(text);
  await withTempFile(s.tempDir, "notice-", bytes, async (path) => {
    await deliverToSelf(s, addressOf(`postmaster@${hostname}`), undefined, {
      file: path,
      fileSize: bytes.length,
      prefix: new TextEncoder().encode("Return-Path: <>\r\n"),
    }, await describeFile(path));
  });
}
