/** Handlers of the calls about contacts. @module */
import type { Contact, ContactBook } from "../../../../webmail/api/mod.ts";
import type { contactCalls } from "../../../../webmail/api/contacts.ts";
import { CardError, readCard, texts } from "../../../mail/vcard/card.ts";
import { cardFields, changeCard, newCard } from "../../../mail/vcard/edit.ts";
import type { Account } from "../../../store/account/account.ts";
import { GroupwareError } from "../../../store/groupware/types.ts";
import { type CallHandlers, HttpError, UserError } from "../../http/mod.ts";
import { missing } from "../errors.ts";
import type { OwnerServices } from "../owners.ts";
import type { AddressBooks } from "../sending/address_book.ts";
import type { Uploads } from "../sending/uploads.ts";
import { bookName, eachShelf, type Shelf, withShelf } from "./books.ts";
import { cardToStore } from "./cards.ts";
import { findDoubles, mergeContacts } from "./doubles.ts";
import { changeGroup, groupMembers, listGroups } from "./groups.ts";
import { importContacts } from "./import.ts";
import { ContactSearch } from "./search.ts";

/** Words of a search. */
const maxWords = 10;
/** Properties that are shown in addition to the form's. */
const shownProperties = ["NICKNAME", "TITLE", "ADR", "BDAY", "URL"] as const;
/** Values of these that a contact shows. */
const maxShown = 50;
/** Characters of each. */
const maxShownText = 1000;

/** Refusals worded for people. */
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

function contact(shelf: Shelf, id: number): Contact {
  const row = shelf.contact(id);
  const card = readCard(shelf.g.content(id) ?? new Uint8Array(0));
  const fields = cardFields(card.component);
  const stored = <T extends { at: number | null }>(list: T[]) =>
    list.map((e) => ({ ...e, at: e.at! }));
  return {
    id,
    owner: shelf.owner,
    bookId: row.collectionId,
    writable: shelf.mayWrite(row.collectionId),
    etag: row.etag,
    group: card.group,
    members: card.group ? groupMembers(shelf, id) : [],
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

/** The handlers; `accountOf` identifies the caller. */
export function contactHandlers<C>(
  state: { services: OwnerServices; uploads: Uploads; books: AddressBooks },
  accountOf: (ctx: C) => Account,
): CallHandlers<typeof contactCalls, C> {
  const { services } = state;
  const reading = <T>(ctx: C, owner: string, fn: (shelf: Shelf) => Promise<T> | T) =>
    inWords(() => withShelf(services, accountOf(ctx), owner, fn));
  /** What is offered while somebody writes is made anew afterwards. */
  const writing = async <T>(ctx: C, owner: string, fn: (shelf: Shelf) => Promise<T>) => {
    try {
      return await reading(ctx, owner, fn);
    } finally {
      state.books.forget(accountOf(ctx).name);
      if (owner !== "") state.books.forget(owner);
    }
  };
  return {
    async ContactBooks(_r, ctx) {
      const books: ContactBook[] = [];
      await eachShelf(services, accountOf(ctx), (shelf) => {
        books.push(...shelf.books.map((collection) => ({
          id: collection.id,
          owner: shelf.owner,
          name: bookName(shelf.g, collection),
          count: shelf.g.count(collection.id),
          writable: shelf.mayWrite(collection.id),
        })));
        return Promise.resolve();
      });
      return { books };
    },
    async ContactList(r, ctx) {
      const words = r.search.toLowerCase().split(/\s+/).filter((s) => s !== "").slice(0, maxWords);
      const search = new ContactSearch(words, r.limit);
      const { bookId } = r;
      if (bookId === null) {
        await eachShelf(services, accountOf(ctx), (s) => search.add(s.g, s.books, s.owner));
      } else {
        await reading(ctx, r.owner, (s) => search.add(s.g, [s.book(bookId)], s.owner));
      }
      return search.done();
    },
    ContactGet: (r, ctx) => reading(ctx, r.owner, (shelf) => ({ contact: contact(shelf, r.id) })),
    ContactAdd: (r, ctx) =>
      writing(ctx, r.owner, async (shelf) => {
        const book = shelf.bookToChange(r.bookId);
        const uid = crypto.randomUUID();
        const card = changeCard(newCard(uid), r.fields);
        const { row } = await shelf.g.put(book.id, cardToStore(`${uid}.vcf`, card), {
          ifNoneMatch: "*",
        });
        return { id: row.id };
      }),
    ContactChange: (r, ctx) =>
      writing(ctx, r.owner, async (shelf) => {
        const { g } = shelf;
        const row = shelf.contactToChange(r.id);
        // Positions of fields are valid for one version only.
        if (row.etag !== r.etag) throw new GroupwareError("condition", "another version");
        const { component } = readCard(g.content(row.id) ?? new Uint8Array(0));
        const card = changeCard(component, r.fields);
        if (card === component) return { etag: row.etag };
        const stored = await g.put(row.collectionId, cardToStore(row.name, card), {
          ifMatch: [r.etag],
        });
        return { etag: stored.row.etag };
      }),
    ContactDelete: (r, ctx) =>
      writing(ctx, r.owner, async (shelf) => {
        const row = shelf.contactToChange(r.id);
        await shelf.g.remove(row.collectionId, row.name, { ifMatch: [r.etag] });
        return {};
      }),
    ContactGroups: (r, ctx) =>
      reading(ctx, r.owner, async (shelf) => ({ groups: await listGroups(shelf) })),
    ContactGroupChange: (r, ctx) => writing(ctx, r.owner, (shelf) => changeGroup(shelf, r)),
    ContactDoubles: (_r, ctx) => reading(ctx, "", findDoubles),
    ContactMerge: (r, ctx) => writing(ctx, "", (shelf) => mergeContacts(shelf, r)),
    async ContactImport(r, ctx) {
      const account = accountOf(ctx);
      const file = state.uploads.get(account.name, r.uploadId);
      try {
        return await writing(ctx, r.owner, (shelf) => {
          const book = shelf.bookToChange(r.bookId);
          return importContacts(account.name, shelf.g, book, file.path, file.size);
        });
      } finally {
        state.uploads.remove(account.name, r.uploadId);
      }
    },
  };
}
