/**
 * A record of the stored objects' contents, in a separate database: which message files, how far each log, and
 * which blocks of the databases. Changes stay in one transaction until the object that has them is stored.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import { frameHead, headerSize } from "../backup/wal_format.ts";
import { blockHash } from "../follow/feed.ts";
import { blockSize, type CopyPosition, type FeedOp, type NamedFile } from "../follow/protocol.ts";

/** The generation being written. */
export interface Generation {
  id: string;
  /** Number of the next object. */
  next: number;
  /** Milliseconds. */
  started: number;
}

const version = 1;
const schema = `
CREATE TABLE IF NOT EXISTS generation (id TEXT NOT NULL, next INTEGER NOT NULL, started INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS file (
  folder TEXT NOT NULL, name TEXT NOT NULL, size INTEGER NOT NULL, mtime INTEGER NOT NULL,
  PRIMARY KEY (folder, name)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS log (
  path TEXT PRIMARY KEY, generation TEXT NOT NULL, size INTEGER NOT NULL, a INTEGER, b INTEGER,
  page_size INTEGER NOT NULL, blocks TEXT NOT NULL) WITHOUT ROWID;
`;

interface LogRow {
  generation: string;
  size: number;
  a: number | null;
  b: number | null;
  page_size: number;
  blocks: string;
}

export class Known {
  readonly #db: DatabaseSync;

  /** @throws Error for a file of a later version */
  constructor(path: string) {
    this.#db = new DatabaseSync(path);
    const { user_version: made } = this.#db.prepare("PRAGMA user_version").get() as {
      user_version: number;
    };
    if (made > version) {
      this.#db.close();
      throw new Error(
        `${path} is of a later version of this program: remove it, and everything is sent anew`,
      );
    }
    this.#db.exec(
      `PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; ${schema}; PRAGMA user_version=${version}`,
    );
  }

  get generation(): Generation | undefined {
    return this.#db.prepare("SELECT id, next, started FROM generation").get() as unknown as
      | Generation
      | undefined;
  }

  /** Forgets everything: the next feed sends all data. */
  begin(generation: Generation): void {
    this.#db.exec("BEGIN; DELETE FROM generation; DELETE FROM file; DELETE FROM log");
    this.#db.prepare("INSERT INTO generation VALUES (?, ?, ?)").run(
      generation.id,
      generation.next,
      generation.started,
    );
    this.#db.exec("COMMIT");
  }

  /** Begins the transaction of the next object. */
  open(): void {
    if (!this.#db.isTransaction) this.#db.exec("BEGIN");
  }

  /** Called when the object is stored. */
  stored(next: number): void {
    this.open();
    this.#db.prepare("UPDATE generation SET next = ?").run(next);
    this.#db.exec("COMMIT");
  }

  /** Called when the object could not be stored. */
  lost(): void {
    if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
  }

  close(): void {
    this.lost();
    this.#db.close();
  }

  /** Answers as a copy would that has everything recorded. */
  answer(op: FeedOp): unknown {
    if (op.op === "folders") {
      const below = `${globbed(op.path)}/*`;
      const names = this.#db.prepare(
        "SELECT folder AS path FROM file WHERE folder GLOB ?1 UNION SELECT path FROM log WHERE path GLOB ?1",
      ).all(below) as { path: string }[];
      return [...new Set(names.map(({ path }) => path.slice(op.path.length + 1).split("/")[0]))];
    }
    if (op.op === "names") {
      const rows = this.#db.prepare("SELECT name, size, mtime FROM file WHERE folder = ?")
        .all(op.path) as { name: string; size: number; mtime: number }[];
      return rows.map((r): NamedFile => [r.name, r.size, r.mtime]);
    }
    if (op.op === "position") {
      const r = this.#log(op.path);
      if (r === undefined || r.size === 0) return null;
      const p: CopyPosition = { generation: r.generation, size: r.size };
      if (r.a !== null && r.b !== null) p.last = { a: r.a, b: r.b };
      return p;
    }
    if (op.op === "blocks") return JSON.parse(this.#log(op.path)?.blocks ?? "[]");
    return true;
  }

  #log(path: string): LogRow | undefined {
    return this.#db.prepare("SELECT * FROM log WHERE path = ?").get(path) as unknown as
      | LogRow
      | undefined;
  }

  /** Records a line with its bytes. */
  take(op: FeedOp, bytes: Uint8Array): void {
    if (op.op === "file") {
      if (op.config || !/\/msg\/\d+\/\d+$/.test(op.path)) return;
      this.#db.prepare("INSERT OR REPLACE INTO file VALUES (?, ?, ?, ?)")
        .run(...split(op.path), op.size, op.mtime);
    } else if (op.op === "remove") {
      this.#db.prepare("DELETE FROM file WHERE folder = ? AND name = ?").run(...split(op.path));
    } else if (op.op === "aside") {
      const below = `${globbed(op.path)}/*`;
      this.#db.prepare("DELETE FROM file WHERE folder = ? OR folder GLOB ?").run(op.path, below);
      this.#db.prepare("DELETE FROM log WHERE path GLOB ?").run(below);
    } else if (op.op === "base") {
      const had = JSON.parse(this.#log(op.path)?.blocks ?? "[]") as string[];
      const blocks = Array.from({ length: Math.ceil(op.size / blockSize) }, (_, n) => had[n] ?? "");
      let at = 0;
      for (const n of op.blocks) {
        const block = bytes.subarray(at, at + Math.min(blockSize, op.size - n * blockSize));
        blocks[n] = blockHash(block);
        at += block.length;
      }
      this.#note(op.path, bytes.subarray(at), 0, blocks, undefined);
    } else if (op.op === "append") {
      const had = this.#log(op.path);
      this.#note(op.path, bytes, op.at, JSON.parse(had?.blocks ?? "[]"), had);
    }
  }

  /** Records a piece of a log: the pages that it changes are no longer known. */
  #note(
    path: string,
    log: Uint8Array,
    from: number,
    blocks: string[],
    had: LogRow | undefined,
  ): void {
    const view = new DataView(log.buffer, log.byteOffset, log.length);
    let generation = had?.generation ?? "";
    let pageSize = had?.page_size ?? 0;
    let at = 0;
    if (from === 0 && log.length >= headerSize) {
      pageSize = view.getUint32(8);
      generation = `${view.getUint32(16)}.${view.getUint32(20)}`;
      at = headerSize;
    }
    let last: { a: number; b: number } | undefined =
      had !== undefined && had.a !== null && had.b !== null && from > 0
        ? { a: had.a, b: had.b }
        : undefined;
    for (; at < log.length; at += frameHead + pageSize) {
      const first = (view.getUint32(at) - 1) * pageSize;
      for (let n = Math.floor(first / blockSize); n * blockSize < first + pageSize; n++) {
        blocks[n] = "";
      }
      last = { a: view.getUint32(at + 16), b: view.getUint32(at + 20) };
    }
    const filled = Array.from(blocks, (b) => b ?? "");
    this.#db.prepare("INSERT OR REPLACE INTO log VALUES (?, ?, ?, ?, ?, ?, ?)").run(
      path,
      generation,
      from + log.length,
      last?.a ?? null,
      last?.b ?? null,
      pageSize,
      JSON.stringify(filled),
    );
  }
}

function split(path: string): [folder: string, name: string] {
  const at = path.lastIndexOf("/");
  return [path.slice(0, at), path.slice(at + 1)];
}

/** Escapes special characters for GLOB. */
function globbed(text: string): string {
  return text.replaceAll(/[*?[]/g, "[$&]");
}

/** A short name that reveals nothing. */
export function newGeneration(now: number): Generation {
  const id = `${String(now).padStart(14, "0")}-${
    createHash("sha256").update(crypto.getRandomValues(new Uint8Array(32))).digest("hex").slice(
      0,
      12,
    )
  }`;
  return { id, next: 0, started: now };
}
