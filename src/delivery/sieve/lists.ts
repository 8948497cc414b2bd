/**
 * Lists of addresses that scripts use (RFC 6134): whom the account has written to, as `:addrbook:default`, and groups of its
 * contacts by their names, as `:addrbook:Family`.
 *
 * @module
 */
import { readCard } from "../../mail/vcard/card.ts";
import { membersOf } from "../../mail/vcard/members.ts";
import { giveWay } from "../../platform/turns.ts";
import type { SieveScript } from "../../sieve/mod.ts";
import type { Account } from "../../store/account/account.ts";
import type { Groupware } from "../../store/groupware/groupware.ts";
import type { ObjectRow } from "../../store/groupware/types.ts";
import { inAddressBook } from "./context.ts";

/** Most members of a group; those beyond are left out. */
const maxMembers = 1000;
/** Rows of contacts that are read at once. */
const atOnce = 500;

const prefix = /^(?:urn:ietf:params:sieve:)?:?addrbook:/i;

/** Addresses of groups, by the name of each in lower case; each member's first address. */
type Groups = ReadonlyMap<string, readonly string[]>;

const noGroups: Groups = new Map();

function addressesOf(groupware: Groupware, books: readonly number[], row: ObjectRow) {
  let uids: string[];
  try {
    const card = readCard(groupware.content(row.id) ?? new Uint8Array(0));
    if (!card.group) return undefined;
    uids = membersOf(card.component);
  } catch {
    // One that an earlier version stored, and that can't be read, is no group.
    return undefined;
  }
  return uids.slice(0, maxMembers).flatMap((uid) => {
    for (const book of books) {
      const member = groupware.objectByUid(book, uid);
      if (member) return member.emails.slice(0, 1);
    }
    return [];
  });
}

/** The groups of the account's own address books; in turns with other work. */
async function groupsOf(account: Account): Promise<Groups> {
  const groupware = await account.groupware();
  const books = groupware.collections("addressbooks").map((c) => c.id);
  const groups = new Map<string, readonly string[]>();
  for (const book of books) {
    for (let after = "";;) {
      const rows = groupware.objects(book, after, atOnce);
      for (const row of rows) {
        await giveWay();
        // A group has no address of its own.
        const name = row.summary.trim().toLowerCase();
        if (row.emails.length > 0 || name === "" || groups.has(name)) continue;
        const addresses = addressesOf(groupware, books, row);
        if (addresses) groups.set(name, addresses);
      }
      if (rows.length < atOnce) break;
      after = rows.at(-1)!.name;
    }
  }
  return groups;
}

const read = new WeakMap<Account, { groups: Promise<Groups>; until: number }>();

/** The groups as they were at most a second ago: rules may run on many messages, one after the other. */
function lately(account: Account): Promise<Groups> {
  const known = read.get(account);
  if (known && performance.now() < known.until) return known.groups;
  const groups = groupsOf(account);
  read.set(account, { groups, until: performance.now() + 1000 });
  return groups;
}

/** The lists of one account. */
export class AddressLists {
  readonly #account: Account;
  readonly #groups: Groups;

  private constructor(account: Account, groups: Groups) {
    this.#account = account;
    this.#groups = groups;
  }

  /** @param scripts that may use them: the groups are not read for others */
  static async of(account: Account, scripts?: readonly SieveScript[]): Promise<AddressLists> {
    const used = scripts?.some((s) => s.requires.has("extlists") || s.requires.has("include"));
    return new AddressLists(account, used === false ? noGroups : await lately(account));
  }

  /** Whether an address is in a list; undefined for a list that there isn't. */
  has(list: string, address: string): boolean | undefined {
    const known = inAddressBook(this.#account, list, address);
    if (known !== undefined) return known;
    const wanted = address.toLowerCase();
    return this.members(list)?.some((a) => a.toLowerCase() === wanted);
  }

  /** The addresses of a group; undefined for a list that there isn't, or that can only be looked in. */
  members(list: string): readonly string[] | undefined {
    if (!prefix.test(list)) return undefined;
    return this.#groups.get(list.replace(prefix, "").trim().toLowerCase());
  }
}
