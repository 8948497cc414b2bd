/**
 * Emails and threads as wholes (JMAP): the index of them compared with the model, and clients that know nothing but what
 * they were told of changes.
 */
import assert from "node:assert/strict";
import type { Account } from "../../src/store/account/account.ts";
import {
  changedThreads,
  emailChanges,
  type EmailKey,
  emailState,
  knownSince,
  parseState,
  pointOf,
  threadState,
} from "../../src/store/emails/changes.ts";
import { type EmailIndex, emailIndex } from "../../src/store/emails/email_index.ts";
import { bit, type Model } from "./model.ts";

/** What an email is to a client. */
interface Seen {
  mailboxes: number[];
  flags: number;
  words: string[];
  received: number;
  size: number;
}

/** Emails that are visible, by the model: those with a message that isn't marked as deleted. */
function visible(m: Model): Map<number, Seen> {
  const found = new Map<number, Seen>();
  for (const e of m.emails.values()) {
    const places = m.places(e.id).filter((r) => !(r.flags & bit.deleted));
    if (places.length === 0) continue;
    found.set(e.id, {
      mailboxes: [...new Set(places.map((r) => r.box as number))].sort((a, b) => a - b),
      flags: places.reduce((all, r) => all | r.flags, 0),
      words: [...new Set(places.flatMap((r) => r.words))].sort(),
      received: Math.min(...places.map((r) => r.received)),
      size: places[0].size,
    });
  }
  return found;
}

function seenAt(index: EmailIndex, slot: number): Seen {
  return {
    mailboxes: index.mailboxesOf(slot).map(Number).sort((a, b) => a - b),
    flags: index.flags[slot],
    words: index.words[index.keywords[slot]].split(" ").filter((w) => w !== ""),
    received: index.received[slot],
    size: index.size[slot],
  };
}

const sorted = <K, V>(map: ReadonlyMap<K, V>) => [...map].sort(([a], [b]) => a < b ? -1 : 1);

/** Somebody who asks what changed, so many at a time. */
class Client {
  #state: string;
  readonly #limit: number;
  readonly #emails = new Map<string, Seen>();

  constructor(account: Account, index: EmailIndex, limit: number) {
    this.#limit = limit;
    this.#state = String(emailState(account));
    for (let slot = 0; slot < index.count; slot++) {
      if (index.mailbox[slot] !== 0) {
        this.#emails.set(Client.#key(index, slot), seenAt(index, slot));
      }
    }
  }

  static #key(index: EmailIndex, slot: number): string {
    return `${index.emailId[slot]}.${index.reborn[slot]}`;
  }

  /**
   * Asks once; true if there is more.
   * @param hidden emails that could not be seen at some time: nothing says since when, so that they go once more when they
   *   are removed, and change when they are seen again
   */
  ask(account: Account, index: EmailIndex, hidden: ReadonlySet<number>): boolean {
    const since = pointOf(account, this.#state, emailState(account));
    if (since === undefined) {
      // So far back nothing is known: all is read anew.
      assert.ok(parseState(this.#state)!.modseq < knownSince(account), `state ${this.#state}`);
      this.#emails.clear();
      this.#state = String(emailState(account));
      for (let slot = 0; slot < index.count; slot++) {
        if (index.mailbox[slot] === 0) continue;
        this.#emails.set(Client.#key(index, slot), seenAt(index, slot));
      }
      return false;
    }
    const changes = emailChanges(account, index, since, this.#limit);
    const { created, updated, destroyed } = changes;
    const keys = (list: EmailKey[]) => list.map((k) => `${k.emailId}.${k.reborn}`);
    assert.equal(
      new Set([...keys(created), ...keys(updated), ...keys(destroyed)]).size,
      created.length + updated.length + destroyed.length,
      "each is told once",
    );
    const known = (k: EmailKey, is: boolean, what: string) => {
      const key = `${k.emailId}.${k.reborn}`;
      assert.ok(this.#emails.has(key) === is || hidden.has(k.emailId), `${key} ${what}`);
      return key;
    };
    // In pages, what came and went between two of them may be told of as gone.
    const paged = this.#limit < 1000;
    for (const k of destroyed) {
      const key = `${k.emailId}.${k.reborn}`;
      this.#emails.delete(paged ? key : known(k, true, "went, which wasn't known"));
    }
    for (const k of created) known(k, false, "came, which was known");
    for (const k of updated) known(k, true, "changed, which wasn't known");
    for (const { emailId, reborn } of [...created, ...updated]) {
      const slot = index.slotOf(emailId)!;
      assert.equal(index.reborn[slot], reborn, `the id of ${emailId}`);
      this.#emails.set(`${emailId}.${reborn}`, seenAt(index, slot));
    }
    if (changes.hasMore) {
      assert.ok(created.length + updated.length + destroyed.length >= this.#limit, "a full page");
      assert.notEqual(changes.newState, this.#state);
    }
    this.#state = changes.newState;
    return changes.hasMore;
  }

  /** Asks until there is no more, and compares. */
  catchUp(account: Account, index: EmailIndex, hidden: ReadonlySet<number>): void {
    while (this.ask(account, index, hidden));
    const there = new Map<string, Seen>();
    for (let slot = 0; slot < index.count; slot++) {
      if (index.mailbox[slot] !== 0) there.set(Client.#key(index, slot), seenAt(index, slot));
    }
    assert.deepEqual(
      sorted(this.#emails),
      sorted(there),
      "emails of a client that follows changes",
    );
    assert.equal(this.#state, String(emailState(account)));
  }
}

export class Emails {
  #clients: { client: Client; every: number }[] = [];
  readonly #hidden = new Set<number>();
  #threads = new Map<number, number[]>();
  #threadState = 0;
  #steps = 0;
  #lastEmailState = 0;

  /** Compares what is known of emails with the model, after each step. */
  async check(account: Account, m: Model, what: string): Promise<void> {
    const index = await emailIndex(account);
    try {
      if (this.#steps === 0) {
        const of = (limit: number, every: number) => ({
          client: new Client(account, index, limit),
          every,
        });
        this.#clients = [of(1000, 1), of(2, 1), of(1, 7), of(3, 15)];
        this.#threads = this.#threadsOf(index);
        this.#threadState = threadState(account, index);
      }
      this.#steps++;
      this.#compare(index, m);
      const state = emailState(account);
      assert.ok(state >= this.#lastEmailState, "the state of emails never falls");
      assert.ok(state <= account.state(), "and isn't above the account's");
      this.#lastEmailState = state;
      for (const { client, every } of this.#clients) {
        // In between one page is asked for, whatever is left.
        if (this.#steps % every === 0) client.catchUp(account, index, this.#hidden);
        else if (this.#steps % 2 === 0) client.ask(account, index, this.#hidden);
      }
      this.#followThreads(account, index);
    } catch (err) {
      if (err instanceof Error) err.message = `after ${what}: ${err.message}`;
      throw err;
    }
  }

  #compare(index: EmailIndex, m: Model): void {
    const want = visible(m);
    const have = new Map<number, Seen>();
    const threads = new Map<number, Set<number>>();
    for (let slot = 0; slot < index.count; slot++) {
      if (index.mailbox[slot] === 0) continue;
      const id = index.emailAt(slot);
      assert.equal(index.slotOf(id), slot, `slot of email ${id}`);
      have.set(id, seenAt(index, slot));
      const thread = threads.get(index.threadId[slot]) ?? m.emails.get(id)!.thread;
      threads.set(index.threadId[slot], thread);
      assert.equal(thread, m.emails.get(id)!.thread, `thread of email ${id}`);
      assert.ok(index.modseq[slot] >= index.createseq[slot], `modseq of email ${id}`);
      for (const box of m.boxes) {
        const isIn = want.get(id)?.mailboxes.includes(box.id) === true;
        assert.equal(index.isIn(slot, box.id), isIn, `email ${id} in ${box.name}`);
        assert.equal(index.isInAny(slot, new Set([0, box.id])), isIn, `email ${id} in ${box.name}`);
      }
      for (const w of ["blue", "red", "todo", "zed", "e"]) {
        assert.equal(index.hasKeyword(slot, w), want.get(id)?.words.includes(w) === true, w);
      }
    }
    assert.deepEqual(sorted(have), sorted(want), "emails");
    for (const id of m.emails.keys()) if (!want.has(id)) this.#hidden.add(id);
    assert.equal(index.live, want.size, "count of emails");
    assert.deepEqual(
      new Set(index.hidden().map((slot) => index.emailAt(slot) as number)),
      new Set([...m.emails.keys()].map(Number).filter((id) => !want.has(id))),
      "emails that can't be seen",
    );
  }

  #threadsOf(index: EmailIndex): Map<number, number[]> {
    const found = new Map<number, number[]>();
    for (let slot = 0; slot < index.count; slot++) {
      if (index.mailbox[slot] === 0) continue;
      const list = found.get(index.threadId[slot]) ?? [];
      list.push(index.emailId[slot]);
      found.set(index.threadId[slot], list);
    }
    for (const list of found.values()) list.sort((a, b) => a - b);
    return found;
  }

  /** Threads of a client that reads those again which changed. */
  #followThreads(account: Account, index: EmailIndex): void {
    const now = threadState(account, index);
    assert.ok(now >= this.#threadState, "the state of threads never falls");
    const there = this.#threadsOf(index);
    const since = pointOf(account, String(this.#threadState), now);
    if (since === undefined) this.#threads = there;
    else {
      for (const { threadId, first, last } of changedThreads(account, index, since)) {
        assert.ok(first > this.#threadState && first <= last && last <= now, "when it changed");
        assert.ok(
          index.inThreads(new Set([threadId])).every((s) => index.threadId[s] === threadId),
        );
        const emails = there.get(threadId);
        if (emails === undefined) this.#threads.delete(threadId);
        else this.#threads.set(threadId, emails);
      }
    }
    this.#threadState = now;
    assert.deepEqual(sorted(this.#threads), sorted(there), "threads of one who follows changes");
  }
}
