/** The view of one contact. @module */
import type { Contact, ContactRow } from "../../api/mod.ts";
import { button, linkButton } from "../../lib/button.ts";
import { type Child, el } from "../../lib/dom.ts";
import { safeText } from "../../lib/scripts.ts";
import { t } from "../../lib/text.ts";
import { membersView } from "./groups.ts";
import { contactTitle, kindWords, propertyWords } from "./words.ts";

export interface PersonActions {
  compose: (address: string) => void;
  show: (contact: ContactRow) => void;
  /** Asks for a group to add the contact to. */
  toGroup: (at: Element) => void;
  /** Removes a member from the displayed group. */
  outOfGroup: (member: ContactRow) => void;
  edit: () => void;
  remove: () => void;
}

/** The contact with its actions. */
export function personView(contact: Contact, act: PersonActions): Child[] {
  const emails = contact.emails.map((e) => e.value);
  const title = contactTitle({ name: contact.name, emails });
  const group: HTMLButtonElement = button(t("Add to a group"), () => act.toGroup(group));
  const line = (name: string, value: Child) => [
    el("dt", {}, name),
    el("dd", { dir: "auto" }, value),
  ];
  const kind = (k: Contact["emails"][number]["kind"]) =>
    k === "" ? null : el("span", { class: "hint" }, ` ${kindWords[k]}`);
  return [
    el("h3", { tabindex: -1, dir: "auto" }, safeText(title)),
    contact.owner === "" ? null : el(
      "p",
      { class: "hint" },
      t("In an address book that {0} shares with you.", contact.owner),
    ),
    ...contact.group
      ? [
        el("p", { class: "hint" }, t("A group of people")),
        ...membersView(contact, { show: act.show, compose: act.compose, remove: act.outOfGroup }),
      ]
      : [],
    el(
      "dl",
      { class: "contact-fields" },
      contact.emails.map((e) => [
        el("dt", {}, t("E-mail")),
        el(
          "dd",
          {},
          linkButton(e.value, () => act.compose(e.value), t("Write to {0}", e.value)),
          kind(e.kind),
        ),
      ]),
      contact.phones.map((
        e,
      ) => [
        el("dt", {}, t("Telephone")),
        el("dd", {}, el("span", { dir: "ltr" }, e.value), kind(e.kind)),
      ]),
      contact.organisation === "" ? null : line(t("Organisation"), safeText(contact.organisation)),
      contact.others.map((o) => line(propertyWords[o.name] ?? o.name, safeText(o.value))),
      contact.note === ""
        ? null
        : line(t("Note"), el("span", { class: "contact-note" }, contact.note)),
    ),
    contact.writable
      ? el(
        "div",
        { class: "buttons start" },
        button(t("Edit"), act.edit),
        contact.group ? null : group,
        button(t("Delete"), act.remove, { danger: true }),
      )
      : null,
  ];
}
