/** The account's contacts: their list, one of them, and what can be done with them. @module */
import { call } from "../../api/client.ts";
import type { Contact, ContactBook, ContactRow } from "../../api/mod.ts";
import { button } from "../../lib/button.ts";
import { confirmDialog, type Dialog, openDialog, openMenu } from "../../lib/dialog.ts";
import { el, fill } from "../../lib/dom.ts";
import { countText } from "../../lib/format.ts";
import { attempt, errorText, notice } from "../../lib/notify.ts";
import { safeText } from "../../lib/scripts.ts";
import { locale, t } from "../../lib/text.ts";
import { openDoubles } from "./doubles.ts";
import { openEditor } from "./editor.ts";
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

/** Offers a sender as a new contact, or says that it is one. */
export function addSender(from: { name: string; address: string } | undefined): void {
  attempt(async () => {
    if (from === undefined || from.address === "") {
      throw new Error(t("This message names no sender."));
    }
    const { books } = await call("ContactBooks", {});
    if (books.length === 0) throw new Error(t("There is no address book."));
    const known = await call("ContactList", {
      bookId: null,
      search: from.address.slice(0, 200),
      limit: 20,
    });
    const same = (e: string) => e.toLowerCase() === from.address.toLowerCase();
    const found = known.contacts.find((c) => c.emails.some(same));
    if (found !== undefined) {
      notice(t("{0} is a contact already: {1}", from.address, contactTitle(found)));
      return;
    }
    const words = from.name.trim().split(/\s+/).filter((w) => w !== "");
    openEditor({
      from: {
        start: words.length === 2
          ? { given: words[0], family: words[1], email: from.address }
          : { name: from.name, email: from.address },
        books,
      },
      saved: () => notice(t("Contact saved.")),
      newer: () => {},
    });
  });
}

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
  #shown: number | undefined;
  /** Of what was asked last: older answers are passed over. */
  #asked = 0;
  #askedPerson = 0;
  #importInto = 0;

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
        this.#withBook(take, (id) => {
          this.#importInto = id;
          this.#file.click();
        }),
      { title: t("Contacts of a file (.vcf)") },
    );
    const give: HTMLButtonElement = button(
      t("Export"),
      () => this.#withBook(give, exportFile),
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
      { wide: true },
    );
    this.#search.focus();
  }

  #drawBooks(): void {
    const chosen = this.#book.value;
    fill(
      this.#book,
      el("option", { value: "" }, t("All address books")),
      this.#books.map((b) =>
        el("option", { value: b.id, selected: String(b.id) === chosen }, bookTitle(b))
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

  #bookId(): number | null {
    return this.#book.value === "" ? null : Number(this.#book.value);
  }

  /** The chosen book, the only one, or one of a menu. */
  #withBook(at: Element, run: (id: number) => void): void {
    const id = this.#bookId() ?? (this.#books.length === 1 ? this.#books[0].id : null);
    if (id !== null) return run(id);
    if (this.#books.length === 0) {
      return fill(this.#problem, el("p", { class: "error" }, t("There is no address book.")));
    }
    openMenu(
      at,
      this.#books.map((b) => ({ text: bookTitle(b), run: () => run(b.id) })),
      t("Address book"),
    );
  }

  #again(): void {
    this.#limit = pageSize;
    void this.load();
  }

  /** Asks for the list anew. */
  async load(): Promise<void> {
    await this.#try(async () => {
      const asked = ++this.#asked;
      const { contacts, more } = await call("ContactList", {
        bookId: this.#bookId(),
        search: this.#search.value,
        limit: this.#limit,
      });
      if (asked !== this.#asked) return;
      const order = new Intl.Collator(locale());
      this.#contacts = contacts.map((c) => ({ c, title: contactTitle(c) }))
        .sort((a, b) => order.compare(a.title, b.title)).map(({ c }) => c);
      this.#drawList(more);
    });
  }

  #rows(): HTMLButtonElement[] {
    return [...this.#list.querySelectorAll("button")];
  }

  #drawList(more: boolean): void {
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
          "aria-current": row.id === this.#shown ? "true" : null,
          onclick: () => void this.#show(row.id),
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

  async #show(id: number): Promise<void> {
    await this.#try(async () => {
      const asked = ++this.#askedPerson;
      const { contact } = await call("ContactGet", { id });
      if (asked !== this.#askedPerson) return;
      this.#shown = id;
      for (const row of this.#rows()) {
        if (row.dataset.id === String(id)) row.setAttribute("aria-current", "true");
        else row.removeAttribute("aria-current");
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
              await call("ContactGroupChange", { group: { id }, add: [], remove: [m.id] });
              await this.#stored(id, t("{0} removed.", contactTitle(m)));
            }),
          edit: () => this.#edit(contact),
          remove: () => void this.#remove(contact),
        }),
      );
      this.#person.querySelector("h3")?.focus();
    });
  }

  #toGroup(at: Element, contact: Contact): Promise<void> {
    return addToGroup(
      at,
      contact,
      (work) => this.#try(work),
      (name) => void this.#stored(contact.id, t("Added to {0}.", name)),
    );
  }

  #hide(): void {
    this.#askedPerson++;
    this.#shown = undefined;
    fill(this.#person);
  }

  /** After a change: what is shown is what is stored. */
  async #stored(id: number | undefined, done: string): Promise<void> {
    await this.load();
    if (id === undefined) {
      this.#hide();
      this.#search.focus();
    } else await this.#show(id);
    fill(this.#notice, done);
  }

  #add(): void {
    if (this.#books.length === 0) {
      return fill(this.#problem, el("p", { class: "error" }, t("There is no address book.")));
    }
    const chosen = this.#bookId();
    const books = [...this.#books].sort((a, b) =>
      Number(b.id === chosen) - Number(a.id === chosen)
    );
    openEditor({
      from: { start: {}, books },
      saved: (id) => void this.#stored(id, t("Contact saved.")),
      newer: () => {},
    });
  }

  #edit(contact: Contact): void {
    openEditor({
      from: { contact },
      saved: (id) => void this.#stored(id, t("Contact saved.")),
      newer: () => void this.#stored(contact.id, ""),
    });
  }

  async #remove(contact: Contact): Promise<void> {
    const emails = contact.emails.map((e) => e.value);
    const title = contactTitle({ name: contact.name, emails });
    const yes = await confirmDialog(
      t("Delete contact"),
      t("{0} is removed from the address book, here and on your other devices.", title),
      t("Delete"),
      { danger: true },
    );
    if (!yes) return;
    await this.#try(async () => {
      await call("ContactDelete", { id: contact.id, etag: contact.etag });
      await this.#stored(undefined, t("Contact deleted."));
    });
  }

  #import(): void {
    const file = this.#file.files?.[0];
    this.#file.value = "";
    if (file === undefined) return;
    void this.#try(async () => {
      fill(this.#notice, t("Importing…"));
      try {
        const r = await importFile(this.#importInto, file);
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
