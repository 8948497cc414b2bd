/**
 * The outgoing queue: durable before the sender is told, tried on a schedule, and each recipient ends exactly
 * once: delivered, failed (with the sender notified), or dropped by an administrator.
 *
 * Crash safety works as for accounts: the file is linked and its folder synced before the rows are committed,
 * and the WAL is synced before `add` resolves. Deliveries cut off by the end of the process are tried again:
 * their outcome is unknown, and a message twice is better than none. A DSN is created before the recipient's
 * row is removed.
 *
 * @module
 */
import { join } from "node:path";
import { countPanic, gauge } from "../metrics/mod.ts";
import { ensureDir } from "../platform/files.ts";
import { Db } from "../store/database/database.ts";
import { MessageFiles } from "../store/files/message_files.ts";
import { deliver, type Deliveries } from "./sending/attempt.ts";
import { dropItems, failItems, setColumn } from "./changes.ts";
import {
  type DueDestination,
  maxFailing,
  maxRunning,
  nextDue,
  nextTime,
  runningForNew,
} from "./scheduling/due.ts";
import { QueueFiles } from "./files.ts";
import { systemClock } from "./scheduling/clock.ts";
import { addHoldRule, type HoldRule, holdRules, isHeld, removeHoldRule } from "./hold_rules.ts";
import { countAgainstLimits, sentInDay } from "./limits.ts";
import { countItems, findItems, type QueueFilter, type QueueOrder } from "./list.ts";
import {
  addSuppression,
  forgetRetired,
  removeSuppression,
  retiredByFromId,
  retiredByMessageId,
  type RetiredItem,
  retiredItems,
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
  releaseAll,
  updateDestination,
} from "./rows.ts";
import { Runs } from "./scheduling/runs.ts";
import { queueMigrations } from "./schema.ts";
import {
  forgetSubmission,
  forgetSubmissions,
  noteSubmission,
  wasSubmitted,
} from "./submission_keys.ts";
import { Tasks } from "./scheduling/tasks.ts";
import { Turns } from "./scheduling/turns.ts";
import {
  type Attempt,
  type Clock,
  type Failure,
  type NewQueueMessage,
  type QueueItem,
  QueueLimitError,
  type QueueMessage,
  type QueueOptions,
} from "./types.ts";

/** Most recipients of one delivery. */
const maxRecipients = 100;
/** The longest sleep; later attempts are checked for again then. */
const maxSleep = 3600_000;

const size = gauge("mox_queue_messages", "Recipients in the queue.");
/** Databases of open queues, whose held recipients are counted on request. */
const open = new Set<Db>();
gauge("mox_queue_hold", "Recipients in the queue that are on hold.", [], (g) => {
  let held = 0;
  for (const db of open) held += db.get("SELECT count(*) FROM recipients WHERE hold = 1")![0];
  g.set(held);
});

export class Queue {
  readonly #db: Db;
  readonly #files: QueueFiles;
  readonly #o: QueueOptions;
  readonly #clock: Clock;
  readonly #abort = new AbortController();
  readonly #runs: Runs;
  readonly #tasks = new Tasks();
  readonly #turns = new Turns(this.#tasks, () => this.#wake());
  readonly #deliveries: Deliveries;
  #started = false;
  /** From which end of the due recipients the next delivery is taken. */
  #latest = false;
  #stopping = false;
  #cancelTimer: (() => void) | undefined;
  /** Number of recipients in the queue. */
  #count: number;
  #rules: HoldRule[];
  #forgotten = 0;

  private constructor(db: Db, dir: string, options: QueueOptions) {
    this.#db = db;
    this.#files = new QueueFiles(db, new MessageFiles(join(dir, "msg")), options.log, this.#tasks);
    this.#o = options;
    this.#clock = options.clock ?? systemClock;
    this.#runs = new Runs(this.#clock, () => this.#wake());
    this.#deliveries = {
      db,
      files: this.#files,
      options,
      clock: this.#clock,
      stopping: this.#abort.signal,
      counted: (change) => this.#counted(change),
      turn: () => this.#turns.forResult(),
    };
    this.#count = db.get("SELECT count(*) FROM recipients")![0];
    this.#rules = holdRules(db);
    size.set(this.#count);
    open.add(db);
  }

  /** Opens the queue in the data folder, created if needed, and cleans up after a crash. */
  static async open(dataDir: string, options: QueueOptions): Promise<Queue> {
    const dir = join(dataDir, "queue");
    await ensureDir(join(dir, "msg"));
    const queue = new Queue(await Db.open(join(dir, "index.db"), queueMigrations), dir, options);
    releaseAll(queue.#db);
    queue.#files.recover();
    return queue;
  }

  /**
   * Queues a message for its recipients; durable when it resolves.
   * @returns the ids of the recipients' items.
   * @throws QueueLimitError if the account has sent too much.
   */
  async add(message: NewQueueMessage): Promise<number[]> {
    if (this.#stopping) throw new Error("queue is stopping");
    if (this.#db.syncFailure) throw this.#db.syncFailure;
    const stat = await Deno.stat(message.file);
    if (stat.size !== message.fileSize) {
      throw new Error(`message file has ${stat.size} bytes, not ${message.fileSize}`);
    }
    const id = await this.#files.add(message.file);
    const now = this.#clock.now();
    const from = domainOf(message.mailFrom);
    let ids: number[];
    try {
      ids = this.#db.transaction(() => {
        countAgainstLimits(this.#db, message, now);
        if (message.key !== undefined) {
          noteSubmission(this.#db, message.senderAccount, message.key, now);
        }
        return insertMessage(
          this.#db,
          id,
          message,
          now,
          (to) => message.hold === true || isHeld(this.#rules, message.senderAccount, from, to),
        );
      });
    } catch (err) {
      this.#files.takeBack(id);
      if (err instanceof QueueLimitError && this.#o.onLimit) {
        this.#tasks.add(this.#o.onLimit(message.senderAccount, err));
      }
      throw err;
    }
    this.#counted(ids.length);
    message.onAdded?.();
    try {
      await this.#db.durable();
    } catch (err) {
      this.#takeBack(id, message);
      throw err;
    }
    this.#wake();
    return ids;
  }

  /** Removes a message whose sender was told that it was not accepted: the sender tries again. */
  #takeBack(messageId: number, message: NewQueueMessage): void {
    const gone = this.#db.transaction(() => {
      if (message.key !== undefined) {
        forgetSubmission(this.#db, message.senderAccount, message.key);
      }
      const items = this.#db.all(
        `SELECT ${itemColumns} FROM recipients WHERE message_id = ?`,
        messageId,
      ).map(itemFromRow);
      this.#db.run("DELETE FROM recipients WHERE message_id = ?", messageId);
      for (const i of items) updateDestination(this.#db, i.domain, i.priority);
      this.#files.eraseIfDone(messageId);
      return items.length;
    });
    this.#counted(-gone);
  }

  /** Whether a message of an account to an address is in the queue, queued at a given time or later. */
  holds(m: { account: string; address: string; messageId: string; since: number }): boolean {
    return this.#db.get(
      "SELECT 1 FROM messages m JOIN recipients r ON r.message_id = m.id WHERE m.account = ? AND m.message_id = ? " +
        "AND r.address = ? AND m.queued >= ? LIMIT 1",
      m.account,
      m.messageId,
      m.address,
      m.since,
    ) !== undefined;
  }

  /** Starts delivering. */
  start(): Promise<void> {
    this.#started = true;
    this.#wake();
    return Promise.resolve();
  }

  /** Starts due deliveries within the limits, and sleeps until the next is due. */
  #wake(): void {
    if (!this.#started || this.#stopping) return;
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    const now = this.#clock.now();
    this.#forget(now);
    for (;;) {
      if (!this.#turns.mayLook()) return;
      const due = nextDue(this.#db, now, this.#runs.places(), this.#latest);
      if (!due) break;
      if (due.failing && !this.#turns.mayTryDead()) return;
      // Each end has its turn, even if places become free one by one.
      this.#latest = !this.#latest;
      this.#startOne(due, now);
    }
    // Due messages without a place start when a delivery ends or stalls, or has to make room.
    const next = Math.min(nextTime(this.#db, now) ?? Infinity, this.#makeRoom(now) ?? Infinity);
    if (next === Infinity) return;
    const wait = Math.min(maxSleep, Math.max(1, next - this.#clock.now()));
    this.#cancelTimer = this.#clock.after(wait, () => this.#wake());
  }

  /** Ends a silent delivery if another waits for its place; returns when to try again, if that is useful. */
  #makeRoom(now: number): number | undefined {
    const places = this.#runs.places();
    const full = maxRunning - runningForNew;
    if (places.all >= full) {
      const due = nextDue(this.#db, now, { ...places, all: full - 1 }, true);
      if (due && !due.failing) return this.#runs.makeRoom(now);
    } else if (places.failing >= maxFailing) {
      // A destination that was dead may be alive again, and must not wait for all the dead ones.
      const due = nextDue(this.#db, now, { ...places, failing: maxFailing - 1 }, false);
      if (due?.failing) return this.#runs.makeRoom(now, (r) => r.failing);
    }
    return undefined;
  }

  /** Starts a delivery of one message to a destination, if something is really due there. */
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
    const message = readMessage(this.#db, first[1], this.#files.path)!;
    // By message: otherwise the planner would scan everything that is due for the destination.
    const items = this.#db.all(
      `SELECT ${itemColumns} FROM recipients INDEXED BY recipients_message WHERE message_id = ? ` +
        "AND domain = ? AND priority = ? AND hold = 0 AND leased = 0 AND next_attempt <= ? LIMIT ?",
      message.id,
      domain,
      priority,
      now,
      maxRecipients,
    ).map(itemFromRow);
    this.#db.transaction(() => {
      for (const i of items) this.#db.run("UPDATE recipients SET leased = 1 WHERE id = ?", i.id);
      updateDestination(this.#db, domain, priority, failing);
    });
    const run = this.#runs.begin(domain, failing);
    this.#tasks.add(
      deliver(this.#deliveries, message, items, run).catch((err) => {
        countPanic("queue");
        this.#o.log.error("queue delivery", { err, id: message.id });
      }).finally(() => {
        run.end();
        this.#wake();
      }),
    );
  }

  /** Runs once an hour. */
  #forget(now: number): void {
    if (now < this.#forgotten + 3600_000) return;
    // Not at the start: disconnected senders then ask which messages were accepted.
    const first = this.#forgotten === 0;
    this.#forgotten = now;
    this.#db.transaction(() => {
      forgetRetired(this.#db, now);
      if (!first) forgetSubmissions(this.#db, now);
    });
  }

  #counted(change: number): void {
    this.#count += change;
    size.set(this.#count);
  }

  /** Number of recipients in the queue. */
  count(filter?: QueueFilter): number {
    return filter === undefined ? this.#count : countItems(this.#db, filter);
  }

  /** Recipients in the queue. */
  list(filter: QueueFilter = {}, order: QueueOrder = {}): QueueItem[] {
    return findItems(this.#db, filter, order);
  }

  /** Whether a message with its sender's key was accepted in the last weeks. */
  wasSubmitted(senderAccount: string, key: string): boolean {
    return wasSubmitted(this.#db, senderAccount, key);
  }

  /** The message of an item. */
  message(messageId: number): QueueMessage | undefined {
    return readMessage(this.#db, messageId, this.#files.path);
  }

  /** Changed recipients may be due now. */
  async #changed(change: Promise<number>): Promise<number> {
    const n = await change;
    this.#wake();
    return n;
  }

  /** Holds or releases items. */
  hold(filter: QueueFilter, hold: boolean): Promise<number> {
    return this.#changed(setColumn(this.#db, filter, "hold", () => hold ? 1 : 0));
  }

  /** Sets the time of the next attempt, milliseconds since the epoch. */
  schedule(filter: QueueFilter, time: number): Promise<number> {
    return this.#changed(setColumn(this.#db, filter, "next_attempt", () => time));
  }

  /** Moves the time of the next attempt by a number of milliseconds. */
  postpone(filter: QueueFilter, by: number): Promise<number> {
    return this.#changed(setColumn(this.#db, filter, "next_attempt", (i) => i.nextAttempt + by));
  }

  /** Sets a transport that overrides the routes; undefined to use the routes. */
  setTransport(filter: QueueFilter, transport: string | undefined): Promise<number> {
    return this.#changed(setColumn(this.#db, filter, "transport", () => transport ?? null));
  }

  /**
   * Sets whether TLS is required ("yes"), waived ("no"), or as the message and policies require (undefined).
   */
  setRequireTls(filter: QueueFilter, value: "yes" | "no" | undefined): Promise<number> {
    return this.#changed(setColumn(this.#db, filter, "require_tls", () => value ?? null));
  }

  /** Removes items without a DSN. */
  drop(filter: QueueFilter): Promise<number> {
    return this.#changed(dropItems(this.#deliveries, filter));
  }

  /** Gives up on items: their senders get a DSN soon. Returns how many. */
  fail(filter: QueueFilter): Promise<number> {
    return this.#changed(failItems(this.#deliveries, filter));
  }

  /** External recipients of an account's messages in the last 24 hours, counted as for its limit. */
  sentInDay(account: string): number {
    return sentInDay(this.#db, account, this.#clock.now());
  }

  holdRules(): readonly HoldRule[] {
    return this.#rules;
  }

  /** Holds new messages that match; messages already queued are unchanged. */
  async addHoldRule(rule: Omit<HoldRule, "id">): Promise<number> {
    const id = addHoldRule(this.#db, rule);
    this.#rules = holdRules(this.#db);
    await this.#db.durable();
    return id;
  }

  /** Messages held by the rule stay held. */
  async removeHoldRule(id: number): Promise<boolean> {
    const removed = removeHoldRule(this.#db, id);
    this.#rules = holdRules(this.#db);
    await this.#db.durable();
    return removed;
  }

  /** Recipients that left the queue, latest first. */
  retired(o: { account?: string; limit?: number; before?: number } = {}): RetiredItem[] {
    return retiredItems(this.#db, o);
  }

  /** The retired recipient with a unique sender address. */
  retiredByFromId(fromId: string): RetiredItem | undefined {
    return retiredByFromId(this.#db, fromId);
  }

  /** The retired recipients of a message, by its Message-ID without brackets. */
  retiredByMessageId(messageId: string): RetiredItem[] {
    return retiredByMessageId(this.#db, messageId);
  }

  /**
   * Asks whether the server of a transport accepts mail for an address; undefined if it does.
   * @param signal ends it, with a temporary failure
   */
  async askTransport(
    transport: string,
    address: string,
    signal: AbortSignal,
  ): Promise<Failure | undefined> {
    return await this.#o.deliverer.ask?.(transport, address, signal);
  }

  suppressions(account?: string): Suppression[] {
    return suppressions(this.#db, account);
  }

  /** The entry that forbids an account to write to an address. */
  suppressed(account: string, address: string): Suppression | undefined {
    return suppressed(this.#db, account, address);
  }

  /** Whether a failure will put its recipient on the account's suppression list. */
  suppressesAfter(account: string, item: QueueItem, attempt: Attempt): boolean {
    return (this.#o.retiredPeriod?.(account) ?? 0) > 0 &&
      suppressionReason(this.#db, account, item, attempt) !== undefined;
  }

  /** False if it was suppressed already. */
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

  /** Resolves when no delivery is running; for tests. */
  async idle(): Promise<void> {
    await this.#tasks.idle();
  }

  /** Ends deliveries (unfinished ones stay in the queue) and closes the database. */
  async stop(): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    this.#cancelTimer?.();
    this.#abort.abort();
    this.#runs.abort();
    await this.idle();
    await this.#o.deliverer.stop?.();
    this.#files.close();
    open.delete(this.#db);
    await this.#db.close();
  }
}
