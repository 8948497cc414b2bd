/** Address books and the people in them: the account's own, and those that others share with it. @module */
import * as v from "valibot";
import { Count, Id, Nothing, text } from "./basics.ts";

/** What an address or a number is for; "" for none of these. */
export const ContactEntry = v.strictObject({
  /** Where it stands in the card, as ContactGet said; null for a new one. */
  at: v.nullable(Count),
  kind: v.picklist(["", "home", "work", "mobile"]),
  value: text(1000),
});
export type ContactEntry = v.InferOutput<typeof ContactEntry>;

const Entries = v.pipe(v.array(ContactEntry), v.maxLength(200));

/** What a form has of a contact. */
export const ContactFields = v.strictObject({
  /** As it is shown; "" makes one of the other fields. */
  name: text(1000),
  given: text(500),
  family: text(500),
  organisation: text(1000),
  emails: Entries,
  phones: Entries,
  /** Left out: it stays as it is. */
  note: v.optional(text(100_000)),
});
export type ContactFields = v.InferOutput<typeof ContactFields>;

const Entry = v.object({
  at: Count,
  kind: v.picklist(["", "home", "work", "mobile"]),
  value: v.string(),
});

export const ContactRow = v.object({
  /** Among those of its owner, as all ids here. */
  id: Id,
  /** The account that shares the book; "" for the user's own. */
  owner: v.string(),
  bookId: Id,
  name: v.string(),
  emails: v.array(v.string()),
});
export type ContactRow = v.InferOutput<typeof ContactRow>;

export const Contact = v.object({
  id: Id,
  owner: v.string(),
  bookId: Id,
  /** Whether the user may change it. */
  writable: v.boolean(),
  /** Of the version that this is. */
  etag: v.string(),
  /** A group of people. */
  group: v.boolean(),
  /** Of a group, those of its members who are in the account's books. */
  members: v.array(ContactRow),
  name: v.string(),
  given: v.string(),
  family: v.string(),
  organisation: v.string(),
  emails: v.array(Entry),
  phones: v.array(Entry),
  note: v.string(),
  /** What is shown only, by the name of its property: NICKNAME, TITLE, ADR, BDAY, URL. */
  others: v.array(v.object({ name: v.string(), value: v.string() })),
});
export type Contact = v.InferOutput<typeof Contact>;

export const ContactBook = v.object({
  id: Id,
  /** The account that shares it; "" for the user's own. */
  owner: v.string(),
  name: v.string(),
  count: Count,
  /** Whether the user may change it. */
  writable: v.boolean(),
});
export type ContactBook = v.InferOutput<typeof ContactBook>;

const Etag = text(100);
/** The account that shares the book; "" for an own one. */
const Owner = v.optional(text(500), "");

export const contactCalls = {
  ContactBooks: { request: Nothing, response: v.object({ books: v.array(ContactBook) }) },
  /** Contacts that have all words of a search, by name. */
  ContactList: {
    request: v.strictObject({
      owner: Owner,
      /** null: all books, of others too. */
      bookId: v.nullable(Id),
      search: text(200),
      limit: v.pipe(Count, v.minValue(1), v.maxValue(2000)),
    }),
    response: v.object({
      contacts: v.array(ContactRow),
      /** There are others behind the limit. */
      more: v.boolean(),
    }),
  },
  ContactGet: {
    request: v.strictObject({ owner: Owner, id: Id }),
    response: v.object({ contact: Contact }),
  },
  ContactAdd: {
    request: v.strictObject({ owner: Owner, bookId: Id, fields: ContactFields }),
    response: v.object({ id: Id }),
  },
  /** Refused with "conflict" if it isn't the version of this etag any more. */
  ContactChange: {
    request: v.strictObject({ owner: Owner, id: Id, etag: Etag, fields: ContactFields }),
    response: v.object({ etag: v.string() }),
  },
  /** Refused with "conflict" as ContactChange is. */
  ContactDelete: {
    request: v.strictObject({ owner: Owner, id: Id, etag: Etag }),
    response: Nothing,
  },
  /** Groups of an owner's books that the user may change. */
  ContactGroups: {
    request: v.strictObject({ owner: Owner }),
    response: v.object({ groups: v.array(ContactRow) }),
  },
  /** Makes a group, or changes who is in one. On disk when it is answered. */
  ContactGroupChange: {
    request: v.strictObject({
      owner: Owner,
      group: v.variant("id", [
        v.strictObject({ id: v.null(), bookId: Id, name: text(500) }),
        v.strictObject({ id: Id }),
      ]),
      add: v.pipe(v.array(Id), v.maxLength(1000)),
      remove: v.pipe(v.array(Id), v.maxLength(1000)),
    }),
    response: v.object({ id: Id }),
  },
  /** Contacts of the user's own books that share an address or a whole name. */
  ContactDoubles: {
    request: Nothing,
    response: v.object({ sets: v.array(v.array(ContactRow)), more: v.boolean() }),
  },
  /** Makes one contact of several: the first one, with what the others say besides. On disk when it is answered. */
  ContactMerge: {
    request: v.strictObject({ ids: v.pipe(v.array(Id), v.minLength(2), v.maxLength(20)) }),
    response: v.object({ id: Id }),
  },
  /** Puts an uploaded file of cards (.vcf) into a book; those with the same UID are replaced. */
  ContactImport: {
    request: v.strictObject({ owner: Owner, bookId: Id, uploadId: text(100) }),
    response: v.object({
      imported: Count,
      leftOut: Count,
      /** Why, for the first of them. */
      left: v.array(v.string()),
    }),
  },
};
