/** Rows of the queue's database. @module */
import type { Db, Row } from "../store/database.ts";
import type { Attempt, Notify, QueueItem, QueueMessage } from "./types.ts";

export const itemColumns =
  "id, message_id, address, domain, notify, original, attempts, next_attempt, hold, results, dsn_owed";

export function itemFromRow(r: Row): QueueItem {
  return {
    id: r[0],
    messageId: r[1],
    address: r[2],
    domain: r[3],
    notify: r[4] === null ? undefined : (r[4] as string).split(" ") as Notify[],
    originalRecipient: r[5] === null ? undefined : JSON.parse(r[5]),
    attempts: r[6],
    nextAttempt: r[7],
    hold: r[8] === 1,
    results: JSON.parse(r[9]) as Attempt[],
    dsnOwed: r[10],
  };
}

export function readMessage(
  db: Db,
  id: number,
  path: (id: number) => string,
): QueueMessage | undefined {
  const r = db.get(
    "SELECT id, account, mail_from, file_size, prefix, smtputf8, has8bit, require_tls, ret, " +
      "envelope_id, message_id, subject, is_dsn, queued FROM messages WHERE id = ?",
    id,
  );
  if (!r) return undefined;
  return {
    id: r[0],
    senderAccount: r[1],
    mailFrom: r[2],
    path: path(r[0]),
    fileSize: r[3],
    prefix: r[4],
    smtputf8: r[5] === 1,
    has8bit: r[6] === 1,
    requireTls: r[7] === 1,
    ret: r[8] === "" ? undefined : r[8],
    envelopeId: r[9] ?? undefined,
    messageId: r[10],
    subject: r[11],
    isDsn: r[12] === 1,
    queued: r[13],
  };
}

/** Brings a destination's earliest attempt up to date after a change to its recipients. */
export function updateDestination(db: Db, domain: string): void {
  const due = db.get(
    "SELECT next_attempt FROM recipients WHERE domain = ? AND hold = 0 AND leased = 0 " +
      "ORDER BY next_attempt LIMIT 1",
    domain,
  )?.[0];
  if (due === undefined) db.run("DELETE FROM destinations WHERE domain = ?", domain);
  else {
    db.run(
      "INSERT INTO destinations (domain, due) VALUES (?, ?) ON CONFLICT (domain) DO UPDATE SET due = excluded.due",
      domain,
      due,
    );
  }
}
