/**
 * The mail that localserve has caught: everything in the mailboxes of its accounts except sent mail, drafts and
 * trash. A message is identified by its number in the account, plus the account's name if there are several.
 *
 * @module
 */
import type { MailboxId } from "../../store/ids.ts";
import { Log } from "../../log/mod.ts";
import type { Account } from "../../store/account/account.ts";
import type { Accounts } from "../../store/account/accounts.ts";
import { giveWay } from "../../platform/turns.ts";
import { comparePlaces } from "../../store/messages/listing.ts";
import { searchMailbox } from "../../store/account/search.ts";
import type { SearchNode } from "../../store/search/types.ts";
import { Flag, type Mailbox, SpecialUse } from "../../store/types.ts";
import { pageByDate } from "./by_date.ts";
import { forgetUnusedTags } from "./tags.ts";

/** A caught message. */
export interface Caught {
  account: Account;
  /** Number of the message in the account. */
  id: number;
  mailboxId: MailboxId;
  uid: number;
  /** Milliseconds since the epoch. */
  received: number;
}

/** A message found by a search. */
export interface Found extends Caught {
  read: boolean;
}

const left = SpecialUse.Sent | SpecialUse.Drafts | SpecialUse.Trash;
/** Messages changed at a time; others are served in between. */
const changeSize = 500;
/** Rows of found messages read at a time. */
const readSize = 2000;

const newestFirst = (a: Caught, b: Caught) =>
  comparePlaces({ received: b.received, id: b.id }, { received: a.received, id: a.id });

const log = new Log("catcher");

export class CaughtMail {
  readonly #accounts: Accounts;
  readonly #names: () => string[];
  readonly #open = new Map<string, Promise<Account>>();
  /** Accounts already logged as failing to open. */
  readonly #failed = new Set<string>();
  /** The account whose message ids have no account name. */
  readonly #main: string;

  constructor(accounts: Accounts, main: string, names: () => string[]) {
    this.#accounts = accounts;
    this.#main = main;
    this.#names = names;
  }

  /** The accounts, open until this is closed. An account that can't be opened is left out, and tried again next time. */
  async accounts(): Promise<Account[]> {
    const names = this.#names();
    const open: Promise<Account | undefined>[] = [];
    for (const name of names) {
      let a = this.#open.get(name);
      if (a === undefined) {
        a = this.#accounts.open(name);
        this.#open.set(name, a);
        a.catch((err) => {
          this.#open.delete(name);
          if (!this.#failed.has(name)) log.warn("mail of an account is left out", { name, err });
          this.#failed.add(name);
        });
      }
      open.push(a.catch(() => undefined));
    }
    return (await Promise.all(open)).filter((a) => a !== undefined);
  }

  async close(): Promise<void> {
    for (const a of this.#open.values()) (await a.catch(() => undefined))?.close();
    this.#open.clear();
  }

  /** Mailboxes with caught mail. */
  mailboxes(account: Account): Mailbox[] {
    return account.mailboxes().filter((m) => (m.specialUse & left) === 0);
  }

  /** Number of messages, and of unread ones. */
  async counts(): Promise<{ total: number; unread: number }> {
    let [total, unread] = [0, 0];
    for (const account of await this.accounts()) {
      for (const m of this.mailboxes(account)) {
        total += m.total;
        unread += m.unseen;
      }
    }
    return { total, unread };
  }

  /** Bytes of all messages. */
  async size(): Promise<number> {
    let size = 0;
    for (const account of await this.accounts()) {
      for (const m of this.mailboxes(account)) size += m.size;
    }
    return size;
  }

  /** The id of a message in the API. */
  idOf(m: Pick<Caught, "account" | "id">): string {
    return m.account.name === this.#main ? `m${m.id}` : `m${m.id}-${m.account.name}`;
  }

  /** The message with an id, or the newest for "latest"; undefined if there is none. */
  async find(id: string): Promise<Caught | undefined> {
    if (id === "latest") return (await this.list(0, 1))[0];
    const parts = /^m(\d{1,15})(?:-(.+))?$/.exec(id);
    if (parts === null) return undefined;
    const account = (await this.accounts()).find((a) => a.name === (parts[2] ?? this.#main));
    const m = account?.message(Number(parts[1]));
    return account && m &&
      { account, id: m.id, mailboxId: m.mailboxId, uid: m.uid, received: m.received };
  }

  /** Newest first. */
  async list(start: number, limit: number): Promise<Caught[]> {
    const boxes = [];
    for (const account of await this.accounts()) {
      for (const m of this.mailboxes(account)) {
        if (m.total > 0) boxes.push({ account, mailboxId: m.id });
      }
    }
    return await pageByDate(boxes, start, limit);
  }

  /** The results of a search, newest first. */
  async search(node: SearchNode, only?: ReadonlySet<string>): Promise<Found[]> {
    const found: Found[] = [];
    for (const account of await this.accounts()) {
      if (only !== undefined && !only.has(account.name)) continue;
      for (const mailbox of this.mailboxes(account)) {
        const { uids } = await searchMailbox(account, mailbox.id, node);
        for (let at = 0; at < uids.length; at += readSize) {
          account.fetch(mailbox.id, uids.slice(at, at + readSize), 0, (row) => {
            const { id, uid, received } = row;
            const read = (row.flags & Flag.Seen) !== 0;
            found.push({ account, id, uid, received, mailboxId: mailbox.id, read });
          });
          await giveWay();
        }
      }
    }
    return found.sort(newestFirst);
  }

  /** The number of messages a search finds. */
  async count(node: SearchNode): Promise<number> {
    let n = 0;
    for (const account of await this.accounts()) {
      for (const mailbox of this.mailboxes(account)) {
        n += (await searchMailbox(account, mailbox.id, node)).uids.length;
      }
    }
    return n;
  }

  /** Applies a change to messages in batches, by mailbox. */
  async #each(
    list: readonly Caught[],
    change: (account: Account, mailboxId: MailboxId, uids: number[]) => Promise<unknown>,
  ): Promise<void> {
    const groups = new Map<string, { account: Account; mailboxId: MailboxId; uids: number[] }>();
    for (const { account, mailboxId, uid } of list) {
      const key = `${mailboxId} ${account.name}`;
      const group = groups.get(key) ?? { account, mailboxId, uids: [] };
      group.uids.push(uid);
      groups.set(key, group);
    }
    for (const { account, mailboxId, uids } of groups.values()) {
      uids.sort((a, b) => a - b);
      for (let i = 0; i < uids.length; i += changeSize) {
        await change(account, mailboxId, uids.slice(i, i + changeSize));
        await new Promise((resolve) => setTimeout(resolve, 0));
      }
    }
  }

  /** Deletes messages permanently, and tags that no other message has. */
  async remove(list: readonly Caught[]): Promise<void> {
    await this.#each(
      list,
      (a, mailboxId, uids) => a.expunge(mailboxId, uids, undefined, { force: true }),
    );
    await forgetUnusedTags(list);
  }

  async setRead(list: readonly Caught[], read: boolean): Promise<void> {
    await this.#each(
      list,
      (a, mailboxId, uids) => a.storeFlags(mailboxId, uids, read ? "add" : "remove", Flag.Seen, []),
    );
  }

  /** Adds and removes keywords. */
  async setKeywords(
    list: readonly Caught[],
    add: readonly string[],
    remove: readonly string[],
  ): Promise<void> {
    await this.#each(list, async (account, mailboxId, uids) => {
      if (remove.length > 0) await account.storeFlags(mailboxId, uids, "remove", 0, remove);
      if (add.length > 0) await account.storeFlags(mailboxId, uids, "add", 0, add);
    });
    if (remove.length > 0) await forgetUnusedTags(list);
  }

  /** Keywords of all mailboxes. */
  async keywords(): Promise<string[]> {
    const found = new Set<string>();
    for (const account of await this.accounts()) {
      for (const m of this.mailboxes(account)) for (const k of m.keywords) found.add(k);
    }
    return [...found];
  }
}
