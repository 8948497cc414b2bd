/**
 * The emails of an account as units, in memory: the values that JMAP filters, sorts and counts by (RFC 8621
 * §4.1.1).
 *
 * IMAP keeps flags for each message, that is for each mailbox of an email. This is the only place where they
 * become the flags of the email:
 * - a message with \Deleted doesn't count; an email that has no other message is not visible;
 * - an email has a keyword if one of its messages has it;
 * - it was received when its first message was.
 *
 * The index is built in slices on first use, and brought up to the database's modseq before each use by reading
 * the changes since: so it is exact without listening for changes.
 *
 * @module
 */
import { asEmailId, asMailboxId, type EmailId, type MailboxId } from "../ids.ts";
import type { Account } from "../account/account.ts";
import { Flag } from "../types.ts";
import { DateOrder } from "./date_order.ts";

/** Messages read in one go while the index is built, and emails updated in one go. */
const slice = 2000;
const firstSize = 1024;

/** An email's columns, by slot. A slot is never used again; dead ones have no mailbox. */
export class EmailIndex {
  readonly #account: Account;
  #building: Promise<void> | undefined;
  /** All changes up to this modseq are included. */
  #modseq = 0;
  #slots = new Map<number, number>();
  count = 0;
  /** Visible emails. */
  live = 0;
  emailId = new Uint32Array(firstSize);
  threadId = new Uint32Array(firstSize);
  /** How often the thread has changed. */
  reborn = new Uint16Array(firstSize);
  /** Modseq at which the email was created, and of its last change. */
  createseq = new Float64Array(firstSize);
  modseq = new Float64Array(firstSize);
  /** Milliseconds. */
  received = new Float64Array(firstSize);
  size = new Float64Array(firstSize);
  /** Bits of Flag. */
  flags = new Uint16Array(firstSize);
  /** Index into {@link words}. */
  keywords = new Uint32Array(firstSize);
  /** The first mailbox that it is in; 0 if it isn't visible. */
  mailbox = new Uint32Array(firstSize);
  /** Further mailboxes of a slot. */
  readonly others = new Map<number, MailboxId[]>();
  /** The keyword lists that occur, each as text separated by spaces. */
  readonly words: string[] = [""];
  readonly #wordIndex = new Map<string, number>([["", 0]]);
  /** Slots by date. */
  readonly order = new DateOrder((slot) => this.received[slot], (slot) => this.emailId[slot]);
  /** Rises with each change of the index. */
  version = 0;

  constructor(account: Account) {
    this.#account = account;
  }

  /** Brings the index up to date; in slices if that takes long. */
  async ready(): Promise<this> {
    while (this.#building) await this.#building;
    const { db } = this.#account;
    if (this.#modseq === this.#account.state()) return this;
    const behind = this.#modseq === 0 ||
      db.get(
          "SELECT count(*) FROM (SELECT 1 FROM messages WHERE modseq > ? LIMIT ?)",
          this.#modseq,
          slice,
        )![0] >= slice;
    if (behind) {
      this.#building = this.#catchUp().finally(() => this.#building = undefined);
      await this.#building;
      // What came meanwhile is little.
      return await this.ready();
    }
    this.#follow();
    return this;
  }

  /** Everything changed since, in slices. Later changes are read again afterwards. */
  async #catchUp(): Promise<void> {
    const { db } = this.#account;
    const until = this.#account.state();
    /** Emails, with the modseq of their last change. */
    const changed = new Map<number, number>();
    for (let after = this.#modseq, id = this.#modseq === 0 ? 0 : Number.MAX_SAFE_INTEGER;;) {
      const rows = db.all(
        "SELECT modseq, id, email_id FROM messages WHERE modseq >= ?1 AND (modseq, id) > (?1, ?2) " +
          "AND modseq <= ?3 ORDER BY modseq, id LIMIT ?4",
        after,
        id,
        until,
        slice,
      );
      // Remnants from before version 5 of the schema lack their email's id.
      for (const r of rows) if (r[2] !== 0) changed.set(r[2], r[0]);
      if (rows.length < slice) break;
      [after, id] = rows[rows.length - 1];
      await turn();
    }
    this.#rethreaded(changed, this.#modseq);
    const ids = [...changed.keys()].sort((a, b) => a - b);
    for (let at = 0; at < ids.length; at += slice / 4) {
      this.#read(ids.slice(at, at + slice / 4), changed);
      await turn();
    }
    this.order.sortIfNeeded(this.count, (slot) => this.mailbox[slot] !== 0);
    this.#modseq = until;
  }

  #follow(): void {
    const { db } = this.#account;
    const until = this.#account.state();
    const changed = new Map<number, number>();
    for (
      const [id, modseq] of db.all(
        "SELECT email_id, max(modseq) FROM messages WHERE modseq > ? GROUP BY email_id",
        this.#modseq,
      )
    ) if (id !== 0) changed.set(id, modseq);
    this.#rethreaded(changed, this.#modseq);
    this.#read([...changed.keys()].sort((a, b) => a - b), changed);
    this.order.sortIfNeeded(this.count, (slot) => this.mailbox[slot] !== 0);
    this.#modseq = until;
  }

  /** Emails whose thread has changed since. */
  #rethreaded(changed: Map<number, number>, since: number): void {
    for (
      const [id, createseq] of this.#account.db.all(
        "SELECT email_id, createseq FROM threads WHERE createseq > ? AND reborn > 0",
        since,
      )
    ) changed.set(id, Math.max(changed.get(id) ?? 0, createseq));
  }

  /**
   * Reads emails again, whatever was known about them. Ids ascend; `changed` has the modseqs of their last
   * changes.
   */
  #read(ids: readonly number[], changed: ReadonlyMap<number, number>): void {
    if (ids.length === 0) return;
    this.version++;
    const { db } = this.#account;
    const list = JSON.stringify(ids);
    const threads = new Map<number, [number, number, number]>();
    for (
      const [id, thread, createseq, reborn] of db.all(
        "SELECT t.email_id, t.thread_id, t.createseq, t.reborn FROM json_each(?) j " +
          "CROSS JOIN threads t ON t.email_id = j.value",
        list,
      )
    ) threads.set(id, [thread, createseq, reborn]);
    const found = new Map<number, Gathered>();
    for (
      const [id, mailbox, modseq, flags, keywords, received, size] of db.all(
        "SELECT m.email_id, m.mailbox_id, m.modseq, m.flags, m.keywords, m.received, m.size " +
          "FROM json_each(?) j CROSS JOIN messages m INDEXED BY messages_email " +
          "ON m.email_id = j.value AND m.expunged = 0 ORDER BY m.id",
        list,
      )
    ) {
      let g = found.get(id);
      if (!g) {
        g = { modseq: 0, mailboxes: [], flags: 0, words: "", received, size };
        found.set(id, g);
      }
      g.modseq = Math.max(g.modseq, modseq);
      if (flags & Flag.Deleted) continue;
      if (!g.mailboxes.includes(mailbox)) g.mailboxes.push(mailbox);
      g.flags |= flags;
      if (keywords !== "" && keywords !== g.words) g.words = union(g.words, keywords);
      if (received < g.received) g.received = received;
    }
    for (const id of ids) {
      const g = found.get(id);
      // If one of its messages was expunged or moved away, the others don't show that.
      if (g) g.modseq = Math.max(g.modseq, changed.get(id) ?? 0);
      this.#put(id, g, threads.get(id) ?? [id, 0, 0]);
    }
  }

  #put(id: number, gathered: Gathered | undefined, thread: [number, number, number]): void {
    let slot = this.#slots.get(id);
    const wasLive = slot !== undefined && this.mailbox[slot] !== 0;
    if (gathered === undefined) {
      // Gone: its slot remains, dead.
      if (slot === undefined) return;
      if (wasLive) this.live--;
      this.mailbox[slot] = 0;
      this.others.delete(slot);
      this.#slots.delete(id);
      this.order.remove(slot);
      return;
    }
    if (slot === undefined) {
      slot = this.count++;
      if (slot >= this.emailId.length) this.#grow();
      this.#slots.set(id, slot);
      this.emailId[slot] = id;
    } else if (this.received[slot] !== gathered.received) this.order.remove(slot);
    [this.threadId[slot], this.createseq[slot], this.reborn[slot]] = thread;
    // A new thread is also a change.
    this.modseq[slot] = Math.max(gathered.modseq, thread[1]);
    this.received[slot] = gathered.received;
    this.size[slot] = gathered.size;
    this.flags[slot] = gathered.flags;
    this.keywords[slot] = this.#word(gathered.words);
    this.mailbox[slot] = gathered.mailboxes[0] ?? 0;
    if (gathered.mailboxes.length > 1) this.others.set(slot, gathered.mailboxes.slice(1));
    else this.others.delete(slot);
    const isLive = gathered.mailboxes.length > 0;
    this.live += Number(isLive) - Number(wasLive);
    if (isLive) this.order.add(slot);
    else this.order.remove(slot);
  }

  #word(text: string): number {
    let at = this.#wordIndex.get(text);
    if (at === undefined) {
      at = this.words.length;
      this.words.push(text);
      this.#wordIndex.set(text, at);
    }
    return at;
  }

  #grow(): void {
    const n = this.emailId.length * 2;
    const u32 = (a: Uint32Array) => {
      const b = new Uint32Array(n);
      b.set(a);
      return b;
    };
    const u16 = (a: Uint16Array) => {
      const b = new Uint16Array(n);
      b.set(a);
      return b;
    };
    const f64 = (a: Float64Array) => {
      const b = new Float64Array(n);
      b.set(a);
      return b;
    };
    this.emailId = u32(this.emailId);
    this.threadId = u32(this.threadId);
    this.reborn = u16(this.reborn);
    this.createseq = f64(this.createseq);
    this.modseq = f64(this.modseq);
    this.received = f64(this.received);
    this.size = f64(this.size);
    this.flags = u16(this.flags);
    this.keywords = u32(this.keywords);
    this.mailbox = u32(this.mailbox);
  }

  /** The slot of an email that exists, visible or not; undefined otherwise. */
  slotOf(emailId: EmailId): number | undefined {
    return this.#slots.get(emailId);
  }

  /** The email of a slot. */
  emailAt(slot: number): EmailId {
    return asEmailId(this.emailId[slot]);
  }

  /** Mailboxes of a slot. */
  mailboxesOf(slot: number): MailboxId[] {
    const first = asMailboxId(this.mailbox[slot]);
    return first === 0 ? [] : [first, ...this.others.get(slot) ?? []];
  }

  isIn(slot: number, mailboxId: MailboxId): boolean {
    return this.mailbox[slot] === mailboxId ||
      (this.others.size > 0 && this.others.get(slot)?.includes(mailboxId) === true);
  }

  /** True if the email is in one of the mailboxes. */
  isInAny(slot: number, mailboxes: ReadonlySet<number>): boolean {
    return mailboxes.has(this.mailbox[slot]) ||
      (this.others.size > 0 && this.others.get(slot)?.some((m) => mailboxes.has(m)) === true);
  }

  hasKeyword(slot: number, keyword: string): boolean {
    const text = this.words[this.keywords[slot]];
    return text !== "" && ` ${text} `.includes(` ${keyword} `);
  }

  /** Modseq of the last change of an email that exists but is not visible; 0 if there is none. */
  hiddenModseq(): number {
    return this.hidden().reduce((r, slot) => Math.max(r, this.modseq[slot]), 0);
  }

  /** Slots of emails that exist but are not visible. */
  hidden(): number[] {
    if (this.#slots.size === this.live) return [];
    return [...this.#slots.values()].filter((slot) => this.mailbox[slot] === 0);
  }

  /** Slots of visible emails of threads. */
  inThreads(threads: ReadonlySet<number>): number[] {
    const r: number[] = [];
    for (let slot = 0; slot < this.count; slot++) {
      if (this.mailbox[slot] !== 0 && threads.has(this.threadId[slot])) r.push(slot);
    }
    return r;
  }
}

/** The combined facts of an email's messages. */
interface Gathered {
  modseq: number;
  mailboxes: MailboxId[];
  flags: number;
  words: string;
  received: number;
  size: number;
}

function union(a: string, b: string): string {
  if (a === "") return b;
  return [...new Set([...a.split(" "), ...b.split(" ")])].sort().join(" ");
}

function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

const indexes = new WeakMap<Account, EmailIndex>();

/** The index of an account, up to date. It exists as long as the account is open. */
export function emailIndex(account: Account): Promise<EmailIndex> {
  let index = indexes.get(account);
  if (!index) indexes.set(account, index = new EmailIndex(account));
  return index.ready();
}
