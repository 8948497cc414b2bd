/**
 * A copy of a data folder that follows it, in a separate process: commits reach the copy well within a second.
 * Message files are copied before the rows that name them, and removed some time after.
 *
 * @module
 */
import { join } from "node:path";
import { openFilesCanGo, syncDirNow, syncFileNow } from "../../platform/files.ts";
import {
  BackupError,
  files,
  keepTime,
  leftOut,
  removedFolder,
  sameFile,
  watchMarker as marker,
} from "./copy.ts";
import { FollowedDatabase } from "./wal_follow.ts";

/** Milliseconds between checks. */
const interval = 200;
/** Milliseconds between checks for new folders and other files. */
const scanInterval = 1000;
/** Milliseconds between updates of the copy's state file. */
const tellInterval = 1000;
/** Milliseconds without changes after which a database is released. */
const idleAfter = 60_000;
/** Checks after which a removed file is also removed from the copy. */
const removeAfter = 10;

/** State of the copy. */
export interface WatchState {
  /** Number of followed databases. */
  databases: number;
  /** Message files in the copy. */
  messages: number;
  /** Bytes of logs copied. */
  bytes: number;
  /** Milliseconds that the last round took. */
  took: number;
}

interface Followed {
  db: FollowedDatabase;
  /** The folder that holds the message files, "" if it has none. */
  path: string;
  mail: boolean;
  used: number;
}

export class DataWatch {
  readonly #from: string;
  readonly #to: string;
  readonly #scanInterval: number;
  readonly #databases = new Map<string, Followed>();
  /** When the folders of message files were last changed. */
  readonly #shards = new Map<string, number>();
  /** Files of the copy whose original is gone, with the round that noticed it. */
  readonly #gone = new Map<string, number>();
  /** Removed folders: they stay in the copy until another one replaces them. */
  readonly #removed = new Set<string>();
  readonly #others = new Map<string, string>();
  #round = 0;
  #scanned = 0;
  #lastReport = -Infinity;
  readonly state: WatchState = { databases: 0, messages: 0, bytes: 0, took: 0 };

  /**
   * @param from the data folder
   * @param to a folder on the same or another file system, empty or with an earlier copy of this data
   */
  constructor(from: string, to: string, o: { scanInterval?: number } = {}) {
    this.#from = from;
    this.#to = to;
    this.#scanInterval = o.scanInterval ?? scanInterval;
    Deno.mkdirSync(to, { recursive: true, mode: 0o700 });
    const inside = `${Deno.realPathSync(to)}/`.replaceAll("\\", "/");
    if (inside.startsWith(`${Deno.realPathSync(from)}/`.replaceAll("\\", "/"))) {
      throw new BackupError(`${to} is in the data folder: give one outside of it`);
    }
    const there = [...Deno.readDirSync(to)];
    if (there.length > 0 && !there.some((e) => e.name === marker)) {
      throw new BackupError(`${to} has something else in it: give an empty folder`);
    }
    if (there.length === 0) Deno.writeTextFileSync(join(to, marker), "{}\n");
  }

  /** Brings the copy up to what is committed by now. @throws errors of files and databases */
  async round(): Promise<void> {
    const start = performance.now();
    const began = new Date();
    this.#round++;
    if (start - this.#scanned >= this.#scanInterval || this.#scanned === 0) {
      this.#scanned = start;
      this.#scan("");
    }
    const now = Date.now();
    // A restarted folder is followed in this round too, as it is added at the end.
    for (const [path, f] of this.#databases) {
      try {
        if (f.db.replaced()) {
          if (f.mail) {
            this.#beginAnew(f.path);
            continue;
          }
          f.db.forget();
        }
        await this.#follow(f, now);
      } catch (err) {
        // Its folder was removed, and SQLite may have noticed first.
        if (exists(join(this.#from, path))) throw err;
        f.db.release();
        this.#databases.delete(path);
        if (f.mail) this.#removed.add(f.path);
      }
    }
    // Between two checks, a user can remove an account and replace a database.
    if (!openFilesCanGo) { for (const f of this.#databases.values()) f.db.release(); }
    this.#removeGone();
    this.state.databases = this.#databases.size;
    this.state.took = performance.now() - start;
    if (start - this.#lastReport >= tellInterval) {
      this.#lastReport = start;
      this.#tell(began);
    }
  }

  /** Records that the copy is complete as of a time. */
  #tell(upToDate: Date): void {
    const path = join(this.#to, marker);
    Deno.writeTextFileSync(`${path}.new`, `${JSON.stringify({ upToDate, ...this.state })}\n`);
    Deno.renameSync(`${path}.new`, path);
  }

  /**
   * Moves a folder out of the copy and starts it again: it now belongs to another account, whose message files
   * reuse the old names.
   */
  #beginAnew(path: string): void {
    const below = (p: string) =>
      p === path || p.startsWith(`${path}/`) || p.startsWith(`${path}\\`);
    for (const [name, f] of this.#databases) {
      if (!below(f.path)) continue;
      f.db.release();
      this.#databases.delete(name);
    }
    for (const map of [this.#shards, this.#gone, this.#others]) {
      for (const name of map.keys()) if (below(name)) map.delete(name);
    }
    this.#putAside(path);
    this.#scan(path);
  }

  /** Moves a folder out of the copy in one step. It is kept: perhaps the data was lost and started again. */
  #putAside(path: string): void {
    const from = join(this.#to, path);
    if (!exists(from)) return;
    const aside = join(this.#to, removedFolder);
    Deno.mkdirSync(aside, { recursive: true, mode: 0o700 });
    const time = new Date().toISOString().replaceAll(":", "");
    Deno.renameSync(from, join(aside, `${path.replaceAll(/[/\\]/g, "-")}-${time}`));
  }

  /**
   * Whether a message file of the copy is not the original of that name: then the copy belongs to an account
   * that was removed while nobody watched. Files without an original are noted as gone.
   */
  #foreign(path: string): boolean {
    const ours = join(this.#to, path, "msg");
    if (!exists(ours)) return false;
    for (const name of files(ours)) {
      try {
        if (!sameFile(join(this.#from, path, "msg", name), join(ours, name))) return true;
      } catch (err) {
        if (!(err instanceof Deno.errors.NotFound)) throw err;
        this.#gone.set(join(path, "msg", name), this.#round);
      }
    }
    return false;
  }

  async #follow(followed: Followed, now: number): Promise<void> {
    if (!followed.db.changed()) {
      if (now - followed.used > idleAfter) followed.db.release();
      if (followed.mail) this.#files(followed.path);
      return;
    }
    followed.used = now;
    const pending = followed.db.pending();
    // After reading the log: the files that it names exist.
    if (followed.mail) this.#files(followed.path);
    if (pending === undefined) {
      await followed.db.rebase();
      if (followed.mail) this.#files(followed.path);
    } else if (pending !== "nothing") {
      followed.db.write(pending);
      this.state.bytes += pending.end - pending.at;
      followed.db.rewind(() => {
        if (followed.mail) this.#files(followed.path);
      });
    }
  }

  /** Looks for databases, and copies other files that have changed. */
  #scan(path: string): void {
    const from = join(this.#from, path);
    let entries: Deno.DirEntry[];
    try {
      entries = [...Deno.readDirSync(from)].filter((e) => !leftOut(path, e.name));
    } catch (err) {
      // It was just removed.
      if (path !== "" && err instanceof Deno.errors.NotFound) return;
      throw err;
    }
    const names = new Set(entries.map((e) => e.name));
    const mail = names.has("index.db") && names.has("msg");
    if (mail && !this.#databases.has(join(path, "index.db"))) {
      if (this.#removed.delete(path) || this.#foreign(path)) return this.#beginAnew(path);
    }
    Deno.mkdirSync(join(this.#to, path), { recursive: true, mode: 0o700 });
    for (const e of entries) {
      const below = join(path, e.name);
      if (e.isDirectory) {
        if (!(mail && e.name === "msg")) this.#scan(below);
      } else if (e.isFile && e.name.endsWith(".db")) {
        if (!this.#databases.has(below)) {
          const db = new FollowedDatabase(join(this.#from, below), join(this.#to, below));
          db.resume();
          const own = mail && e.name === "index.db";
          this.#databases.set(below, { db, path, mail: own, used: Date.now() });
        }
      } else if (e.isFile && !/\.db-(?:wal|shm)$/.test(e.name)) {
        this.#copyOther(below);
      }
    }
  }

  #copyOther(path: string): void {
    const from = join(this.#from, path);
    const to = join(this.#to, path);
    try {
      const s = Deno.statSync(from);
      const stamp = `${s.size} ${s.mtime?.getTime()}`;
      if (this.#others.get(path) === stamp) return;
      const made = `${to}.new`;
      Deno.copyFileSync(from, made);
      syncFileNow(made);
      Deno.renameSync(made, to);
      this.#others.set(path, stamp);
    } catch (err) {
      if (!(err instanceof Deno.errors.NotFound)) throw err;
    }
  }

  /** Copies message files; notes those that are gone. */
  #files(path: string): void {
    const msg = join(this.#from, path, "msg");
    for (const shard of Deno.readDirSync(msg)) {
      if (!shard.isDirectory) continue;
      const from = join(msg, shard.name);
      const key = join(path, "msg", shard.name);
      const changed = Deno.statSync(from).mtime?.getTime() ?? 0;
      if (this.#shards.get(key) === changed) continue;
      const to = join(this.#to, key);
      Deno.mkdirSync(to, { recursive: true, mode: 0o700 });
      const theirs = names(from);
      const ours = names(to);
      let added = false;
      for (const name of theirs) {
        if (ours.delete(name)) {
          // A file without an original that has one again belongs to another account.
          if (!this.#gone.delete(join(key, name))) continue;
          if (sameFile(join(from, name), join(to, name))) continue;
          Deno.removeSync(join(to, name));
        }
        added = bring(join(from, name), join(to, name)) || added;
        this.state.messages++;
      }
      for (const name of ours) {
        const gone = join(key, name);
        if (!this.#gone.has(gone)) this.#gone.set(gone, this.#round);
      }
      if (added) syncDirNow(to);
      // It may have changed again within the same tick of the file system's clock: checked once more.
      if (Date.now() - changed > 100) this.#shards.set(key, changed);
    }
  }

  #removeGone(): void {
    for (const [path, round] of this.#gone) {
      if (this.#round - round < removeAfter) continue;
      this.#gone.delete(path);
      if (exists(join(this.#from, path))) continue;
      try {
        Deno.removeSync(join(this.#to, path));
        this.state.messages--;
      } catch (err) {
        if (!(err instanceof Deno.errors.NotFound)) throw err;
      }
    }
  }

  /** Follows until the signal is aborted; `tell` is called after each round. */
  async run(signal: AbortSignal, tell: (state: WatchState) => void): Promise<void> {
    while (!signal.aborted) {
      const start = Date.now();
      await this.round();
      tell(this.state);
      const rest = interval - (Date.now() - start);
      if (rest > 0 && !signal.aborted) await pause(rest, signal);
    }
    this.close();
  }

  /** Releases the databases. */
  close(): void {
    for (const f of this.#databases.values()) f.db.release();
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done);
  });
}

function names(dir: string): Set<string> {
  const found = new Set<string>();
  for (const e of Deno.readDirSync(dir)) if (e.isFile && /^\d+$/.test(e.name)) found.add(e.name);
  return found;
}

/** Links or copies a file; false if it is gone. */
function bring(from: string, to: string): boolean {
  try {
    Deno.linkSync(from, to);
    return true;
  } catch (err) {
    if (err instanceof Deno.errors.NotFound) return false;
    if (err instanceof Deno.errors.AlreadyExists) return true;
  }
  // Another file system, or one without links.
  try {
    const made = `${to}.new`;
    Deno.copyFileSync(from, made);
    keepTime(from, made);
    syncFileNow(made);
    Deno.renameSync(made, to);
    return true;
  } catch (err) {
    if (err instanceof Deno.errors.NotFound) return false;
    throw err;
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
