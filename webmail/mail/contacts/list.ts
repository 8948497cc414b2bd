/** The list of contacts: asked for, shown, searched and kept up to date. @module */
import { call } from "../../api/client.ts";
import type { ContactBook, ContactRow } from "../../api/mod.ts";
import { button } from "../../lib/button.ts";
import { el, fill } from "../../lib/dom.ts";
import { rememberFocus } from "../../lib/focus.ts";
import { safeText } from "../../lib/scripts.ts";
import { locale, t } from "../../lib/text.ts";
import type { ContactPlace } from "./editor.ts";
import { contactTitle } from "./words.ts";

/** Contacts that are listed at first, and after "Show more". */
const pageSize = 500;
const mostListed = 2000;

export interface ContactListOptions {
  /** Words of the search. */
  words(): string;
  /** The chosen book; undefined for all. */
  book(): ContactBook | undefined;
  show(row: ContactRow): void;
  isShown(place: ContactPlace): boolean;
  /** Goes from the first contact up. */
  leave(): void;
  /** Runs what a person asked for; what goes wrong is said. */
  work(run: () => Promise<void>): Promise<void>;
}

interface Listed {
  contacts: ContactRow[];
  more: boolean;
}

export class ContactList {
  readonly #o: ContactListOptions;
  readonly #list = el("ul", { class: "contact-list", "aria-label": t("Contacts") });
  readonly #below = el("div", {});
  readonly element = el("div", { class: "contact-left" }, this.#list, this.#below);
  #limit = pageSize;
  #listed: Listed = { contacts: [], more: false };
  /** The last question that a person asked. */
  #loading: Promise<void> = Promise.resolve();
  /** Of the last request: older answers are ignored. */
  #asked = 0;

  constructor(options: ContactListOptions) {
    this.#o = options;
    this.#list.addEventListener("keydown", (e) => this.#key(e));
  }

  /** Asks another question: from the top. */
  again(): void {
    this.#limit = pageSize;
    void this.load();
  }

  /** Requests the list again. */
  load(): Promise<void> {
    return this.#loading = this.#o.work(async () => {
      const asked = ++this.#asked;
      const got = await this.#request();
      if (asked !== this.#asked) return;
      this.#listed = got;
      this.#draw();
    });
  }

  /** The contacts of the chosen books that have the words of the search, by name. */
  async #request(): Promise<Listed> {
    const book = this.#o.book();
    const { contacts, more } = await call("ContactList", {
      owner: book?.owner ?? "",
      bookId: book?.id ?? null,
      search: this.#o.words(),
      limit: this.#limit,
    });
    const order = new Intl.Collator(locale());
    const sorted = contacts.map((c) => ({ c, title: contactTitle(c) }))
      .sort((a, b) => order.compare(a.title, b.title)).map(({ c }) => c);
    return { contacts: sorted, more };
  }

  /** Shows changes of other programs and pages without disturbing people at work here. */
  async refresh(): Promise<void> {
    await this.#loading;
    const asked = this.#asked;
    const got = await this.#request();
    // A request made meanwhile shows the change too.
    if (asked !== this.#asked) return;
    if (JSON.stringify(got) === JSON.stringify(this.#listed)) return;
    this.#listed = got;
    const focused = document.activeElement;
    const giveBack = this.#list.contains(focused) ? rememberFocus(focused) : undefined;
    const scrolled = this.#list.scrollTop;
    this.#draw();
    this.#list.scrollTop = scrolled;
    giveBack?.();
  }

  #rows(): HTMLButtonElement[] {
    return [...this.#list.querySelectorAll("button")];
  }

  focusFirst(): void {
    this.#rows()[0]?.focus();
  }

  /** Marks the contact that is shown. */
  mark(): void {
    for (const row of this.#rows()) {
      const place = { id: Number(row.dataset.id), owner: row.dataset.owner ?? "" };
      if (this.#o.isShown(place)) row.setAttribute("aria-current", "true");
      else row.removeAttribute("aria-current");
    }
  }

  #draw(): void {
    const { contacts, more } = this.#listed;
    fill(this.#list, contacts.map((c) => this.#row(c)));
    const none = contacts.length > 0 ? null : el(
      "p",
      {},
      this.#o.words().trim() === "" ? t("No contacts yet.") : t("No contact has these words."),
    );
    fill(
      this.#below,
      none,
      more && this.#limit < mostListed
        ? button(t("Show more"), () => {
          this.#limit = mostListed;
          void this.load();
        })
        : more
        ? el("p", { class: "hint" }, t("There are more: search for them."))
        : null,
    );
  }

  #row(row: ContactRow): HTMLElement {
    return el(
      "li",
      {},
      el(
        "button",
        {
          type: "button",
          class: "contact-row",
          "data-id": row.id,
          "data-owner": row.owner,
          "aria-current": this.#o.isShown(row) ? "true" : null,
          onclick: () => this.#o.show(row),
        },
        el("span", { dir: "auto" }, safeText(contactTitle(row))),
        row.name !== "" && row.emails.length > 0
          ? el("span", { class: "hint" }, safeText(row.emails[0]))
          : null,
      ),
    );
  }

  #key(event: KeyboardEvent): void {
    const rows = this.#rows();
    const at = rows.indexOf(document.activeElement as HTMLButtonElement);
    if (at < 0) return;
    const to = event.key === "ArrowDown"
      ? at + 1
      : event.key === "ArrowUp"
      ? at - 1
      : event.key === "Home"
      ? 0
      : event.key === "End"
      ? rows.length - 1
      : undefined;
    if (to === undefined) return;
    event.preventDefault();
    if (to < 0) this.#o.leave();
    else rows[Math.min(to, rows.length - 1)].focus();
  }
}
