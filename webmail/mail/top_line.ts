/** The line at the top of the page. @module */
import { button } from "../lib/button.ts";
import { el } from "../lib/dom.ts";
import { attempt, keyHintPlace } from "../lib/notify.ts";
import { t } from "../lib/text.ts";

export interface TopLineParts {
  /** Where the mailbox is named. */
  place: HTMLElement;
  /** Where it stands who is logged in. */
  who: HTMLElement;
  search: HTMLElement;
  connection: HTMLElement;
  skip: () => void;
  mailboxes: () => void;
  compose: () => void;
  contacts: () => void;
  settings: () => void;
  help: () => void;
  logout: () => Promise<void>;
}

/** Buttons at the end of the top line, on a phone below the mailboxes. */
export function generalButtons(p: TopLineParts): HTMLElement[] {
  const attributes = { class: "quiet" };
  return [
    button(t("Contacts"), p.contacts, { key: "P", attributes }),
    button(t("Settings"), p.settings, { attributes }),
    button(t("Help"), p.help, { key: "?", attributes }),
    button(t("Log out"), () => attempt(p.logout), { attributes }),
  ];
}

export function topLine(p: TopLineParts): HTMLElement {
  return el(
    "header",
    { class: "top" },
    button(t("Skip to the messages"), p.skip, { attributes: { class: "skip" } }),
    button(t("Mailboxes"), p.mailboxes, { attributes: { class: "only-narrow" } }),
    button(t("Compose"), p.compose, { key: "c", primary: true }),
    p.place,
    p.search,
    p.connection,
    el("div", { class: "end only-wide" }, keyHintPlace, p.who, generalButtons(p)),
  );
}
