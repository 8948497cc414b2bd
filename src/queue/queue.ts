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
import type { Log } from "../log/mod.ts";
import { counter, countPanic, gauge } from "../metrics/mod.ts";
import { ensureDir } from "../platform/files.ts";
import { Db } from "../store/database.ts";
import { MessageFiles } from "../store/message_files.ts";
import { itemColumns, itemFromRow, readMessage, updateDestination } from "./rows.ts";
import { delayedAfter, nextWait, remaining } from "./schedule.ts";
import { queueMigrations } from "./schema.ts";
import type {
  Attempt,
  Clock,
  DsnEvent,
  NewQueueMessage,
  QueueItem,
  QueueMessage,
  QueueOptions,
  Result,
} from "./types.ts";

/** Deliveries under way: in all, and to one destination. */
export const maxDeliveries = 50;
export const maxPerDestination = 10;
/** Recipients of one delivery. */
const maxRecipients = 100;
/** Results that are kept of a recipient. */
const maxResults = 10;
/** The longest sleep; a later attempt is looked for again then. */
const maxSleep = 3600_000;

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

/** An item after an attempt: when it is tried again, or undefined if it is done. */
interface Done {
  item: QueueItem;
  attempt: Attempt;
  wait: number | undefined;
}

/** How long a DSN that can't be made is waited for, and how often it is tried. */
const dsnWait = 7.5 * 60_000;
const maxDsnTries = 100;

/** Keeps the items of a DSN that couldn't be made: nobody may be left untold. */
function owe(done: readonly Done[], event: DsnEvent, log: Log): void {
  const ids = new Set(event.recipients.map((r) => r.item.id));
  for (const d of done) {
    if (!ids.has(d.item.id)) continue;
    if (++d.item.dsnOwed < maxDsnTries) d.wait = dsnWait;
    else log.error("giving up on telling the sender", { id: d.item.id, to: d.item.address });
  }
}

/** Domain of an address, in lower case; it groups deliveries. */
function domainOf(address: string): string {
  return address.slice(address.lastIndexOf("@") + 1).toLowerCase();
}

export class Queue {
  readonly #db: Db;
  readonly #files: MessageFiles;
  readonly #o: QueueOptions;
  readonly #clock: Clock;
  readonly #abort = new AbortController();
  readonly #active = new Map<string, number>();
  readonly #running = new Set<Promise<void>>();
  #deliveries = 0;
  #started = false;
  #stopping = false;
  #cancelTimer: (() => void) | undefined;
  #nextId: number;
  /** Recipients in the queue. */
  #count: number;

  private constructor(db: Db, dir: string, o: QueueOptions) {
    this.#db = db;
    this.#files = new MessageFiles(join(dir, "msg"));
    this.#o = o;
    this.#clock = o.clock ?? systemClock;
    const last = db.get("SELECT seq FROM sqlite_sequence WHERE name = 'messages'")?.[0] ?? 0;
    this.#nextId = last + 1;
    this.#count = db.get("SELECT count(*) FROM recipients")![0];
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
      const domains = db.all("SELECT DISTINCT domain FROM recipients WHERE leased = 1");
      db.run("UPDATE recipients SET leased = 0 WHERE leased = 1");
      for (const [domain] of domains) updateDestination(db, domain);
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
   */
  async add(m: NewQueueMessage): Promise<number[]> {
    if (this.#stopping) throw new Error("queue is stopping");
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
    let ids: number[];
    try {
      ids = this.#db.transaction(() => this.#insert(id, m));
    } catch (err) {
      this.#files.remove(id);
      throw err;
    }
    this.#counted(ids.length);
    await this.#db.durable();
    this.#wake();
    return ids;
  }

  #insert(id: number, m: NewQueueMessage): number[] {
    const now = this.#clock.now();
    this.#db.run(
      "INSERT INTO messages (id, account, mail_from, file_size, prefix, smtputf8, has8bit, require_tls, " +
        "ret, envelope_id, message_id, subject, is_dsn, queued) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      id,
      m.senderAccount,
      m.mailFrom,
      m.fileSize,
      m.prefix,
      m.smtputf8 ? 1 : 0,
      m.has8bit ? 1 : 0,
      m.requireTls ? 1 : 0,
      m.ret ?? "",
      m.envelopeId ?? null,
      m.messageId ?? "",
      m.subject ?? "",
      m.isDsn ? 1 : 0,
      now,
    );
    const due = Math.max(now, m.notBefore ?? 0);
    const ids = m.recipients.map((r) =>
      this.#db.run(
        "INSERT INTO recipients (message_id, address, domain, notify, original, next_attempt) VALUES (?, ?, ?, ?, ?, ?)",
        id,
        r.address,
        domainOf(r.address),
        r.notify === undefined ? null : r.notify.join(" "),
        r.originalRecipient === undefined ? null : JSON.stringify(r.originalRecipient),
        due,
      ).lastInsertRowid
    );
    for (const d of new Set(m.recipients.map((r) => domainOf(r.address)))) {
      updateDestination(this.#db, d);
    }
    return ids;
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
    // Destinations at their limit are few: as many as deliveries fill.
    const full = [...this.#active].filter(([, n]) => n >= maxPerDestination).map(([d]) => d);
    if (this.#deliveries < maxDeliveries) {
      const domains = this.#db.all(
        "SELECT domain FROM destinations WHERE due <= ? ORDER BY due LIMIT ?",
        now,
        maxDeliveries + full.length,
      );
      for (const [domain] of domains as [string][]) {
        while (
          this.#deliveries < maxDeliveries &&
          (this.#active.get(domain) ?? 0) < maxPerDestination && this.#startOne(domain, now)
        );
      }
    }
    if (this.#deliveries >= maxDeliveries) return;
    const [next] = this.#db.get(
      `SELECT min(due) FROM destinations WHERE domain NOT IN (${full.map(() => "?").join(",")})`,
      ...full,
    )!;
    if (next === null) return;
    const wait = Math.min(maxSleep, Math.max(1, next - this.#clock.now()));
    this.#cancelTimer = this.#clock.after(wait, () => this.#wake());
  }

  /** Starts a delivery of one message to a destination; false if nothing is due there. */
  #startOne(domain: string, now: number): boolean {
    const first = this.#db.get(
      `SELECT ${itemColumns} FROM recipients WHERE domain = ? AND hold = 0 AND leased = 0 ` +
        "AND next_attempt <= ? ORDER BY next_attempt LIMIT 1",
      domain,
      now,
    );
    if (!first) {
      this.#db.transaction(() => updateDestination(this.#db, domain));
      return false;
    }
    const message = readMessage(this.#db, first[1], (id) => this.#files.path(id))!;
    const items = this.#db.all(
      `SELECT ${itemColumns} FROM recipients WHERE message_id = ? AND domain = ? AND hold = 0 ` +
        "AND leased = 0 AND next_attempt <= ? LIMIT ?",
      message.id,
      domain,
      now,
      maxRecipients,
    ).map(itemFromRow);
    this.#db.transaction(() => {
      for (const i of items) this.#db.run("UPDATE recipients SET leased = 1 WHERE id = ?", i.id);
      updateDestination(this.#db, domain);
    });
    this.#deliveries++;
    this.#active.set(domain, (this.#active.get(domain) ?? 0) + 1);
    const run = this.#deliver(message, items).catch((err) => {
      countPanic("queue");
      this.#o.log.error("queue delivery", { err, id: message.id });
    }).finally(() => {
      this.#deliveries--;
      const left = this.#active.get(domain)! - 1;
      if (left > 0) this.#active.set(domain, left);
      else this.#active.delete(domain);
      this.#running.delete(run);
      this.#wake();
    });
    this.#running.add(run);
    return true;
  }

  async #deliver(message: QueueMessage, items: QueueItem[]): Promise<void> {
    // Those that have failed already are only here because their DSN is owed.
    const fresh = items.filter((i) => i.dsnOwed === 0);
    let outcome: readonly Result[] = [];
    try {
      if (fresh.length > 0) {
        outcome = await this.#o.deliverer.deliver(message, fresh, this.#abort.signal);
      }
    } catch (err) {
      if (this.#abort.signal.aborted) return this.#release(items);
      this.#o.log.error("delivering", { err: err as Error, id: message.id });
      const text = err instanceof Error ? err.message : String(err);
      outcome = fresh.map(() => ({ kind: "temporary", code: 451, enhanced: "4.3.0", text }));
    }
    const now = this.#clock.now();
    const done: Done[] = items.filter((i) => i.dsnOwed > 0).map((item) => ({
      item,
      attempt: item.results[item.results.length - 1],
      wait: undefined,
    }));
    for (const [i, item] of fresh.entries()) {
      const r: Result = outcome[i] ??
        { kind: "temporary", code: 451, enhanced: "4.3.0", text: "no result" };
      done.push(this.#attempted(item, r, now));
    }
    for (const event of this.#events(message, done)) {
      try {
        await this.#o.onDsn(event);
      } catch (err) {
        this.#o.log.error("making DSN", { err: err as Error, id: message.id, kind: event.action });
        if (event.action === "failed") owe(done, event, this.#o.log);
      }
    }
    this.#settle(message, done, now);
  }

  /** Notes a result in the item; says when it is tried again. */
  #attempted(item: QueueItem, r: Result, now: number): Done {
    results.inc({ result: r.kind });
    const attempt: Attempt = r.kind === "delivered"
      ? { time: now, kind: "delivered", code: 250, enhanced: "2.0.0", text: "delivered" }
      : { time: now, kind: r.kind, code: r.code, enhanced: r.enhanced, text: r.text };
    item.attempts++;
    item.results = [...item.results, attempt].slice(-maxResults);
    const wait = r.kind === "temporary" ? nextWait(item.attempts, this.#clock.random()) : undefined;
    this.#o.log.info(r.kind === "delivered" ? "delivered from queue" : "delivery failed", {
      id: item.id,
      to: item.address,
      kind: r.kind,
      attempt: item.attempts,
      code: attempt.code,
      text: attempt.text,
      retry: wait === undefined ? undefined : new Date(now + wait),
    });
    return { item, attempt, wait };
  }

  /** The DSNs that attempts ask for (RFC 3461 §6.2). */
  #events(message: QueueMessage, done: readonly Done[]): Iterable<DsnEvent> {
    const events = new Map<DsnEvent["action"], DsnEvent>();
    if (message.mailFrom === "" || message.isDsn) return [];
    for (const { item, attempt, wait } of done) {
      const asked = item.notify;
      let action: DsnEvent["action"];
      if (attempt.kind === "delivered") {
        if (!asked?.includes("success")) continue;
        action = "delivered";
      } else if (wait === undefined) {
        if (asked && !asked.includes("failure")) continue;
        action = "failed";
      } else {
        if (item.attempts !== delayedAfter || (asked && !asked.includes("delay"))) continue;
        action = "delayed";
      }
      let event = events.get(action);
      if (!event) events.set(action, event = { action, message, recipients: [] });
      event.recipients.push({
        item,
        result: attempt,
        retryUntil: wait === undefined ? undefined : attempt.time + remaining(item.attempts),
      });
    }
    return events.values();
  }

  /** Writes down what became of the items. */
  #settle(message: QueueMessage, done: readonly Done[], now: number): void {
    let gone = 0;
    this.#db.transaction(() => {
      for (const { item, wait } of done) {
        if (wait === undefined) {
          gone += this.#db.run("DELETE FROM recipients WHERE id = ?", item.id).changes;
        } else {
          this.#db.run(
            "UPDATE recipients SET attempts = ?, next_attempt = ?, leased = 0, results = ?, " +
              "dsn_owed = ? WHERE id = ?",
            item.attempts,
            now + wait,
            JSON.stringify(item.results),
            item.dsnOwed,
            item.id,
          );
        }
      }
      updateDestination(this.#db, done[0].item.domain);
      this.#eraseIfDone(message.id);
    });
    this.#counted(-gone);
    this.#removeErased();
  }

  #counted(change: number): void {
    this.#count += change;
    size.set(this.#count);
  }

  #release(items: readonly QueueItem[]): void {
    this.#db.transaction(() => {
      for (const i of items) this.#db.run("UPDATE recipients SET leased = 0 WHERE id = ?", i.id);
      updateDestination(this.#db, items[0].domain);
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
    const ids = this.#db.all("SELECT id FROM erased LIMIT 1000").map((r) => r[0] as number);
    if (ids.length === 0) return;
    const run = this.#db.durable().then(() => {
      for (const id of ids) this.#files.remove(id);
      this.#db.transaction(() => {
        for (const id of ids) this.#db.run("DELETE FROM erased WHERE id = ?", id);
      });
    }).catch((err) => this.#o.log.error("removing queue files", { err }))
      .finally(() => this.#running.delete(run));
    this.#running.add(run);
  }

  /** Recipients in the queue. */
  count(): number {
    return this.#count;
  }

  /** Recipients in the queue, by id, at most `limit`, after the given one. */
  list(limit = 1000, after = 0): QueueItem[] {
    return this.#db.all(
      `SELECT ${itemColumns} FROM recipients WHERE id > ? ORDER BY id LIMIT ?`,
      after,
      limit,
    ).map(itemFromRow);
  }

  /** The message of an item. */
  message(messageId: number): QueueMessage | undefined {
    return readMessage(this.#db, messageId, (id) => this.#files.path(id));
  }

  /** Changes items that aren't being delivered right now; returns how many. */
  async #change(ids: readonly number[], fn: (item: QueueItem) => void): Promise<number> {
    let n = 0;
    this.#db.transaction(() => {
      for (const id of ids) {
        const r = this.#db.get(
          `SELECT ${itemColumns} FROM recipients WHERE id = ? AND leased = 0`,
          id,
        );
        if (!r) continue;
        const item = itemFromRow(r);
        fn(item);
        updateDestination(this.#db, item.domain);
        n++;
      }
    });
    await this.#db.durable();
    this.#wake();
    return n;
  }

  /** Holds items, or lets them go. */
  hold(ids: readonly number[], hold: boolean): Promise<number> {
    return this.#change(ids, (i) => {
      this.#db.run("UPDATE recipients SET hold = ? WHERE id = ?", hold ? 1 : 0, i.id);
    });
  }

  /** Sets the time of the next attempt, milliseconds since the epoch. */
  schedule(ids: readonly number[], time: number): Promise<number> {
    return this.#change(ids, (i) => {
      this.#db.run("UPDATE recipients SET next_attempt = ? WHERE id = ?", time, i.id);
    });
  }

  /** Removes items without telling anybody. */
  async drop(ids: readonly number[]): Promise<number> {
    const n = await this.#change(ids, (i) => {
      this.#db.run("DELETE FROM recipients WHERE id = ?", i.id);
      this.#eraseIfDone(i.messageId);
    });
    this.#counted(-n);
    this.#removeErased();
    return n;
  }

  /** Gives up on items: their senders get a DSN, soon. Returns how many. */
  fail(ids: readonly number[]): Promise<number> {
    const now = this.#clock.now();
    return this.#change(ids, (i) => {
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
    });
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
    this.#files.close();
    await this.#db.close();
  }
}
