/** What the checks of databases share: reading rows, and conditions that no row may break. @module */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { RowDb } from "../database/database.ts";

/** Called with a fault, and with what was done about it. */
export type Say = (text: string, fixed?: string) => void;

/** Findings of one kind that are reported one by one. */
const maxListed = 20;

/** Rows as arrays. */
export function rows(db: DatabaseSync, sql: string, ...params: (number | string)[]): unknown[][] {
  const s = db.prepare(sql) as StatementSync & { setReturnArrays(on: boolean): void };
  s.setReturnArrays(true);
  return s.all(...params) as unknown as unknown[][];
}

/** The first column. */
export function ids(db: DatabaseSync, sql: string): number[] {
  return rows(db, sql).map(([id]) => id as number);
}

/** One number. */
export function numberOf(db: DatabaseSync, sql: string): number {
  return rows(db, sql)[0][0] as number;
}

/** Runs a change. */
export function run(db: DatabaseSync, sql: string, ...params: unknown[]): void {
  db.prepare(sql).run(...params as number[]);
}

/**
 * A condition that no row may break; the first few violations are reported. `mend` mends each; its result is
 * reported too.
 */
export function never(
  db: DatabaseSync,
  sql: string,
  text: (row: unknown[]) => string,
  tell: Say,
  mend?: (row: unknown[]) => string,
): void {
  const found = rows(db, sql);
  const fixed = mend && found.map(mend);
  for (const [i, r] of found.slice(0, maxListed).entries()) tell(text(r), fixed?.[i]);
  if (found.length > maxListed) {
    tell(`and ${found.length - maxListed} more of the same kind`, fixed && "the same was done");
  }
}

/** The interface that functions of the store need, over this database. */
export function rowDb(db: DatabaseSync): RowDb {
  return {
    all: (sql, ...params) => rows(db, sql, ...params as number[]) as ReturnType<RowDb["all"]>,
    get: (sql, ...params) => rows(db, sql, ...params as number[])[0] as ReturnType<RowDb["get"]>,
    run(sql, ...params) {
      const r = db.prepare(sql).run(...params as number[]);
      return { changes: Number(r.changes), lastInsertRowid: Number(r.lastInsertRowid) };
    },
  };
}
