/** The pane of one contact: which one is shown, and that it stays up to date. @module */
import { call, CallError } from "../../api/client.ts";
import type { Contact } from "../../api/mod.ts";
import { type Child, el, fill } from "../../lib/dom.ts";
import { rememberFocus } from "../../lib/focus.ts";
import { t } from "../../lib/text.ts";
import type { ContactPlace } from "./editor.ts";

export const placeOf = ({ owner, id }: ContactPlace): ContactPlace => ({ owner, id });

export interface ContactPaneOptions {
  view(contact: Contact): Child[];
  /** Another contact is shown, or none. */
  changed(): void;
  /** The shown contact was deleted by another program. @param within whether the focus was in the pane */
  gone(contact: Contact, within: boolean): void;
}

export class ContactPane {
  readonly #o: ContactPaneOptions;
  readonly element = el("section", { class: "contact-person", "aria-label": t("Contact") });
  #shown: Contact | undefined;
  /** Of the last request: older answers are ignored. */
  #asked = 0;

  constructor(options: ContactPaneOptions) {
    this.#o = options;
  }

  isShown({ id, owner }: ContactPlace): boolean {
    return this.#shown?.id === id && this.#shown.owner === owner;
  }

  async show(place: ContactPlace): Promise<void> {
    const asked = ++this.#asked;
    const { contact } = await call("ContactGet", placeOf(place));
    if (asked !== this.#asked) return;
    this.#draw(contact);
    this.element.querySelector("h3")?.focus();
  }

  #draw(contact: Contact): void {
    this.#shown = contact;
    this.#o.changed();
    fill(this.element, this.#o.view(contact));
  }

  hide(): void {
    this.#asked++;
    this.#shown = undefined;
    fill(this.element);
  }

  /** Shows changes of other programs and pages; the focus stays. */
  async refresh(): Promise<void> {
    const shown = this.#shown;
    if (shown === undefined) return;
    const asked = this.#asked;
    let contact: Contact | undefined;
    try {
      ({ contact } = await call("ContactGet", placeOf(shown)));
    } catch (err) {
      if (!(err instanceof CallError && err.code === "missing")) throw err;
    }
    if (asked !== this.#asked || this.#shown !== shown) return;
    if (JSON.stringify(contact) === JSON.stringify(shown)) return;
    const within = this.element.contains(document.activeElement);
    if (contact === undefined) {
      this.hide();
      this.#o.gone(shown, within);
      return;
    }
    const giveBack = within ? rememberFocus(document.activeElement) : undefined;
    this.#draw(contact);
    giveBack?.();
  }
}
