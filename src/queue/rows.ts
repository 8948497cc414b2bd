/** Rows of the queue's database. @module */
import type { Db, Row } from "../store/database/database.ts";
import type { Attempt, NewQueueMessage, Notify, QueueItem, QueueMessage } from "./types.ts";

export const itemColumns =
  "id, message_id, address, domain, notify, original, attempts, next_attempt, hold, results, dsn_owed, " +
  "priority, transport, require_tls, from_id";

export function itemFromRow(row: Row): QueueItem {
  return {
    id: row[0],
    messageId: row[1],
    address: row[2],
    domain: row[3],
    notify: row[4] === null ? undefined : (row[4] as string).split(" ") as Notify[],
    originalRecipient: row[5] === null ? undefined : JSON.parse(row[5]),
    attempts: row[6],
    nextAttempt: row[7],
    hold: row[8] === 1,
    results: JSON.parse(row[9]) as Attempt[],
    dsnOwed: row[10],
    priority: row[11],
    transport: row[12] ?? undefined,
    requireTls: row[13] ?? undefined,
    fromId: row[14],
  };
}

export function readMessage(
  db: Db,
  id: number,
  path: (id: number) => string,
): QueueMessage | undefined {
  const r = db.get(
    "SELECT id, account, mail_from, file_size, prefix, smtputf8, has8bit, require_tls, ret, " +
      "envelope_id, message_id, subject, is_dsn, queued, tls_optional, binary_mime, extra, " +
      "deliver_by, hold_request FROM messages WHERE id = ?",
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
    tlsOptional: r[14] === 1,
    binary: r[15] === 1,
    extra: JSON.parse(r[16]),
    deliverBy: r[17] === null ? undefined : JSON.parse(r[17]),
    holdRequest: r[18] ?? undefined,
  };
}

/** Domain of an address, in lower case; deliveries are grouped by it. */
export function domainOf(address: string): string {
  return address.slice(address.lastIndexOf("@") + 1).toLowerCase();
}

/** Inserts a message and its recipients; returns the ids of the recipients. */
export function insertMessage(
  db: Db,
  id: number,
  message: NewQueueMessage,
  now: number,
  hold: (recipientDomain: string) => boolean,
): number[] {
  db.run(
    "INSERT INTO messages (id, account, mail_from, file_size, prefix, smtputf8, has8bit, require_tls, " +
      "ret, envelope_id, message_id, subject, is_dsn, queued, tls_optional, binary_mime, extra, " +
      "deliver_by, hold_request) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    id,
    message.senderAccount,
    message.mailFrom,
    message.fileSize,
    message.prefix,
    message.smtputf8 ? 1 : 0,
    message.has8bit ? 1 : 0,
    message.requireTls ? 1 : 0,
    message.ret ?? "",
    message.envelopeId ?? null,
    message.messageId ?? "",
    message.subject ?? "",
    message.isDsn ? 1 : 0,
    now,
    message.tlsOptional ? 1 : 0,
    message.binary ? 1 : 0,
    JSON.stringify(message.extra ?? {}),
    message.deliverBy === undefined ? null : JSON.stringify(message.deliverBy),
    message.holdRequest ?? null,
  );
  const due = Math.max(now, message.notBefore ?? 0);
  const priority = message.priority ?? 0;
  const ids = message.recipients.map((recipient) =>
    db.run(
      "INSERT INTO recipients (message_id, address, domain, notify, original, next_attempt, hold, " +
        "priority, from_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
      id,
      recipient.address,
      domainOf(recipient.address),
      recipient.notify === undefined ? null : recipient.notify.join(" "),
      recipient.originalRecipient === undefined
        ? null
        : JSON.stringify(recipient.originalRecipient),
      due,
      hold(domainOf(recipient.address)) ? 1 : 0,
      priority,
      recipient.fromId ?? "",
    ).lastInsertRowid
  );
  for (const d of new Set(message.recipients.map((r) => domainOf(r.address)))) {
    updateDestination(db, d, priority);
  }
  return ids;
}

/**
 * Brings a destination's earliest attempt up to date after a change to its recipients.
 * @param dead whether no server could be reached there just now, regardless of the next recipient's earlier
 * attempts; undefined to go by these attempts.
 */
export function updateDestination(
  db: Db,
  domain: string,
  priority: number,
  dead?: boolean,
): void {
  const first = db.get(
    "SELECT next_attempt, unreachable FROM recipients WHERE domain = ? AND priority = ? " +
      "AND hold = 0 AND leased = 0 ORDER BY next_attempt LIMIT 1",
    domain,
    priority,
  );
  if (first === undefined) {
    db.run("DELETE FROM destinations WHERE domain = ? AND priority = ?", domain, priority);
  } else {
    db.run(
      "INSERT INTO destinations (domain, priority, due, failing) VALUES (?, ?, ?, ?) " +
        "ON CONFLICT (domain, priority) DO UPDATE SET due = excluded.due, failing = excluded.failing",
      domain,
      priority,
      first[0],
      dead === undefined ? first[1] : dead ? 1 : 0,
    );
  }
}

/** Releases everything that an earlier process was delivering when it ended. */
export function releaseAll(db: Db): void {
  db.transaction(() => {
    const lanes = db.all("SELECT DISTINCT domain, priority FROM recipients WHERE leased = 1");
    db.run("UPDATE recipients SET leased = 0 WHERE leased = 1");
    for (const [domain, priority] of lanes) updateDestination(db, domain, priority);
  });
}
