/**
 * The numbers that name things in an account, each of a type of its own, so that one can't stand where
 * another belongs. They are plain numbers at runtime. Uids and modseqs stay `number`: they are kept
 * in typed arrays, whose elements have no other type.
 *
 * @module
 */

declare const kind: unique symbol;

/** A number of one kind. It can be read as a number; a plain number is none until it is named as one. */
type Named<Kind extends string> = number & { readonly [kind]: Kind };

/** A mailbox's row, the same for as long as the mailbox lives, under whatever name. */
export type MailboxId = Named<"MailboxId">;

/** An email's row: what one or several messages (one in each mailbox) are copies of. */
export type EmailId = Named<"EmailId">;

/** A mailbox's row, as read from a database or a request that was checked. */
export function asMailboxId(n: number): MailboxId {
  return n as MailboxId;
}

/** An email's row, as read from a database or a request that was checked. */
export function asEmailId(n: number): EmailId {
  return n as EmailId;
}

/** No mailbox: what is above those of the top level, and the account as a whole where notes are about it. */
export const noMailbox: MailboxId = asMailboxId(0);
