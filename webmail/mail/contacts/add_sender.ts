/** The sender of a message as a contact. @module */
import { call } from "../../api/client.ts";
import { attempt, notice } from "../../lib/notify.ts";
import { t } from "../../lib/text.ts";
import { openEditor } from "./editor.ts";
import { contactTitle } from "./words.ts";

/** Offers to add a sender as a new contact, or shows that it is one. */
export function addSender(from: { name: string; address: string } | undefined): void {
  attempt(async () => {
    if (from === undefined || from.address === "") {
      throw new Error(t("This message names no sender."));
    }
    const { books } = await call("ContactBooks", {});
    const writable = books.filter((b) => b.writable);
    if (writable.length === 0) throw new Error(t("There is no address book."));
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
        books: writable,
      },
      saved: () => notice(t("Contact saved.")),
      newer: () => {},
    });
  });
}
