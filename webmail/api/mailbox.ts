/** Mailboxes as the page shows them. @module */
import * as v from "valibot";
import { Count, Id, SpecialUse, text } from "./basics.ts";

export const MailboxCounts = v.object({
  total: Count,
  /** Without "seen" and without "deleted". */
  unread: Count,
  /** Without "seen". */
  unseen: Count,
  deleted: Count,
  /** In bytes. */
  size: Count,
});
export type MailboxCounts = v.InferOutput<typeof MailboxCounts>;

export const Mailbox = v.object({
  id: Id,
  /** Full name, levels separated by "/"; the inbox is always "Inbox". */
  name: v.string(),
  /** 0 at the top. */
  parentId: Count,
  specialUse: v.array(SpecialUse),
  /** Keywords used in it, sorted. */
  keywords: v.array(v.string()),
  /**
   * Set for a mailbox shared by another account. As in IMAP, its name begins with "Other Users/" and the account's
   * name.
   */
  shared: v.optional(v.object({
    /** The owner's name for display. */
    owner: v.string(),
    /** The user's rights, as letters of RFC 4314. */
    rights: v.string(),
  })),
  ...MailboxCounts.entries,
});
export type Mailbox = v.InferOutput<typeof Mailbox>;

/** A full name as typed; the server says what is wrong with it. */
export const MailboxName = v.pipe(text(1000), v.minLength(1));
