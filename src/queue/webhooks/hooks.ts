/**
 * The queue of webhook calls: durable before the reported event proceeds, tried on a schedule, a few at a time
 * per host, so that a hanging one does not hold up others.
 *
 * A call interrupted by the end of the process is made again: receivers see its id twice.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { join } from "node:path";
import { counter, countPanic, gauge, histogram } from "../../metrics/mod.ts";
import { ensureDir } from "../../platform/files.ts";
import { Db } from "../../store/database/database.ts";
import type { Clock } from "../types.ts";
import { callHook, callTimeout } from "./call.ts";
import {
  findHooks,
  findRetiredHooks,
  hookColumns,
  hookCondition,
  hookFromRow,
  hookMigrations,
  retireHook,
} from "./rows.ts";
import { nextHookWait } from "./schedule.ts";
import type { Hook, HookAttempt, HookFilter, HookOptions, NewHook, RetiredHook } from "./types.ts";

/** Most calls at a time, per host and in total. */
const maxPerHost = 4;
const maxRunning = 32;
/** Most waiting calls of an account. */
const maxWaiting = 100_000;
/** The longest sleep; later attempts are checked for again then. */
const maxSleep = 3600_000;
/** Most results kept for a call. */
const maxResults = 20;

const results = counter("mox_webhook_calls_total", "Calls of webhooks, by result.", {
  result: ["ok", "retry", "failed"],
});
const durations = histogram(
  "mox_webhook_duration_seconds",
  "Time of calls of webhooks.",
  [],
  [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30],
);
const waiting = gauge("mox_webhook_queue", "Calls of webhooks that wait.");

const systemClock: Clock = {
  now: Date.now,
  after(ms, fn) {
    const t = setTimeout(fn, ms);
    return () => clearTimeout(t);
  },
  random: Math.random,
};

export class Webhooks {
  readonly #db: Db;
  readonly #o: HookOptions;
  readonly #clock: Clock;
  readonly #abort = new AbortController();
  readonly #running = new Set<Promise<void>>();
  readonly #byHost = new Map<string, number>();
  #calls = 0;
  #count: number;
  #started = false;
  #cancelTimer: (() => void) | undefined;
  #forgotten = 0;

  private constructor(db: Db, options: HookOptions) {
    this.#db = db;
    this.#o = options;
    this.#clock = options.clock ?? systemClock;
    db.run("UPDATE hooks SET leased = 0 WHERE leased = 1");
    this.#count = db.get("SELECT count(*) FROM hooks")![0];
    waiting.set(this.#count);
  }

  /** Opens the database in the data folder, created if needed. */
  static async open(dataDir: string, options: HookOptions): Promise<Webhooks> {
    const dir = join(dataDir, "webhooks");
    await ensureDir(dir);
    return new Webhooks(await Db.open(join(dir, "hooks.db"), hookMigrations), options);
  }

  /** Starts making calls. */
  start(): void {
    this.#started = true;
    this.#wake();
  }

  /** Queues a call; durable when it resolves. Returns its id; undefined if the account has too many waiting. */
  async add(hook: NewHook): Promise<number | undefined> {
    const now = this.#clock.now();
    const id = this.#db.transaction(() => {
      const [count] = this.#db.get("SELECT count(*) FROM hooks WHERE account = ?", hook.account)!;
      if (count >= maxWaiting) return undefined;
      return this.#db.run(
        "INSERT INTO hooks (account, url, host, authorization, event, queue_msg_id, from_id, " +
          "message_id, subject, payload, submitted, next_attempt) " +
          "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        hook.account,
        hook.url,
        URL.parse(hook.url)?.host ?? "",
        hook.authorization,
        hook.event,
        hook.queueMsgId,
        hook.fromId,
        hook.messageId,
        hook.subject,
        hook.payload,
        now,
        now,
      ).lastInsertRowid;
    });
    if (id === undefined) {
      this.#o.log.error("too many calls of webhooks wait, one is dropped", {
        account: hook.account,
      });
      return undefined;
    }
    this.#counted(1);
    await this.#db.durable();
    this.#wake();
    return id;
  }

  #counted(change: number): void {
    this.#count += change;
    waiting.set(this.#count);
  }

  /** The next due call of each host with a free place, whatever waits for others. */
  #nextDue(now: number): Hook | undefined {
    for (const host of this.#hosts()) {
      if ((this.#byHost.get(host) ?? 0) >= maxPerHost) continue;
      const r = this.#db.get(
        `SELECT ${hookColumns} FROM hooks WHERE host = ? AND leased = 0 AND next_attempt <= ? ` +
          "ORDER BY next_attempt LIMIT 1",
        host,
        now,
      );
      if (r) return hookFromRow(r);
    }
    return undefined;
  }

  /** Hosts with waiting calls, by skipping through the index: there are few, however long the queue is. */
  #hosts(): string[] {
    return this.#db.all(
      "WITH RECURSIVE h (host) AS (SELECT min(host) FROM hooks WHERE leased = 0 UNION ALL " +
        "SELECT (SELECT min(host) FROM hooks WHERE leased = 0 AND host > h.host) FROM h " +
        "WHERE h.host IS NOT NULL) SELECT host FROM h WHERE host IS NOT NULL",
    ).map((r) => r[0] as string);
  }

  #wake(): void {
    if (!this.#started || this.#abort.signal.aborted) return;
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    const now = this.#clock.now();
    this.#forget(now);
    while (this.#calls < maxRunning) {
      const hook = this.#nextDue(now);
      if (!hook) break;
      this.#startOne(hook);
    }
    let next: number | undefined;
    for (const host of this.#hosts()) {
      // Due calls without a place start when a call ends.
      const [time] = this.#db.get(
        "SELECT min(next_attempt) FROM hooks WHERE host = ? AND leased = 0 AND next_attempt > ?",
        host,
        now,
      )!;
      if (time !== null) next = Math.min(next ?? time, time);
    }
    if (next === undefined) return;
    this.#cancelTimer = this.#clock.after(
      Math.min(maxSleep, Math.max(1, next - now)),
      () => this.#wake(),
    );
  }

  #startOne(hook: Hook): void {
    this.#db.run("UPDATE hooks SET leased = 1 WHERE id = ?", hook.id);
    this.#calls++;
    this.#byHost.set(hook.host, (this.#byHost.get(hook.host) ?? 0) + 1);
    const run = this.#call(hook).catch((err) => {
      countPanic("webhook");
      this.#o.log.error("calling a webhook", { err, id: hook.id });
    }).finally(() => {
      this.#calls--;
      const left = this.#byHost.get(hook.host)! - 1;
      if (left > 0) this.#byHost.set(hook.host, left);
      else this.#byHost.delete(hook.host);
      this.#running.delete(run);
      this.#wake();
    });
    this.#running.add(run);
  }

  async #call(hook: Hook): Promise<void> {
    const time = this.#clock.now();
    const r = await callHook(
      this.#o.outbound,
      {
        url: hook.url,
        authorization: hook.authorization,
        payload: hook.payload,
        id: hook.id,
        attempt: hook.attempts + 1,
        secret: this.secret(hook.account),
      },
      this.#abort.signal,
      this.#o.timeout ?? callTimeout,
    );
    // A call cut off by the end of the process doesn't count.
    if (this.#abort.signal.aborted && !r.success) return;
    hook.attempts++;
    hook.results = [...hook.results, { time, ...r }].slice(-maxResults);
    const now = this.#clock.now();
    const wait = r.success ? undefined : nextHookWait(hook.attempts, r.code, this.#clock.random());
    durations.observe(r.took / 1000);
    results.inc({ result: r.success ? "ok" : wait === undefined ? "failed" : "retry" });
    this.#o.log.info(r.success ? "webhook called" : "call of webhook failed", {
      id: hook.id,
      account: hook.account,
      event: hook.event,
      attempt: hook.attempts,
      code: r.code,
      error: r.error,
      retry: wait === undefined ? undefined : new Date(now + wait),
    });
    if (wait === undefined) this.#retire(hook, r.success ? "done" : "failed", now);
    else {
      this.#db.run(
        "UPDATE hooks SET attempts = ?, results = ?, next_attempt = ?, leased = 0 WHERE id = ?",
        hook.attempts,
        JSON.stringify(hook.results),
        now + wait,
        hook.id,
      );
    }
  }

  #retire(hook: Hook, outcome: RetiredHook["outcome"], now: number): void {
    const period = this.#o.retiredPeriod(hook.account);
    const gone = this.#db.transaction(() => {
      const { changes } = this.#db.run("DELETE FROM hooks WHERE id = ?", hook.id);
      // It may have been cancelled during the call.
      if (changes > 0 && period > 0) retireHook(this.#db, hook, outcome, now, period);
      return changes;
    });
    this.#counted(-gone);
  }

  /** Runs once an hour. */
  #forget(now: number): void {
    if (now < this.#forgotten + 3600_000) return;
    this.#forgotten = now;
    this.#db.run("DELETE FROM retired WHERE keep_until <= ?", now);
  }

  /** The key that signs calls of an account; created on first use. */
  secret(account: string): string {
    const row = this.#db.get("SELECT secret FROM secrets WHERE account = ?", account);
    if (row) return row[0];
    const made = Buffer.from(crypto.getRandomValues(new Uint8Array(24))).toString("base64url");
    this.#db.run("INSERT INTO secrets (account, secret) VALUES (?, ?)", account, made);
    return made;
  }

  /** Makes a call immediately, outside of the queue: an example for the user. */
  async example(hook: NewHook): Promise<HookAttempt> {
    const time = this.#clock.now();
    const secret = this.secret(hook.account);
    await this.#db.durable();
    const r = await callHook(
      this.#o.outbound,
      { ...hook, id: 0, attempt: 1, secret },
      this.#abort.signal,
      this.#o.timeout ?? callTimeout,
    );
    return { time, ...r };
  }

  /** Number of waiting calls. */
  count(): number {
    return this.#count;
  }

  list(filter: HookFilter = {}, limit = 1000): Hook[] {
    return findHooks(this.#db, filter, limit);
  }

  retired(filter: HookFilter = {}, limit = 1000): RetiredHook[] {
    return findRetiredHooks(this.#db, filter, limit);
  }

  /** Sets the time of the next attempt, or moves it by a number of milliseconds. Returns how many. */
  async schedule(filter: HookFilter, to: { time: number } | { by: number }): Promise<number> {
    const { where, values } = hookCondition(filter);
    const set = "time" in to ? "?" : "next_attempt + ?";
    const { changes } = this.#db.run(
      `UPDATE hooks SET next_attempt = ${set} WHERE ${where}`,
      "time" in to ? to.time : to.by,
      ...values,
    );
    await this.#db.durable();
    this.#wake();
    return changes;
  }

  /** Removes calls from the queue. Returns how many. */
  async cancel(filter: HookFilter): Promise<number> {
    const now = this.#clock.now();
    const hooks = findHooks(this.#db, filter, 1_000_000);
    this.#db.transaction(() => {
      for (const h of hooks) this.#retire(h, "canceled", now);
    });
    await this.#db.durable();
    return hooks.length;
  }

  /** Resolves when no call is running; for tests. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  /** Ends calls (they stay in the queue) and closes the database. */
  async stop(): Promise<void> {
    this.#cancelTimer?.();
    this.#abort.abort();
    await this.idle();
    await this.#db.close();
  }
}
