/**
 * The consistency check of an account: compares counts, ids and files. Runs in tests at each close of an
 * account; verifydata builds on it.
 *
 * @module
 */
import type { Db } from "../database/database.ts";
import type { MessageFiles } from "../files/message_files.ts";

/** The inconsistencies found, in words, each with its database file. */
export function inconsistencies(db: Db, files: MessageFiles | undefined): string[] {
  const found: string[] = [];
  const report = (text: string) => found.push(`${db.path}: ${text}`);
  const state = db.get("SELECT modseq, next_email_id, message_size FROM state")!;

  for (
    const [id, modseq, createseq] of db.all(
      "SELECT id, modseq, createseq FROM messages WHERE modseq > ? OR createseq > modseq",
      state[0],
    )
  ) {
    report(
      `message ${id}: modseq ${modseq}, createseq ${createseq}, the account is at ${state[0]}`,
    );
  }
  for (
    const [id, mailboxId] of db.all(
      "SELECT m.id, m.mailbox_id FROM messages m LEFT JOIN mailboxes b ON b.id = m.mailbox_id " +
        "WHERE m.expunged = 0 AND (b.id IS NULL OR b.expunged = 1)",
    )
  ) report(`message ${id}: its mailbox ${mailboxId} does not exist`);
  for (
    const [mailboxId, uid, count] of db.all(
      "SELECT mailbox_id, uid, count(*) FROM messages GROUP BY mailbox_id, uid HAVING count(*) > 1",
    )
  ) report(`mailbox ${mailboxId}: uid ${uid} was given ${count} times`);
  mailboxes(db, state[0], report);
  const [used] = db.get("SELECT coalesce(sum(size), 0) FROM emails")!;
  if (used !== state[2]) report(`quota usage is ${state[2]}, should be ${used}`);
  for (
    const [id] of db.all(
      "SELECT e.id FROM emails e WHERE NOT EXISTS (SELECT 1 FROM messages m WHERE m.email_id = e.id AND m.expunged = 0)",
    )
  ) report(`email ${id} is in no mailbox`);
  for (
    const [id, emailId] of db.all(
      "SELECT m.id, m.email_id FROM messages m LEFT JOIN emails e ON e.id = m.email_id " +
        "WHERE m.expunged = 0 AND (e.id IS NULL OR e.size != m.size)",
    )
  ) report(`message ${id}: email ${emailId} is missing or of another size`);
  for (
    const [id] of db.all(
      "SELECT t.email_id FROM threads t LEFT JOIN emails e ON e.id = t.email_id WHERE e.id IS NULL",
    )
  ) report(`thread row of email ${id} that does not exist`);
  if (files) {
    for (const [id, prefix, size] of db.iterate("SELECT id, length(prefix), size FROM emails")) {
      if (id >= state[1]) report(`email ${id} is not below next_email_id ${state[1]}`);
      try {
        const stat = Deno.statSync(files.path(id));
        if (stat.size + prefix !== size) {
          report(
            `${files.path(id)}: ${stat.size} bytes and a prefix of ${prefix}, but size is ${size}`,
          );
        }
      } catch (err) {
        report(`${files.path(id)}: ${err instanceof Error ? err.message : err}`);
      }
    }
  }
  return found;
}

/** These counts are computed by SQL from their definitions (types.ts), not by the code that maintains them. */
const counted = ["total", "deleted", "unread", "unseen", "size"];

function mailboxes(db: Db, modseq: number, report: (text: string) => void): void {
  for (
    const [name, uidnext, own, ...counts] of db.all(
      "SELECT b.name, b.uidnext, b.modseq, b.total, b.deleted, b.unread, b.unseen, b.size, " +
        "count(m.id), count(CASE WHEN m.flags & 8 THEN 1 END), " +
        "count(CASE WHEN NOT m.flags & 1 AND NOT m.flags & 8 THEN 1 END), " +
        "count(CASE WHEN NOT m.flags & 1 THEN 1 END), coalesce(sum(m.size), 0), " +
        "(SELECT coalesce(max(uid), 0) FROM messages x WHERE x.mailbox_id = b.id), " +
        "(SELECT coalesce(max(modseq), 0) FROM messages x WHERE x.mailbox_id = b.id) " +
        "FROM mailboxes b LEFT JOIN messages m ON m.mailbox_id = b.id AND m.expunged = 0 GROUP BY b.id",
    )
  ) {
    counted.forEach((what, i) => {
      if (counts[i] !== counts[i + 5]) {
        report(`mailbox ${name}: count ${what} is ${counts[i]}, should be ${counts[i + 5]}`);
      }
    });
    const [highestUid, highestModseq] = counts.slice(10);
    if (highestUid >= uidnext) report(`mailbox ${name}: uidnext ${uidnext} was given already`);
    if (own > modseq) report(`mailbox ${name}: modseq ${own} is above the account's`);
    if (highestModseq > own) {
      report(`mailbox ${name}: modseq ${own} is below ${highestModseq} in it`);
    }
  }
}

/** @throws Error listing everything found. */
export function checkAccount(
  db: Db,
  files: MessageFiles | undefined,
  more: readonly string[] = [],
): void {
  const found = [...inconsistencies(db, files), ...more];
  if (found.length > 0) throw new Error(`inconsistent account:\n${found.join("\n")}`);
}
