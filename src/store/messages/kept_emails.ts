/**
 * Rows of the emails table kept in memory: the data for FETCH of envelopes, structures and header fields. Each
 * program of a user requests the same, and SQLite takes two microseconds per row.
 *
 * An email's row never changes (see schema.ts) and its id is never reused, so cached rows stay valid. Rows are
 * in blocks of consecutive ids, and a block has one set of columns.
 *
 * @module
 */
import type { Db, Row } from "../database/database.ts";

/** Ids in a block. */
const blockIds = 128;
/** A block is read as a whole if this many of its emails are wanted. */
const worthwhile = blockIds / 4;
/** A block with more characters and bytes isn't kept: 2 KB per email. */
const maxBlock = 256 * 1024;
/** Most characters and bytes kept over all accounts. */
const maxKept = 16 * 1024 * 1024;
/** Size of a row besides its texts. */
const rowCost = 64;
/**
 * Milliseconds during which a used block isn't replaced by another. Otherwise a repeated pass over more than
 * fits would find nothing, as each block would be gone when its turn comes again.
 */
const keptFor = 30_000;

/** How rows are transformed before they are kept. */
export interface Made {
  /** Different for each result. */
  name: string;
  of(row: Row): void;
}

const asTheyAre: Made = { name: "", of() {} };

interface Block {
  owner: Map<string, Block>;
  key: string;
  sql: string;
  made: Made;
  /** By position of their ids in the block; undefined for a block that is too large. */
  rows: (Row | undefined)[] | undefined;
  size: number;
  used: number;
}

/** Blocks of all accounts, least recently used first. */
const kept = new Set<Block>();
let keptSize = 0;

function giveUp(block: Block): void {
  if (kept.delete(block)) keptSize -= block.size;
  if (block.owner.get(block.key) === block) block.owner.delete(block.key);
}

/** Makes room; false if everything kept was used recently. */
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

/** Rows with at most this many others in between are read together. */
const maxGap = 4;

/**
 * Rows by their ids, given in any order: uids and email ids rise together, except for messages that arrived at
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
   * @param columns of the table `emails` only, each with a comma before it; rows start with the id
   * @param made transforms the columns of a row in place, once; its name identifies the result
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

  /** Rows of a block from memory, or read as a whole; undefined if that isn't worthwhile. */
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
      // Others have come since: of messages that arrive at the same time, the first may be the last in the
      // mailbox.
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

  /** Forgets everything: rows have changed after all. */
  clear(): void {
    for (const b of [...this.#blocks.values()]) giveUp(b);
  }

  /**
   * Differences between kept rows and the database, in words, except for emails that are gone. For the check in
   * tests.
   */
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
