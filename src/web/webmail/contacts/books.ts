/** Address books: the account's own, and those that others share with it. @module */
import type { Account } from "../../../store/account/account.ts";
import type { Groupware } from "../../../store/groupware/groupware.ts";
import type { Collection, ObjectRow } from "../../../store/groupware/types.ts";
import { UserError } from "../../http/mod.ts";
import { missing } from "../errors.ts";
import { eachOwner, type OwnerServices, withSharing } from "../owners.ts";

const entities: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
};

/** Text of a stored element that has nothing but text in it. */
function elementText(xml: string): string {
  return xml.replace(/<[^>]*>/g, "").replace(
    /&(?:#(\d{1,7})|#x([\da-f]{1,6})|(\w+));/gi,
    (whole, decimal, hex, name) => {
      if (name !== undefined) return entities[name] ?? whole;
      const cp = decimal === undefined ? parseInt(hex, 16) : Number(decimal);
      return cp <= 0x10ffff ? String.fromCodePoint(cp) : "";
    },
  ).trim();
}

/** The name that people gave a book; "" without one. */
export function bookName(groupware: Groupware, collection: Collection): string {
  const name = elementText(groupware.properties(collection.id).get("{DAV:}displayname") ?? "");
  return name || (collection.name === "default" ? "" : collection.name);
}

export function addressBooks(groupware: Groupware): Collection[] {
  return groupware.collections("addressbooks").filter((c) => c.kind === "addressbook");
}

/** Address books of one account that a user may read. */
export class Shelf {
  readonly g: Groupware;
  /** The account that shares them; "" for the user's own. */
  readonly owner: string;
  readonly books: readonly Collection[];
  /** Undefined for the user's own. */
  readonly #guest: string | undefined;

  /** @param shared by whom, and with whom; undefined for the user's own */
  constructor(g: Groupware, shared?: { owner: string; guest: string }) {
    this.g = g;
    this.owner = shared?.owner ?? "";
    this.#guest = shared?.guest;
    const all = addressBooks(g);
    this.books = shared ? all.filter((b) => g.rightsOf(b.id, shared.guest) !== undefined) : all;
  }

  /** @throws HttpError 404 */
  book(id: number): Collection {
    const found = this.books.find((b) => b.id === id);
    if (found === undefined) throw missing("address book");
    return found;
  }

  mayWrite(id: number): boolean {
    return this.#guest === undefined || this.g.rightsOf(id, this.#guest) === "write";
  }

  /** A book that the user may change. @throws HttpError 404, UserError */
  bookToChange(id: number): Collection {
    const found = this.book(id);
    if (!this.mayWrite(id)) {
      throw new UserError("you may read this address book, and not change it");
    }
    return found;
  }

  /** A contact. @throws HttpError 404 */
  contact(id: number): ObjectRow {
    const row = this.g.objectById(id);
    if (row === undefined || !this.books.some((b) => b.id === row.collectionId)) {
      throw missing("contact");
    }
    return row;
  }

  /** A contact of a book that the user may change. @throws HttpError 404, UserError */
  contactToChange(id: number): ObjectRow {
    const row = this.contact(id);
    this.bookToChange(row.collectionId);
    return row;
  }
}

/** Works with the books of one account: the user's own, or of somebody who shares. @throws HttpError 404 */
export async function withShelf<T>(
  services: OwnerServices,
  account: Account,
  owner: string,
  fn: (shelf: Shelf) => Promise<T> | T,
): Promise<T> {
  if (owner === "") return await fn(new Shelf(await account.groupware()));
  const guest = account.name;
  return await withSharing(services, guest, owner, "address book", (g) => {
    const shelf = new Shelf(g, { owner, guest });
    if (shelf.books.length === 0) throw missing("address book");
    return Promise.resolve(fn(shelf));
  });
}

/** Works with the user's own books, and then with those of each account that shares some. */
export async function eachShelf(
  services: OwnerServices,
  account: Account,
  fn: (shelf: Shelf) => Promise<void>,
): Promise<void> {
  await fn(new Shelf(await account.groupware()));
  await eachOwner(services, account.name, async (owner, g) => {
    const shelf = new Shelf(g, { owner, guest: account.name });
    if (shelf.books.length > 0) await fn(shelf);
  });
}
