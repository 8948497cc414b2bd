/**
 * The write-ahead log (WAL) of a followed database: what was added since the last check. See wal_follow.ts for
 * why a reader is held at all times.
 *
 * Nothing here opens the database file itself: in the server's own process, closing it would drop the locks of
 * the server's connections.
 *
 * @module
 */
import { DatabaseSync } from "node:sqlite";
import { type Header, headerSize, readAt, readHeader, scanFrames, type Sum } from "./wal_format.ts";

/** A log above this many bytes is restarted. */
const defaultMaxLog = 32 * 1024 * 1024;
/** Milliseconds between two attempts to restart, as they hold up writers. */
const rewindInterval = 5000;
/** Milliseconds that a restart waits for a writer. */
const rewindPatience = 1000;

/** Additions to the log, to be appended to the copy's log. */
export interface Pending {
  header: Header;
  /** Where they begin; 0 includes the header. */
  at: number;
  end: number;
  /** Checksum of the log up to its end. */
  sum: Sum;
}

/** How far a log has been copied. */
export interface LogPosition {
  generation: string;
  at: number;
  sum: Sum;
}

function identityOf(path: string): string {
  const { dev, ino, birthtime } = Deno.statSync(path);
  return `${dev} ${ino} ${birthtime?.getTime()}`;
}

export class LogSource {
  /** The database. */
  readonly path: string;
  /** What has been copied: which log, and how far. */
  copied: LogPosition | undefined;
  #readers: DatabaseSync[] = [];
  /** Which of the two readers reads. */
  #current = 0;
  /** Whether a reader was held since the last check. */
  #held = false;
  #stamp = "";
  #looked = 0;
  /** Identity of the followed file, as another file may replace it. */
  #identity: string | undefined;
  readonly #maxLog: number;
  /** When the log was last restarted. */
  #rewound = -Infinity;

  /** @param maxLog bytes of the log above which {@link rewind} does something */
  constructor(path: string, maxLog = defaultMaxLog) {
    this.path = path;
    this.#maxLog = maxLog;
  }

  /** Path of its log. */
  get log(): string {
    return `${this.path}-wal`;
  }

  /** Whether another file has replaced the followed database. */
  replaced(): boolean {
    const now = identityOf(this.path);
    const was = this.#identity;
    this.#identity = now;
    return was !== undefined && was !== now;
  }

  /** Lets go of a database that was replaced: the copy needs a new base. */
  forget(): void {
    this.release();
    this.copied = undefined;
  }

  /**
   * Whether the database has a log. A restored or just created one has none until its server opens it, and a
   * held reader would keep the server from starting one.
   */
  logged(): boolean {
    const db = new DatabaseSync(this.path, { readOnly: true, timeout: 10_000 });
    try {
      const { journal_mode } = db.prepare("PRAGMA journal_mode").get() as { journal_mode: string };
      return journal_mode === "wal";
    } finally {
      db.close();
    }
  }

  /** Whether the database may have changed since the last check. @throws Deno.errors.NotFound if it is gone */
  changed(): boolean {
    const base = Deno.statSync(this.path);
    let stamp = `${base.size} ${base.mtime?.getTime()}`;
    try {
      const s = Deno.statSync(this.log);
      stamp += ` ${s.size} ${s.mtime?.getTime()}`;
      // Within the same tick of the file system's clock it may have changed again.
      if (s.mtime && this.#looked - s.mtime.getTime() < 100) stamp += ` ${Date.now()}`;
    } catch (err) {
      if (!(err instanceof Deno.errors.NotFound)) throw err;
    }
    const changed = stamp !== this.#stamp || this.copied === undefined;
    this.#stamp = stamp;
    return changed;
  }

  /** Begins a reader before the current one ends. */
  hold(): void {
    const next = 1 - this.#current;
    const db = this.#readers[next] ??= new DatabaseSync(this.path, {
      readOnly: true,
      timeout: 10_000,
    });
    db.exec("BEGIN");
    db.prepare("SELECT count(*) FROM sqlite_master").get();
    this.#current = next;
  }

  #endOther(): void {
    const other = this.#readers[1 - this.#current];
    if (other?.isTransaction) other.exec("COMMIT");
  }

  /** Lets go of an unused database. The next check may need a new base. */
  release(): void {
    for (const r of this.#readers) r?.close();
    this.#readers = [];
    this.#held = false;
  }

  /**
   * What the copy lacks; undefined if that is unknown and the copy needs a new base. Nothing is written: first
   * copy the files that these changes name.
   */
  pending(): Pending | "nothing" | undefined {
    this.#looked = Date.now();
    if (this.#readers.length === 0 && !this.logged()) return undefined;
    const was = this.#held;
    this.hold();
    this.#held = true;
    try {
      const { copied } = this;
      let file: Deno.FsFile;
      try {
        file = Deno.openSync(this.log);
      } catch (err) {
        if (err instanceof Deno.errors.NotFound) return copied && was ? "nothing" : undefined;
        throw err;
      }
      try {
        const header = readHeader(file);
        if (!header) return copied && was ? "nothing" : undefined;
        if (copied?.generation === header.generation) {
          const { end, sum } = scanFrames(file, header, copied.at, copied.sum);
          return end === copied.at ? "nothing" : { header, at: copied.at, end, sum };
        }
        // The log has restarted: as a reader was held all the time, nothing from before is lost.
        if (!copied || !was) return undefined;
        return { header, at: 0, ...scanFrames(file, header, headerSize, header.sum) };
      } finally {
        file.close();
      }
    } finally {
      this.#endOther();
    }
  }

  /** Records that the changes were copied. */
  took(pending: Pending): void {
    this.copied = { generation: pending.header.generation, at: pending.end, sum: pending.sum };
  }

  /**
   * Whether a copy whose log goes this far can be continued.
   * @param last the running checksum in its last frame, undefined without frames
   */
  resume(generation: string, size: number, last: Sum | undefined): boolean {
    if (!this.logged()) return false;
    this.hold();
    using log = Deno.openSync(this.log);
    const h = readHeader(log);
    if (h?.generation !== generation) return false;
    const { end, sum } = scanFrames(log, h, headerSize, h.sum, size);
    if (end !== size) return false;
    if (last !== undefined && (last.a !== sum.a || last.b !== sum.b)) return false;
    this.copied = { generation, at: size, sum };
    return true;
  }

  /** Called before a base is made: from now on the log keeps all additions. */
  beginBase(): void {
    this.release();
    this.#held = this.logged();
    if (this.#held) this.hold();
  }

  /**
   * Called after a base was made: the complete log as it is now. A part of it would revert pages of the base.
   * Undefined if there is none.
   */
  withBase(): Pending | undefined {
    this.copied = undefined;
    let header: Header | undefined;
    try {
      using log = Deno.openSync(this.log);
      header = readHeader(log);
      if (header) return { header, at: 0, ...scanFrames(log, header, headerSize, header.sum) };
    } catch (err) {
      if (!(err instanceof Deno.errors.NotFound)) throw err;
    }
    this.copied = { generation: "", at: 0, sum: { a: 0, b: 0 } };
    return undefined;
  }

  /**
   * Restarts a log that has become large, if no other reader is in the way. Writers wait meanwhile. The copy
   * must have what {@link pending} just returned, so that this is short.
   * @param take takes changes, as there may be more by now
   * @param atOnce even if it was just tried
   */
  rewind(take: (pending: Pending) => void, atOnce = false): void {
    const { size } = Deno.statSync(this.log);
    const now = performance.now();
    if (size < this.#maxLog || !atOnce && now - this.#rewound < rewindInterval) return;
    this.#rewound = now;
    const holder = new DatabaseSync(this.path, { timeout: rewindPatience });
    const mover = new DatabaseSync(this.path, { timeout: rewindPatience });
    try {
      // Most of it, while writers continue.
      mover.exec("PRAGMA wal_checkpoint(PASSIVE)");
      try {
        holder.exec("BEGIN IMMEDIATE");
      } catch (err) {
        if (/locked|busy/.test((err as Error).message)) return;
        throw err;
      }
      const p = this.pending();
      if (p === undefined) return;
      if (p !== "nothing") {
        take(p);
        this.took(p);
      }
      mover.exec("PRAGMA wal_checkpoint(PASSIVE)");
      // All of the log is in the database now: this reader needs no log, and the next writer starts a new one.
      this.hold();
      this.#endOther();
    } finally {
      if (holder.isTransaction) holder.exec("ROLLBACK");
      mover.close();
      holder.close();
    }
  }

  /**
   * The bytes of changes, in pieces; without the header for a log from its start, as {@link Pending} describes.
   */
  *pieces(pending: Pending, pieceSize = 256 * 1024): Generator<Uint8Array<ArrayBuffer>> {
    using log = Deno.openSync(this.log);
    for (let at = pending.at === 0 ? headerSize : pending.at; at < pending.end;) {
      const piece = new Uint8Array(Math.min(pieceSize, pending.end - at));
      if (readAt(log, piece, at) !== piece.length) throw new Error("the log has become shorter");
      yield piece;
      at += piece.length;
    }
  }
}
