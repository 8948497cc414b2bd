/** People who are in the address books several times: finding and merging them. @module */
import type { CallChecked, CallResponse, ContactRow } from "../../../../webmail/api/mod.ts";
import { changedMembers, membersOf } from "../../../mail/vcard/members.ts";
import { mergedCard } from "../../../mail/vcard/merge.ts";
import { readCard } from "../../../mail/vcard/card.ts";
import { giveWay } from "../../../platform/turns.ts";
import { GroupwareError } from "../../../store/groupware/types.ts";
import type { Shelf } from "./books.ts";
import { cardToStore, groupRows } from "./cards.ts";

/** Sets of doubles that are given at a time, and people of one. */
const maxSets = 100;
const maxOfSet = 20;
/** Contacts that are read at once. */
const atOnce = 500;

/** Contacts with an address or a whole name in common. */
export async function findDoubles(shelf: Shelf): Promise<CallResponse<"ContactDoubles">> {
  const { g, books, owner } = shelf;
  const first = new Map<string, number>();
  const rows: ContactRow[] = [];
  const parent: number[] = [];
  const root = (n: number): number => {
    while (parent[n] !== n) n = parent[n] = parent[parent[n]];
    return n;
  };
  for (const book of books) {
    for (let after = "";;) {
      const found = g.objects(book.id, after, atOnce);
      for (const r of found) {
        const n = rows.length;
        rows.push({ id: r.id, owner, bookId: book.id, name: r.summary, emails: [...r.emails] });
        parent.push(n);
        const name = r.summary.trim().toLowerCase();
        const keys = r.emails.map((e) => `@${e.toLowerCase()}`);
        if (/\s/.test(name)) keys.push(name);
        for (const key of keys) {
          const other = first.get(key);
          if (other === undefined) first.set(key, n);
          else parent[root(n)] = root(other);
        }
      }
      if (found.length < atOnce) break;
      after = found.at(-1)!.name;
      await giveWay();
    }
  }
  const groups = new Set((await groupRows(shelf)).map((r) => r.id));
  const sets = new Map<number, ContactRow[]>();
  for (const [n, row] of rows.entries()) {
    if (groups.has(row.id)) continue;
    const key = root(n);
    const list = sets.get(key);
    if (list === undefined) sets.set(key, [row]);
    else if (list.length < maxOfSet) list.push(row);
  }
  const doubles = [...sets.values()].filter((s) => s.length > 1);
  return { sets: doubles.slice(0, maxSets), more: doubles.length > maxSets };
}

/** Makes one contact of several: the first one with what the others say besides. On disk when it resolves. */
export async function mergeContacts(
  shelf: Shelf,
  checked: CallChecked<"ContactMerge">,
): Promise<CallResponse<"ContactMerge">> {
  const { g } = shelf;
  const rows = [...new Set(checked.ids)].map((id) => shelf.contact(id));
  const [kept, ...others] = rows;
  const read = (id: number) => readCard(g.content(id) ?? new Uint8Array(0));
  const cards = others.map((row) => read(row.id));
  if ([read(kept.id), ...cards].some((c) => c.group)) {
    throw new GroupwareError("kept", "groups can't be made one with others");
  }
  const card = mergedCard(read(kept.id).component, cards.map((c) => c.component));
  // First the contact with everything: should the rest fail, the duplicates remain, and nothing is lost.
  await g.put(kept.collectionId, cardToStore(kept.name, card), { ifMatch: [kept.etag] });
  const gone = others.map((row) => row.uid);
  for (const row of await groupRows(shelf)) {
    const { component } = read(row.id);
    const members = membersOf(component);
    const lost = members.filter((u) => gone.includes(u));
    if (lost.length === 0) continue;
    const next = changedMembers(component, members.includes(kept.uid) ? [] : [kept.uid], lost);
    await g.put(row.collectionId, cardToStore(row.name, next), { ifMatch: [row.etag] });
  }
  for (const row of others) {
    await g.remove(row.collectionId, row.name, { ifMatch: [row.etag] });
  }
  return { id: kept.id };
}
