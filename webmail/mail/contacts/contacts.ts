/** The account's contacts: their list, a single one, and actions on them. @module */
import { call, CallError } from "../../api/client.ts";
import type { Contact, ContactBook, ContactRow } from "../../api/mod.ts";
import { button } from "../../lib/button.ts";
import { confirmDialog, type Dialog, openDialog, openMenu } from "../../lib/dialog.ts";
import { el, fill } from "../../lib/dom.ts";
import { rememberFocus } from "../../lib/focus.ts";
import { countText } from "../../lib/format.ts";
import { attempt, errorText } from "../../lib/notify.ts";
import { safeText } from "../../lib/scripts.ts";
import { locale, t } from "../../lib/text.ts";
import { watchGroupware } from "../groupware_changes.ts";
import { openDoubles } from "./doubles.ts";
import { type ContactPlace, openEditor } from "./editor.ts";
import { exportFile, importFile } from "./files.ts";
import { addToGroup } from "./groups.ts";
import { personView } from "./person.ts";
import { bookTitle, contactTitle } from "./words.ts";

/** Contacts that are listed at first, and after "Show more". */
const pageSize = 500;
const mostListed = 2000;
/** Milliseconds without a key until a search runs. */
const searchDelay = 200;

/** Shows the contacts. `compose`: writes to an address. */
export function openContacts(compose: (to: string) => void): void {
  attempt(async () => {
    const { books } = await call("ContactBooks", {});
    await new ContactsDialog(books, compose).load();
  });
}

/** Distinguishes books of all owners. */
const keyOf = (book: ContactBook) => `${book.id} ${book.owner}`;
const placeOf = ({ owner, id }: ContactPlace): ContactPlace => ({ owner, id });
const titleOf = (c: Contact) =>
  contactTitle({ name: c.name, emails: c.emails.map((e) => e.value) });

class ContactsDialog {
  #books: ContactBook[];
  readonly #compose: (to: string) => void;
  readonly #dialog: Dialog;
  readonly #list = el("ul", { class: "contact-list", "aria-label": t("Contacts") });
  readonly #below = el("div", {});
  readonly #person = el("section", { class: "contact-person", "aria-label": t("Contact") });
  readonly #notice = el("p", { role: "status", class: "hint" });
  readonly #problem = el("div", { role: "alert" });
  readonly #search: HTMLInputElement;
  readonly #book: HTMLSelectElement;
  readonly #file: HTMLInputElement;
  #limit = pageSize;
  #contacts: ContactRow[] = [];
  #shown: Contact | undefined;
  #more = false;
  /** The last question that a person asked. */
  #loading: Promise<void> = Promise.resolve();
  /** Of the last request: older answers are ignored. */
  #asked = 0;
  #askedPerson = 0;
  #importInto: ContactBook | undefined;

  constructor(books: ContactBook[], compose: (to: string) => void) {
    this.#books = books;
    this.#compose = compose;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const searchSoon = () => {
      clearTimeout(timer);
      timer = setTimeout(() => this.#again(), searchDelay);
    };
    this.#search = el("input", {
      type: "search",
      "aria-label": t("Search contacts"),
      placeholder: t("Search contacts"),
      maxlength: 200,
      oninput: searchSoon,
      onkeydown: (event: KeyboardEvent) => {
        if (event.key !== "ArrowDown") return;
        event.preventDefault();
        this.#rows()[0]?.focus();
      },
    });
    this.#book = el("select", {
      "aria-label": t("Address book"),
      onchange: () => this.#again(),
    });
    this.#drawBooks();
    this.#file = el("input", {
      type: "file",
      accept: ".vcf,text/vcard,text/x-vcard",
      class: "contact-file",
      "aria-label": t("File of contacts (.vcf)"),
      tabindex: -1,
      onchange: () => this.#import(),
    });
    const take: HTMLButtonElement = button(
      t("Import"),
      () =>
        this.#withBook(take, this.#writable(), (book) => {
          this.#importInto = book;
          this.#file.click();
        }),
      { title: t("Contacts of a file (.vcf)") },
    );
    const give: HTMLButtonElement = button(
      t("Export"),
      () => this.#withBook(give, this.#books, exportFile),
      { title: t("An address book as a file (.vcf)") },
    );
    this.#list.addEventListener("keydown", (e) => this.#listKey(e));
    this.#dialog = openDialog(
      t("Contacts"),
      el(
        "div",
        { class: "contacts" },
        el(
          "div",
          { class: "contact-tools" },
          this.#search,
          books.length > 1 ? this.#book : null,
          button(t("Add a contact"), () => this.#add(), { primary: true }),
          take,
          give,
          button(t("Find doubles"), () =>
            void this.#try(() =>
              openDoubles(() => {
                this.#hide();
                void this.load();
              })
            )),
          this.#file,
        ),
        this.#notice,
        this.#problem,
        el(
          "div",
          { class: "contact-panes" },
          el("div", { class: "contact-left" }, this.#list, this.#below),
          this.#person,
        ),
      ),
      {
        wide: true,
        onClose: () => unwatch(),
      },
    );
    this.#search.focus();
    const unwatch = watchGroupware("contacts", () => this.#refresh());
  }

  #drawBooks(): void {
    const chosen = this.#book.value;
    fill(
      this.#book,
      el("option", { value: "" }, t("All address books")),
      this.#books.map((b) =>
        el("option", { value: keyOf(b), selected: keyOf(b) === chosen }, bookTitle(b))
      ),
    );
  }

  /** Runs what a person asked for; what goes wrong is said in the dialog. */
  async #try(run: () => Promise<void>): Promise<void> {
    fill(this.#problem);
    fill(this.#notice);
    try {
      await run();
    } catch (e) {
      fill(this.#problem, el("p", { class: "error" }, errorText(e)));
    }
  }

  /** The chosen book; undefined for all. */
  #chosen(): ContactBook | undefined {
    return this.#books.find((b) => keyOf(b) === this.#book.value);
  }

  #writable(): ContactBook[] {
    return this.#books.filter((b) => b.writable);
  }

  /** The chosen one of some books, the only one, or one of a menu. */
  #withBook(at: Element, books: ContactBook[], run: (book: ContactBook) => void): void {
    const chosen = this.#chosen();
    const one = books.find((b) => b === chosen) ?? (books.length === 1 ? books[0] : undefined);
    if (one !== undefined) return run(one);
    if (books.length === 0) {
      return fill(this.#problem, el("p", { class: "error" }, t("There is no address book.")));
    }
    openMenu(
      at,
      books.map((b) => ({ text: bookTitle(b), run: () => run(b) })),
      t("Address book"),
    );
  }

  #again(): void {
    this.#limit = pageSize;
    void this.load();
  }

  /** Requests the list again. */
  load(): Promise<void> {
    return this.#loading = this.#try(async () => {
      const asked = ++this.#asked;
      const got = await this.#listed();
      if (asked !== this.#asked) return;
      this.#contacts = got.contacts;
      this.#more = got.more;
      this.#drawList();
    });
  }

  /** The contacts of the chosen books that have the words of the search, by name. */
  async #listed(): Promise<{ contacts: ContactRow[]; more: boolean }> {
    const book = this.#chosen();
    const { contacts, more } = await call("ContactList", {
      owner: book?.owner ?? "",
      bookId: book?.id ?? null,
      search: this.#search.value,
      limit: this.#limit,
    });
    const order = new Intl.Collator(locale());
    const sorted = contacts.map((c) => ({ c, title: contactTitle(c) }))
      .sort((a, b) => order.compare(a.title, b.title)).map(({ c }) => c);
    return { contacts: sorted, more };
  }

  /** Shows changes of other programs and pages without disturbing people at work here. */
  async #refresh(): Promise<void> {
    await this.#refreshList();
    await this.#refreshPerson();
  }

  async #refreshList(): Promise<void> {
    await this.#loading;
    const asked = this.#asked;
    const got = await this.#listed();
    // A request made meanwhile shows the change too.
    if (asked !== this.#asked) return;
    const textOf = (c: readonly ContactRow[], more: boolean) => JSON.stringify([c, more]);
    if (textOf(got.contacts, got.more) === textOf(this.#contacts, this.#more)) return;
    this.#contacts = got.contacts;
    this.#more = got.more;
    const focused = document.activeElement;
    const giveBack = this.#list.contains(focused) ? rememberFocus(focused) : undefined;
    const scrolled = this.#list.scrollTop;
    this.#drawList();
    this.#list.scrollTop = scrolled;
    giveBack?.();
  }

  async #refreshPerson(): Promise<void> {
    const shown = this.#shown;
    if (shown === undefined) return;
    const asked = this.#askedPerson;
    let contact: Contact | undefined;
    try {
      ({ contact } = await call("ContactGet", placeOf(shown)));
    } catch (err) {
      if (!(err instanceof CallError && err.code === "missing")) throw err;
    }
    if (asked !== this.#askedPerson || this.#shown !== shown) return;
    if (JSON.stringify(contact) === JSON.stringify(shown)) return;
    const within = this.#person.contains(document.activeElement);
    if (contact === undefined) {
      this.#hide();
      fill(this.#notice, t("{0} was deleted elsewhere.", titleOf(shown)));
      if (within) this.#search.focus();
      return;
    }
    const giveBack = within ? rememberFocus(document.activeElement) : undefined;
    this.#drawPerson(contact);
    giveBack?.();
  }

  #rows(): HTMLButtonElement[] {
    return [...this.#list.querySelectorAll("button")];
  }

  #drawList(): void {
    const more = this.#more;
    fill(this.#list, this.#contacts.map((c) => this.#row(c)));
    const none = this.#contacts.length === 0
      ? el(
        "p",
        {},
        this.#search.value.trim() === "" ? t("No contacts yet.") : t("No contact has these words."),
      )
      : null;
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
          "aria-current": this.#isShown(row.id, row.owner) ? "true" : null,
          onclick: () => void this.#show(row),
        },
        el("span", { dir: "auto" }, safeText(contactTitle(row))),
        row.name !== "" && row.emails.length > 0
          ? el("span", { class: "hint" }, safeText(row.emails[0]))
          : null,
      ),
    );
  }

  #listKey(event: KeyboardEvent): void {
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
    if (to < 0) this.#search.focus();
    else rows[Math.min(to, rows.length - 1)].focus();
  }

  #isShown(id: number, owner: string): boolean {
    return this.#shown?.id === id && this.#shown.owner === owner;
  }

  async #show(place: ContactPlace): Promise<void> {
    await this.#try(async () => {
      const asked = ++this.#askedPerson;
      const { contact } = await call("ContactGet", placeOf(place));
      if (asked !== this.#askedPerson) return;
      this.#drawPerson(contact);
      this.#person.querySelector("h3")?.focus();
    });
  }

  #drawPerson(contact: Contact): void {
    const { id, owner } = contact;
    this.#shown = contact;
    for (const row of this.#rows()) {
      if (this.#isShown(Number(row.dataset.id), row.dataset.owner ?? "")) {
        row.setAttribute("aria-current", "true");
      } else row.removeAttribute("aria-current");
    }
    fill(
      this.#person,
      personView(contact, {
        compose: (to) => {
          this.#dialog.close();
          this.#compose(to);
        },
        show: (other) => void this.#show(other),
        toGroup: (at) => void this.#try(() => this.#toGroup(at, contact)),
        outOfGroup: (m) =>
          void this.#try(async () => {
            await call("ContactGroupChange", { owner, group: { id }, add: [], remove: [m.id] });
            await this.#stored(contact, t("{0} removed.", contactTitle(m)));
          }),
        edit: () => this.#edit(contact),
        remove: () => void this.#remove(contact),
      }),
    );
  }

  #toGroup(at: Element, contact: Contact): Promise<void> {
    return addToGroup(
      at,
      contact,
      (work) => this.#try(work),
      (name) => void this.#stored(contact, t("Added to {0}.", name)),
    );
  }

  #hide(): void {
    this.#askedPerson++;
    this.#shown = undefined;
    fill(this.#person);
  }

  /** After a change: shows the stored state. */
  async #stored(place: ContactPlace | undefined, done: string): Promise<void> {
    await this.load();
    if (place === undefined) {
      this.#hide();
      this.#search.focus();
    } else await this.#show(place);
    fill(this.#notice, done);
  }

  #add(): void {
    const writable = this.#writable();
    if (writable.length === 0) {
      return fill(this.#problem, el("p", { class: "error" }, t("There is no address book.")));
    }
    const chosen = this.#chosen();
    const books = writable.sort((a, b) => Number(b === chosen) - Number(a === chosen));
    openEditor({
      from: { start: {}, books },
      saved: (stored) => void this.#stored(stored, t("Contact saved.")),
      newer: () => {},
    });
  }

  #edit(contact: Contact): void {
    openEditor({
      from: { contact },
      saved: (stored) => void this.#stored(stored, t("Contact saved.")),
      newer: () => void this.#stored(contact, ""),
    });
  }

  async #remove(contact: Contact): Promise<void> {
    const title = titleOf(contact);
    const yes = await confirmDialog(
      t("Delete contact"),
      contact.owner === ""
        ? t("{0} is removed from the address book, here and on your other devices.", title)
        : t("{0} is removed from the address book of {1}.", title, contact.owner),
      t("Delete"),
      { danger: true },
    );
    if (!yes) return;
    await this.#try(async () => {
      await call("ContactDelete", { ...placeOf(contact), etag: contact.etag });
      await this.#stored(undefined, t("Contact deleted."));
    });
  }

  #import(): void {
    const file = this.#file.files?.[0];
    this.#file.value = "";
    const into = this.#importInto;
    if (file === undefined || into === undefined) return;
    void this.#try(async () => {
      fill(this.#notice, t("Importing…"));
      try {
        const r = await importFile(into, file);
        await this.load();
        const done = t("{0} imported.", countText(r.imported, "contact"));
        fill(
          this.#notice,
          r.leftOut === 0 ? done : `${done} ${t("Left out: {0}", r.leftOut)}`,
        );
        if (r.left.length > 0) {
          fill(this.#problem, el("ul", { class: "error" }, r.left.map((s) => el("li", {}, s))));
        }
      } catch (e) {
        fill(this.#notice);
        throw e;
      }
    });
  }
}
