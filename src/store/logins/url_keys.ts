/** Keys that authorise URLs of messages, one for each mailbox (RFC 4467 §5). @module */
import type { MailboxId } from "../ids.ts";
import { randomBytes } from "node:crypto";
import type { AccountDb } from "../database/account_db.ts";

/** The key of a mailbox; undefined if it has none: then no URL of it is valid. */
export function urlKey(account: AccountDb, mailboxId: MailboxId): Uint8Array | undefined {
  return account.db.get("SELECT key FROM url_keys WHERE mailbox_id = ?", mailboxId)?.[0];
}

/** The key of a mailbox, created if it has none; durable when it resolves. */
export async function makeUrlKey(account: AccountDb, mailboxId: MailboxId): Promise<Uint8Array> {
  await account.writer.write(() => {
    account.db.run(
      "INSERT INTO url_keys (mailbox_id, key) VALUES (?, ?) ON CONFLICT DO NOTHING",
      mailboxId,
      Uint8Array.from(randomBytes(32)),
    );
  });
  return urlKey(account, mailboxId)!;
}

/** Revokes all URLs of a mailbox, or of all mailboxes. */
export function resetUrlKeys(account: AccountDb, mailboxId?: MailboxId): Promise<void> {
  return account.writer.write(() => {
    if (mailboxId === undefined) account.db.run("DELETE FROM url_keys");
    else account.db.run("DELETE FROM url_keys WHERE mailbox_id = ?", mailboxId);
  });
}
