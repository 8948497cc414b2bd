/**
 * SQLite as the store uses it: statements prepared once, rows as arrays, short transactions in the event loop,
 * and durability as a separate, shared step.
 *
 * Crash safety. Databases run in WAL mode with `synchronous=NORMAL`: a commit only appends to the `-wal` file,
 * and SQLite itself fsyncs it only at checkpoints. {@link Db.durable} fsyncs the `-wal` file, so everything
 * committed before the call is on disk when it resolves:
 * - every frame carries a running checksum and the salt of the WAL's header. After a power cut
 *   recovery takes frames up to the last commit whose checksums hold. Frames that were synced hold.
 * - a fsync flushes all dirty pages of the file, whichever descriptor wrote them, so it does not
 *   matter that SQLite wrote through another one. On Linux locks are not lost by closing ours: SQLite
 *   locks the database and the `-shm` file, never the `-wal` file.
 * - a checkpoint syncs the WAL before it writes to the database, and the database before the WAL may
 *   be written from its start again; and the header of a restarted WAL is synced by SQLite before
 *   frames follow. So a frame that was durable stays so, in one of the two files.
 * - the `-wal` file stays the same file as long as one connection is open, that is from
 *   {@link Db.open} to {@link Db.close}; its directory entry is synced before the first call of durable() resolves.
 * Several callers share one fsync (group commit), and none blocks the event loop.
 *
 * Checkpoints are made in a Worker (see checkpoint.ts), so that the loop does not wait for them either.
 *
 * @module
 */
import {
  DatabaseSync,
  type SQLInputValue,
  type StatementResultingChanges,
  type StatementSync,
} from "node:sqlite";
import { dirname } from "node:path";
import { SharedSync } from "../../platform/fsync.ts";
import { durabilityNeeded, syncData } from "../../platform/durability.ts";
import { syncDir } from "../../platform/files.ts";
import { isDatabaseDamaged, isStorageFull } from "../../platform/storage_errors.ts";
import { checkpointInWorker } from "./checkpoint.ts";
import { forgetPages, notePages } from "./unused_pages.ts";

/** A step that brings a database from the version before to this one. */
export interface Migration {
  /** 1 for the first; consecutive. Kept in `PRAGMA user_version`. */
  version: number;
  sql: string;
  /** For what SQL alone can't do; runs after `sql` in the same transaction. */
  run?(db: Db): void;
}

/** A value in a row or a parameter. */
export type SqlValue = null | number | bigint | string | Uint8Array;
/** Rows are arrays in the order of the columns. The caller knows the columns' types. */
// deno-lint-ignore no-explicit-any -- the only place where SQL's dynamic types enter
export type Row = any[];

/** The database has been written by a newer version of this program. */
export class SchemaError extends Error {
  override name = "SchemaError";
}

/** An fsync of the database failed. */
export class DurabilityError extends Error {
  override name = "DurabilityError";
  constructor(path: string, cause: unknown) {
    super(`${path}: making changes durable failed; restart needed`, { cause });
  }
}

/** A database can't be opened, or is damaged. The message names the file and says what to do. */
export class DatabaseError extends Error {
  override name = "DatabaseError";
  constructor(path: string, cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const advice = isDatabaseDamaged(cause)
      ? '; "mox verifydata" with the server stopped tells more, "-fix" mends indexes; otherwise take ' +
        "this file, with those beside it, from a backup (docs/backup.md)"
      : "";
    super(`${path}: ${why}${advice}`, { cause });
  }
}

/** Rows as arrays: half the cost of objects. The runtime supports it; its types lack it. */
function arrays(sync: StatementSync): StatementSync {
  (sync as StatementSync & { setReturnArrays(on: boolean): void }).setReturnArrays(true);
  return sync;
}

/** Bytes of WAL above which a checkpoint is started. */
const checkpointBytes = 4 * 1024 * 1024;

/** Reading and changing rows: what most functions need from a database. */
export type RowDb = Pick<Db, "all" | "get" | "run">;

/**
 * Most pages that a database keeps in memory, in KiB: those of a mailbox of some ten thousand messages, so that
 * going through it again costs no system calls. (A memory map would save them too, but a disk read error would
 * then end the process instead of failing one statement.)
 */
const cachedPages = 16 * 1024;
/**
 * Bytes that SQLite uses in the whole process before caches give up pages, least recently used first: enough
 * for two mailboxes in full use, with memory left on a small server.
 */
const heapLimit = 64 * 1024 * 1024;

/** One open database file with its single connection in this thread. */
export class Db {
  readonly path: string;
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  #wal: Deno.FsFile | undefined;
  readonly #sync: SharedSync;
  #uses = 0;
  #depth = 0;
  #closed = false;
  #checkpointing: Promise<void> | undefined;
  #durableCalls = 0;
  #syncFailure: Error | undefined;
  /** The fsync of the folder after opening, which makes the entry of the -wal file durable. */
  #folder: Promise<void> | undefined;
  #settled = false;

  private constructor(path: string, db: DatabaseSync) {
    this.path = path;
    this.#db = db;
    this.#sync = new SharedSync(async () => {
      if (this.#syncFailure) throw this.#syncFailure;
      try {
        if (this.#wal) await syncData(this.#wal);
        await this.#folder;
      } catch (err) {
        // The kernel reports a failed write once and may have dropped the pages: the next fsync would succeed
        // wrongly. Nothing can be promised any more until the file is opened again.
        throw this.#syncFailure = new DurabilityError(this.path, err);
      }
      this.#maybeCheckpoint();
    });
  }

  /**
   * Opens or creates a database and brings its schema up to date.
   * @throws SchemaError if the file is of a newer version; DatabaseError; errors of the file system.
   */
  static open(path: string, migrations: readonly Migration[]): Promise<Db> {
    // Turns a throw into a rejection.
    return new Promise((resolve) => resolve(Db.#open(path, migrations)));
  }

  static #open(path: string, migrations: readonly Migration[]): Db {
    let handle: DatabaseSync;
    try {
      handle = new DatabaseSync(path, { timeout: 10_000 });
    } catch (err) {
      throw new DatabaseError(path, err);
    }
    const db = new Db(path, handle);
    try {
      handle.exec(
        `PRAGMA journal_mode=WAL; PRAGMA synchronous=${durabilityNeeded() ? "NORMAL" : "OFF"}; ` +
          "PRAGMA wal_autocheckpoint=0; " +
          "PRAGMA foreign_keys=ON; PRAGMA temp_store=MEMORY; " +
          `PRAGMA cache_size=-${cachedPages}; PRAGMA soft_heap_limit=${heapLimit}`,
      );
      db.#migrate(migrations);
      // A read makes sure that the -wal file exists, even if nothing had to be migrated.
      handle.exec("BEGIN IMMEDIATE; COMMIT");
      db.#wal = Deno.openSync(`${path}-wal`, { read: true, write: true });
      // Opening waits for neither: the first call of durable() does.
      db.#folder = syncDir(dirname(path));
      db.#folder.catch(() => {});
      db.durable().then(() => db.#settled = true, () => {});
      notePages(db);
    } catch (err) {
      db.#wal?.close();
      handle.close();
      throw (err as { code?: string }).code === "ERR_SQLITE_ERROR"
        ? new DatabaseError(path, err)
        : err;
    }
    return db;
  }

  #migrate(migrations: readonly Migration[]): void {
    const version = this.get("PRAGMA user_version")![0] as number;
    const latest = migrations.length === 0 ? 0 : migrations[migrations.length - 1].version;
    if (version > latest) {
      throw new SchemaError(
        `${this.path}: written by a newer version (schema ${version}, this program knows ${latest}); run that version`,
      );
    }
    for (const m of migrations) {
      if (m.version <= version) continue;
      this.transaction(() => {
        this.exec(m.sql);
        m.run?.(this);
        this.exec(`PRAGMA user_version=${m.version}`);
      });
    }
  }

  #prepare(sql: string): StatementSync {
    this.#uses++;
    let s = this.#statements.get(sql);
    if (!s) this.#statements.set(sql, s = arrays(this.#db.prepare(sql)));
    return s;
  }

  /** Runs SQL text without parameters or results; may hold several statements. */
  exec(sql: string): void {
    this.#db.exec(sql);
  }

  /** The error to throw for one from SQLite: it names a file that is damaged or can't grow. */
  #named(err: unknown): unknown {
    if (err instanceof DatabaseError) return err;
    const of = isDatabaseDamaged(err) || isStorageFull(err);
    return of ? new DatabaseError(this.path, err) : err;
  }

  /** All rows. */
  all(sql: string, ...params: SqlValue[]): Row[] {
    try {
      return this.#prepare(sql).all(...params as SQLInputValue[]) as unknown as Row[];
    } catch (err) {
      throw this.#named(err);
    }
  }

  /** The first row. */
  get(sql: string, ...params: SqlValue[]): Row | undefined {
    try {
      return this.#prepare(sql).get(...params as SQLInputValue[]) as unknown as Row | undefined;
    } catch (err) {
      throw this.#named(err);
    }
  }

  /** Rows one by one; the database must not be written to meanwhile. */
  iterate(sql: string, ...params: SqlValue[]): Iterable<Row> {
    // Not cached: a statement that is being stepped can't be used a second time.
    const s = arrays(this.#db.prepare(sql));
    return s.iterate(...params as SQLInputValue[]) as unknown as Iterable<Row>;
  }

  /** Runs a statement that changes rows. */
  run(sql: string, ...params: SqlValue[]): { changes: number; lastInsertRowid: number } {
    let r: StatementResultingChanges;
    try {
      r = this.#prepare(sql).run(...params as SQLInputValue[]);
    } catch (err) {
      throw this.#named(err);
    }
    return { changes: Number(r.changes), lastInsertRowid: Number(r.lastInsertRowid) };
  }

  /**
   * Runs the function in a transaction: committed when it returns, rolled back when it throws.
   * Inside another transaction it is part of that one. Not durable before {@link durable}.
   */
  transaction<T>(fn: () => T): T {
    if (this.#depth > 0) return fn();
    this.#db.exec("BEGIN IMMEDIATE");
    this.#depth++;
    try {
      const r = fn();
      this.#db.exec("COMMIT");
      return r;
    } catch (err) {
      // After some errors (disk full) SQLite has rolled back by itself.
      if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
      throw this.#named(err);
    } finally {
      this.#depth--;
    }
  }

  /** Statements with parameters or results that ran so far. */
  get uses(): number {
    return this.#uses;
  }

  /** Frees cached pages. */
  shrink(): void {
    this.#db.exec("PRAGMA shrink_memory");
  }

  /** True while a transaction runs in this thread. */
  get inTransaction(): boolean {
    return this.#depth > 0;
  }

  /** False after opening until everything that an earlier process committed is known to be on disk. */
  get settled(): boolean {
    return this.#settled;
  }

  /** Set once an fsync has failed. Commits since the last good one are readable for now. */
  get syncFailure(): Error | undefined {
    return this.#syncFailure;
  }

  /**
   * Resolves when everything committed before the call is on disk.
   * @throws DurabilityError when that failed, and on every call from then on: a restart is needed.
   */
  durable(): Promise<void> {
    return this.#sync.sync();
  }

  #maybeCheckpoint(): void {
    // Checking the size costs a system call, so not at each fsync. The first one checks: processes that are
    // killed repeatedly before their 64th would leave a WAL that only grows.
    if (this.#checkpointing || this.#closed || this.#durableCalls++ % 64 !== 0) return;
    if ((this.#wal?.statSync().size ?? 0) < checkpointBytes) return;
    this.#checkpointing = this.checkpoint().finally(() => this.#checkpointing = undefined);
    this.#checkpointing.catch(() => {});
  }

  /**
   * Moves the WAL into the database. A Worker does the bulk; later commits are moved here, so that the WAL is
   * fully moved and is written from its start again.
   */
  async checkpoint(): Promise<void> {
    await checkpointInWorker(this.path);
    if (!this.#closed) this.#db.exec("PRAGMA wal_checkpoint(PASSIVE)");
  }

  /** Resolves when a running checkpoint, if any, is done. */
  async checkpointed(): Promise<void> {
    await this.#checkpointing?.catch(() => {});
  }

  /** Closes the connection; resolves when the files are closed. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    forgetPages(this);
    await this.#sync.sync().catch(() => {});
    await this.checkpointed();
    this.#statements.clear();
    this.#wal?.close();
    this.#wal = undefined;
    // The last connection to close checkpoints, and removes the -wal file.
    this.#db.close();
  }
}
