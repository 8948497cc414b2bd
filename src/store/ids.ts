/**
 * The numbers that identify things in an account, each with its own type, so that they can't be confused. They
 * are plain numbers at runtime. Uids and modseqs stay `number`: they are stored in typed arrays, whose elements
 * have no other type.
 *
 * @module
 */

declare const kind: unique symbol;

/** A number of one kind. It can be used as a number; a plain number needs a conversion. */
type Named<Kind extends string> = number & { readonly [kind]: Kind };

/** A mailbox's row, the same for as long as the mailbox exists, under any name. */
export type MailboxId = Named<"MailboxId">;

/** An email's row: the content that one or several messages (one in each mailbox) share. */
export type EmailId = Named<"EmailId">;

/** A mailbox's row, as read from a database or a request after checking. */
export function asMailboxId(n: number): MailboxId {
  return n as MailboxId;
}

/** An email's row, as read from a database or a request after checking. */
export function asEmailId(n: number): EmailId {
  return n as EmailId;
}

/** No mailbox: the parent of the top level, and the account as a whole where data belongs to it. */
export const noMailbox: MailboxId = asMailboxId(0);
