/**
 * A copy of one SQLite database that follows it: a base, and beside it the write-ahead log (WAL), to which what the
 * original's log gets is added. The two together are at each moment a database as it was committed.
 *
 * What a log has had must be copied before the log begins anew. A log can't begin anew while somebody reads the
 * database as of a moment that is only in the log; so a reader is held at all times, and a new one is begun before
 * the old one ends. Where it reads the database alone, the log has nothing that was not copied, and nothing can be
 * moved out of it. When the log begins anew, what was copied is moved into the copy's base, which is then what the
 * original was.
 *
 * Under constant load there is no moment at which all of a log was moved and nobody reads from it: then it would
 * grow for ever. So a large one is made to begin anew: with writers held up for a moment, the rest is copied and
 * moved, and a reader is begun that reads the database alone.
 *
 * The format of logs is that of SQLite's file format, section "WAL-Mode File Format".
 *
 * @module
 */
import { backup, DatabaseSync } from "node:sqlite";

const headerSize = 32;
const frameHead = 24;
/** Bytes of a log above which it is made to begin anew. */
const defaultMaxLog = 32 * 1024 * 1024;
/** Milliseconds between two tries of that, as it holds up writers. */
const rewindInterval = 5000;
/** Milliseconds that it waits for a writer. */
const rewindPatience = 1000;
/** Bytes of a log that are in memory at a time, about. */
const chunkSize = 1024 * 1024;

/** The running checksum of a log. */
export interface Sum {
  a: number;
  b: number;
}

/** What a log's header says. */
export interface Header {
  bytes: Uint8Array;
  /** Salts, which change when the log begins anew. */
  generation: string;
  littleEndian: boolean;
  pageSize: number;
  sum: Sum;
}

/** What the log has got, to be added to the copy's. */
export interface Pending {
  header: Header;
  /** Where it begins; 0 with the header. */
  at: number;
  end: number;
  /** Over the log up to its end. */
  sum: Sum;
}

function add(sum: Sum, view: DataView, from: number, to: number, little: boolean): Sum {
  let { a, b } = sum;
  for (let i = from; i < to; i += 8) {
    a = (a + view.getUint32(i, little) + b) >>> 0;
    b = (b + view.getUint32(i + 4, little) + a) >>> 0;
  }
  return { a, b };
}

function readHeader(file: Deno.FsFile): Header | undefined {
  const bytes = new Uint8Array(headerSize);
  file.seekSync(0, Deno.SeekMode.Start);
  if (file.readSync(bytes) !== headerSize) return undefined;
  const view = new DataView(bytes.buffer);
  const magic = view.getUint32(0);
  if (magic !== 0x377f0682 && magic !== 0x377f0683) return undefined;
  const littleEndian = magic === 0x377f0682;
  const sum = add({ a: 0, b: 0 }, view, 0, 24, littleEndian);
  // Being written just now.
  if (sum.a !== view.getUint32(24) || sum.b !== view.getUint32(28)) return undefined;
  return {
    bytes,
    generation: `${view.getUint32(16)}.${view.getUint32(20)}`,
    littleEndian,
    pageSize: view.getUint32(8),
    sum,
  };
}

/** How far whole transactions go in a log from a place on; `until` stops at a place. */
function scanFrames(
  file: Deno.FsFile,
  h: Header,
  at: number,
  sum: Sum,
  until = Infinity,
): { end: number; sum: Sum } {
  const frame = frameHead + h.pageSize;
  const bytes = new Uint8Array(frame * Math.max(1, Math.floor(chunkSize / frame)));
  const view = new DataView(bytes.buffer);
  let whole = { end: at, sum };
  for (let more = true; more;) {
    const got = readAt(file, bytes, at);
    let n = 0;
    for (; n + frame <= got; n += frame) {
      if (at + n + frame > until) break;
      if (`${view.getUint32(n + 8)}.${view.getUint32(n + 12)}` !== h.generation) break;
      let next = add(sum, view, n, n + 8, h.littleEndian);
      next = add(next, view, n + frameHead, n + frame, h.littleEndian);
      // Of before, or being written just now.
      if (next.a !== view.getUint32(n + 16) || next.b !== view.getUint32(n + 20)) break;
      sum = next;
      // The last of a transaction has the size of the database.
      if (view.getUint32(n + 4) !== 0) whole = { end: at + n + frame, sum };
    }
    at += n;
    more = n === bytes.length;
  }
  return whole;
}

/** Fills the buffer from a place in the file on; returns less than its length at the file's end. */
function readAt(file: Deno.FsFile, buffer: Uint8Array, at: number): number {
  file.seekSync(at, Deno.SeekMode.Start);
  let n = 0;
  while (n < buffer.length) {
    const got = file.readSync(buffer.subarray(n));
    if (got === null || got === 0) break;
    n += got;
  }
  return n;
}

function writeHeader(file: Deno.FsFile, h: Header): void {
  for (let n = 0; n < headerSize;) n += file.writeSync(h.bytes.subarray(n));
}

/** Copies a stretch of one file to the same place of another. */
function copyStretch(from: Deno.FsFile, to: Deno.FsFile, at: number, end: number): void {
  const buffer = new Uint8Array(Math.min(chunkSize, end - at));
  to.seekSync(at, Deno.SeekMode.Start);
  while (at < end) {
    const part = buffer.subarray(0, Math.min(buffer.length, end - at));
    if (readAt(from, part, at) !== part.length) throw new Error("the log has become shorter");
    for (let n = 0; n < part.length;) n += to.writeSync(part.subarray(n));
    at += part.length;
  }
}

function identityOf(path: string): string {
  const { dev, ino, birthtime } = Deno.statSync(path);
  return `${dev} ${ino} ${birthtime?.getTime()}`;
}

function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (err) {
    if (!(err instanceof Deno.errors.NotFound)) throw err;
  }
}

export class FollowedDatabase {
  readonly #from: string;
  readonly #to: string;
  #readers: DatabaseSync[] = [];
  /** Which of them reads. */
  #current = 0;
  /** What is copied: of which log, how far. */
  #copied: { generation: string; at: number; sum: Sum } | undefined;
  /** A reader was held since the last look. */
  #held = false;
  #stamp = "";
  #looked = 0;
  /** Of the file that is followed, as another one may come in its place. */
  #identity: string | undefined;
  readonly #maxLog: number;
  /** When the log was last made to begin anew. */
  #rewound = -Infinity;

  /**
   * @param from the database that is followed; `to` the copy's file, in a folder that is there
   * @param maxLog bytes of the log above which {@link rewind} does something
   */
  constructor(from: string, to: string, maxLog = defaultMaxLog) {
    this.#from = from;
    this.#to = to;
    this.#maxLog = maxLog;
  }

  /** Whether another file is in the database's place than the one that was followed. */
  replaced(): boolean {
    const now = identityOf(this.#from);
    const was = this.#identity;
    this.#identity = now;
    return was !== undefined && was !== now;
  }

  /** Lets go of a database that was replaced: the copy needs a new base. */
  forget(): void {
    this.release();
    this.#copied = undefined;
  }

  /**
   * Whether the database has a log. One that was restored, or is being made just now, has none until its server opens
   * it, and a reader that is held would keep the server from beginning one.
   */
  #logged(): boolean {
    using file = Deno.openSync(this.#from);
    const header = new Uint8Array(20);
    // "The Database Header": a read version of 2 is that of logs.
    return readAt(file, header, 0) === header.length && header[19] === 2;
  }

  /** Whether the database may have changed since the last look. @throws Deno.errors.NotFound if it is gone */
  changed(): boolean {
    const base = Deno.statSync(this.#from);
    let stamp = `${base.size} ${base.mtime?.getTime()}`;
    try {
      const s = Deno.statSync(`${this.#from}-wal`);
      stamp += ` ${s.size} ${s.mtime?.getTime()}`;
      // In the same tick of the file system's clock it may have changed again.
      if (s.mtime && this.#looked - s.mtime.getTime() < 100) stamp += ` ${Date.now()}`;
    } catch (err) {
      if (!(err instanceof Deno.errors.NotFound)) throw err;
    }
    const changed = stamp !== this.#stamp || this.#copied === undefined;
    this.#stamp = stamp;
    return changed;
  }

  /** Goes on with a copy that an earlier process has left, if it still can. */
  resume(): boolean {
    try {
      Deno.statSync(this.#to);
      if (!this.#logged()) return false;
      this.#read();
      using theirs = Deno.openSync(`${this.#from}-wal`);
      using ours = Deno.openSync(`${this.#to}-wal`);
      const h = readHeader(theirs);
      const own = readHeader(ours);
      const { size } = ours.statSync();
      if (!h || own?.generation !== h.generation) return false;
      const { end, sum } = scanFrames(theirs, h, headerSize, h.sum, size);
      if (end !== size) return false;
      // The last frame of ours, whose checksum is over all before it.
      if (end > headerSize) {
        const last = new Uint8Array(frameHead);
        ours.seekSync(size - h.pageSize - frameHead, Deno.SeekMode.Start);
        ours.readSync(last);
        const view = new DataView(last.buffer);
        if (view.getUint32(16) !== sum.a || view.getUint32(20) !== sum.b) return false;
      }
      this.#copied = { generation: h.generation, at: size, sum };
      return true;
    } catch (err) {
      if (err instanceof Deno.errors.NotFound) return false;
      throw err;
    }
  }

  /** Begins a reader, before the one that is held ends. */
  #read(): void {
    const next = 1 - this.#current;
    const db = this.#readers[next] ??= new DatabaseSync(this.#from, {
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

  /** Lets go of the database, for one that is not used. The next look may have to make a new base. */
  release(): void {
    for (const r of this.#readers) r?.close();
    this.#readers = [];
    this.#held = false;
  }

  /**
   * What the copy lacks; undefined if it can't be known and the copy needs a new base. Nothing is written: files
   * that these changes name are to be copied first.
   */
  pending(): Pending | "nothing" | undefined {
    this.#looked = Date.now();
    if (!this.#logged()) return undefined;
    const was = this.#held;
    this.#read();
    this.#held = true;
    try {
      const copied = this.#copied;
      let file: Deno.FsFile;
      try {
        file = Deno.openSync(`${this.#from}-wal`);
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
        // It has begun anew: with a reader all the time, nothing of before is lost.
        if (!copied || !was) return undefined;
        return { header, at: 0, ...scanFrames(file, header, headerSize, header.sum) };
      } finally {
        file.close();
      }
    } finally {
      this.#endOther();
    }
  }

  /**
   * Adds to the copy; durable when it returns. The reader that {@link pending} has begun keeps the log as it was.
   */
  write(p: Pending): void {
    using log = Deno.openSync(`${this.#from}-wal`);
    if (p.at === 0) this.#apply();
    using file = Deno.openSync(`${this.#to}-wal`, { write: true, create: true, mode: 0o600 });
    if (p.at === 0) writeHeader(file, p.header);
    copyStretch(log, file, p.at === 0 ? headerSize : p.at, p.end);
    file.syncDataSync();
    this.#copied = { generation: p.header.generation, at: p.end, sum: p.sum };
  }

  /**
   * Makes a log that has become large begin anew, if no other reader is in the way. Writers wait for that. The
   * copy must have what {@link pending} told just before, so that it does not take long.
   * @param before is called before changes are written, as there may be more since
   * @param atOnce also if it was tried just now
   */
  rewind(before: () => void, atOnce = false): void {
    const { size } = Deno.statSync(`${this.#from}-wal`);
    const now = performance.now();
    if (size < this.#maxLog || !atOnce && now - this.#rewound < rewindInterval) return;
    this.#rewound = now;
    const holder = new DatabaseSync(this.#from, { timeout: rewindPatience });
    const mover = new DatabaseSync(this.#from, { timeout: rewindPatience });
    try {
      // Most of it, while writers go on.
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
        before();
        this.write(p);
      }
      mover.exec("PRAGMA wal_checkpoint(PASSIVE)");
      // All of the log is in the database now: this reader needs no log, and the next writer begins a new one.
      this.#read();
      this.#endOther();
    } finally {
      if (holder.isTransaction) holder.exec("ROLLBACK");
      mover.close();
      holder.close();
    }
  }

  /** Moves the copy's log into its base. */
  #apply(): void {
    const db = new DatabaseSync(this.#to, { timeout: 10_000 });
    try {
      db.exec("PRAGMA synchronous=FULL; PRAGMA wal_checkpoint(TRUNCATE)");
    } finally {
      // The last connection removes the log.
      db.close();
    }
    for (const end of ["-wal", "-shm"]) removeIfThere(this.#to + end);
  }

  /** Makes a new base, in place of what is there: at each moment the old copy or the new one is whole. */
  async rebase(): Promise<void> {
    this.release();
    this.#held = this.#logged();
    if (this.#held) this.#read();
    const made = `${this.#to}.new`;
    removeIfThere(made);
    const source = new DatabaseSync(this.#from, { readOnly: true, timeout: 30_000 });
    try {
      await backup(source, made, { rate: 2 ** 31 - 1 });
    } finally {
      source.close();
    }
    for (const end of ["-wal", "-shm"]) removeIfThere(made + end);
    Deno.chmodSync(made, 0o600);
    {
      using file = Deno.openSync(made, { read: true, write: true });
      file.syncSync();
    }
    if (exists(this.#to)) this.#apply();
    Deno.renameSync(made, this.#to);
    // The log as it is now: what of it is in the base already makes no difference.
    this.#copied = undefined;
    let log: Deno.FsFile;
    try {
      log = Deno.openSync(`${this.#from}-wal`);
    } catch (err) {
      if (!(err instanceof Deno.errors.NotFound)) throw err;
      this.#copied = { generation: "", at: 0, sum: { a: 0, b: 0 } };
      return;
    }
    try {
      const header = readHeader(log);
      if (!header) {
        this.#copied = { generation: "", at: 0, sum: { a: 0, b: 0 } };
        return;
      }
      const { end, sum } = scanFrames(log, header, headerSize, header.sum);
      // All at once: a part of it would take pages of the base back to what they were before.
      const whole = `${this.#to}-wal.new`;
      using file = Deno.openSync(whole, { write: true, create: true, truncate: true, mode: 0o600 });
      writeHeader(file, header);
      copyStretch(log, file, headerSize, end);
      file.syncSync();
      Deno.renameSync(whole, `${this.#to}-wal`);
      this.#copied = { generation: header.generation, at: end, sum };
    } finally {
      log.close();
    }
  }
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (err) {
    if (err instanceof Deno.errors.NotFound) return false;
    throw err;
  }
}
