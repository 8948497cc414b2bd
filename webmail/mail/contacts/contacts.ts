/** The account's contacts: the dialog with their list and one of them, and what can be done there. @module */
import { call } from "../../api/client.ts";
import type { Contact, ContactBook } from "../../api/mod.ts";
import { button } from "../../lib/button.ts";
import { confirmDialog, type Dialog, openDialog, openMenu } from "../../lib/dialog.ts";
import { el, fill } from "../../lib/dom.ts";
import { countText } from "../../lib/format.ts";
import { attempt, errorText } from "../../lib/notify.ts";
import { t } from "../../lib/text.ts";
import { watchGroupware } from "../groupware_changes.ts";
import { openDoubles } from "./doubles.ts";
import { type ContactPlace, openEditor } from "./editor.ts";
import { exportFile, importFile } from "./files.ts";
import { addToGroup } from "./groups.ts";
import { ContactList } from "./list.ts";
import { ContactPane, placeOf } from "./pane.ts";
import { personView } from "./person.ts";
import { bookTitle, contactTitle } from "./words.ts";

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
const titleOf = (c: Contact) =>
  contactTitle({ name: c.name, emails: c.emails.map((e) => e.value) });

class ContactsDialog {
  #books: ContactBook[];
  readonly #compose: (to: string) => void;
  readonly #dialog: Dialog;
  readonly #list: ContactList;
  readonly #person: ContactPane;
  readonly #notice = el("p", { role: "status", class: "hint" });
  readonly #problem = el("div", { role: "alert" });
  readonly #search: HTMLInputElement;
  readonly #book: HTMLSelectElement;
  readonly #file: HTMLInputElement;
  #importInto: ContactBook | undefined;

  constructor(books: ContactBook[], compose: (to: string) => void) {
    this.#books = books;
    this.#compose = compose;
    this.#person = new ContactPane({
      view: (contact) => this.#view(contact),
      changed: () => this.#list.mark(),
      gone: (contact, within) => {
        fill(this.#notice, t("{0} was deleted elsewhere.", titleOf(contact)));
        if (within) this.#search.focus();
      },
    });
    this.#list = new ContactList({
      words: () => this.#search.value,
      book: () => this.#chosen(),
      show: (row) => void this.#show(row),
      isShown: (place) => this.#person.isShown(place),
      leave: () => this.#search.focus(),
      work: (run) => this.#try(run),
    });
    let timer: ReturnType<typeof setTimeout> | undefined;
    const searchSoon = () => {
      clearTimeout(timer);
      timer = setTimeout(() => this.#list.again(), searchDelay);
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
        this.#list.focusFirst();
      },
    });
    this.#book = el("select", {
      "aria-label": t("Address book"),
      onchange: () => this.#list.again(),
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
                this.#person.hide();
                void this.load();
              })
            )),
          this.#file,
        ),
        this.#notice,
        this.#problem,
        el("div", { class: "contact-panes" }, this.#list.element, this.#person.element),
      ),
      {
        wide: true,
        onClose: () => unwatch(),
      },
    );
    this.#search.focus();
    const unwatch = watchGroupware("contacts", async () => {
      await this.#list.refresh();
      await this.#person.refresh();
    });
  }

  /** Requests the list. */
  load(): Promise<void> {
    return this.#list.load();
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

  #show(place: ContactPlace): Promise<void> {
    return this.#try(() => this.#person.show(place));
  }

  /** A contact, with what can be done with it. */
  #view(contact: Contact) {
    const { id, owner } = contact;
    return personView(contact, {
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
    });
  }

  #toGroup(at: Element, contact: Contact): Promise<void> {
    return addToGroup(
      at,
      contact,
      (work) => this.#try(work),
      (name) => void this.#stored(contact, t("Added to {0}.", name)),
    );
  }

  /** After a change: shows the stored state. */
  async #stored(place: ContactPlace | undefined, done: string): Promise<void> {
    await this.load();
    if (place === undefined) {
      this.#person.hide();
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
