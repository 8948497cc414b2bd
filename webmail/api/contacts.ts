/** Address books and their contacts: the account's own, and those that others share with it. @module */
import * as v from "valibot";
import { Count, Id, Nothing, text } from "./basics.ts";

/** What an address or number is for; "" for none of these. */
export const ContactEntry = v.strictObject({
  /** Its position in the card, as ContactGet returned it; null for a new one. */
  at: v.nullable(Count),
  kind: v.picklist(["", "home", "work", "mobile"]),
  value: text(1000),
});
export type ContactEntry = v.InferOutput<typeof ContactEntry>;

const Entries = v.pipe(v.array(ContactEntry), v.maxLength(200));

/** The fields of a contact's form. */
export const ContactFields = v.strictObject({
  /** The display name; if "", it is made from the other fields. */
  name: text(1000),
  given: text(500),
  family: text(500),
  organisation: text(1000),
  emails: Entries,
  phones: Entries,
  /** If left out it stays unchanged. */
  note: v.optional(text(100_000)),
});
export type ContactFields = v.InferOutput<typeof ContactFields>;

const Entry = v.object({
  at: Count,
  kind: v.picklist(["", "home", "work", "mobile"]),
  value: v.string(),
});

export const ContactRow = v.object({
  /** Unique among those of its owner, as all ids here. */
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
  /** Of this version. */
  etag: v.string(),
  /** Whether this is a group of people. */
  group: v.boolean(),
  /** A group's members that are in the account's books. */
  members: v.array(ContactRow),
  name: v.string(),
  given: v.string(),
  family: v.string(),
  organisation: v.string(),
  emails: v.array(Entry),
  phones: v.array(Entry),
  note: v.string(),
  /** Properties that are only shown, by name: NICKNAME, TITLE, ADR, BDAY, URL. */
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
  /** Contacts that match all words of a search, by name. */
  ContactList: {
    request: v.strictObject({
      owner: Owner,
      /** null: all books, including shared ones. */
      bookId: v.nullable(Id),
      search: text(200),
      limit: v.pipe(Count, v.minValue(1), v.maxValue(2000)),
    }),
    response: v.object({
      contacts: v.array(ContactRow),
      /** There are more than the limit. */
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
  /** Refused with "conflict" if the etag is not of the current version. */
  ContactChange: {
    request: v.strictObject({ owner: Owner, id: Id, etag: Etag, fields: ContactFields }),
    response: v.object({ etag: v.string() }),
  },
  /** Refused with "conflict" in the same way as ContactChange. */
  ContactDelete: {
    request: v.strictObject({ owner: Owner, id: Id, etag: Etag }),
    response: Nothing,
  },
  /** Groups of an owner's books that the user may change. */
  ContactGroups: {
    request: v.strictObject({ owner: Owner }),
    response: v.object({ groups: v.array(ContactRow) }),
  },
  /** Creates a group, or changes its members. On disk before the answer. */
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
  /** Contacts in the user's own books that share an address or a full name. */
  ContactDoubles: {
    request: Nothing,
    response: v.object({ sets: v.array(v.array(ContactRow)), more: v.boolean() }),
  },
  /** Merges contacts: the first one gets what the others have in addition. On disk before the answer. */
  ContactMerge: {
    request: v.strictObject({ ids: v.pipe(v.array(Id), v.minLength(2), v.maxLength(20)) }),
    response: v.object({ id: Id }),
  },
  /** Imports an uploaded file of cards (.vcf) into a book; those with the same UID are replaced. */
  ContactImport: {
    request: v.strictObject({ owner: Owner, bookId: Id, uploadId: text(100) }),
    response: v.object({
      imported: Count,
      leftOut: Count,
      /** Why the first of them were left out. */
      left: v.array(v.string()),
    }),
  },
};
