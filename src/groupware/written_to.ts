/**
 * An address book of the people whom an account writes to, maintained by the server if the account wants it.
 * @module
 */
import { writeComponent } from "../mail/contentline/component.ts";
import { changeCard, newCard } from "../mail/vcard/edit.ts";
import { giveWay } from "../platform/turns.ts";
import type { Groupware } from "../store/groupware/groupware.ts";
import { type Collection, GroupwareError } from "../store/groupware/types.ts";
import { lookProperties, textElement } from "./collection_looks.ts";
import { cardObject } from "./objects.ts";

/** Last segment of the book's address. */
export const writtenToBook = "written-to";
/** Most people kept; beyond that the first ones are removed. */
const maxPeople = 5000;
/** Most people of one message that are noted: a message to more is a circular, not a letter. */
const maxOfMessage = 50;

/** A person who was written to. */
export interface Written {
  /** "" if unknown. */
  name: string;
  address: string;
}

async function book(groupware: Groupware): Promise<Collection> {
  const there = () => groupware.collection("addressbooks", writtenToBook);
  const properties = new Map([
    [lookProperties.name, textElement(lookProperties.name, "People written to")],
  ]);
  try {
    return there() ??
      await groupware.createCollection("addressbook", writtenToBook, { properties });
  } catch (err) {
    // Another message created it meanwhile.
    const made = err instanceof GroupwareError && err.kind === "exists" ? there() : undefined;
    if (made === undefined) throw err;
    return made;
  }
}

/** Rows read at a time. */
const atOnce = 1000;

/** Which of some addresses are in the account's books, lower case; searched in turns with other work. */
async function known(groupware: Groupware, wanted: ReadonlySet<string>): Promise<Set<string>> {
  const found = new Set<string>();
  for (const c of groupware.collections("addressbooks")) {
    for (let after = "";;) {
      const rows = groupware.objects(c.id, after, atOnce);
      for (const row of rows) {
        for (const a of row.emails) if (wanted.has(a.toLowerCase())) found.add(a.toLowerCase());
      }
      if (rows.length < atOnce || found.size === wanted.size) break;
      after = rows.at(-1)!.name;
      await giveWay();
    }
  }
  return found;
}

/** Notes people who aren't in any book yet. On disk when it resolves. */
export async function noteWritten(groupware: Groupware, people: readonly Written[]): Promise<void> {
  if (people.length === 0 || people.length > maxOfMessage) return;
  const there = await known(groupware, new Set(people.map((p) => p.address.toLowerCase())));
  for (const { name, address } of people) {
    if (there.has(address.toLowerCase())) continue;
    there.add(address.toLowerCase());
    const c = await book(groupware);
    const uid = crypto.randomUUID();
    const card = changeCard(newCard(uid), {
      name: name.slice(0, 500) || address,
      given: "",
      family: "",
      organisation: "",
      emails: [{ at: null, kind: "", value: address }],
      phones: [],
    });
    const content = new TextEncoder().encode(writeComponent(card));
    await groupware.put(c.id, cardObject(`${uid}.vcf`, content), { ifNoneMatch: "*" });
    const excess = groupware.count(c.id) - maxPeople;
    if (excess <= 0) continue;
    const oldest = groupware.objects(c.id).sort((a, b) => a.createseq - b.createseq).slice(
      0,
      excess,
    );
    for (const row of oldest) await groupware.remove(c.id, row.name).catch(() => {});
  }
}
