/**
 * Which events of which mailboxes a client wants to hear of (RFC 5465).
 *
 * @module
 */
import type { Account } from "../../store/account.ts";
import { splitShared } from "./places.ts";
import type { FetchItem } from "../parse/fetch.ts";

export type NotifyEvent =
  | "MESSAGENEW"
  | "MESSAGEEXPUNGE"
  | "FLAGCHANGE"
  | "ANNOTATIONCHANGE"
  | "MAILBOXNAME"
  | "SUBSCRIPTIONCHANGE"
  | "MAILBOXMETADATACHANGE"
  | "SERVERMETADATACHANGE";

export type MailboxFilter =
  | { kind: "selected" | "selected-delayed" | "inboxes" | "personal" | "subscribed" }
  | { kind: "subtree" | "subtree-one" | "mailboxes"; names: string[] };

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
  return rules.groups.find((g) => g.filter.kind.startsWith("selected"));
}

/** Events wanted of a mailbox that isn't selected; the first group that fits counts (§5). */
export function eventsFor(
  rules: NotifyRules,
  account: Account,
  name: string,
): ReadonlySet<NotifyEvent> | undefined {
  for (const g of rules.groups) if (fits(g.filter, account, name)) return g.events;
  return undefined;
}

function fits(f: MailboxFilter, account: Account, name: string): boolean {
  switch (f.kind) {
    case "personal":
      return splitShared(name) === undefined;
    case "inboxes":
      return name === "Inbox";
    case "subscribed":
      return account.subscriptions().includes(name);
    case "subtree":
      return f.names.some((n) => name === n || name.startsWith(`${n}/`));
    case "subtree-one":
      return f.names.some((n) =>
        name === n || (name.startsWith(`${n}/`) && !name.slice(n.length + 1).includes("/"))
      );
    case "mailboxes":
      return f.names.includes(name);
    default:
      return false;
  }
}
