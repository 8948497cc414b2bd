/** Finding recipients in the queue. @module */
import type { Db, SqlValue } from "../store/database/database.ts";
import { itemColumns, itemFromRow } from "./rows.ts";
import type { QueueItem } from "./types.ts";

/** Selects recipients; all given conditions must hold. */
export interface QueueFilter {
  ids?: readonly number[];
  account?: string;
  /** Part of the sender's address; with "@" in front its domain. Case doesn't matter. */
  from?: string;
  /** Part of the recipient's address; with "@" in front its domain. */
  to?: string;
  hold?: boolean;
  /** "" for recipients without one. */
  transport?: string;
  /** Queued before, or after: milliseconds since the epoch. */
  queuedBefore?: number;
  queuedAfter?: number;
  /** Next attempt before, or after. */
  dueBefore?: number;
  dueAfter?: number;
}

/** Order and number of results. */
export interface QueueOrder {
  /** By next attempt if not given. */
  sort?: "next" | "queued" | "id";
  descending?: boolean;
  /** 1000 if not given. */
  limit?: number;
  /** Skips this many first. */
  offset?: number;
}

/** Text for LIKE. */
function like(part: string): string {
  const escaped = part.replace(/[\\%_]/g, "\\$&");
  return part.startsWith("@") ? `%${escaped}` : `%${escaped}%`;
}

/** SQL conditions with their values. */
function conditions(filter: QueueFilter): { where: string; values: SqlValue[] } {
  const where = ["1"];
  const values: SqlValue[] = [];
  const add = (sql: string, value: SqlValue | undefined) => {
    if (value === undefined) return;
    where.push(sql);
    values.push(value);
  };
  if (filter.ids) {
    where.push("r.id IN (SELECT value FROM json_each(?))");
    values.push(JSON.stringify(filter.ids));
  }
  add("m.account = ?", filter.account);
  add("m.mail_from LIKE ? ESCAPE '\\'", filter.from === undefined ? undefined : like(filter.from));
  add("r.address LIKE ? ESCAPE '\\'", filter.to === undefined ? undefined : like(filter.to));
  add("r.hold = ?", filter.hold === undefined ? undefined : filter.hold ? 1 : 0);
  add("coalesce(r.transport, '') = ?", filter.transport);
  add("m.queued < ?", filter.queuedBefore);
  add("m.queued > ?", filter.queuedAfter);
  add("r.next_attempt < ?", filter.dueBefore);
  add("r.next_attempt > ?", filter.dueAfter);
  return { where: where.join(" AND "), values };
}

const columns = itemColumns.split(", ").map((c) => `r.${c}`).join(", ");
const tables = "recipients r JOIN messages m ON m.id = r.message_id";

export function findItems(db: Db, filter: QueueFilter, order: QueueOrder = {}): QueueItem[] {
  const { where, values } = conditions(filter);
  const by = { next: "r.next_attempt", queued: "m.queued", id: "r.id" }[order.sort ?? "next"];
  const direction = order.descending ? "DESC" : "ASC";
  return db.all(
    `SELECT ${columns} FROM ${tables} WHERE ${where} ORDER BY ${by} ${direction}, r.id ${direction} ` +
      "LIMIT ? OFFSET ?",
    ...values,
    order.limit ?? 1000,
    order.offset ?? 0,
  ).map(itemFromRow);
}

/** How many match. */
export function countItems(db: Db, filter: QueueFilter): number {
  const { where, values } = conditions(filter);
  return db.get(`SELECT count(*) FROM ${tables} WHERE ${where}`, ...values)![0];
}

/**
 * Ids above one and up to another of matching recipients that aren't being delivered at the moment, ascending.
 */
export function findIds(
  db: Db,
  filter: QueueFilter,
  above: number,
  upTo: number,
  limit: number,
): number[] {
  const { where, values } = conditions(filter);
  return db.all(
    `SELECT r.id FROM ${tables} WHERE ${where} AND r.leased = 0 AND r.id > ? AND r.id <= ? ` +
      "ORDER BY r.id LIMIT ?",
    ...values,
    above,
    upTo,
    limit,
  ).map((r) => r[0] as number);
}
