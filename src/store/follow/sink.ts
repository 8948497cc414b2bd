/**
 * The copy's side: writes what a node sends to a data folder and a folder of the configuration. At each moment the
 * databases are as they were committed at one time, and the message files that they name are on disk.
 *
 * @module
 */
import { dirname, join } from "node:path";
import { syncDirNow, syncFileNow, writeAll } from "../../platform/files.ts";
import { leftOut, removedFolder } from "../backup/copy.ts";
import { logPosition, mergeLog, putBase } from "../backup/log_copy.ts";
import { readAt } from "../backup/wal_format.ts";
import { blockHash } from "./feed.ts";
import { blockSize, type FeedOp, insidePath, type NamedFile } from "./protocol.ts";

/** Yields exactly `size` bytes that follow a line, in pieces that are valid until the next one. */
export type Payload = (size: number) => AsyncIterable<Uint8Array>;

export interface SinkOptions {
  dataDir: string;
  configDir: string;
  /** The configuration file that does not come from the node: mox.conf. */
  ownConfig: string;
  /** Everything committed up to a time is on disk. */
  round(at: number): Promise<void>;
}

export class CopySink {
  readonly #o: SinkOptions;
  /** Files and folders that are written but not yet durable. */
  readonly #unsynced = new Set<string>();

  constructor(options: SinkOptions) {
    this.#o = options;
    Deno.mkdirSync(options.dataDir, { recursive: true, mode: 0o700 });
  }

  /**
   * Carries out a line.
   * @returns the answer, undefined for lines without one
   * @throws Error for an invalid line; errors of files and databases
   */
  async take(line: FeedOp, payload: Payload): Promise<unknown> {
    switch (line.op) {
      case "folders":
        return this.#folders(this.#data(line.path));
      case "names":
        return this.#names(this.#data(line.path));
      case "position": {
        const p = this.#data(line.path);
        return exists(dirname(p)) ? logPosition(p) ?? null : null;
      }
      case "blocks":
        return this.#blocks(this.#data(line.path));
      case "file":
        return await this.#file(line, payload);
      case "append":
        return await this.#append(this.#data(line.path), line, payload);
      case "base":
        return await this.#base(this.#data(line.path), line, payload);
      case "remove":
        return removeIfThere(this.#data(line.path));
      case "aside":
        return this.#aside(line.path);
      case "round":
        this.#sync();
        await this.#o.round(size(line.at));
        return true;
      case "end":
        this.#sync();
        return true;
      default:
        throw new Error(`no line of a feed: ${JSON.stringify(line).slice(0, 100)}`);
    }
  }

  /** A path in the data folder that may be copied. */
  #data(path: unknown): string {
    const inside = insidePath(path);
    const [first] = inside.split("/");
    if (inside !== "" && leftOut("", first)) throw new Error(`${inside} is not copied`);
    return join(this.#o.dataDir, inside);
  }

  #folders(path: string): string[] {
    if (!exists(path)) return [];
    return [...Deno.readDirSync(path)].filter((e) => e.isDirectory).map((e) => e.name);
  }

  #names(path: string): NamedFile[] {
    const names: NamedFile[] = [];
    if (!exists(path)) return names;
    for (const e of Deno.readDirSync(path)) {
      if (!e.isFile || !/^\d+$/.test(e.name)) continue;
      const s = Deno.statSync(join(path, e.name));
      names.push([e.name, s.size, s.mtime?.getTime() ?? 0]);
    }
    return names;
  }

  /** Hashes of a base, after merging its log. */
  #blocks(path: string): string[] {
    if (!exists(path)) return [];
    try {
      mergeLog(path);
    } catch {
      // Damaged, as after a power cut with a disk that doesn't flush: it is sent again.
      return [];
    }
    const hashes: string[] = [];
    using file = Deno.openSync(path);
    const block = new Uint8Array(blockSize);
    for (let at = 0;; at += blockSize) {
      const got = readAt(file, block, at);
      if (got === 0) return hashes;
      hashes.push(blockHash(block.subarray(0, got)));
    }
  }

  async #file(line: FeedOp & { op: "file" }, payload: Payload): Promise<void> {
    let to = this.#data("");
    if (line.config) {
      to = join(this.#o.configDir, insidePath(line.path));
      if (to === this.#o.ownConfig) throw new Error("mox.conf is not copied");
    } else {
      to = this.#data(line.path);
    }
    this.#folder(dirname(to));
    const made = `${to}.new`;
    {
      using file = await Deno.open(made, {
        write: true,
        create: true,
        truncate: true,
        mode: 0o600,
      });
      for await (const piece of payload(size(line.size))) await writeAll(file, piece);
    }
    Deno.utimeSync(made, new Date(size(line.mtime)), new Date(size(line.mtime)));
    const message = !line.config && /\/msg\/\d+\/\d+$/.test(line.path);
    // Many message files are made durable together, before the rows that name them.
    if (message) this.#unsynced.add(to);
    else syncFileNow(made);
    Deno.renameSync(made, to);
    this.#unsynced.add(dirname(to));
  }

  #folder(path: string): void {
    if (exists(path)) return;
    Deno.mkdirSync(path, { recursive: true, mode: 0o700 });
    this.#unsynced.add(dirname(path));
  }

  async #append(
    path: string,
    line: FeedOp & { op: "append" },
    payload: Payload,
  ): Promise<void> {
    this.#sync();
    const log = `${path}-wal`;
    const at = size(line.at);
    // Must continue a base or an earlier line: a gap would end the log there permanently.
    const has = exists(log) ? Deno.statSync(log).size : 0;
    if (at === 0) mergeLog(path);
    else if (has !== at) throw new Error(`${line.path}: its log has ${has} bytes, not ${at}`);
    using file = await Deno.open(log, { write: true, create: true, mode: 0o600 });
    file.seekSync(at, Deno.SeekMode.Start);
    for await (const piece of payload(size(line.size))) await writeAll(file, piece);
    await file.syncData();
    if (at === 0) syncDirNow(dirname(path));
  }

  async #base(path: string, line: FeedOp & { op: "base" }, payload: Payload): Promise<void> {
    this.#sync();
    this.#folder(dirname(path));
    const made = `${path}.new`;
    const length = size(line.size);
    removeIfThere(made);
    if (exists(path)) {
      // `blocks` was asked just before, so its log is merged.
      Deno.copyFileSync(path, made);
    }
    {
      using file = await Deno.open(made, { write: true, create: true, mode: 0o600 });
      Deno.chmodSync(made, 0o600);
      await file.truncate(length);
      for (const n of line.blocks) {
        const at = size(n) * blockSize;
        if (at >= length) throw new Error("a block is behind the end of its database");
        file.seekSync(at, Deno.SeekMode.Start);
        for await (const piece of payload(Math.min(blockSize, length - at))) {
          await writeAll(file, piece);
        }
      }
      await file.sync();
    }
    const log = `${path}-wal.new`;
    if (size(line.log) > 0) {
      using file = await Deno.open(log, { write: true, create: true, truncate: true, mode: 0o600 });
      for await (const piece of payload(line.log)) await writeAll(file, piece);
      await file.sync();
    }
    putBase(made, path);
    if (line.log > 0) Deno.renameSync(log, `${path}-wal`);
    syncDirNow(dirname(path));
  }

  /** Moves a folder out of the copy in one step. It is kept: perhaps the data was lost and started again. */
  #aside(path: string): void {
    const from = this.#data(path);
    if (path === "" || !exists(from)) return;
    this.#sync();
    const aside = join(this.#o.dataDir, removedFolder);
    Deno.mkdirSync(aside, { recursive: true, mode: 0o700 });
    const time = new Date().toISOString().replaceAll(":", "");
    Deno.renameSync(from, join(aside, `${path.replaceAll("/", "-")}-${time}`));
    syncDirNow(dirname(from));
  }

  #sync(): void {
    for (const path of this.#unsynced) {
      if (!exists(path)) continue;
      if (Deno.statSync(path).isDirectory) syncDirNow(path);
      else syncFileNow(path);
    }
    this.#unsynced.clear();
  }
}

/** A number of bytes or milliseconds from the line. @throws Error for other values */
function size(n: unknown): number {
  if (!Number.isSafeInteger(n) || (n as number) < 0) throw new Error("a number is expected");
  return n as number;
}

function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (err) {
    if (!(err instanceof Deno.errors.NotFound)) throw err;
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
