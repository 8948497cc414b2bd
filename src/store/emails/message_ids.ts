/** Emails by their Message-ID. @module */
import type { Account } from "../account/account.ts";
import { asEmailId, type EmailId } from "../ids.ts";

/** Emails with a Message-ID (given without angle brackets), at most 100. */
export function emailsOfMessageId(account: Account, messageId: string): EmailId[] {
  return account.db.all(
    "SELECT email_id FROM threads WHERE message_id = ? LIMIT 100",
    messageId.toLowerCase(),
  ).map((r) => asEmailId(r[0]));
}
