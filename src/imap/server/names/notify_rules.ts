/**
 * Which events of which mailboxes a client wants to be notified of (RFC 5465).
 *
 * @module
 */
import type { Account } from "../../../store/account/account.ts";
import type { FetchItem } from "../../parse/fetch.ts";
import { fitsFilter, isSelected, type MailboxFilter } from "./filter.ts";
import { splitShared } from "./names.ts";

export type NotifyEvent =
  | "MESSAGENEW"
  | "MESSAGEEXPUNGE"
  | "FLAGCHANGE"
  | "ANNOTATIONCHANGE"
  | "MAILBOXNAME"
  | "SUBSCRIPTIONCHANGE"
  | "MAILBOXMETADATACHANGE"
  | "SERVERMETADATACHANGE";

export interface NotifyGroup {
  filter: MailboxFilter;
  events: ReadonlySet<NotifyEvent>;
  /** What MessageNew sends of the new message, for the selected mailbox. */
  items: FetchItem[];
}

export interface NotifyRules {
  groups: NotifyGroup[];
}

/** The group that is about the selected mailbox, if any. */
export function selectedGroup(rules: NotifyRules): NotifyGroup | undefined {
  return rules.groups.find((g) => isSelected(g.filter));
}

/** Requested events of a mailbox that isn't selected; the first matching group counts (§5). */
export function eventsFor(
  rules: NotifyRules,
  account: Account,
  name: string,
): ReadonlySet<NotifyEvent> | undefined {
  const mailbox = {
    name,
    personal: splitShared(name) === undefined,
    subscribed: () => account.subscriptions().includes(name),
  };
  return rules.groups.find((g) => fitsFilter(g.filter, mailbox))?.events;
}
