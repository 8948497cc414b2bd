/**
 * Addresses for completing what is typed: people the account wrote to first, then people who wrote to it.
 *
 * @module
 */
import type { Address, CallResponse } from "../../../../webmail/api/mod.ts";
import type { Account } from "../../../store/account/account.ts";
import { foldCase } from "../../../store/account/search.ts";
import { giveWay } from "../../../platform/turns.ts";
import type { Groupware } from "../../../store/groupware/groupware.ts";
import type { Collection } from "../../../store/groupware/types.ts";
import { SpecialUse, type SummaryAddress, Want } from "../../../store/types.ts";
import { shownAddress } from "../list/shown_address.ts";

/** Newest messages that are looked at, of a mailbox and of all together. */
const maxMessages = 5000;
const maxOfAll = 30_000;
/** Addresses that are known of an account, and offered at a time. */
const maxAddresses = 20_000;
const maxOffered = 20;
/** Groups that are known of an account, and offered at a time. */
const maxGroups = 1000;
const maxGroupsOffered = 3;
/** Milliseconds that a book is used before it is made anew. */
const lifetime = 5 * 60_000;
/** Books that are kept, of as many accounts. */
const maxBooks = 100;

interface Entry extends Address {
  /** Times written to; times that it wrote. */
  written: number;
  received: number;
  last: number;
  /** For comparing: name and address. */
  folded: string;
}

/** People who are written to together. */
export interface AddressGroup {
  name: string;
  /** Who of them has an address, as they are now. */
  members: () => Address[];
}

interface Book {
  entries: Entry[];
  groups: { group: AddressGroup; folded: string }[];
}

/** Where a text stands in another, if it does: 2 at the beginning of a word, else 1. */
function placeIn(folded: string, wanted: string): 0 | 1 | 2 {
  const at = folded.indexOf(wanted);
  if (at < 0) return 0;
  return at === 0 || /[\s<@."'(-]/.test(folded[at - 1]) ? 2 : 1;
}

/** Where contacts come from, beside the messages. */
export interface ContactSources {
  groupsOf: (groupware: Groupware) => Promise<AddressGroup[]>;
  /** Calls back with the address books that each other account shares with a user. */
  eachShared: (
    user: string,
    fn: (groupware: Groupware, books: readonly Collection[]) => Promise<void>,
  ) => Promise<void>;
}

export class AddressBooks {
  readonly #books = new Map<string, { made: number; book: Promise<Book> }>();
  readonly #sources: ContactSources;

  constructor(sources: ContactSources) {
    this.#sources = sources;
  }

  /** The likeliest addresses and groups with a word that begins as the text does, or that have it within. */
  async complete(account: Account, text: string): Promise<CallResponse<"AddressComplete">> {
    const wanted = foldCase(text.trim());
    if (wanted === "") return { addresses: [], groups: [] };
    const { entries, groups } = await this.#book(account);
    const found: { entry: Entry; score: number }[] = [];
    for (const entry of entries) {
      const place = placeIn(entry.folded, wanted);
      if (place === 0) continue;
      const score = (place === 2 ? 1e6 : 0) + entry.written * 100 + entry.received;
      found.push({ entry, score });
    }
    found.sort((a, b) => b.score - a.score || b.entry.last - a.entry.last);
    const named = groups.map((g) => ({ ...g, place: placeIn(g.folded, wanted) }))
      .filter((g) => g.place > 0)
      .sort((a, b) => b.place - a.place || (a.folded < b.folded ? -1 : 1))
      .slice(0, maxGroupsOffered);
    return {
      addresses: found.slice(0, maxOffered).map(({ entry }) => ({
        name: entry.name,
        address: entry.address,
      })),
      groups: named.map(({ group }) => ({ name: group.name, members: group.members() }))
        .filter((g) => g.members.length > 0),
    };
  }

  #book(account: Account): Promise<Book> {
    const now = Date.now();
    const known = this.#books.get(account.name);
    if (known !== undefined && now - known.made < lifetime) return known.book;
    const book = this.#read(account);
    this.#books.set(account.name, { made: now, book });
    book.catch(() => this.#books.delete(account.name));
    if (this.#books.size > maxBooks) this.#books.delete(this.#books.keys().next().value!);
    return book;
  }

  async #read(account: Account): Promise<Book> {
    const shared: SummaryAddress[] = [];
    await this.#sources.eachShared(account.name, async (groupware, books) => {
      shared.push(...await peopleIn(groupware, books, maxAddresses - shared.length));
    });
    const entries = await readEntries(account, shared);
    const groups = await this.#sources.groupsOf(await account.groupware());
    return {
      entries,
      groups: groups.slice(0, maxGroups).map((group) => ({ group, folded: foldCase(group.name) })),
    };
  }

  /** After a message was sent: the next completion knows its recipients. */
  forget(account: string): void {
    this.#books.delete(account);
  }
}

/** People of address books, with their addresses; in turns with other work. */
async function peopleIn(
  groupware: Groupware,
  books: readonly Collection[],
  most: number,
): Promise<SummaryAddress[]> {
  const found: SummaryAddress[] = [];
  for (const book of books) {
    for (let after = ""; found.length < most;) {
      const rows = groupware.objects(book.id, after, 1000);
      for (const row of rows) {
        for (const address of row.emails) found.push({ name: row.summary, address });
      }
      if (rows.length < 1000) break;
      after = rows.at(-1)!.name;
      await giveWay();
    }
  }
  return found.slice(0, Math.max(0, most));
}

async function readEntries(account: Account, shared: SummaryAddress[]): Promise<Entry[]> {
  const entries = new Map<string, Entry>();
  const add = (found: SummaryAddress, kind: "written" | "received", time: number) => {
    const a = shownAddress(found);
    if (!a.address.includes("@") || a.address.startsWith("@") || a.address.endsWith("@")) return;
    const e = entries.get(a.address);
    if (e === undefined) {
      if (entries.size >= maxAddresses) return;
      const first = { ...a, written: 0, received: 0, last: time, folded: "" };
      first[kind]++;
      entries.set(a.address, first);
      return;
    }
    e[kind]++;
    // The newest name that someone gives.
    if (a.name !== "" && (e.name === "" || time > e.last)) e.name = a.name;
    e.last = Math.max(e.last, time);
  };
  const groupware = await account.groupware();
  const entered = await peopleIn(groupware, groupware.collections("addressbooks"), maxAddresses);
  for (const a of [...entered, ...shared]) add(a, "written", 0);
  const mailboxes = account.mailboxes();
  const sent = mailboxes.filter((m) => m.specialUse & SpecialUse.Sent);
  const received = mailboxes.filter((m) =>
    !(m.specialUse & (SpecialUse.Sent | SpecialUse.Junk | SpecialUse.Trash | SpecialUse.Drafts))
  );
  let turn = performance.now();
  let left = maxOfAll;
  for (const m of [...sent, ...received]) {
    if (left <= 0) break;
    const isSent = sent.includes(m);
    const uids = account.uids(m.id).slice(-Math.min(maxMessages, left));
    left -= uids.length;
    for (let at = 0; at < uids.length; at += 200) {
      account.fetch(m.id, uids.subarray(at, at + 200), Want.Summary, (row) => {
        const s = row.summary;
        if (isSent) {
          for (const a of [...s.to, ...s.cc, ...s.bcc].slice(0, 200)) {
            add(a, "written", row.received);
          }
        } else {
          for (const a of s.from.slice(0, 5)) add(a, "received", row.received);
        }
      });
      if (performance.now() - turn > 10) {
        await new Promise((resolve) => setTimeout(resolve, 0));
        turn = performance.now();
      }
    }
  }
  // The name that the user gave is the one that counts.
  for (const a of entered) {
    const e = entries.get(shownAddress(a).address);
    if (e !== undefined && a.name !== "") e.name = a.name;
  }
  const list = [...entries.values()];
  for (const e of list) e.folded = foldCase(`${e.name} ${e.address}`);
  return list;
}
