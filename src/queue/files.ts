/** The files of queued messages, removed once it is durable that nobody needs them. @module */
import type { Log } from "../log/mod.ts";
import type { Db } from "../store/database/database.ts";
import type { MessageFiles } from "../store/files/message_files.ts";
import type { Tasks } from "./scheduling/tasks.ts";

export class QueueFiles {
  readonly #db: Db;
  readonly #files: MessageFiles;
  readonly #log: Log;
  readonly #tasks: Tasks;
  #nextId: number;
  #wanted = false;
  #working = false;

  constructor(db: Db, files: MessageFiles, log: Log, tasks: Tasks) {
    this.#db = db;
    this.#files = files;
    this.#log = log;
    this.#tasks = tasks;
    const last = db.get("SELECT seq FROM sqlite_sequence WHERE name = 'messages'")?.[0] ?? 0;
    this.#nextId = last + 1;
  }

  readonly path = (id: number): string => this.#files.path(id);

  /** Puts a file in place durably; returns the id of its message. @throws errors of files */
  async add(source: string): Promise<number> {
    for (;;) {
      const id = this.#nextId++;
      try {
        await this.#files.add(id, source);
        return id;
      } catch (err) {
        if (!(err instanceof Deno.errors.AlreadyExists)) throw err;
      }
    }
  }

  /** Removes a file for which no row was inserted. */
  takeBack(id: number): void {
    this.#files.remove(id);
  }

  /** Removes what a crash left. */
  recover(): void {
    for (const [id] of this.#db.all("SELECT id FROM erased")) this.#files.remove(id);
    this.#db.transaction(() => this.#db.exec("DELETE FROM erased"));
    for (const id of this.#files.recent(this.#nextId)) {
      if (this.#db.get("SELECT 1 FROM messages WHERE id = ?", id)) continue;
      this.#log.warn("removing queue file that no row names, left by a crash", { id });
      this.#files.remove(id);
    }
  }

  /** In the transaction that removed recipients: removes their message if it has none left. */
  eraseIfDone(messageId: number): void {
    if (this.#db.get("SELECT 1 FROM recipients WHERE message_id = ? LIMIT 1", messageId)) return;
    if (this.#db.run("DELETE FROM messages WHERE id = ?", messageId).changes > 0) {
      this.#db.run("INSERT OR IGNORE INTO erased (id) VALUES (?)", messageId);
    }
  }

  /**
   * Makes the removal of recipients durable, and then removes the files of messages that are done. Returns
   * immediately. Before it is durable, a power cut would cause delivered messages to be sent again.
   */
  settled(): void {
    this.#wanted = true;
    if (this.#working) return;
    this.#working = true;
    this.#tasks.add(
      this.#settle().catch((err) => this.#log.error("removing queue files", { err })),
    );
  }

  /** Runs in rounds, each for everything collected meanwhile. */
  async #settle(): Promise<void> {
    try {
      while (this.#wanted) {
        this.#wanted = false;
        const ids = this.#db.all("SELECT id FROM erased LIMIT 1000").map((r) => r[0] as number);
        await this.#db.durable();
        if (ids.length === 0) continue;
        for (const id of ids) this.#files.remove(id);
        this.#db.transaction(() => {
          for (const id of ids) this.#db.run("DELETE FROM erased WHERE id = ?", id);
        });
        if (ids.length === 1000) this.#wanted = true;
      }
    } finally {
      this.#working = false;
    }
  }

  close(): void {
    this.#files.close();
  }
}
