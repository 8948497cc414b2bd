/**
 * Mailboxes by a filter, as NOTIFY and ESEARCH name them (RFC 5465 §6, RFC 7377 §2.2).
 *
 * @module
 */
import type { Cursor } from "../../parse/cursor.ts";
import { canonicalName } from "./names.ts";

const kinds = [
  "SELECTED",
  "SELECTED-DELAYED",
  "INBOXES",
  "PERSONAL",
  "SUBSCRIBED",
  "SUBTREE",
  "SUBTREE-ONE",
  "MAILBOXES",
] as const;

export type MailboxFilter =
  | { kind: "selected" | "selected-delayed" | "inboxes" | "personal" | "subscribed" }
  | { kind: "subtree" | "subtree-one" | "mailboxes"; names: string[] };

/** Reads a filter; errors name `what` it is for. */
export function parseMailboxFilter(cursor: Cursor, what: string): MailboxFilter {
  const kind = cursor.oneOf(kinds, what).toLowerCase() as MailboxFilter["kind"];
  if (kind !== "subtree" && kind !== "subtree-one" && kind !== "mailboxes") return { kind };
  cursor.sp();
  const name = () => canonicalName(cursor.mailbox());
  return { kind, names: cursor.at("(") ? cursor.list(name) : [name()] };
}

/** Whether the filter is about the selected mailbox, which {@link fitsFilter} can't know. */
export function isSelected(filter: MailboxFilter): boolean {
  return filter.kind.startsWith("selected");
}

/** Whether a filter includes a mailbox. */
export function fitsFilter(
  filter: MailboxFilter,
  m: { name: string; personal: boolean; subscribed: () => boolean },
): boolean {
  const { name } = m;
  switch (filter.kind) {
    case "personal":
      return m.personal;
    case "inboxes":
      return name === "Inbox";
    case "subscribed":
      return m.subscribed();
    case "subtree":
      return filter.names.some((n) => name === n || name.startsWith(`${n}/`));
    case "subtree-one":
      return filter.names.some((n) =>
        name === n || (name.startsWith(`${n}/`) && !name.slice(n.length + 1).includes("/"))
      );
    case "mailboxes":
      return filter.names.includes(name);
    default:
      return false;
  }
}
