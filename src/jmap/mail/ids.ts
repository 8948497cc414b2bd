/**
 * Ids of mail objects: the same as in IMAP (RFC 8474), so that a program can use both (RFC 9698). An email
 * whose thread has changed becomes another Email, as an Email's thread never changes (RFC 8621 §3): it gets a
 * count after its id.
 *
 * @module
 */
import { asEmailId, asMailboxId, type MailboxId } from "../../store/ids.ts";
import type { EmailIndex } from "../../store/emails/email_index.ts";
import type { EmailKey } from "../../store/emails/changes.ts";

export function mailboxIdOf(id: MailboxId): string {
  return `M${id}`;
}

export function threadIdOf(id: number): string {
  return `T${id}`;
}

export function emailIdOf(key: EmailKey): string {
  return key.reborn === 0 ? `E${key.emailId}` : `E${key.emailId}r${key.reborn}`;
}

function numberIn(text: string, prefix: string): number | undefined {
  if (!text.startsWith(prefix) || !/^[1-9]\d{0,14}$/.test(text.slice(1))) return undefined;
  return Number(text.slice(1));
}

/** The number of a mailbox id; undefined if invalid. */
export function mailboxNumber(id: string): MailboxId | undefined {
  const n = numberIn(id, "M");
  return n === undefined ? undefined : asMailboxId(n);
}

export function threadNumber(id: string): number | undefined {
  return numberIn(id, "T");
}

/** The id of the email of a slot. */
export function slotId(index: EmailIndex, slot: number): string {
  return emailIdOf({ emailId: index.emailAt(slot), reborn: index.reborn[slot] });
}

/** The slot of a visible email; undefined if there is none with that id. */
export function slotOfId(index: EmailIndex, id: string): number | undefined {
  const m = /^E([1-9]\d{0,14})(?:r([1-9]\d{0,4}))?$/.exec(id);
  if (!m) return undefined;
  const slot = index.slotOf(asEmailId(Number(m[1])));
  return slot !== undefined && index.mailbox[slot] !== 0 && index.reborn[slot] === Number(m[2] ?? 0)
    ? slot
    : undefined;
}
