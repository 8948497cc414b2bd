/** What the calls about contacts do. @module */
import type { Contact } from "../../../../webmail/api/mod.ts";
import type { contactCalls } from "../../../../webmail/api/contacts.ts";
import { CardError, readCard, texts } from "../../../mail/vcard/card.ts";
import { cardFields, changeCard, newCard } from "../../../mail/vcard/edit.ts";
import type { Account } from "../../../store/account/account.ts";
import type { Groupware } from "../../../store/groupware/groupware.ts";
import { GroupwareError } from "../../../store/groupware/types.ts";
import { type CallHandlers, HttpError, UserError } from "../../http/mod.ts";
import { missing } from "../errors.ts";
import type { AddressBooks } from "../sending/address_book.ts";
import type { Uploads } from "../sending/uploads.ts";
import { addressBook, addressBooks, bookName, contactRow } from "./books.ts";
import { cardToStore } from "./cards.ts";
import { findDoubles, mergeContacts } from "./doubles.ts";
import { changeGroup, groupMembers, listGroups } from "./groups.ts";
import { importContacts } from "./import.ts";
import { findContacts } from "./search.ts";

/** Words of a search. */
const maxWords = 10;
/** Properties that are shown beside the form's. */
const shownProperties = ["NICKNAME", "TITLE", "ADR", "BDAY", "URL"] as const;
/** Values of these that a contact shows. */
const maxShown = 50;
/** Characters of each. */
const maxShownText = 1000;

/** Refusals in words for people. */
async function inWords<T>(fn: () => Promise<T>): Promise<T> {
  try {
    return await fn();
  } catch (err) {
    if (err instanceof CardError) throw new UserError(err.message, { cause: err });
    if (!(err instanceof GroupwareError)) throw err;
    switch (err.kind) {
      case "condition":
        throw new HttpError(
          409,
          "this contact was changed elsewhere meanwhile: look at the newer version first",
          {},
          { cause: err },
        );
      case "missing":
        throw missing("contact");
      default:
        throw new UserError(err.message, { cause: err });
    }
  }
}

function contact(groupware: Groupware, id: number): Contact {
  const row = contactRow(groupware, id);
  const card = readCard(groupware.content(id) ?? new Uint8Array(0));
  const fields = cardFields(card.component);
  const stored = <T extends { at: number | null }>(list: T[]) =>
    list.map((e) => ({ ...e, at: e.at! }));
  return {
    id,
    bookId: row.collectionId,
    etag: row.etag,
    group: card.group,
    members: card.group ? groupMembers(groupware, id) : [],
    ...fields,
    emails: stored(fields.emails),
    phones: stored(fields.phones),
    others: shownProperties.flatMap((name) =>
      texts(card.component, name).map((text) => ({
        name,
        value: (name === "ADR"
          ? text.split(";").map((s) => s.trim()).filter((s) => s !== "").join(", ")
          : text).slice(0, maxShownText),
      }))
    ).filter((o) => o.value !== "").slice(0, maxShown),
  };
}

/** The handlers; `account` finds who calls. */
export function contactHandlers<C>(
  state: { uploads: Uploads; books: AddressBooks },
  accountOf: (ctx: C) => Account,
): CallHandlers<typeof contactCalls, C> {
  return {
    async ContactBooks(_r, ctx) {
      const g = await accountOf(ctx).groupware();
      return {
        books: addressBooks(g).map((collection) => ({
          id: collection.id,
          name: bookName(g, collection),
          count: g.count(collection.id),
        })),
      };
    },
    async ContactList(r, ctx) {
      const g = await accountOf(ctx).groupware();
      const books = r.bookId === null ? addressBooks(g) : [addressBook(g, r.bookId)];
      const words = r.search.toLowerCase().split(/\s+/).filter((s) => s !== "").slice(0, maxWords);
      return await findContacts(g, books, words, r.limit);
    },
    async ContactGet(r, ctx) {
      const g = await accountOf(ctx).groupware();
      return await inWords(() => Promise.resolve({ contact: contact(g, r.id) }));
    },
    async ContactAdd(r, ctx) {
      const account = accountOf(ctx);
      const g = await account.groupware();
      const book = addressBook(g, r.bookId);
      const uid = crypto.randomUUID();
      return await inWords(async () => {
        const card = changeCard(newCard(uid), r.fields);
        const { row } = await g.put(book.id, cardToStore(`${uid}.vcf`, card), { ifNoneMatch: "*" });
        state.books.forget(account.name);
        return { id: row.id };
      });
    },
    async ContactChange(r, ctx) {
      const account = accountOf(ctx);
      const g = await account.groupware();
      const row = contactRow(g, r.id);
      return await inWords(async () => {
        // Where fields stand is true of one version only.
        if (row.etag !== r.etag) throw new GroupwareError("condition", "another version");
        const { component } = readCard(g.content(row.id) ?? new Uint8Array(0));
        const card = changeCard(component, r.fields);
        if (card === component) return { etag: row.etag };
        const stored = await g.put(row.collectionId, cardToStore(row.name, card), {
          ifMatch: [r.etag],
        });
        state.books.forget(account.name);
        return { etag: stored.row.etag };
      });
    },
    async ContactDelete(r, ctx) {
      const account = accountOf(ctx);
      const g = await account.groupware();
      const row = contactRow(g, r.id);
      await inWords(() => g.remove(row.collectionId, row.name, { ifMatch: [r.etag] }));
      state.books.forget(account.name);
      return {};
    },
    async ContactGroups(_r, ctx) {
      return { groups: await listGroups(await accountOf(ctx).groupware()) };
    },
    async ContactGroupChange(r, ctx) {
      const account = accountOf(ctx);
      const g = await account.groupware();
      try {
        return await inWords(() => changeGroup(g, r));
      } finally {
        state.books.forget(account.name);
      }
    },
    async ContactDoubles(_r, ctx) {
      return await findDoubles(await accountOf(ctx).groupware());
    },
    async ContactMerge(r, ctx) {
      const account = accountOf(ctx);
      const g = await account.groupware();
      try {
        return await inWords(() => mergeContacts(g, r));
      } finally {
        state.books.forget(account.name);
      }
    },
    async ContactImport(r, ctx) {
      const account = accountOf(ctx);
      const g = await account.groupware();
      const book = addressBook(g, r.bookId);
      const file = state.uploads.get(account.name, r.uploadId);
      try {
        return await inWords(() => importContacts(account.name, g, book, file.path, file.size));
      } finally {
        state.uploads.remove(account.name, r.uploadId);
        state.books.forget(account.name);
      }
    },
  };
}
