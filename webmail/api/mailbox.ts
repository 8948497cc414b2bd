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
  /** Bytes. */
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
  /** Keywords that were used in it, sorted. */
  keywords: v.array(v.string()),
  /** Of another account, which shares it. Its name begins with "Other Users/", as in IMAP, and the account's. */
  shared: v.optional(v.object({
    /** Whose it is, as people read it. */
    owner: v.string(),
    /** What the user may do, in letters of RFC 4314. */
    rights: v.string(),
  })),
  ...MailboxCounts.entries,
});
export type Mailbox = v.InferOutput<typeof Mailbox>;

/** A full name as a person types it; the server says what is wrong with it. */
export const MailboxName = v.pipe(text(1000), v.minLength(1));
