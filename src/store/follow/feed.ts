/**
 * Sends a data folder, and then everything that is committed, to a copy elsewhere. Message files are sent
 * before the rows that name them. Runs in a Worker: see feed_worker.ts.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { openFilesCanGo } from "../../platform/files.ts";
import { leftOut } from "../backup/copy.ts";
import { LogSource, type Pending } from "../backup/log_source.ts";
import { headerSize, readAt } from "../backup/wal_format.ts";
import { copyBase } from "../backup/wal_follow.ts";
import { blockSize, type CopyPosition, type FeedOp, type NamedFile } from "./protocol.ts";

/** Milliseconds between checks for new folders and other files. */
const scanInterval = 1000;
/** Milliseconds after which the copy is told that it is up to date though nothing was sent. */
const tellInterval = 1000;
/** Milliseconds without changes after which a database is released. */
const idleAfter = 60_000;
/** Checks after which a removed message file is also removed from the copy. */
const removeAfter = 10;
/** Bytes of a file in memory at a time. */
const pieceSize = 256 * 1024;

/** The connection to the copy. What it throws ends the feed. */
export interface FeedChannel {
  /** Sends a line, to be followed by its bytes through {@link bytes}. */
  line(op: FeedOp): Promise<void>;
  bytes(bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** Sends a line and waits for its answer. */
  ask(op: FeedOp): Promise<unknown>;
  /** Called before the copy is first told that it is complete. */
  whole(): Promise<void>;
}

export interface FeedOptions {
  dataDir: string;
  configDir: string;
  /** The configuration file that is specific to the server: mox.conf. */
  ownConfig: string;
  /** Sends only this account's folder; all of the data folder if not given. */
  account?: string;
}

interface Followed {
  source: LogSource;
  /** The folder. */
  path: string;
  /** Whether it has message files. */
  mail: boolean;
  used: number;
}

const sha = (b: Uint8Array) => createHash("sha256").update(b).digest().subarray(0, 16);

/** The hash of a block, in base64; see the line "blocks". */
export function blockHash(block: Uint8Array): string {
  return sha(block).toString("base64");
}

export class DataFeed {
  readonly #o: FeedOptions;
  readonly #to: FeedChannel;
  readonly #databases = new Map<string, Followed>();
  /** Known folders with mail; and those among them in accounts. */
  readonly #folders = new Set<string>();
  /** When the folders of message files were last changed. */
  readonly #shards = new Map<string, number>();
  /** Message files of the copy, by folder. */
  readonly #names = new Map<string, Set<string>>();
  /** Removed message files, with the round that noticed it. */
  readonly #gone = new Map<string, number>();
  /** Size and time of the other files. */
  readonly #others = new Map<string, string>();
  #round = 0;
  #scanned = -Infinity;
  #lastReport = -Infinity;
  #sent = true;
  #begun = false;

  readonly #scanInterval: number;

  constructor(options: FeedOptions, to: FeedChannel, wait: { scanInterval?: number } = {}) {
    this.#o = options;
    this.#to = to;
    this.#scanInterval = wait.scanInterval ?? scanInterval;
  }

  /** Sends everything committed so far. @throws errors of files, databases and the channel */
  async round(): Promise<void> {
    const at = Date.now();
    this.#round++;
    if (!this.#begun) await this.#begin();
    if (performance.now() - this.#scanned >= this.#scanInterval) {
      this.#scanned = performance.now();
      const { account } = this.#o;
      if (account === undefined) {
        await this.#scanConfig("");
        await this.#scan("");
      } else {
        await this.#scan(`accounts/${account}`);
      }
      await this.#missing();
    }
    for (const [path, f] of this.#databases) {
      try {
        if (f.source.replaced()) {
          if (f.mail) await this.#drop(f.path);
          else f.source.forget();
          if (f.mail) continue;
        }
        await this.#follow(path, f);
      } catch (err) {
        // Its folder was removed, and SQLite may have noticed first.
        if (exists(join(this.#o.dataDir, path))) throw err;
        f.source.release();
        this.#databases.delete(path);
      }
    }
    if (!openFilesCanGo) { for (const f of this.#databases.values()) f.source.release(); }
    await this.#removeGone();
    const now = performance.now();
    if (!this.#sent && now - this.#lastReport < tellInterval) return;
    if (this.#lastReport === -Infinity) await this.#to.whole();
    this.#lastReport = now;
    this.#sent = false;
    await this.#to.ask({ op: "round", at });
  }

  /** Releases the databases. */
  close(): void {
    for (const f of this.#databases.values()) f.source.release();
    this.#databases.clear();
  }

  async #line(op: FeedOp): Promise<void> {
    this.#sent = true;
    await this.#to.line(op);
  }

  /** Accounts of the copy that don't exist here were removed while it was away. */
  async #begin(): Promise<void> {
    this.#begun = true;
    if (this.#o.account !== undefined) return;
    for (const name of await this.#to.ask({ op: "folders", path: "accounts" }) as string[]) {
      if (!exists(join(this.#o.dataDir, "accounts", name))) {
        await this.#line({ op: "aside", path: `accounts/${name}` });
      }
    }
  }

  /** Folders that were removed since the last scan. */
  async #missing(): Promise<void> {
    for (const path of this.#folders) {
      if (!exists(join(this.#o.dataDir, path))) await this.#drop(path);
    }
  }

  /** Has the copy move a folder aside, and forgets it. */
  async #drop(path: string): Promise<void> {
    const below = (p: string) => p === path || p.startsWith(`${path}/`);
    for (const [name, f] of this.#databases) {
      if (!below(f.path)) continue;
      f.source.release();
      this.#databases.delete(name);
    }
    for (const map of [this.#shards, this.#gone, this.#others, this.#names]) {
      for (const name of map.keys()) if (below(name)) map.delete(name);
    }
    for (const name of this.#folders) if (below(name)) this.#folders.delete(name);
    await this.#line({ op: "aside", path });
    this.#scanned = -Infinity;
  }

  async #follow(path: string, followed: Followed): Promise<void> {
    const { source } = followed;
    const now = Date.now();
    if (!source.changed()) {
      if (now - followed.used > idleAfter) source.release();
      if (followed.mail) await this.#files(followed.path);
      return;
    }
    followed.used = now;
    const pending = source.pending();
    // After reading the log: the files that it names exist.
    if (followed.mail) await this.#files(followed.path);
    if (pending === undefined) return await this.#rebase(path, followed);
    if (pending === "nothing") return;
    await this.#append(path, pending, source.pieces(pending, pieceSize));
    source.took(pending);
    // Read into memory, as writers wait and the connection to the copy may be slow.
    const more: { p: Pending; pieces: Uint8Array<ArrayBuffer>[] }[] = [];
    source.rewind((p) => more.push({ p, pieces: [...source.pieces(p, pieceSize)] }));
    for (const { p, pieces } of more) {
      if (followed.mail) await this.#files(followed.path);
      await this.#append(path, p, pieces);
    }
  }

  async #append(
    path: string,
    pending: Pending,
    pieces: Iterable<Uint8Array<ArrayBuffer>>,
  ): Promise<void> {
    await this.#line({ op: "append", path, at: pending.at, size: pending.end - pending.at });
    if (pending.at === 0) await this.#to.bytes(pending.header.bytes);
    for (const piece of pieces) await this.#to.bytes(piece);
  }

  /** Sends a database again; the copy usually has most of it. */
  async #rebase(path: string, followed: Followed): Promise<void> {
    const { source } = followed;
    const made = join(this.#o.dataDir, "tmp", `base-${crypto.randomUUID()}`);
    try {
      source.beginBase();
      await copyBase(source.path, made);
      const p = source.withBase();
      if (followed.mail) await this.#files(followed.path);
      const had = await this.#to.ask({ op: "blocks", path }) as string[];
      using base = Deno.openSync(made);
      const { size } = base.statSync();
      const block = new Uint8Array(blockSize);
      const blocks: number[] = [];
      for (let n = 0; n * blockSize < size; n++) {
        const got = readAt(base, block, n * blockSize);
        if (blockHash(block.subarray(0, got)) !== had[n]) blocks.push(n);
      }
      await this.#line({ op: "base", path, size, blocks, log: p === undefined ? 0 : p.end });
      for (const n of blocks) {
        const got = readAt(base, block, n * blockSize);
        await this.#to.bytes(block.slice(0, got));
      }
      if (p === undefined) return;
      await this.#to.bytes(p.header.bytes);
      if (p.end > headerSize) {
        for (const piece of source.pieces(p, pieceSize)) await this.#to.bytes(piece);
      }
      source.took(p);
    } finally {
      if (exists(made)) Deno.removeSync(made);
    }
  }

  /** Looks for databases, and sends other files that have changed. */
  async #scan(path: string): Promise<void> {
    const from = join(this.#o.dataDir, path);
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
    if (path.startsWith("accounts/") && !path.slice(9).includes("/")) this.#folders.add(path);
    if (mail && !this.#databases.has(`${path}/index.db`)) await this.#begins(path);
    for (const e of entries) {
      const below = path === "" ? e.name : `${path}/${e.name}`;
      if (e.isDirectory) {
        if (!(mail && e.name === "msg")) await this.#scan(below);
      } else if (e.isFile && e.name.endsWith(".db")) {
        if (this.#databases.has(below)) continue;
        const source = new LogSource(join(this.#o.dataDir, below));
        const had = await this.#to.ask({ op: "position", path: below }) as CopyPosition | null;
        try {
          if (had) source.resume(had.generation, had.size, had.last);
        } catch (err) {
          if (!(err instanceof Deno.errors.NotFound)) throw err;
        }
        const own = mail && e.name === "index.db";
        this.#databases.set(below, { source, path, mail: own, used: Date.now() });
      } else if (e.isFile && !/\.db-(?:wal|shm)$/.test(e.name)) {
        await this.#other(join(this.#o.dataDir, below), below, undefined);
      }
    }
  }

  /** First check of a folder with mail: finds what the copy has, and sends its files, before a log is held. */
  async #begins(path: string): Promise<void> {
    const has = await this.#has(path);
    if (has === undefined) {
      await this.#line({ op: "aside", path });
    } else {
      for (const [key, names] of has) this.#names.set(key, names);
    }
    await this.#files(path);
  }

  /** The message files of the copy; undefined if they belong to another account of that name. */
  async #has(path: string): Promise<Map<string, Set<string>> | undefined> {
    const all = new Map<string, Set<string>>();
    const gone: string[] = [];
    for (const shard of await this.#to.ask({ op: "folders", path: `${path}/msg` }) as string[]) {
      const key = `${path}/msg/${shard}`;
      const names = new Set<string>();
      for (
        const [name, size, mtime] of await this.#to.ask({ op: "names", path: key }) as NamedFile[]
      ) {
        names.add(name);
        try {
          const s = Deno.statSync(join(this.#o.dataDir, key, name));
          const difference = Math.abs((s.mtime?.getTime() ?? 0) - mtime);
          // Some file systems store only whole or even seconds.
          if (s.size !== size || difference > (mtime % 1000 === 0 ? 2000 : 1)) return undefined;
        } catch (err) {
          if (!(err instanceof Deno.errors.NotFound)) throw err;
          gone.push(`${key}/${name}`);
        }
      }
      all.set(key, names);
    }
    for (const name of gone) this.#gone.set(name, this.#round);
    return all;
  }

  async #scanConfig(path: string): Promise<void> {
    const { configDir, dataDir, ownConfig } = this.#o;
    for (const e of Deno.readDirSync(join(configDir, path))) {
      const below = path === "" ? e.name : `${path}/${e.name}`;
      const from = join(configDir, below);
      if (e.isDirectory) {
        if (from !== dataDir) await this.#scanConfig(below);
      } else if (
        e.isFile && from !== ownConfig && !/\.new$|\.tmp\d+-\d+$|\.db(?:-|$)/.test(e.name)
      ) {
        await this.#other(from, below, true);
      }
    }
  }

  async #other(from: string, path: string, config: true | undefined): Promise<void> {
    const key = config ? `config ${path}` : path;
    try {
      const s = Deno.statSync(from);
      const stamp = `${s.size} ${s.mtime?.getTime()}`;
      if (this.#others.get(key) === stamp) return;
      // A file that is changed meanwhile is sent again.
      const bytes = Deno.readFileSync(from);
      const mtime = s.mtime?.getTime() ?? 0;
      await this.#line({ op: "file", path, config, size: bytes.length, mtime });
      await this.#to.bytes(bytes);
      this.#others.set(key, stamp);
    } catch (err) {
      if (!(err instanceof Deno.errors.NotFound)) throw err;
    }
  }

  /** Sends message files; notes removed ones. */
  async #files(path: string): Promise<void> {
    const msg = join(this.#o.dataDir, path, "msg");
    for (const shard of Deno.readDirSync(msg)) {
      if (!shard.isDirectory) continue;
      const from = join(msg, shard.name);
      const key = `${path}/msg/${shard.name}`;
      const changed = Deno.statSync(from).mtime?.getTime() ?? 0;
      if (this.#shards.get(key) === changed) continue;
      let ours = this.#names.get(key);
      if (ours === undefined) this.#names.set(key, ours = new Set());
      const there = new Set<string>();
      for (const e of Deno.readDirSync(from)) {
        if (!e.isFile || !/^\d+$/.test(e.name)) continue;
        there.add(e.name);
        if (!ours.has(e.name) && await this.#message(`${key}/${e.name}`)) ours.add(e.name);
      }
      for (const name of ours) {
        const gone = `${key}/${name}`;
        if (there.has(name)) this.#gone.delete(gone);
        else if (!this.#gone.has(gone)) this.#gone.set(gone, this.#round);
      }
      // It may have changed again within the same tick of the file system's clock: checked once more.
      if (Date.now() - changed > 100) this.#shards.set(key, changed);
    }
  }

  /** Sends a message file; false if it is gone. */
  async #message(path: string): Promise<boolean> {
    let file: Deno.FsFile;
    try {
      file = Deno.openSync(join(this.#o.dataDir, path));
    } catch (err) {
      if (err instanceof Deno.errors.NotFound) return false;
      throw err;
    }
    try {
      const { size, mtime } = file.statSync();
      await this.#line({ op: "file", path, size, mtime: mtime?.getTime() ?? 0 });
      for (let at = 0; at < size;) {
        const piece = new Uint8Array(Math.min(pieceSize, size - at));
        if (readAt(file, piece, at) !== piece.length) {
          throw new Error(`${path} has become shorter while it was sent`);
        }
        await this.#to.bytes(piece);
        at += piece.length;
      }
      return true;
    } finally {
      file.close();
    }
  }

  async #removeGone(): Promise<void> {
    for (const [path, round] of this.#gone) {
      if (this.#round - round < removeAfter) continue;
      this.#gone.delete(path);
      if (exists(join(this.#o.dataDir, path))) continue;
      const at = path.lastIndexOf("/");
      this.#names.get(path.slice(0, at))?.delete(path.slice(at + 1));
      await this.#line({ op: "remove", path });
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
