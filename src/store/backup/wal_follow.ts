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
 * The format of logs is that of SQLite's file format, section "WAL-Mode File Format".
 *
 * @module
 */
import { backup, DatabaseSync } from "node:sqlite";

const headerSize = 32;
const frameHead = 24;
/** Bytes of a log at which it is let go, so that it can begin anew, and a new base is made. */
const maxLog = 256 * 1024 * 1024;

/** The running checksum of a log. */
interface Sum {
  a: number;
  b: number;
}

/** What a log's header says. */
interface Header {
  bytes: Uint8Array;
  /** Salts, which change when the log begins anew. */
  generation: string;
  littleEndian: boolean;
  pageSize: number;
  sum: Sum;
}

/** Bytes that the log has got, to be added to the copy's. */
interface Pending {
  header: Header;
  /** Where they begin; 0 with the header. */
  at: number;
  bytes: Uint8Array;
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

/** Whole transactions of a log from a place on; `until` stops at a place. */
function readFrames(
  file: Deno.FsFile,
  h: Header,
  at: number,
  sum: Sum,
  until = Infinity,
): { bytes: Uint8Array; sum: Sum } {
  const frame = frameHead + h.pageSize;
  const chunkFrames = Math.max(1, Math.floor((4 * 1024 * 1024) / frame));
  const pieces: Uint8Array[] = [];
  let kept = { length: 0, sum };
  let length = 0;
  for (let more = true; more;) {
    const bytes = new Uint8Array(frame * chunkFrames);
    file.seekSync(at + length, Deno.SeekMode.Start);
    const got = file.readSync(bytes) ?? 0;
    const view = new DataView(bytes.buffer);
    let n = 0;
    for (; n + frame <= got; n += frame) {
      if (at + length + n + frame > until) break;
      if (`${view.getUint32(n + 8)}.${view.getUint32(n + 12)}` !== h.generation) break;
      let next = add(sum, view, n, n + 8, h.littleEndian);
      next = add(next, view, n + frameHead, n + frame, h.littleEndian);
      // Of before, or being written just now.
      if (next.a !== view.getUint32(n + 16) || next.b !== view.getUint32(n + 20)) break;
      sum = next;
      // The last of a transaction has the size of the database.
      if (view.getUint32(n + 4) !== 0) kept = { length: length + n + frame, sum };
    }
    pieces.push(bytes.subarray(0, n));
    length += n;
    more = n === bytes.length;
  }
  const all = new Uint8Array(kept.length);
  let to = 0;
  for (const p of pieces) {
    const part = p.subarray(0, kept.length - to);
    all.set(part, to);
    to += part.length;
    if (to === kept.length) break;
  }
  return { bytes: all, sum: kept.sum };
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

  /** @param from the database that is followed; `to` the copy's file, in a folder that is there */
  constructor(from: string, to: string) {
    this.#from = from;
    this.#to = to;
  }

  /** Whether the database may have changed since the last look. */
  changed(): boolean {
    let stamp = "";
    try {
      const s = Deno.statSync(`${this.#from}-wal`);
      stamp = `${s.size} ${s.mtime?.getTime()}`;
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
      this.#read();
      using theirs = Deno.openSync(`${this.#from}-wal`);
      using ours = Deno.openSync(`${this.#to}-wal`);
      const h = readHeader(theirs);
      const own = readHeader(ours);
      const { size } = ours.statSync();
      if (!h || own?.generation !== h.generation) return false;
      const { bytes, sum } = readFrames(theirs, h, headerSize, h.sum, size);
      if (headerSize + bytes.length !== size) return false;
      // The last frame of ours, whose checksum is over all before it.
      if (bytes.length > 0) {
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
        if (file.statSync().size > maxLog) return undefined;
        const header = readHeader(file);
        if (!header) return copied && was ? "nothing" : undefined;
        if (copied?.generation === header.generation) {
          const { bytes, sum } = readFrames(file, header, copied.at, copied.sum);
          return bytes.length === 0 ? "nothing" : { header, at: copied.at, bytes, sum };
        }
        // It has begun anew: with a reader all the time, nothing of before is lost.
        if (!copied || !was) return undefined;
        const { bytes, sum } = readFrames(file, header, headerSize, header.sum);
        return { header, at: 0, bytes, sum };
      } finally {
        file.close();
      }
    } finally {
      this.#endOther();
    }
  }

  /** Adds to the copy; durable when it returns. */
  write(p: Pending): void {
    const path = `${this.#to}-wal`;
    if (p.at === 0) this.#apply();
    using file = Deno.openSync(path, { write: true, create: true, mode: 0o600 });
    const put = (bytes: Uint8Array, at: number) => {
      file.seekSync(at, Deno.SeekMode.Start);
      for (let n = 0; n < bytes.length;) n += file.writeSync(bytes.subarray(n));
    };
    const at = p.at === 0 ? headerSize : p.at;
    if (p.at === 0) put(p.header.bytes, 0);
    put(p.bytes, at);
    file.syncDataSync();
    this.#copied = { generation: p.header.generation, at: at + p.bytes.length, sum: p.sum };
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
    this.#read();
    this.#held = true;
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
    using file = Deno.openSync(made, { read: true, write: true });
    file.syncSync();
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
      const { bytes, sum } = readFrames(log, header, headerSize, header.sum);
      this.#writeWhole({ header, at: 0, bytes, sum });
    } finally {
      log.close();
    }
  }

  #writeWhole(p: Pending): void {
    using file = Deno.openSync(`${this.#to}-wal`, {
      write: true,
      create: true,
      truncate: true,
      mode: 0o600,
    });
    for (const bytes of [p.header.bytes, p.bytes]) {
      for (let n = 0; n < bytes.length;) n += file.writeSync(bytes.subarray(n));
    }
    file.syncSync();
    this.#copied = {
      generation: p.header.generation,
      at: headerSize + p.bytes.length,
      sum: p.sum,
    };
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
