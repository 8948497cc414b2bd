/**
 * Keeps message files and their rows consistent: a file is created before its row and removed after it.
 *
 * The steps of a delivery, whose answer is a promise:
 * 1. the message file is complete under a temporary name, and its content is fsynced (by the caller, or here);
 * 2. it is linked into `msg/`, and the folder is fsynced; 1 and 2 may overlap, 3 waits for both;
 * 3. rows and counts are committed, and the WAL fsynced: only now does the caller answer. A crash before 3
 *   leaves a file without a row, which the next start removes (the sender got no confirmation and tries again);
 *   a crash after it leaves everything. There is no moment at which a durable row names a file that is not
 *   durable. A failure in 3 removes the file of 2.
 *
 * @module
 */
import { asEmailId } from "../ids.ts";
import type { Log } from "../../log/mod.ts";
import { syncFile } from "../../platform/files.ts";
import { giveWay, turnTime } from "../../platform/turns.ts";
import type { Db } from "../database/database.ts";
import { describeBytes, describeFile } from "../messages/describe.ts";
import type { ReadyEmail } from "../messages/insert.ts";
import { normalizeKeywords } from "../mailboxes/keywords.ts";
import type { MessageFiles } from "./message_files.ts";
import { smallFile } from "./recent_messages.ts";
import { type Listener, type NewMessage, StoreError } from "../types.ts";
import type { WriteContext, Writer } from "../database/writer.ts";

/** Files placed concurrently, so that they share fsyncs of their folder. */
const placedAtOnce = 16;
/** The same for files that only need their names: everything else is done or in progress. */
const linkedAtOnce = 50;

export class EmailFiles {
  readonly #db: Db;
  readonly #files: MessageFiles;
  readonly #writer: Writer;
  readonly #log: Log;
  readonly #changed: (gone: boolean) => void;
  #nextId: number;
  /** Ids of emails whose files are in place (or almost) and whose rows aren't written yet. */
  readonly #arriving = new Set<number>();

  /** @param changed called when emails have been added or removed */
  constructor(
    db: Db,
    files: MessageFiles,
    writer: Writer,
    log: Log,
    changed: (gone: boolean) => void,
  ) {
    this.#db = db;
    this.#files = files;
    this.#writer = writer;
    this.#log = log;
    this.#changed = changed;
    const r = db.get("SELECT next_email_id FROM state")!;
    const max = db.get("SELECT coalesce(max(id), 0) + 1 FROM emails")!;
    this.#nextId = Math.max(r[0], max[0]);
  }

  /** No email will get a lower id: existing ones have rows. */
  settledBelow(): number {
    return Math.min(this.#nextId, ...this.#arriving);
  }

  /** Removes files that a crash left without a row, or that were due for removal. */
  removeLeftovers(): void {
    for (const [id] of this.#db.all("SELECT email_id FROM erased")) this.#files.remove(id);
    this.#db.transaction(() => this.#db.exec("DELETE FROM erased"));
    const there = this.#files.recent(this.#nextId);
    const first = there.reduce((least, id) => Math.min(least, id), Infinity);
    const named = new Set<number>();
    if (there.length > 0) {
      for (const [id] of this.#db.all("SELECT id FROM emails WHERE id >= ?", first)) named.add(id);
    }
    for (const id of there) {
      if (!named.has(id)) {
        this.#log.warn("removing message file that no row names, left by a crash", {
          path: this.#files.path(id),
        });
        this.#files.remove(id);
      }
    }
  }

  /** Puts the file in place durably. */
  async #place(message: NewMessage): Promise<ReadyEmail> {
    const keywords = normalizeKeywords(message.keywords ?? []);
    const keywordNames = message.keywords;
    const { size } = Deno.statSync(message.file);
    if (size !== message.fileSize) {
      throw new StoreError("size", `message file has ${size} bytes, not ${message.fileSize}`);
    }
    const synced = message.fileSynced === true
      ? undefined
      : message.fileSynced || syncFile(message.file);
    // Content and name are made durable concurrently: on most file systems they share a commit.
    synced?.catch(() => {});
    // In an import nobody waits for single messages.
    const keep = size <= smallFile && !message.noThread;
    const content = !keep ? undefined : message.read?.(0, size) ??
      (message.description ? undefined : await Deno.readFile(message.file));
    const description = message.description ??
      (content ? await describeBytes(content) : await describeFile(message.file));
    for (;;) {
      const emailId = this.#nextId++;
      this.#arriving.add(emailId);
      try {
        await this.#files.add(emailId, message.file);
      } catch (err) {
        this.#arriving.delete(emailId);
        // A stray file is never overwritten; the next id will do.
        if (err instanceof Deno.errors.AlreadyExists) continue;
        throw err;
      }
      try {
        await synced;
      } catch (err) {
        this.#arriving.delete(emailId);
        this.#files.remove(emailId);
        throw err;
      }
      if (content !== undefined) this.#files.keep(emailId, content);
      return {
        emailId: asEmailId(emailId),
        prefix: message.prefix,
        size: message.prefix.length + message.fileSize,
        description,
        flags: message.flags ?? 0,
        keywords,
        keywordNames,
        received: message.received ?? Date.now(),
        facts: message.facts,
        isReject: message.isReject ?? false,
        destinedMailboxId: message.destinedMailboxId ?? 0,
        noThread: message.noThread ?? false,
        overQuota: message.overQuota ?? false,
      };
    }
  }

  /**
   * Places the files of new messages, then runs the write that makes their rows. Durable when it resolves; if
   * anything fails, no file and no row remains.
   */
  async arrive<T>(
    list: readonly NewMessage[],
    origin: Listener | undefined,
    fn: (ctx: WriteContext, ready: ReadyEmail[]) => T,
  ): Promise<T> {
    const ready: ReadyEmail[] = [];
    try {
      const prepared = list.every((m) => m.fileSynced && m.description);
      const atOnce = prepared ? linkedAtOnce : placedAtOnce;
      for (let at = 0; at < list.length; at += atOnce) {
        const part = list.slice(at, at + atOnce).map((m) => this.#place(m));
        const placed = await Promise.allSettled(part);
        for (const p of placed) if (p.status === "fulfilled") ready.push(p.value);
        const failed = placed.find((p) => p.status === "rejected");
        if (failed) throw failed.reason;
      }
      const r = await this.#writer.write((ctx) => fn(ctx, ready), origin);
      this.#changed(false);
      return r;
    } catch (err) {
      for (const r of ready) {
        // The row may exist if the commit succeeded and its fsync failed: then the file stays.
        try {
          if (!this.#db.get("SELECT 1 FROM emails WHERE id = ?", r.emailId)) {
            this.#files.remove(r.emailId);
          }
        } catch (cleanup) {
          this.#log.error("removing file of a failed delivery", {
            err: cleanup as Error,
            path: this.#files.path(r.emailId),
          });
        }
      }
      throw err;
    } finally {
      for (const r of ready) this.#arriving.delete(r.emailId);
    }
  }

  /**
   * Removes the files of emails whose rows are gone. Call it after the commit. The first are gone when it returns;
   * of thousands the rest follow in turns.
   */
  remove(emailIds: readonly number[]): void {
    this.#changed(true);
    void this.#removeInTurns(emailIds);
  }

  /** Never rejects. */
  async #removeInTurns(emailIds: readonly number[]): Promise<void> {
    const removed: number[] = [];
    let began = performance.now();
    for (const id of emailIds) {
      // On a busy disk each takes a millisecond or more.
      if (performance.now() - began > turnTime) {
        await giveWay();
        began = performance.now();
      }
      try {
        this.#files.remove(id);
        removed.push(id);
      } catch (err) {
        // The row in `erased` stays, so that the next start tries again.
        this.#log.error("removing file of an expunged message", {
          err: err as Error,
          path: this.#files.path(id),
        });
      }
    }
    this.#writer.write(() => {
      for (const id of removed) this.#db.run("DELETE FROM erased WHERE email_id = ?", id);
    }).catch(() => {
      // The account is being closed: the next start removes what is left.
    });
  }
}
