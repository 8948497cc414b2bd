/**
 * Rows of one account in a database that all accounts of a server share, for an account that moves to another
 * server. The owner of each schema names the tables.
 *
 * @module
 */
import { join } from "node:path";
import { Db, type Migration, type Row, type SqlValue } from "./database.ts";

/** A table with rows of accounts. */
export interface AccountTable {
  name: string;
  /** The column with the account's name; "account" if not given. */
  column?: string;
  /** A column with numbers that are unique across all accounts: the other server assigns new ones. */
  fresh?: string;
  /** The rows also stay here: they are still needed. */
  stays?: boolean;
}

/** A database with such tables. */
export interface AccountDatabase {
  /** Its file in the data folder. */
  file: string;
  migrations: readonly Migration[];
  tables: readonly AccountTable[];
}

/** The rows of one table: names of columns, and values; bytes as an object with base64. */
export interface PackedTable {
  columns: string[];
  rows: (null | number | string | { base64: string })[][];
}

/** Tables by `file table`. */
export type PackedRows = Record<string, PackedTable>;

/** Rows that this program can't accept: of another version, or not rows at all. */
export class AccountRowsError extends Error {
  override name = "AccountRowsError";
}

const keyOf = (d: AccountDatabase, t: AccountTable) => `${d.file} ${t.name}`;

async function opened<T>(dir: string, database: AccountDatabase, fn: (db: Db) => T): Promise<T> {
  const db = await Db.open(join(dir, database.file), database.migrations);
  try {
    const result = fn(db);
    await db.durable();
    return result;
  } finally {
    await db.close();
  }
}

async function isThere(dir: string, database: AccountDatabase): Promise<boolean> {
  return await Deno.stat(join(dir, database.file)).then(() => true, () => false);
}

const columnsOf = (db: Db, t: AccountTable): string[] =>
  db.all(`SELECT name FROM pragma_table_info('${t.name}') ORDER BY name`).map((r) => r[0]);

const packed = (v: SqlValue): PackedTable["rows"][number][number] =>
  v instanceof Uint8Array ? { base64: v.toBase64() } : typeof v === "bigint" ? Number(v) : v;

function unpacked(v: unknown): SqlValue {
  if (v === null || typeof v === "number" || typeof v === "string") return v;
  const base64 = (v as { base64?: unknown } | undefined)?.base64;
  if (typeof base64 === "string") return Uint8Array.fromBase64(base64);
  throw new AccountRowsError("a value is neither number, text nor bytes");
}

/** All rows of an account in the databases of a data folder. */
export async function takeAccountRows(
  dir: string,
  databases: readonly AccountDatabase[],
  account: string,
): Promise<PackedRows> {
  const all: PackedRows = {};
  for (const d of databases) {
    if (!await isThere(dir, d)) continue;
    await opened(dir, d, (db) => {
      for (const t of d.tables) {
        const columns = columnsOf(db, t).filter((c) => c !== t.fresh);
        const rows = db.all(
          `SELECT ${columns.join(", ")} FROM ${t.name} WHERE ${t.column ?? "account"} = ?`,
          account,
        );
        if (rows.length > 0) {
          all[keyOf(d, t)] = { columns, rows: rows.map((r: Row) => r.map(packed)) };
        }
      }
    });
  }
  return all;
}

/**
 * Checks rows from another server.
 * @throws AccountRowsError where this program has other tables or columns
 */
export async function checkAccountRows(
  dir: string,
  databases: readonly AccountDatabase[],
  rows: PackedRows,
): Promise<void> {
  const left = new Set(Object.keys(rows));
  for (const d of databases) {
    if (!d.tables.some((t) => left.has(keyOf(d, t)))) continue;
    await opened(dir, d, (db) => {
      for (const t of d.tables) {
        const key = keyOf(d, t);
        if (!left.delete(key)) continue;
        const own = columnsOf(db, t).filter((c) => c !== t.fresh);
        const { columns, rows: of } = rows[key];
        if (!Array.isArray(columns) || columns.join() !== own.join() || !Array.isArray(of)) {
          throw new AccountRowsError(`${key} has other columns here: both nodes need one version`);
        }
        for (const r of of) {
          if (r.length !== own.length) throw new AccountRowsError(`${key}: a row is too short`);
          r.forEach(unpacked);
        }
      }
    });
  }
  for (const key of left) throw new AccountRowsError(`${key} is not known here`);
}

/** Replaces the rows of an account; durable when it resolves. Doing it again changes nothing. */
export async function putAccountRows(
  dir: string,
  databases: readonly AccountDatabase[],
  account: string,
  rows: PackedRows,
): Promise<void> {
  for (const d of databases) {
    if (!await isThere(dir, d) && !d.tables.some((t) => rows[keyOf(d, t)])) continue;
    await opened(dir, d, (db) =>
      db.transaction(() => {
        for (const t of d.tables) {
          db.run(`DELETE FROM ${t.name} WHERE ${t.column ?? "account"} = ?`, account);
          const p = rows[keyOf(d, t)];
          if (p === undefined) continue;
          const marks = p.columns.map(() => "?");
          const names = [...p.columns];
          if (t.fresh !== undefined) {
            names.push(t.fresh);
            marks.push(`(SELECT coalesce(max(${t.fresh}), 0) + 1 FROM ${t.name})`);
          }
          const sql = `INSERT OR REPLACE INTO ${t.name} (${names.join(", ")}) VALUES (${
            marks.join(", ")
          })`;
          for (const r of p.rows) db.run(sql, ...r.map(unpacked));
        }
      }));
  }
}

/**
 * Removes the rows of an account that has moved elsewhere, except those that stay; durable when it resolves.
 */
export async function dropAccountRows(
  dir: string,
  databases: readonly AccountDatabase[],
  account: string,
): Promise<void> {
  for (const d of databases) {
    if (!await isThere(dir, d)) continue;
    await opened(dir, d, (db) =>
      db.transaction(() => {
        for (const t of d.tables) {
          if (!t.stays) db.run(`DELETE FROM ${t.name} WHERE ${t.column ?? "account"} = ?`, account);
        }
      }));
  }
}
