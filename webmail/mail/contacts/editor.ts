/** The form of a contact. @module */
import { call, CallError } from "../../api/client.ts";
import type { Contact, ContactBook, ContactEntry, ContactFields } from "../../api/mod.ts";
import { button } from "../../lib/button.ts";
import { openDialog } from "../../lib/dialog.ts";
import { el, field, fill } from "../../lib/dom.ts";
import { errorText } from "../../lib/notify.ts";
import { t } from "../../lib/text.ts";
import { bookTitle, kindWords } from "./words.ts";

/** Which contact it is. */
export type ContactPlace = Pick<Contact, "owner" | "id">;

/** What a form of a new contact begins with. */
export interface NewContact {
  given?: string;
  family?: string;
  name?: string;
  email?: string;
}

export interface EditorOptions {
  /** The contact that is edited, or what a new one begins with. */
  from: { contact: Contact } | { start: NewContact; books: readonly ContactBook[] };
  /** Receives the stored contact. */
  saved: (stored: ContactPlace) => void;
  /** It was changed elsewhere meanwhile, and the newer version is wanted. */
  newer: () => void;
}

/** Rows of addresses or numbers. */
class EntryRows {
  readonly root: HTMLElement;
  readonly #list = el("ul", { class: "contact-entries" });
  readonly #rows: { at: number | null; kind: HTMLSelectElement; value: HTMLInputElement }[] = [];
  readonly #label: string;
  readonly #type: string;

  constructor(
    name: string,
    label: string,
    add: string,
    type: "email" | "tel",
    entries: readonly ContactEntry[],
  ) {
    this.#label = label;
    this.#type = type;
    for (const e of entries) this.#add(e);
    if (entries.length === 0) this.#add({ at: null, kind: "", value: "" });
    const more = button(add, () => {
      this.#add({ at: null, kind: "", value: "" });
      this.#rows.at(-1)!.value.focus();
    });
    this.root = el("fieldset", { class: "contact-part" }, el("legend", {}, name), this.#list, more);
  }

  #add(entry: ContactEntry): void {
    const kind = el(
      "select",
      { "aria-label": t("What for") },
      Object.entries(kindWords).map(([value, text]) =>
        el("option", { value, selected: value === entry.kind }, text)
      ),
    );
    // As text: what other programs stored need not be what browsers take for an address.
    const value = el("input", {
      type: "text",
      inputmode: this.#type,
      value: entry.value,
      "aria-label": this.#label,
      autocomplete: "off",
      spellcheck: "false",
      maxlength: 1000,
      dir: "auto",
    });
    const row = { at: entry.at, kind, value };
    const line = el(
      "li",
      {},
      kind,
      value,
      button(t("Remove"), () => {
        const i = this.#rows.indexOf(row);
        this.#rows.splice(i, 1);
        line.remove();
        (this.#rows[Math.min(i, this.#rows.length - 1)]?.value ??
          this.root.querySelector<HTMLElement>(":scope > button"))?.focus();
      }),
    );
    this.#rows.push(row);
    this.#list.append(line);
  }

  read(): ContactEntry[] {
    return this.#rows.map(({ at, kind, value }) => ({
      at,
      kind: kind.value as ContactEntry["kind"],
      value: value.value,
    }));
  }
}

/** The name made from the other fields. */
const derived = (given: string, family: string) => `${given.trim()} ${family.trim()}`.trim();

/** Opens the form. */
export function openEditor(options: EditorOptions): void {
  const old = "contact" in options.from ? options.from.contact : undefined;
  const start: NewContact = "start" in options.from ? options.from.start : {};
  const books = "books" in options.from ? options.from.books : [];
  const input = (value: string, maxlength: number) =>
    el("input", { type: "text", value, maxlength, autocomplete: "off", dir: "auto" });
  const given = input(old?.given ?? start.given ?? "", 500);
  const family = input(old?.family ?? start.family ?? "", 500);
  const whole = old?.name ?? start.name ?? "";
  // What follows from the fields above it is made anew when they change.
  const name = input(whole === derived(given.value, family.value) ? "" : whole, 1000);
  const organisation = input(old?.organisation ?? "", 1000);
  const hint = () => name.placeholder = derived(given.value, family.value) || organisation.value;
  for (const e of [given, family, organisation]) e.addEventListener("input", hint);
  hint();
  const note = el("textarea", { rows: 4, maxlength: 100_000, dir: "auto" });
  note.value = old?.note ?? "";
  const book = el(
    "select",
    {},
    books.map((b, i) => el("option", { value: i }, bookTitle(b))),
  );
  const emails = new EntryRows(
    t("E-mail"),
    t("E-mail address"),
    t("Add an address"),
    "email",
    old?.emails ?? (start.email ? [{ at: null, kind: "", value: start.email }] : []),
  );
  const phones = new EntryRows(
    t("Telephone"),
    t("Telephone number"),
    t("Add a number"),
    "tel",
    old?.phones ?? [],
  );
  const problem = el("div", { role: "alert" });
  const save = el("button", { type: "submit", class: "primary" }, t("Save"));

  const read = (): ContactFields => ({
    name: name.value,
    given: given.value,
    family: family.value,
    organisation: organisation.value,
    emails: emails.read(),
    phones: phones.read(),
    ...note.value === (old?.note ?? "") ? {} : { note: note.value },
  });
  const submit = async (event: Event) => {
    event.preventDefault();
    if (save.disabled) return;
    save.disabled = true;
    fill(problem);
    try {
      if (old !== undefined) {
        const { owner, id, etag } = old;
        await call("ContactChange", { owner, id, etag, fields: read() });
        dialog.close();
        options.saved({ owner, id });
      } else {
        const { owner, id: bookId } = books[Number(book.value)];
        const { id } = await call("ContactAdd", { owner, bookId, fields: read() });
        dialog.close();
        options.saved({ owner, id });
      }
    } catch (err) {
      const conflict = err instanceof CallError && err.code === "conflict";
      fill(
        problem,
        el("p", { class: "error" }, errorText(err)),
        conflict && button(t("Show the newer version"), () => {
          dialog.close();
          options.newer();
        }),
      );
    } finally {
      save.disabled = false;
    }
  };
  const dialog = openDialog(
    old === undefined ? t("New contact") : t("Edit contact"),
    el(
      "form",
      { class: "contact-form", onsubmit: submit },
      field(t("First name"), given),
      field(t("Last name"), family),
      field(t("Shown as"), name),
      field(t("Organisation"), organisation),
      emails.root,
      phones.root,
      field(t("Note"), note),
      books.length > 1 ? field(t("Address book"), book) : null,
      problem,
      el("div", { class: "buttons" }, button(t("Cancel"), () => dialog.close()), save),
    ),
  );
  given.focus();
}
