/** The line at the top of the page. @module */
import { button } from "../lib/button.ts";
import { el } from "../lib/dom.ts";
import { attempt, keyHintPlace } from "../lib/notify.ts";
import { t } from "../lib/text.ts";

export interface TopLineParts {
  /** Shows the mailbox's name. */
  place: HTMLElement;
  /** Shows who is logged in. */
  who: HTMLElement;
  search: HTMLElement;
  connection: HTMLElement;
  skip: () => void;
  mailboxes: () => void;
  compose: () => void;
  calendar: () => void;
  contacts: () => void;
  settings: () => void;
  help: () => void;
  logout: () => Promise<void>;
}

/** Buttons at the end of the top line; on a phone they are below the mailboxes. */
export function generalButtons(parts: TopLineParts): HTMLElement[] {
  const attributes = { class: "quiet" };
  return [
    button(t("Calendar"), parts.calendar, { key: "K", attributes }),
    button(t("Contacts"), parts.contacts, { key: "P", attributes }),
    button(t("Settings"), parts.settings, { attributes }),
    button(t("Help"), parts.help, { key: "?", attributes }),
    button(t("Log out"), () => attempt(parts.logout), { attributes }),
  ];
}

export function topLine(parts: TopLineParts): HTMLElement {
  return el(
    "header",
    { class: "top" },
    button(t("Skip to the messages"), parts.skip, { attributes: { class: "skip" } }),
    button(t("Mailboxes"), parts.mailboxes, { attributes: { class: "only-narrow" } }),
    button(t("Compose"), parts.compose, { key: "c", primary: true }),
    parts.place,
    parts.search,
    parts.connection,
    el("div", { class: "end only-wide" }, keyHintPlace, parts.who, generalButtons(parts)),
  );
}
