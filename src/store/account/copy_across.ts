/** Copying messages into another account: new emails there, whose files are linked. @module */
import type { Account } from "./account.ts";
import type { MailboxId } from "../ids.ts";
import { permittedFlags } from "../messages/flag_rights.ts";
import { type NewMessage, Want } from "../types.ts";
import { appendAll } from "../messages/unfinished.ts";

/**
 * Copies messages to a mailbox of another account, all or none; durable when it resolves.
 * @param to with what may be done there: flags that may not be set are left out
 * @throws Deno.errors.NotFound if one was expunged meanwhile; StoreError, such as for the other account's quota
 */
export async function copyAcross(
  from: { account: Account; mailboxId: MailboxId },
  uids: Uint32Array,
  to: { account: Account; mailboxId: MailboxId; rights: string },
): Promise<{ fromUids: number[]; toUids: number[] }> {
  const fromUids: number[] = [];
  const list: NewMessage[] = [];
  from.account.fetch(from.mailboxId, uids, Want.Content, (row) => {
    fromUids.push(row.uid);
    list.push(permittedFlags(to.rights, {
      file: from.account.files.path(row.emailId),
      fileSynced: true,
      prefix: row.prefix.slice(),
      fileSize: row.size - row.prefix.length,
      flags: row.flags,
      keywords: row.keywords === "" ? [] : row.keywords.split(" "),
      received: row.received,
    }));
  });
  const toUids = list.length === 0 ? [] : await appendAll(to.account, to.mailboxId, list);
  return { fromUids, toUids };
}
