/** The line at the top of the page. @module */
import { button } from "../lib/button.ts";
import { el } from "../lib/dom.ts";
import { attempt, keyHintPlace } from "../lib/notify.ts";

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
  settings: () => void;
  help: () => void;
  logout: () => Promise<void>;
}

/** Buttons at the end of the top line, on a phone below the mailboxes. */
export function generalButtons(p: TopLineParts): HTMLElement[] {
  const attributes = { class: "quiet" };
  return [
    button("Settings", p.settings, { attributes }),
    button("Help", p.help, { key: "?", attributes }),
    button("Log out", () => attempt(p.logout), { attributes }),
  ];
}

export function topLine(p: TopLineParts): HTMLElement {
  return el(
    "header",
    { class: "top" },
    button("Skip to the messages", p.skip, { attributes: { class: "skip" } }),
    button("Mailboxes", p.mailboxes, { attributes: { class: "only-narrow" } }),
    button("Compose", p.compose, { key: "c", primary: true }),
    p.place,
    p.search,
    p.connection,
    el("div", { class: "end only-wide" }, keyHintPlace, p.who, generalButtons(p)),
  );
}
