/** The account's own address books. @module */
import type { Groupware } from "../../../store/groupware/groupware.ts";
import type { Collection, ObjectRow } from "../../../store/groupware/types.ts";
import { missing } from "../errors.ts";

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

/** The name that people gave a book; "" if they gave none. */
export function bookName(groupware: Groupware, collection: Collection): string {
  const name = elementText(groupware.properties(collection.id).get("{DAV:}displayname") ?? "");
  return name || (collection.name === "default" ? "" : collection.name);
}

export function addressBooks(groupware: Groupware): Collection[] {
  return groupware.collections("addressbooks").filter((c) => c.kind === "addressbook");
}

/** @throws HttpError 404 */
export function addressBook(groupware: Groupware, id: number): Collection {
  const c = groupware.collectionById(id);
  if (c?.kind !== "addressbook") throw missing("address book");
  return c;
}

/** A contact. @throws HttpError 404 */
export function contactRow(groupware: Groupware, id: number): ObjectRow {
  const row = groupware.objectById(id);
  if (row === undefined || groupware.collectionById(row.collectionId)?.kind !== "addressbook") {
    throw missing("contact");
  }
  return row;
}
