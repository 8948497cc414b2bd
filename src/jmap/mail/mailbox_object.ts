/** Mailboxes in JMAP (RFC 8621 §2). @module */
import { noMailbox } from "../../store/ids.ts";
import { emailCounts } from "../../store/emails/mailbox_counts.ts";
import { type Mailbox, SpecialUse } from "../../store/types.ts";
import { anyone, grantedRights } from "../../store/mailboxes/rights.ts";
import { accountIdOf } from "../core/access.ts";
import { mailboxIdOf } from "./ids.ts";
import type { MailView } from "./view.ts";

/** Roles that a mailbox can have, with the corresponding special uses of IMAP. */
const roles: readonly (readonly [string, number])[] = [
  ["archive", SpecialUse.Archive],
  ["drafts", SpecialUse.Drafts],
  ["junk", SpecialUse.Junk],
  ["sent", SpecialUse.Sent],
  ["trash", SpecialUse.Trash],
];

export function roleOf(mailbox: Mailbox): string | null {
  if (mailbox.name === "Inbox") return "inbox";
  return roles.find(([, bit]) => mailbox.specialUse & bit)?.[0] ?? null;
}

/** Bit of SpecialUse of a role that can be set; undefined for others. */
export function specialUseOf(role: string): number | undefined {
  return roles.find(([r]) => r === role)?.[1];
}

/** The last level of a mailbox's name. */
export function leafName(name: string): string {
  return name.slice(name.lastIndexOf("/") + 1);
}

export const countProperties = ["totalEmails", "unreadEmails", "totalThreads", "unreadThreads"];
export const mailboxProperties = [
  "id",
  "name",
  "parentId",
  "role",
  "sortOrder",
  ...countProperties,
  "myRights",
  "isSubscribed",
];

/** The same for clients that use sharing of mailboxes (draft-ietf-jmap-mail-sharing). */
export const sharedProperties = [...mailboxProperties, "shareWith"];

/** A user's rights, from the letters of RFC 4314. */
export function myRights(rights: string, isInbox: boolean): Record<string, boolean> {
  const has = (letters: string) => [...letters].every((l) => rights.includes(l));
  return {
    mayReadItems: has("lr"),
    mayAddItems: has("i"),
    mayRemoveItems: has("te"),
    maySetSeen: has("s"),
    maySetKeywords: has("w"),
    mayCreateChild: has("k"),
    mayRename: has("x") && !isInbox,
    mayDelete: has("x") && !isInbox,
    maySubmit: has("p"),
  };
}

/**
 * With whom a mailbox is shared, by the ids of principals; null for users who may not know, and if it isn't
 * shared.
 */
function shareWith(
  view: MailView,
  mailbox: Mailbox,
  rights: string,
): Record<string, unknown> | null {
  if (!rights.includes("a")) return null;
  const found = grantedRights(view.account.db, mailbox.id)
    .filter((g) => g.identifier !== anyone && !g.identifier.startsWith("-"))
    .map((g) => [accountIdOf(g.identifier), sharedRights(g.rights, mailbox.name === "Inbox")]);
  return found.length === 0 ? null : Object.fromEntries(found);
}

const sharedRights = (rights: string, isInbox: boolean) => ({
  ...myRights(rights, isInbox),
  mayShare: rights.includes("a"),
});

/**
 * All mailboxes of a view, by id, in name order.
 * @param sharing include the properties of draft-ietf-jmap-mail-sharing
 */
export function mailboxObjects(
  view: MailView,
  sharing = false,
): Map<string, Record<string, unknown>> {
  const trash = view.mailboxes.find((m) => m.specialUse & SpecialUse.Trash)?.id ?? noMailbox;
  const counts = emailCounts(view.index, trash);
  const subscribed = new Set(view.account.subscriptions());
  const shown = new Set(view.mailboxes.map((m) => m.id));
  const objects = new Map<string, Record<string, unknown>>();
  for (const m of view.mailboxes) {
    const rights = view.rights(m.id);
    const id = mailboxIdOf(m.id);
    objects.set(id, {
      id,
      name: leafName(m.name),
      // A parent that isn't shared doesn't exist for this user.
      parentId: shown.has(m.parentId) ? mailboxIdOf(m.parentId) : null,
      role: view.access.own ? roleOf(m) : null,
      sortOrder: m.sortOrder,
      ...rights.includes("r")
        ? counts(m.id)
        : { totalEmails: 0, unreadEmails: 0, totalThreads: 0, unreadThreads: 0 },
      myRights: sharing
        ? sharedRights(rights, m.name === "Inbox")
        : myRights(rights, m.name === "Inbox"),
      ...sharing ? { shareWith: shareWith(view, m, rights) } : {},
      isSubscribed: subscribed.has(m.name),
    });
  }
  return objects;
}
