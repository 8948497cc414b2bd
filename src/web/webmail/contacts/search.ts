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

/** The contacts of books whose text has all words (lower case), by name: the first ones, and whether there are more. */
export async function findContacts(
  groupware: Groupware,
  books: readonly Collection[],
  words: readonly string[],
  limit: number,
): Promise<{ contacts: ContactRow[]; more: boolean }> {
  let found: Found[] = [];
  let more = false;
  const cut = () => {
    found.sort((a, b) => a.key < b.key ? -1 : a.key > b.key ? 1 : a.row.id - b.row.id);
    more ||= found.length > limit;
    found = found.slice(0, limit);
  };
  for (const book of books) {
    for (let after = "";;) {
      const rows = groupware.objects(book.id, after, atOnce);
      for (const r of rows) {
        if (!words.every((w) => r.search.includes(w))) continue;
        const row = { id: r.id, bookId: book.id, name: r.summary, emails: [...r.emails] };
        found.push({ key: (r.summary || r.emails[0] || "").toLowerCase(), row });
      }
      if (found.length > 2 * limit + atOnce) cut();
      if (rows.length < atOnce) break;
      after = rows.at(-1)!.name;
      await giveWay();
    }
  }
  cut();
  return { contacts: found.map((f) => f.row), more };
}
