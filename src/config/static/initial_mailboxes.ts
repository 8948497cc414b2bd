/** Mailboxes that new accounts have. @module */
import type { Static } from "./static.ts";

/** A mailbox for new accounts. */
export interface NewMailbox {
  name: string;
  specialUse?: "Sent" | "Archive" | "Trash" | "Drafts" | "Junk";
}

/** Mailboxes of a new account, besides the Inbox. */
export function initialMailboxes(
  { InitialMailboxes, DefaultMailboxes }: Pick<Static, "InitialMailboxes" | "DefaultMailboxes">,
): NewMailbox[] {
  const { SpecialUse, Regular } = InitialMailboxes;
  const result: NewMailbox[] = [];
  const add = (name: string, specialUse: NewMailbox["specialUse"]) => {
    if (name !== "") result.push({ name, specialUse });
  };
  add(SpecialUse.Sent, "Sent");
  add(SpecialUse.Archive, "Archive");
  add(SpecialUse.Trash, "Trash");
  add(SpecialUse.Draft, "Drafts");
  add(SpecialUse.Junk, "Junk");
  for (const name of Regular) result.push({ name });
  if (result.length > 0) return result;
  // The older list, replaced by InitialMailboxes, has no special uses: they follow from the names.
  const uses = ["Sent", "Archive", "Trash", "Drafts", "Junk"] as const;
  return (DefaultMailboxes.length > 0 ? DefaultMailboxes : uses)
    .filter((name) => name.toLowerCase() !== "inbox")
    .map((name) => ({ name, specialUse: uses.find((u) => u === name) }));
}
