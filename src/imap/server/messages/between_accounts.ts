/** Copying messages of the selected mailbox into another account. @module */
import { copyAcross } from "../../../store/account/copy_across.ts";
import { ImapNo } from "../session/answer.ts";
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
  const { account, mailbox, rights } = to;
  try {
    const copied = await copyAcross(view, uids, { account, mailboxId: mailbox.id, rights });
    return { ...copied, uidValidity: mailbox.uidValidity };
  } catch (err) {
    if (!(err instanceof Deno.errors.NotFound)) throw err;
    throw new ImapNo("some messages are gone", "EXPUNGEISSUED", { cause: err });
  }
}
