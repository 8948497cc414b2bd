/** Cards as they are stored, and those that are groups. @module */
import { cardObject, maxObjectSize } from "../../../groupware/objects.ts";
import { type Component, writeComponent } from "../../../mail/contentline/component.ts";
import { CardError, readCardInTurns } from "../../../mail/vcard/card.ts";
import { giveWay } from "../../../platform/turns.ts";
import type { NewObject, ObjectRow } from "../../../store/groupware/types.ts";
import type { Shelf } from "./books.ts";

/** A card to store. @throws CardError */
export function cardToStore(name: string, card: Component): NewObject {
  const content = new TextEncoder().encode(writeComponent(card));
  if (content.length > maxObjectSize) {
    throw new CardError("valid-address-data", `a contact has at most ${maxObjectSize} bytes`);
  }
  return cardObject(name, content);
}

/** Rows that are read at once. */
const atOnce = 500;

/** The groups of books: cards without addresses of their own that say so; in turns with other work. */
export async function groupRows({ g, books }: Shelf): Promise<ObjectRow[]> {
  const found: ObjectRow[] = [];
  for (const book of books) {
    for (let after = "";;) {
      const rows = g.objects(book.id, after, atOnce);
      for (const row of rows) {
        await giveWay();
        if (row.emails.length > 0) continue;
        try {
          const card = await readCardInTurns(g.content(row.id) ?? new Uint8Array(0));
          if (card.group) found.push(row);
        } catch {
          // One that an earlier version stored, and that can't be read, is no group.
        }
      }
      if (rows.length < atOnce) break;
      after = rows.at(-1)!.name;
    }
  }
  return found;
}
