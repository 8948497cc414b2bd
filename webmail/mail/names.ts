/** Names of mailboxes, people and messages as the page shows them. @module */
import type { Address, Flag, Mailbox, MessageItem, SpecialUse } from "../api/mod.ts";
import { t } from "../lib/text.ts";

/** The order of mailboxes: the inbox, those with a special use, the others. */
const useOrder: readonly SpecialUse[] = ["drafts", "sent", "archive", "trash", "junk"];

export function mailboxRank(mailbox: Mailbox): number {
  if (mailbox.name === "Inbox") return 0;
  const i = Math.min(...mailbox.specialUse.map((u) => useOrder.indexOf(u) + 1));
  return Number.isFinite(i) ? i : useOrder.length + 1;
}

/** Names for mailboxes that all accounts have, or that the server creates. */
const known: Readonly<Record<string, string>> = {
  Inbox: t("Inbox"),
  Drafts: t("Drafts"),
  Sent: t("Sent"),
  Archive: t("Archive"),
  Trash: t("Trash"),
  Junk: t("Junk"),
  Scheduled: t("Scheduled"),
  Snoozed: t("Snoozed"),
  Rejects: t("Rejects"),
};

/** Last part of a mailbox's name; in the page's language for mailboxes that all accounts have. */
export function leafName(name: string): string {
  // Shared mailboxes are named in the same way.
  name = name.replace(/^Other Users\/[^/]+\//, "");
  if (Object.hasOwn(known, name)) return known[name];
  return name.slice(name.lastIndexOf("/") + 1);
}

/** Mailboxes in the order of the list, each followed by its children. */
export function sortedMailboxes(all: Iterable<Mailbox>): { mailbox: Mailbox; depth: number }[] {
  const list = [...all];
  const below = (parent: number) =>
    list.filter((m) => m.parentId === parent).sort((a, b) =>
      mailboxRank(a) - mailboxRank(b) || a.name.localeCompare(b.name)
    );
  const ids = new Set(list.map((m) => m.id));
  const out: { mailbox: Mailbox; depth: number }[] = [];
  const add = (mailbox: Mailbox, depth: number) => {
    out.push({ mailbox, depth });
    for (const c of below(mailbox.id)) add(c, depth + 1);
  };
  const tops = [...below(0), ...list.filter((m) => m.parentId !== 0 && !ids.has(m.parentId))];
  for (const m of tops) add(m, 0);
  return out;
}

/** A person's short name: the name, or the part before the @. */
export function shortName(address: Address): string {
  return address.name || address.address.split("@", 1)[0] || address.address || t("(nobody)");
}

/** A person's name and address. */
export function fullAddress(address: Address): string {
  return address.name === "" ? address.address : `${quoteName(address.name)} <${address.address}>`;
}

/** A name as it is written before an address: quoted if it contains special characters. */
export function quoteName(name: string): string {
  return /[()<>[\]:;@\\,."]/.test(name) ? `"${name.replace(/["\\]/g, "\\$&")}"` : name;
}

export function addressesText(list: readonly Address[]): string {
  return list.map(fullAddress).join(", ");
}

export function has(item: MessageItem, flag: Flag): boolean {
  return item.flags.includes(flag);
}

export function subjectText(item: { subject: string }): string {
  return item.subject.trim() === "" ? t("(no subject)") : item.subject;
}

/** Flags that are shown as words, beside keywords. */
export const flagWords: Partial<Record<Flag, string>> = {
  flagged: t("flagged"),
  answered: t("answered"),
  forwarded: t("forwarded"),
  junk: t("junk"),
  phishing: t("phishing"),
  draft: t("draft"),
  deleted: t("deleted"),
};
