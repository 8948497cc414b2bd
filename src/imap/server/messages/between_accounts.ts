/** Copying messages into another account: new emails there, whose files are linked. @module */
import { appendAll } from "../../../store/messages/unfinished.ts";
import { Want } from "../../../store/types.ts";
import type { NewMessage } from "../../../store/types.ts";
import { ImapNo } from "../session/answer.ts";
import { permittedFlags } from "../mailboxes/places.ts";
import type { Place } from "../names/names.ts";
import type { View } from "../session/view.ts";

/**
 * Copies messages of the selected mailbox to a mailbox of another account, all or none; durable when it resolves.
 * @throws ImapNo if one was expunged meanwhile; StoreError, such as for the other account's quota
 */
export async function copyToAccount(
  view: View,
  uids: Uint32Array,
  to: Place,
): Promise<{ fromUids: number[]; toUids: number[]; uidValidity: number }> {
  const { account, mailboxId } = view;
  const fromUids: number[] = [];
  const list: NewMessage[] = [];
  account.fetch(mailboxId, uids, Want.Content, (row) => {
    fromUids.push(row.uid);
    list.push(permittedFlags(to.rights, {
      file: account.files.path(row.emailId),
      fileSynced: true,
      prefix: row.prefix.slice(),
      fileSize: row.size - row.prefix.length,
      flags: row.flags,
      keywords: row.keywords === "" ? [] : row.keywords.split(" "),
      received: row.received,
    }));
  });
  const { uidValidity } = to.mailbox;
  if (list.length === 0) return { fromUids, toUids: [], uidValidity };
  try {
    const toUids = await appendAll(to.account, to.mailbox.id, list);
    return { fromUids, toUids, uidValidity };
  } catch (err) {
    if (!(err instanceof Deno.errors.NotFound)) throw err;
    throw new ImapNo("some messages are gone", "EXPUNGEISSUED", { cause: err });
  }
}
