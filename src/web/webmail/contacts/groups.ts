/** Groups of people: who is in one, making one, and putting people into it. @module */
import type { CallChecked, CallResponse, ContactRow } from "../../../../webmail/api/mod.ts";
import { readCard } from "../../../mail/vcard/card.ts";
import { changedMembers, membersOf, newGroup } from "../../../mail/vcard/members.ts";
import type { Groupware } from "../../../store/groupware/groupware.ts";
import type { ObjectRow } from "../../../store/groupware/types.ts";
import { UserError } from "../../http/mod.ts";
import { addressBook, addressBooks, contactRow } from "./books.ts";
import { cardToStore, groupRows } from "./cards.ts";

/** Members of a group that are shown. */
const maxMembers = 1000;

const rowOf = (r: ObjectRow): ContactRow => ({
  id: r.id,
  bookId: r.collectionId,
  name: r.summary,
  emails: [...r.emails],
});

/** The members of a group that are in the account's books. */
export function groupMembers(g: Groupware, id: number): ContactRow[] {
  const { component } = readCard(g.content(id) ?? new Uint8Array(0));
  const books = addressBooks(g);
  return membersOf(component).slice(0, maxMembers).flatMap((uid) => {
    for (const b of books) {
      const row = g.objectByUid(b.id, uid);
      if (row !== undefined) return [rowOf(row)];
    }
    return [];
  });
}

/** Makes a group, or changes who is in one. On disk when it resolves. */
export async function changeGroup(
  g: Groupware,
  r: CallChecked<"ContactGroupChange">,
): Promise<CallResponse<"ContactGroupChange">> {
  const uids = (ids: readonly number[]) => ids.map((id) => contactRow(g, id).uid);
  if (r.group.id === null) {
    const name = r.group.name.trim();
    // deno-lint-ignore no-control-regex -- none of these may stand in a value (RFC 6350 §3.3)
    if (name === "" || /[\x00-\x1f\x7f]/.test(name)) throw new UserError("a group needs a name");
    const uid = crypto.randomUUID();
    const book = addressBook(g, r.group.bookId);
    const escaped = name.replace(/[\\;,]/g, "\\$&");
    const card = changedMembers(newGroup(uid, escaped), uids(r.add), []);
    const { row } = await g.put(book.id, cardToStore(`${uid}.vcf`, card), { ifNoneMatch: "*" });
    return { id: row.id };
  }
  const row = contactRow(g, r.group.id);
  const { component, group } = readCard(g.content(row.id) ?? new Uint8Array(0));
  if (!group) throw new UserError("this contact is no group");
  const next = changedMembers(component, uids(r.add), uids(r.remove));
  if (next !== component) {
    await g.put(row.collectionId, cardToStore(row.name, next), { ifMatch: [row.etag] });
  }
  return { id: row.id };
}

/** The groups of the account's books. */
export const listGroups = async (g: Groupware): Promise<ContactRow[]> =>
  (await groupRows(g)).map(rowOf);
