/** Groups of people: listing members, creating groups, and adding people. @module */
import type { CallChecked, CallResponse, ContactRow } from "../../../../webmail/api/mod.ts";
import { readCard } from "../../../mail/vcard/card.ts";
import { changedMembers, membersOf, newGroup } from "../../../mail/vcard/members.ts";
import type { Groupware } from "../../../store/groupware/groupware.ts";
import type { ObjectRow } from "../../../store/groupware/types.ts";
import type { AddressGroup } from "../sending/address_book.ts";
import { UserError } from "../../http/mod.ts";
import { Shelf } from "./books.ts";
import { cardToStore, groupRows } from "./cards.ts";

/** Members of a group that are shown. */
const maxMembers = 1000;

const rowOf = (row: ObjectRow, owner: string): ContactRow => ({
  id: row.id,
  owner,
  bookId: row.collectionId,
  name: row.summary,
  emails: [...row.emails],
});

/** The members of a group that are in those of its owner's books that the user may read. */
export function groupMembers({ g, books, owner }: Shelf, id: number): ContactRow[] {
  const { component } = readCard(g.content(id) ?? new Uint8Array(0));
  return membersOf(component).slice(0, maxMembers).flatMap((uid) => {
    for (const b of books) {
      const row = g.objectByUid(b.id, uid);
      if (row !== undefined) return [rowOf(row, owner)];
    }
    return [];
  });
}

/** Creates a group, or changes its members. On disk when it resolves. */
export async function changeGroup(
  shelf: Shelf,
  checked: CallChecked<"ContactGroupChange">,
): Promise<CallResponse<"ContactGroupChange">> {
  const { g } = shelf;
  const uids = (ids: readonly number[]) => ids.map((id) => shelf.contact(id).uid);
  if (checked.group.id === null) {
    const name = checked.group.name.trim();
    // deno-lint-ignore no-control-regex -- none of these may appear in a value (RFC 6350 §3.3)
    if (name === "" || /[\x00-\x1f\x7f]/.test(name)) throw new UserError("a group needs a name");
    const uid = crypto.randomUUID();
    const book = shelf.bookToChange(checked.group.bookId);
    const escaped = name.replace(/[\\;,]/g, "\\$&");
    const card = changedMembers(newGroup(uid, escaped), uids(checked.add), []);
    const { row } = await g.put(book.id, cardToStore(`${uid}.vcf`, card), {
      ifNoneMatch: "*",
    });
    return { id: row.id };
  }
  const row = shelf.contactToChange(checked.group.id);
  const { component, group } = readCard(g.content(row.id) ?? new Uint8Array(0));
  if (!group) throw new UserError("this contact is no group");
  const next = changedMembers(component, uids(checked.add), uids(checked.remove));
  if (next !== component) {
    await g.put(row.collectionId, cardToStore(row.name, next), { ifMatch: [row.etag] });
  }
  return { id: row.id };
}

/** The groups of an account's books, for completion: members are read when a group is offered. */
export async function addressGroups(groupware: Groupware): Promise<AddressGroup[]> {
  const shelf = new Shelf(groupware);
  return (await groupRows(shelf)).map(({ id, summary }) => ({
    name: summary,
    members() {
      // A group that has been removed since has no members.
      if (groupware.objectById(id) === undefined) return [];
      return groupMembers(shelf, id).flatMap(({ name, emails }) =>
        emails.slice(0, 1).map((address) => ({ name, address }))
      );
    },
  }));
}

/** The groups of an account's books that the user may change. */
export const listGroups = async (shelf: Shelf): Promise<ContactRow[]> =>
  (await groupRows(shelf)).filter((row) => shelf.mayWrite(row.collectionId))
    .map((row) => rowOf(row, shelf.owner));
