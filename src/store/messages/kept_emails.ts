/**
 * Rows of the emails table that stay in memory: what the answers to FETCH of envelopes, structures and header
 * fields are made of. Each program of a person asks for the same, and SQLite takes two microseconds for a row.
 *
 * An email's row never changes (see schema.ts) and its id is given once, so what is kept stays right. Rows lie in
 * blocks of consecutive ids, and a block has one set of columns.
 *
 * @module
 */
import type { Db, Row } from "../database/database.ts";

/** Ids in a block. */
const blockIds = 128;
/** So many emails of a block must be wanted for it to be read as a whole. */
const worthwhile = blockIds / 4;
/** Characters and bytes of a block above which it isn't kept: 2 KB of an email. */
const maxBlock = 256 * 1024;
/** Characters and bytes kept over all accounts. */
const maxKept = 16 * 1024 * 1024;
/** What a row takes besides its texts. */
const rowCost = 64;
/**
 * Milliseconds for which a block that was used isn't given up for another: who goes through more than is kept would
 * find nothing otherwise, as each block would be gone when its turn comes again.
 */
const keptFor = 30_000;

/** What rows become before they are kept. */
export interface Made {
  /** Another one for each outcome. */
  name: string;
  of(row: Row): void;
}

const asTheyAre: Made = { name: "", of() {} };

interface Block {
  owner: Map<string, Block>;
  key: string;
  sql: string;
  made: Made;
  /** By the place of their ids in the block; undefined of a block that is too large. */
  rows: (Row | undefined)[] | undefined;
  size: number;
  used: number;
}

/** Of all accounts, least recently used first. */
const kept = new Set<Block>();
let keptSize = 0;

function giveUp(block: Block): void {
  if (kept.delete(block)) keptSize -= block.size;
  if (block.owner.get(block.key) === block) block.owner.delete(block.key);
}

/** Makes room; false if all that is kept was used just now. */
function makeRoom(size: number, now: number): boolean {
  for (const b of kept) {
    if (keptSize + size <= maxKept) return true;
    if (now - b.used < keptFor) return false;
    giveUp(b);
  }
  return keptSize + size <= maxKept;
}

/** Characters and bytes of a row's values. */
function sizeOf(row: Row): number {
  let n = rowCost;
  for (const v of row) if (typeof v === "string" || v instanceof Uint8Array) n += v.length;
  return n;
}

/** Number of the block that an email belongs to. */
const blockOf = (id: number) => Math.floor((id - 1) / blockIds);

const sqlOf = (columns: string) =>
  `SELECT e.id${columns} FROM emails e WHERE e.id >= ? AND e.id <= ? ORDER BY e.id`;

/** Rows between which there are so few others that they are read together. */
const maxGap = 4;

/**
 * Rows by their ids, which may come in any order: uids and ids of emails rise together but for those that arrived at
 * the same time. Ids that are close to each other are read as one range.
 * @param sql with the id as its first column, and the lowest and the highest id as its parameters
 */
export function readByIds(db: Db, sql: string, ids: readonly number[]): Map<number, Row> {
  const found = new Map<number, Row>();
  const sorted = ids.toSorted((a, b) => a - b);
  for (let i = 0; i < sorted.length;) {
    let end = i + 1;
    while (end < sorted.length && sorted[end] - sorted[end - 1] <= maxGap) end++;
    for (const r of db.all(sql, sorted[i], sorted[end - 1])) found.set(r[0], r);
    i = end;
  }
  return found;
}

/** The rows of one account's emails. */
export class KeptEmails {
  readonly #db: Db;
  readonly #blocks = new Map<string, Block>();

  constructor(db: Db) {
    this.#db = db;
  }

  /**
   * Looks emails up by id, in any order.
   * @param columns of the table `emails` alone, each with a comma before it; rows have the id before them
   * @param made what is made of the columns of a row in place, once; the name of it is what it depends on
   * @returns the row of one of the ids; undefined if there is none
   */
  find(
    columns: string,
    ids: readonly number[],
    made = asTheyAre,
  ): (id: number) => Row | undefined {
    const asked = new Map<number, number[]>();
    for (const id of ids) {
      const n = blockOf(id);
      const some = asked.get(n);
      if (some === undefined) asked.set(n, [id]);
      else some.push(id);
    }
    const whole = new Map<number, (Row | undefined)[]>();
    const others: number[] = [];
    for (const [n, some] of asked) {
      const rows = this.#block(columns, n, some, made);
      if (rows === undefined) others.push(...some);
      else whole.set(n, rows);
    }
    const single = others.length > 0 ? readByIds(this.#db, sqlOf(columns), others) : undefined;
    single?.forEach(made.of);
    return (id) => {
      const n = blockOf(id);
      const rows = whole.get(n);
      return rows === undefined ? single?.get(id) : rows[id - 1 - n * blockIds];
    };
  }

  /** Rows of a block from memory, or read as a whole; undefined if it isn't worth that. */
  #block(
    columns: string,
    n: number,
    ids: readonly number[],
    made: Made,
  ): (Row | undefined)[] | undefined {
    const key = `${n}${columns}${made.name}`;
    const block = this.#blocks.get(key);
    const now = performance.now();
    if (block !== undefined) {
      block.used = now;
      kept.delete(block);
      kept.add(block);
      const { rows } = block;
      // Others have come since: of those that arrive at the same time, the first may be in the mailbox last.
      if (rows === undefined || ids.every((id) => rows[id - 1 - n * blockIds])) return rows;
    }
    if (ids.length < worthwhile) return undefined;
    if (block !== undefined) giveUp(block);
    const rows = new Array<Row | undefined>(blockIds).fill(undefined);
    let size = 0;
    for (const r of this.#db.all(sqlOf(columns), n * blockIds + 1, (n + 1) * blockIds)) {
      made.of(r);
      rows[r[0] - 1 - n * blockIds] = r;
      size += sizeOf(r);
    }
    const large = size > maxBlock;
    if (large) size = rowCost;
    if (!makeRoom(size, now)) return rows;
    const read: Block = {
      owner: this.#blocks,
      key,
      sql: sqlOf(columns),
      made,
      rows: large ? undefined : rows,
      size,
      used: now,
    };
    this.#blocks.set(key, read);
    kept.add(read);
    keptSize += size;
    return rows;
  }

  /** Forgets all: rows have changed after all. */
  clear(): void {
    for (const b of [...this.#blocks.values()]) giveUp(b);
  }

  /** In words, where what is kept differs from the database, but for emails that are gone. For the check in tests. */
  differences(): string[] {
    const found: string[] = [];
    for (const b of this.#blocks.values()) {
      for (const row of b.rows ?? []) {
        if (row === undefined) continue;
        const now = this.#db.get(b.sql, row[0], row[0]);
        if (now === undefined) continue;
        b.made.of(now);
        if (JSON.stringify(now) !== JSON.stringify(row)) {
          found.push(`${this.#db.path}: email ${row[0]} in memory differs from the database`);
        }
      }
    }
    return found;
  }
}
