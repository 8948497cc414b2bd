/** Finding contacts, in turns with other work: a book may have very many. @module */
import type { ContactRow } from "../../../../webmail/api/mod.ts";
import { giveWay } from "../../../platform/turns.ts";
import type { Groupware } from "../../../store/groupware/groupware.ts";
import type { Collection } from "../../../store/groupware/types.ts";

/** Contacts that are read at once. */
const atOnce = 200;

interface Found {
  /** What they are ordered by. */
  key: string;
  row: ContactRow;
}

/** The contacts of books whose text has all words (lower case), by name: the first ones. */
export class ContactSearch {
  #found: Found[] = [];
  #more = false;
  readonly #words: readonly string[];
  readonly #limit: number;

  constructor(words: readonly string[], limit: number) {
    this.#words = words;
    this.#limit = limit;
  }

  /** Looks through books of an account. */
  async add(g: Groupware, books: readonly Collection[], owner: string): Promise<void> {
    for (const book of books) {
      for (let after = "";;) {
        const rows = g.objects(book.id, after, atOnce);
        for (const r of rows) {
          if (!this.#words.every((w) => r.search.includes(w))) continue;
          const row = { id: r.id, owner, bookId: book.id, name: r.summary, emails: [...r.emails] };
          this.#found.push({ key: (r.summary || r.emails[0] || "").toLowerCase(), row });
        }
        if (this.#found.length > 2 * this.#limit + atOnce) this.#cut();
        if (rows.length < atOnce) break;
        after = rows.at(-1)!.name;
        await giveWay();
      }
    }
  }

  #cut(): void {
    this.#found.sort((a, b) => a.key < b.key ? -1 : a.key > b.key ? 1 : a.row.id - b.row.id);
    this.#more ||= this.#found.length > this.#limit;
    this.#found = this.#found.slice(0, this.#limit);
  }

  /** The contacts, and whether there are more. */
  done(): { contacts: ContactRow[]; more: boolean } {
    this.#cut();
    return { contacts: this.#found.map((f) => f.row), more: this.#more };
  }
}
