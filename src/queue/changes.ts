/**
 * Changes by an administrator to queued recipients: hold, schedule, transport, requiretls, drop, fail. @module
 */
import type { Db } from "../store/database/database.ts";
import { type Deliveries, retireItem, tellOf } from "./sending/attempt.ts";
import { maxResults } from "./events.ts";
import { findIds, type QueueFilter } from "./list.ts";
import { itemColumns, itemFromRow, readMessage, updateDestination } from "./rows.ts";
import type { Attempt, OutgoingEvent, QueueItem } from "./types.ts";

/** Recipients searched at a time, and milliseconds of changes before others get their turn. */
const page = 500;
const slice = 10;

/** A column that can be set. */
export type Settable = "hold" | "next_attempt" | "transport" | "require_tls";

/**
 * Changes matching recipients that aren't being delivered; durable when it resolves. Deliveries continue
 * between slices: recipients that they take meanwhile are left unchanged.
 * @returns how many were changed
 */
async function change(
  db: Db,
  filter: QueueFilter,
  fn: (item: QueueItem) => boolean,
  after?: () => Promise<void>,
): Promise<number> {
  let changed = 0;
  const last = db.get("SELECT coalesce(max(id), 0) FROM recipients")![0] as number;
  let ids: number[] = [];
  for (let at = 0;;) {
    if (ids.length === 0) ids = findIds(db, filter, at, last, page);
    if (ids.length === 0) break;
    db.transaction(() => {
      const end = performance.now() + slice;
      const lanes = new Map<string, QueueItem>();
      do {
        at = ids.shift()!;
        const row = db.get(`SELECT ${itemColumns} FROM recipients WHERE id = ? AND leased = 0`, at);
        const item = row && itemFromRow(row);
        if (!item || !fn(item)) continue;
        changed++;
        lanes.set(`${item.priority} ${item.domain}`, item);
      } while (ids.length > 0 && performance.now() < end);
      for (const { domain, priority } of lanes.values()) updateDestination(db, domain, priority);
    });
    await after?.();
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  await db.durable();
  return changed;
}

/** Sets a column of matching recipients. */
export function setColumn(
  db: Db,
  filter: QueueFilter,
  column: Settable,
  value: (item: QueueItem) => string | number | null,
): Promise<number> {
  const sql = `UPDATE recipients SET ${column} = ? WHERE id = ?`;
  return change(db, filter, (i) => db.run(sql, value(i), i.id).changes > 0);
}

/** The recorded result of an administrator's decision. */
function decided(now: number, text: string): Attempt {
  return { time: now, kind: "permanent", code: 554, enhanced: "5.0.0", text };
}

/** Removes recipients without a DSN. */
export async function dropItems(deliveries: Deliveries, filter: QueueFilter): Promise<number> {
  const now = deliveries.clock.now();
  const attempt = decided(now, "removed from the queue");
  let events: OutgoingEvent[] = [];
  const reportChange = async () => {
    deliveries.counted(-events.length);
    for (const e of events) await tellOf(deliveries.options, e);
    events = [];
  };
  const dropped = await change(deliveries.db, filter, (item) => {
    const message = readMessage(deliveries.db, item.messageId, deliveries.files.path)!;
    retireItem(deliveries, message, item, "canceled", attempt, now);
    events.push({ kind: "canceled", message, item, attempt, nextAttempt: undefined });
    deliveries.db.run("DELETE FROM recipients WHERE id = ?", item.id);
    deliveries.files.eraseIfDone(item.messageId);
    return true;
  }, reportChange);
  deliveries.files.settled();
  return dropped;
}

/**
 * Gives up on recipients: each becomes one whose DSN is owed, so it is no longer delivered, and its sender is
 * notified soon.
 */
export async function failItems(deliveries: Deliveries, filter: QueueFilter): Promise<number> {
  const now = deliveries.clock.now();
  const attempt = decided(now, "delivery cancelled by an administrator");
  let events: OutgoingEvent[] = [];
  const reportChange = async () => {
    for (const e of events) await tellOf(deliveries.options, e);
    events = [];
  };
  return await change(deliveries.db, filter, (item) => {
    // It has already failed; only its sender has not been notified yet.
    if (item.dsnOwed > 0) return false;
    deliveries.db.run(
      "UPDATE recipients SET dsn_owed = 1, hold = 0, next_attempt = ?, results = ? WHERE id = ?",
      now,
      JSON.stringify([...item.results, attempt].slice(-maxResults)),
      item.id,
    );
    const message = readMessage(deliveries.db, item.messageId, deliveries.files.path)!;
    events.push({ kind: "failed", message, item, attempt, nextAttempt: undefined });
    return true;
  }, reportChange);
}
