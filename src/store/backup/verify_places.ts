/**
 * Where an account's messages are: each has its own email, mailbox and uid. Messages without a place go into a
 * mailbox for recovered ones.
 *
 * @module
 */
import type { DatabaseSync } from "node:sqlite";
import { never, numberOf, rows, run, type Say } from "./verify_rows.ts";

/** The mailbox for messages that are in none. */
const recovered = "Recovered";

/** A new uid in a mailbox, and the modseq of the change. */
function nextUid(db: DatabaseSync, mailbox: number): { uid: number; modseq: number } {
  const [[modseq]] = rows(db, "UPDATE state SET modseq = modseq + 1 RETURNING modseq");
  const [[uid]] = rows(
    db,
    "UPDATE mailboxes SET modseq = ?1, uidnext = max(uidnext, " +
      "(SELECT coalesce(max(uid), 0) + 1 FROM messages WHERE mailbox_id = ?2)) + 1 " +
      "WHERE id = ?2 RETURNING uidnext - 1",
    modseq as number,
    mailbox,
  );
  return { uid: uid as number, modseq: modseq as number };
}

/** The mailbox for recovered messages, created if it is missing. */
function recoveredMailbox(db: DatabaseSync): number {
  const [found] = rows(db, "SELECT id FROM mailboxes WHERE name = ? AND expunged = 0", recovered);
  if (found) return found[0] as number;
  const [[modseq, uidvalidity]] = rows(
    db,
    "UPDATE state SET modseq = modseq + 1, uidvalidity = max(uidvalidity, " +
      "(SELECT coalesce(max(uidvalidity), 0) FROM mailboxes)) + 1 RETURNING modseq, uidvalidity",
  );
  run(
    db,
    "INSERT INTO mailboxes (parent_id, name, uidvalidity, uidnext, modseq, createseq) " +
      "VALUES (0, ?, ?, 1, ?, ?)",
    recovered,
    uidvalidity,
    modseq,
    modseq,
  );
  run(db, "INSERT OR IGNORE INTO subscriptions (name) VALUES (?)", recovered);
  return numberOf(db, "SELECT last_insert_rowid()");
}

/** Messages have their own email, mailbox and uid; emails have a message. */
export function places(db: DatabaseSync, fix: boolean, tell: Say): void {
  never(
    db,
    "SELECT m.id, m.mailbox_id FROM messages m LEFT JOIN mailboxes b ON b.id = m.mailbox_id " +
      "WHERE m.expunged = 0 AND (b.id IS NULL OR b.expunged = 1)",
    ([id, box]) => `message ${id}: its mailbox ${box} does not exist`,
    tell,
    fix
      ? ([id]) => {
        const box = recoveredMailbox(db);
        const { uid, modseq } = nextUid(db, box);
        run(
          db,
          "UPDATE messages SET mailbox_id = ?, uid = ?, modseq = ?, createseq = ? WHERE id = ?",
          box,
          uid,
          modseq,
          modseq,
          id,
        );
        return `put into ${recovered}`;
      }
      : undefined,
  );
  never(
    db,
    "SELECT e.id FROM emails e WHERE NOT EXISTS " +
      "(SELECT 1 FROM messages m WHERE m.email_id = e.id AND m.expunged = 0)",
    ([id]) => `email ${id} is in no mailbox`,
    tell,
    fix
      ? ([id]) => {
        const box = recoveredMailbox(db);
        const { uid, modseq } = nextUid(db, box);
        const now = Date.now();
        run(
          db,
          "INSERT INTO messages (email_id, mailbox_id, uid, modseq, createseq, flags, keywords, " +
            "received, saved, size) SELECT id, ?, ?, ?, ?, 0, '', ?, ?, size FROM emails WHERE id = ?",
          box,
          uid,
          modseq,
          modseq,
          now,
          now,
          id,
        );
        return `put into ${recovered}`;
      }
      : undefined,
  );
  never(
    db,
    // The first of several keeps the uid, unless programs were told that it is expunged.
    "SELECT m.id, m.mailbox_id, m.uid FROM messages m JOIN (SELECT mailbox_id, uid, " +
      "min(CASE WHEN expunged = 0 THEN id END) AS first, sum(expunged) AS gone FROM messages " +
      "GROUP BY mailbox_id, uid HAVING count(*) > 1) d " +
      "ON d.mailbox_id = m.mailbox_id AND d.uid = m.uid " +
      "WHERE m.expunged = 0 AND (m.id != d.first OR d.gone > 0)",
    ([id, box, uid]) => `mailbox ${box}: uid ${uid} is given twice, to message ${id} too`,
    tell,
    fix
      ? ([id, box]) => {
        const { uid, modseq } = nextUid(db, box as number);
        run(
          db,
          "UPDATE messages SET uid = ?, modseq = ?, createseq = ? WHERE id = ?",
          uid,
          modseq,
          modseq,
          id,
        );
        return `it has uid ${uid} now`;
      }
      : undefined,
  );
  never(
    db,
    "SELECT m.id, m.email_id, m.size, e.size FROM messages m LEFT JOIN emails e ON e.id = m.email_id " +
      "WHERE m.expunged = 0 AND (e.id IS NULL OR e.size != m.size)",
    ([id, email, size, real]) =>
      real === null
        ? `message ${id}: its email ${email} does not exist`
        : `message ${id}: Size is ${size}, but that of email ${email} is ${real}`,
    (text, fixed) => tell(text, fixed || undefined),
    fix
      ? ([id, , , real]) => {
        if (real === null) return "";
        run(db, "UPDATE messages SET size = ? WHERE id = ?", real, id);
        return `set to ${real}`;
      }
      : undefined,
  );
  never(
    db,
    "SELECT x.email_id FROM erased x JOIN emails e ON e.id = x.email_id",
    ([id]) => `email ${id}: its file is to be removed, but the email is there`,
    tell,
    fix
      ? ([id]) => {
        run(db, "DELETE FROM erased WHERE email_id = ?", id);
        return "its file stays";
      }
      : undefined,
  );
}
