/** Checks the queue's database: in itself and against its files. @module */
import type { DatabaseSync } from "node:sqlite";
import { messageFiles } from "./verify_files.ts";
import { ids, never, rows, type Say } from "./verify_rows.ts";

/** The schema version of queues known here: the queue's, which is in a level above the store. */
export const queueVersion = 6;

/** Checks a queue; with `fix`, mends what loses nothing. */
export function verifyQueue(db: DatabaseSync, dir: string, fix: boolean, tell: Say): void {
  never(
    db,
    "SELECT r.id, r.address FROM recipients r LEFT JOIN messages m ON m.id = r.message_id " +
      "WHERE m.id IS NULL",
    ([id, address]) => `recipient ${id}, ${address}: its message does not exist`,
    tell,
    fix
      ? ([id]) => {
        db.prepare("DELETE FROM recipients WHERE id = ?").run(id as number);
        return "taken out of the queue: there is nothing to send";
      }
      : undefined,
  );
  never(
    db,
    "SELECT m.id FROM messages m WHERE NOT EXISTS " +
      "(SELECT 1 FROM recipients r WHERE r.message_id = m.id)",
    ([id]) => `message ${id} has no recipients`,
    tell,
    fix
      ? ([id]) => {
        // Its file is reported and moved aside below.
        db.prepare("DELETE FROM messages WHERE id = ?").run(id as number);
        return "taken out of the queue";
      }
      : undefined,
  );
  const lanes = "SELECT domain, priority, min(next_attempt) AS due, unreachable FROM recipients " +
    "WHERE hold = 0 GROUP BY domain, priority";
  never(
    db,
    // Messages being delivered are not in the table of due ones; a start puts them back.
    `SELECT l.domain, l.priority, l.due, l.unreachable FROM (${lanes}) l LEFT JOIN destinations d ` +
      "ON d.domain = l.domain AND d.priority = l.priority WHERE (d.due IS NULL OR d.due > l.due) " +
      "AND NOT EXISTS (SELECT 1 FROM recipients r WHERE r.domain = l.domain AND r.leased = 1)",
    ([domain]) => `destination ${domain} would not be tried when it is due`,
    tell,
    fix
      ? ([domain, priority, due, failing]) => {
        db.prepare(
          "INSERT OR REPLACE INTO destinations (domain, priority, due, failing) VALUES (?, ?, ?, ?)",
        )
          .run(domain as string, priority as number, due as number, failing as number);
        return "put among those to try";
      }
      : undefined,
  );
  never(
    db,
    "SELECT e.id FROM erased e JOIN messages m ON m.id = e.id",
    ([id]) => `message ${id}: its file is to be removed, but it is in the queue`,
    tell,
    fix
      ? ([id]) => {
        db.prepare("DELETE FROM erased WHERE id = ?").run(id as number);
        return "its file stays";
      }
      : undefined,
  );
  messageFiles(
    dir,
    rows(db, "SELECT id, file_size FROM messages") as [number, number][],
    ids(db, "SELECT id FROM erased"),
    fix,
    tell,
  );
}
