/** The copy of a message that its sender keeps in Sent. @module */
import type { Account } from "../../../store/account/account.ts";
import { messagesWithMessageId } from "../../../store/messages/listing.ts";
import { Flag, type Message, SpecialUse } from "../../../store/types.ts";
import { UserError } from "../../http/mod.ts";
import { expungeMessages } from "../list/actions.ts";
import type { SendingDetails } from "./rows.ts";
import { bccField, type ComposedMessage, type HeaderAddresses } from "./compose.ts";

/** Messages of an account with one Message-ID that are looked at. */
const maxSame = 20;

/**
 * The copy in Sent takes the place of the draft. Nothing goes out of which nothing could be kept.
 * @throws UserError
 */
export function checkRoom(account: Account, size: number, draftId: number | null): void {
  const { used, limit } = account.quota().messageSize;
  const draft = draftId === null ? 0 : account.message(draftId)?.size ?? 0;
  const kept = account.mailboxBySpecialUse(SpecialUse.Sent) !== undefined;
  if (limit === undefined || !kept || used + size - draft <= limit) return;
  throw new UserError(
    "your account is full, so that no copy of the message could be kept: it was not sent; " +
      "remove other messages, and empty the trash",
  );
}

/** Puts a message into Sent, if there is that mailbox; its id. Durable when it resolves. */
export async function keepCopy(
  account: Account,
  message: ComposedMessage,
  addresses: HeaderAddresses,
): Promise<number | null> {
  const sent = account.mailboxBySpecialUse(SpecialUse.Sent);
  if (sent === undefined) return null;
  const [kept] = await account.append(sent.id, [{
    file: message.path,
    fileSize: message.size,
    fileSynced: true,
    prefix: new TextEncoder().encode(bccField(addresses)),
    flags: Flag.Seen,
    noTrain: true,
    // Looked at before; the draft, which it replaces, counts until it is removed.
    overQuota: true,
  }]);
  return kept.id;
}

/** The copy that was kept. */
export function keptCopy(account: Account, messageId: string): Message | undefined {
  const sent = account.mailboxBySpecialUse(SpecialUse.Sent)?.id;
  const found = messagesWithMessageId(account.db, messageId, maxSame).find((m) =>
    m.mailboxId === sent && (m.flags & Flag.Draft) === 0
  );
  return found && account.message(found.id);
}

/** The copy that was kept of a program's message. */
export function programsCopy(
  account: Account,
  copy: NonNullable<SendingDetails["copy"]>,
): Message | undefined {
  const found = messagesWithMessageId(account.db, copy.messageId, maxSame).find((m) =>
    m.mailboxId === copy.mailboxId && m.uid >= copy.fromUid
  );
  return found && account.message(found.id);
}

/** Removes a draft, if it is still one. Copies of it that somebody made are theirs. */
export async function removeDraft(account: Account, id: number): Promise<void> {
  const m = account.message(id);
  if (m !== undefined && (m.flags & Flag.Draft) !== 0) await removeMessage(account, m);
}

/** Removes a message for good. */
export async function removeMessage(account: Account, m: Message): Promise<void> {
  await expungeMessages(account, new Map([[m.mailboxId, Uint32Array.of(m.uid)]]));
}
