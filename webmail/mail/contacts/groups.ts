/** Groups of people in the contacts: their members, and adding somebody. @module */
import { call } from "../../api/client.ts";
import type { Contact, ContactRow } from "../../api/mod.ts";
import { button, linkButton } from "../../lib/button.ts";
import { openMenu, promptDialog } from "../../lib/dialog.ts";
import { el } from "../../lib/dom.ts";
import { t } from "../../lib/text.ts";
import { contactTitle } from "./words.ts";

export interface GroupActions {
  show: (member: ContactRow) => void;
  compose: (addresses: string) => void;
  /** Removes a member. */
  remove: (member: ContactRow) => void;
}

/** The members of a group. */
export function membersView(contact: Contact, act: GroupActions): HTMLElement[] {
  const addresses = contact.members.flatMap((m) => m.emails.slice(0, 1));
  return [
    el(
      "ul",
      { class: "contact-members", "aria-label": t("Members") },
      contact.members.map((m) => {
        const title = contactTitle(m);
        return el(
          "li",
          {},
          linkButton(title, () => act.show(m), t("Show {0}", title)),
          contact.writable
            ? button(t("Remove"), () => act.remove(m), {
              title: t("Take {0} out of the group", title),
            })
            : null,
        );
      }),
    ),
    contact.members.length === 0
      ? el("p", { class: "hint" }, t("Nobody is in this group yet."))
      : el(
        "div",
        { class: "buttons start" },
        button(t("Write to all"), () => act.compose(addresses.join(", "))),
      ),
  ];
}

/** Asks for a group, and adds a contact to it. `done` receives the name of the group. */
export async function addToGroup(
  at: Element,
  contact: Contact,
  run: (work: () => Promise<void>) => Promise<void>,
  done: (name: string) => void,
): Promise<void> {
  const { owner } = contact;
  const { groups } = await call("ContactGroups", { owner });
  const add = (group: { id: number } | { id: null; bookId: number; name: string }, name: string) =>
    run(async () => {
      await call("ContactGroupChange", { owner, group, add: [contact.id], remove: [] });
      done(name);
    });
  const fresh = async () => {
    const name = await promptDialog(t("New group"), t("Name of the group"), "", t("Save"));
    if (name) await add({ id: null, bookId: contact.bookId, name }, name);
  };
  openMenu(
    at,
    [
      ...groups.map((g) => ({
        text: contactTitle(g),
        run: () => void add({ id: g.id }, contactTitle(g)),
      })),
      ...contact.writable ? [{ text: t("New group…"), run: () => void fresh() }] : [],
    ],
    t("Group"),
  );
}
