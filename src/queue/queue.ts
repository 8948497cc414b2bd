/**
 * The outgoing queue: durable before the sender is told, tried on a schedule, and each recipient ends
 * exactly once: delivered, failed (and the sender told), or dropped by an administrator.
 *
 * Crash safety is that of the accounts: the file is linked and its folder synced before the rows are
 * committed, and the WAL is synced before `add` resolves. What was being delivered when the process
 * ended is tried again: the outcome is unknown, and a message twice is better than none. A DSN is made
 * before the recipient's row goes.
 *
 * @module
 */
import { join } from "node:path";
import { counter, countPanic, gauge } from "../metrics/mod.ts";
import { ensureDir } from "../platform/files.ts";
import { Db } from "../store/database.ts";
import { MessageFiles } from "../store/message_files.ts";
import { type DueDestination, nextDue, nextTime } from "./due.ts";
import { attempted, type Done, dsnEvents, maxResults, outgoingEvent, owe } from "./events.ts";
import { addHoldRule, type HoldRule, holdRules, isHeld, removeHoldRule } from "./hold_rules.ts";
import { countAgainstLimits, sentInDay } from "./limits.ts";
import { countItems, findIds, findItems, type QueueFilter, type QueueOrder } from "./list.ts";
import {
  addSuppression,
  forgetRetired,
  removeSuppression,
  retire,
  retiredByFromId,
  type RetiredItem,
  retiredItems,
  suppressAfterFailure,
  suppressed,
  type Suppression,
  suppressionReason,
  suppressions,
} from "./retired.ts";
import {
  domainOf,
  insertMessage,
  itemColumns,
  itemFromRow,
  readMessage,
  updateDestination,
} from "./rows.ts";
import { queueMigrations } from "./schema.ts";
import {
  type Attempt,
  type Clock,
  type NewQueueMessage,
  type OutgoingEvent,
  type QueueItem,
  QueueLimitError,
  type QueueMessage,
  type QueueOptions,
  type Result,
} from "./types.ts";

/** Recipients of one delivery. */
const maxRecipients = 100;
/** The longest sleep; a later attempt is looked for again then. */
const maxSleep = 3600_000;
/** A delivery that has no connection for so long no longer takes the place of one that works. */
const stalledAfter = 2_000;

const results = counter("mox_queue_delivery_total", "Attempts to deliver, by result.", {
  result: ["delivered", "temporary", "permanent"],
});
const size = gauge("mox_queue_messages", "Recipients in the queue.");

const systemClock: Clock = {
  now: Date.now,
  after(ms, fn) {
    const t = setTimeout(fn, ms);
    return () => clearTimeout(t);
  },
  random: Math.random,
};

export class Queue {
  readonly #db: Db;
  readonly #files: MessageFiles;
  readonly #o: QueueOptions;
  readonly #clock: Clock;
  readonly #abort = new AbortController();
  readonly #active = new Map<string, number>();
  readonly #running = new Set<Promise<void>>();
  #deliveries = 0;
  /** Of them, those that found no server yet. */
  #stalled = 0;
  #failing = 0;
  #started = false;
  #stopping = false;
  #cancelTimer: (() => void) | undefined;
  #nextId: number;
  /** Recipients in the queue. */
  #count: number;
  #rules: HoldRule[];
  #forgotten = 0;
  #erasing = false;

  private constructor(db: Db, dir: string, o: QueueOptions) {
    this.#db = db;
    this.#files = new MessageFiles(join(dir, "msg"));
    this.#o = o;
    this.#clock = o.clock ?? systemClock;
    const last = db.get("SELECT seq FROM sqlite_sequence WHERE name = 'messages'")?.[0] ?? 0;
    this.#nextId = last + 1;
    this.#count = db.get("SELECT count(*) FROM recipients")![0];
    this.#rules = holdRules(db);
    size.set(this.#count);
  }

  /** Opens the queue in the data folder, made if needed, and mends what a crash left. */
  static async open(dataDir: string, o: QueueOptions): Promise<Queue> {
    const dir = join(dataDir, "queue");
    await ensureDir(join(dir, "msg"));
    const queue = new Queue(await Db.open(join(dir, "index.db"), queueMigrations), dir, o);
    queue.#recover();
    return queue;
  }

  #recover(): void {
    const db = this.#db;
    db.transaction(() => {
      const lanes = db.all("SELECT DISTINCT domain, priority FROM recipients WHERE leased = 1");
      db.run("UPDATE recipients SET leased = 0 WHERE leased = 1");
      for (const [domain, priority] of lanes) updateDestination(db, domain, priority);
    });
    for (const [id] of db.all("SELECT id FROM erased")) this.#files.remove(id);
    db.transaction(() => db.exec("DELETE FROM erased"));
    for (const id of this.#files.recent(this.#nextId)) {
      if (!db.get("SELECT 1 FROM messages WHERE id = ?", id)) {
        this.#o.log.warn("removing queue file that no row names, left by a crash", { id });
        this.#files.remove(id);
      }
    }
  }

  /**
   * Takes a message for its recipients; durable when it resolves.
   * @returns the ids of the recipients' items.
   * @throws QueueLimitError if the account has sent too much.
   */
  async add(m: NewQueueMessage): Promise<number[]> {
    if (this.#stopping) throw new Error("queue is stopping");
    if (this.#db.syncFailure) throw this.#db.syncFailure;
    const stat = await Deno.stat(m.file);
    if (stat.size !== m.fileSize) {
      throw new Error(`message file has ${stat.size} bytes, not ${m.fileSize}`);
    }
    let id: number;
    for (;;) {
      id = this.#nextId++;
      try {
        await this.#files.add(id, m.file);
        break;
      } catch (err) {
        if (!(err instanceof Deno.errors.AlreadyExists)) throw err;
      }
    }
    const now = this.#clock.now();
    const from = domainOf(m.mailFrom);
    let ids: number[];
    try {
      ids = this.#db.transaction(() => {
        countAgainstLimits(this.#db, m, now);
        return insertMessage(
          this.#db,
          id,
          m,
          now,
          (to) => isHeld(this.#rules, m.senderAccount, from, to),
        );
      });
    } catch (err) {
      this.#files.remove(id);
      if (err instanceof QueueLimitError && this.#o.onLimit) {
        const run = this.#o.onLimit(m.senderAccount, err).finally(() => this.#running.delete(run));
        this.#running.add(run);
      }
      throw err;
    }
    this.#counted(ids.length);
    try {
      await this.#db.durable();
    } catch (err) {
      this.#takeBack(id);
      throw err;
    }
    this.#wake();
    return ids;
  }

  /** Removes a message whose sender was told that it was not taken: they try again. */
  #takeBack(messageId: number): void {
    const gone = this.#db.transaction(() => {
      const items = this.#db.all(
        `SELECT ${itemColumns} FROM recipients WHERE message_id = ?`,
        messageId,
      ).map(itemFromRow);
      this.#db.run("DELETE FROM recipients WHERE message_id = ?", messageId);
      for (const i of items) updateDestination(this.#db, i.domain, i.priority);
      this.#eraseIfDone(messageId);
      return items.length;
    });
    this.#counted(-gone);
  }

  /** Begins to deliver. */
  start(): Promise<void> {
    this.#started = true;
    this.#wake();
    return Promise.resolve();
  }

  /** Starts what is due, as far as limits let, and sleeps until the next is. */
  #wake(): void {
    if (!this.#started || this.#stopping) return;
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    const now = this.#clock.now();
    this.#forget(now);
    for (let latest = false;; latest = !latest) {
      const due = nextDue(this.#db, now, this.#places(), latest);
      if (!due) break;
      this.#startOne(due, now);
    }
    // What is due and has no place starts when a delivery ends or stalls.
    const next = nextTime(this.#db, now);
    if (next === undefined) return;
    const wait = Math.min(maxSleep, Math.max(1, next - this.#clock.now()));
    this.#cancelTimer = this.#clock.after(wait, () => this.#wake());
  }

  #places() {
    return {
      byDestination: this.#active,
      all: this.#deliveries,
      working: this.#deliveries - this.#stalled,
      failing: this.#failing,
    };
  }

  /** Starts a delivery of one message to a destination, if something is due there indeed. */
  #startOne({ domain, priority, failing }: DueDestination, now: number): void {
    const first = this.#db.get(
      `SELECT ${itemColumns} FROM recipients WHERE domain = ? AND priority = ? AND hold = 0 ` +
        "AND leased = 0 AND next_attempt <= ? ORDER BY next_attempt LIMIT 1",
      domain,
      priority,
      now,
    );
    if (!first) {
      this.#db.transaction(() => updateDestination(this.#db, domain, priority));
      return;
    }
    const message = readMessage(this.#db, first[1], (id) => this.#files.path(id))!;
    const items = this.#db.all(
      `SELECT ${itemColumns} FROM recipients WHERE message_id = ? AND domain = ? AND priority = ? ` +
        "AND hold = 0 AND leased = 0 AND next_attempt <= ? LIMIT ?",
      message.id,
      domain,
      priority,
      now,
      maxRecipients,
    ).map(itemFromRow);
    this.#db.transaction(() => {
      for (const i of items) this.#db.run("UPDATE recipients SET leased = 1 WHERE id = ?", i.id);
      updateDestination(this.#db, domain, priority);
    });
    this.#deliveries++;
    if (failing) this.#failing++;
    this.#active.set(domain, (this.#active.get(domain) ?? 0) + 1);
    const place = this.#place();
    const run = this.#deliver(message, items, place.connected).catch((err) => {
      countPanic("queue");
      this.#o.log.error("queue delivery", { err, id: message.id });
    }).finally(() => {
      place.connected();
      this.#deliveries--;
      if (failing) this.#failing--;
      const left = this.#active.get(domain)! - 1;
      if (left > 0) this.#active.set(domain, left);
      else this.#active.delete(domain);
      this.#running.delete(run);
      this.#wake();
    });
    this.#running.add(run);
  }

  /** Follows whether a delivery works, or waits for a server. */
  #place(): { connected: () => void } {
    let stalled = false;
    const cancel = this.#clock.after(stalledAfter, () => {
      stalled = true;
      this.#stalled++;
      this.#wake();
    });
    return {
      connected: () => {
        cancel();
        if (stalled) this.#stalled--;
        stalled = false;
      },
    };
  }

  async #deliver(
    message: QueueMessage,
    items: QueueItem[],
    connected: () => void,
  ): Promise<void> {
    // Those that have failed already are only here because their DSN is owed.
    const fresh = items.filter((i) => i.dsnOwed === 0);
    const refused = new Map<QueueItem, Suppression>();
    for (const i of fresh) {
      const s = suppressed(this.#db, message.senderAccount, i.address);
      if (s && !message.isDsn) refused.set(i, s);
    }
    const tried = fresh.filter((i) => !refused.has(i));
    let outcome: readonly Result[] = [];
    try {
      if (tried.length > 0) {
        outcome = await this.#o.deliverer.deliver(message, tried, this.#abort.signal, connected);
      }
    } catch (err) {
      if (this.#abort.signal.aborted) return this.#release(items);
      this.#o.log.error("delivering", { err: err as Error, id: message.id });
      const text = err instanceof Error ? err.message : String(err);
      outcome = tried.map(() => ({ kind: "temporary", code: 451, enhanced: "4.3.0", text }));
    }
    const now = this.#clock.now();
    const done: Done[] = items.filter((i) => i.dsnOwed > 0).map((item) => ({
      item,
      attempt: item.results[item.results.length - 1],
      wait: undefined,
      outcome: "failed",
      again: true,
    }));
    for (const [item, s] of refused) {
      const text = `address is on the suppression list of the account: ${s.reason}`;
      const r: Result = { kind: "permanent", code: 550, enhanced: "5.7.1", text };
      done.push({ ...this.#attempted(item, r, now), outcome: "suppressed" });
    }
    for (const [i, item] of tried.entries()) {
      const r: Result = outcome[i] ??
        { kind: "temporary", code: 451, enhanced: "4.3.0", text: "no result" };
      // What the end of the process cut off was no attempt.
      if (this.#abort.signal.aborted && r.kind === "temporary") this.#release([item]);
      else done.push(this.#attempted(item, r, now));
    }
    await this.#tell(message, done);
    if (done.length > 0) this.#settle(message, done, now);
  }

  /** DSNs and webhooks. */
  async #tell(message: QueueMessage, done: readonly Done[]): Promise<void> {
    for (const event of dsnEvents(message, done)) {
      try {
        await this.#o.onDsn(event);
      } catch (err) {
        this.#o.log.error("making DSN", { err: err as Error, id: message.id, kind: event.action });
        if (event.action === "failed") owe(done, event, this.#o.log);
      }
    }
    for (const d of done) {
      const event = outgoingEvent(message, d);
      if (event) await this.#event(event);
    }
  }

  async #event(event: OutgoingEvent): Promise<void> {
    try {
      await this.#o.onEvent?.(event);
    } catch (err) {
      this.#o.log.error("telling of delivery", { err: err as Error, id: event.item.id });
    }
  }

  /** Notes a result in the item; says when it is tried again. */
  #attempted(item: QueueItem, r: Result, now: number): Done {
    results.inc({ result: r.kind });
    const done = attempted(item, r, now, this.#clock.random());
    const { attempt, wait } = done;
    this.#o.log.info(r.kind === "delivered" ? "delivered from queue" : "delivery failed", {
      id: item.id,
      to: item.address,
      kind: r.kind,
      attempt: item.attempts,
      code: attempt.code,
      text: attempt.text,
      remote: attempt.remoteMta,
      retry: wait === undefined ? undefined : new Date(now + wait),
    });
    return done;
  }

  /** Writes down what became of the items. */
  #settle(message: QueueMessage, done: readonly Done[], now: number): void {
    let gone = 0;
    this.#db.transaction(() => {
      for (const { item, wait, outcome, unreachable, attempt } of done) {
        if (wait === undefined) {
          this.#retire(message, item, outcome, attempt, now);
          gone += this.#db.run("DELETE FROM recipients WHERE id = ?", item.id).changes;
        } else {
          this.#db.run(
            "UPDATE recipients SET attempts = ?, next_attempt = ?, leased = 0, results = ?, " +
              "dsn_owed = ?, unreachable = ? WHERE id = ?",
            item.attempts,
            now + wait,
            JSON.stringify(item.results),
            item.dsnOwed,
            unreachable ? 1 : 0,
            item.id,
          );
        }
      }
      updateDestination(this.#db, done[0].item.domain, done[0].item.priority);
      this.#eraseIfDone(message.id);
    });
    this.#counted(-gone);
    this.#removeErased();
  }

  #retire(
    message: QueueMessage,
    item: QueueItem,
    outcome: Done["outcome"],
    attempt: Attempt,
    now: number,
  ): void {
    const period = this.#o.retiredPeriod?.(message.senderAccount) ?? 0;
    if (period <= 0 || outcome === undefined) return;
    if (outcome === "failed") {
      const reason = suppressAfterFailure(this.#db, message.senderAccount, item, attempt, now);
      if (reason) this.#o.log.info("suppressing recipient", { to: item.address, reason });
    }
    retire(this.#db, message, item, outcome, now, period);
  }

  /** Once an hour. */
  #forget(now: number): void {
    if (now < this.#forgotten + 3600_000) return;
    this.#forgotten = now;
    this.#db.transaction(() => forgetRetired(this.#db, now));
  }

  #counted(change: number): void {
    this.#count += change;
    size.set(this.#count);
  }

  #release(items: readonly QueueItem[]): void {
    this.#db.transaction(() => {
      for (const i of items) this.#db.run("UPDATE recipients SET leased = 0 WHERE id = ?", i.id);
      updateDestination(this.#db, items[0].domain, items[0].priority);
    });
  }

  #eraseIfDone(messageId: number): void {
    if (this.#db.get("SELECT 1 FROM recipients WHERE message_id = ? LIMIT 1", messageId)) return;
    if (this.#db.run("DELETE FROM messages WHERE id = ?", messageId).changes > 0) {
      this.#db.run("INSERT OR IGNORE INTO erased (id) VALUES (?)", messageId);
    }
  }

  /** Removes files of messages that are done, once that is durable. */
  #removeErased(): void {
    if (this.#erasing) return;
    this.#erasing = true;
    const run = this.#eraseAll().catch((err) => {
      this.#o.log.error("removing queue files", { err });
    }).finally(() => this.#running.delete(run));
    this.#running.add(run);
  }

  /** One after the other, each for all that has gathered meanwhile. */
  async #eraseAll(): Promise<void> {
    try {
      for (;;) {
        const ids = this.#db.all("SELECT id FROM erased LIMIT 1000").map((r) => r[0] as number);
        if (ids.length === 0) return;
        await this.#db.durable();
        for (const id of ids) this.#files.remove(id);
        this.#db.transaction(() => {
          for (const id of ids) this.#db.run("DELETE FROM erased WHERE id = ?", id);
        });
      }
    } finally {
      this.#erasing = false;
    }
  }

  /** Recipients in the queue. */
  count(filter?: QueueFilter): number {
    return filter === undefined ? this.#count : countItems(this.#db, filter);
  }

  /** Recipients in the queue. */
  list(filter: QueueFilter = {}, order: QueueOrder = {}): QueueItem[] {
    return findItems(this.#db, filter, order);
  }

  /** The message of an item. */
  message(messageId: number): QueueMessage | undefined {
    return readMessage(this.#db, messageId, (id) => this.#files.path(id));
  }

  /** Changes matching items that aren't being delivered right now; returns them as they were. */
  async #change(filter: QueueFilter, fn: (item: QueueItem) => void): Promise<QueueItem[]> {
    const changed: QueueItem[] = [];
    this.#db.transaction(() => {
      for (const id of findIds(this.#db, filter)) {
        const item = itemFromRow(
          this.#db.get(`SELECT ${itemColumns} FROM recipients WHERE id = ?`, id)!,
        );
        fn(item);
        updateDestination(this.#db, item.domain, item.priority);
        changed.push(item);
      }
    });
    await this.#db.durable();
    this.#wake();
    return changed;
  }

  async #set(
    filter: QueueFilter,
    column: "hold" | "next_attempt" | "transport" | "require_tls",
    value: (item: QueueItem) => string | number | null,
  ): Promise<number> {
    const sql = `UPDATE recipients SET ${column} = ? WHERE id = ?`;
    const changed = await this.#change(filter, (i) => {
      this.#db.run(sql, value(i), i.id);
    });
    return changed.length;
  }

  /** Holds items, or lets them go. */
  hold(filter: QueueFilter, hold: boolean): Promise<number> {
    return this.#set(filter, "hold", () => hold ? 1 : 0);
  }

  /** Sets the time of the next attempt, milliseconds since the epoch. */
  schedule(filter: QueueFilter, time: number): Promise<number> {
    return this.#set(filter, "next_attempt", () => time);
  }

  /** Moves the time of the next attempt by so many milliseconds. */
  postpone(filter: QueueFilter, by: number): Promise<number> {
    return this.#set(filter, "next_attempt", (i) => i.nextAttempt + by);
  }

  /** Sets a transport in place of what the routes say; undefined for these. */
  setTransport(filter: QueueFilter, transport: string | undefined): Promise<number> {
    return this.#set(filter, "transport", () => transport ?? null);
  }

  /** Sets whether TLS is demanded ("yes"), waived ("no"), or as the message and policies say. */
  setRequireTls(filter: QueueFilter, value: "yes" | "no" | undefined): Promise<number> {
    return this.#set(filter, "require_tls", () => value ?? null);
  }

  /** Removes items without a DSN. */
  async drop(filter: QueueFilter): Promise<number> {
    const now = this.#clock.now();
    const events: OutgoingEvent[] = [];
    const { length } = await this.#change(filter, (item) => {
      const attempt: Attempt = {
        time: now,
        kind: "permanent",
        code: 554,
        enhanced: "5.0.0",
        text: "removed from the queue",
      };
      const message = this.message(item.messageId)!;
      this.#retire(message, item, "canceled", attempt, now);
      events.push({ kind: "canceled", message, item, attempt, nextAttempt: undefined });
      this.#db.run("DELETE FROM recipients WHERE id = ?", item.id);
      this.#eraseIfDone(item.messageId);
    });
    this.#counted(-length);
    for (const e of events) await this.#event(e);
    this.#removeErased();
    return length;
  }

  /** Gives up on items: their senders get a DSN, soon. Returns how many. */
  async fail(filter: QueueFilter): Promise<number> {
    const now = this.#clock.now();
    const events: OutgoingEvent[] = [];
    const { length } = await this.#change(filter, (i) => {
      // It has failed already, just nobody was told yet.
      if (i.dsnOwed > 0) return;
      const attempt: Attempt = {
        time: now,
        kind: "permanent",
        code: 554,
        enhanced: "5.0.0",
        text: "delivery cancelled by an administrator",
      };
      // As one whose DSN is owed: it isn't delivered any more.
      this.#db.run(
        "UPDATE recipients SET dsn_owed = 1, hold = 0, next_attempt = ?, results = ? WHERE id = ?",
        now,
        JSON.stringify([...i.results, attempt].slice(-maxResults)),
        i.id,
      );
      const message = this.message(i.messageId)!;
      events.push({ kind: "failed", message, item: i, attempt, nextAttempt: undefined });
    });
    for (const e of events) await this.#event(e);
    return length;
  }

  /** Recipients elsewhere of an account's messages in the last 24 hours, as its limit counts them. */
  sentInDay(account: string): number {
    return sentInDay(this.#db, account, this.#clock.now());
  }

  holdRules(): readonly HoldRule[] {
    return this.#rules;
  }

  /** Holds new messages that fit; what is queued already stays as it is. */
  async addHoldRule(rule: Omit<HoldRule, "id">): Promise<number> {
    const id = addHoldRule(this.#db, rule);
    this.#rules = holdRules(this.#db);
    await this.#db.durable();
    return id;
  }

  /** Messages that the rule has held stay held. */
  async removeHoldRule(id: number): Promise<boolean> {
    const removed = removeHoldRule(this.#db, id);
    this.#rules = holdRules(this.#db);
    await this.#db.durable();
    return removed;
  }

  /** Recipients that left the queue, the last first. */
  retired(o: { account?: string; limit?: number; before?: number } = {}): RetiredItem[] {
    return retiredItems(this.#db, o);
  }

  /** The retired recipient that a unique sender address was made for. */
  retiredByFromId(fromId: string): RetiredItem | undefined {
    return retiredByFromId(this.#db, fromId);
  }

  suppressions(account?: string): Suppression[] {
    return suppressions(this.#db, account);
  }

  /** The entry by which an account must not write to an address. */
  suppressed(account: string, address: string): Suppression | undefined {
    return suppressed(this.#db, account, address);
  }

  /** Whether a failure will put its recipient on the list of its account. */
  suppressesAfter(account: string, item: QueueItem, attempt: Attempt): boolean {
    return (this.#o.retiredPeriod?.(account) ?? 0) > 0 &&
      suppressionReason(this.#db, account, item, attempt) !== undefined;
  }

  /** False if it was there already. */
  async suppress(s: Pick<Suppression, "account" | "address" | "manual" | "reason">) {
    const added = addSuppression(this.#db, s, this.#clock.now());
    await this.#db.durable();
    return added;
  }

  async unsuppress(account: string, address: string): Promise<boolean> {
    const removed = removeSuppression(this.#db, account, address);
    await this.#db.durable();
    return removed;
  }

  /** Resolves when no delivery is under way; for tests. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  /** Ends deliveries (what is unfinished stays in the queue) and closes the database. */
  async stop(): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    this.#cancelTimer?.();
    this.#abort.abort();
    await this.idle();
    await this.#o.deliverer.stop?.();
    this.#files.close();
    await this.#db.close();
  }
}
