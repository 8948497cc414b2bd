/**
 * The consistency check of an account: counts, ids and files against each other. Runs in tests at each
 * close of an account; verifydata builds on it.
 *
 * @module
 */
import type { Db } from "../database/database.ts";
import { CountDelta } from "../mailboxes/counts.ts";
import type { MessageFiles } from "../files/message_files.ts";

/** What was found wrong, in words, with the database file in each. */
export function inconsistencies(db: Db, files: MessageFiles | undefined): string[] {
  const found: string[] = [];
  const say = (text: string) => found.push(`${db.path}: ${text}`);
  const state = db.get("SELECT modseq, next_email_id, message_size FROM state")!;

  const counts = new Map<number, CountDelta>();
  const uids = new Map<number, number>();
  for (
    const [id, emailId, mailboxId, uid, modseq, expunged, flags, size] of db.iterate(
      "SELECT id, email_id, mailbox_id, uid, modseq, expunged, flags, size FROM messages",
    )
  ) {
    if (modseq > state[0]) {
      say(`message ${id}: modseq ${modseq} is above the account's ${state[0]}`);
    }
    uids.set(mailboxId, Math.max(uids.get(mailboxId) ?? 0, uid));
    if (expunged) continue;
    let c = counts.get(mailboxId);
    if (!c) counts.set(mailboxId, c = new CountDelta());
    c.count(1, flags, size);
    if (emailId === 0) say(`message ${id} has no email`);
  }
  for (
    const [id, mailboxId] of db.all(
      "SELECT m.id, m.mailbox_id FROM messages m LEFT JOIN mailboxes b ON b.id = m.mailbox_id " +
        "WHERE m.expunged = 0 AND (b.id IS NULL OR b.expunged = 1)",
    )
  ) say(`message ${id}: its mailbox ${mailboxId} does not exist`);
  for (
    const [id, name, uidnext, modseq, expunged, total, deleted, unread, unseen, size] of db.all(
      "SELECT id, name, uidnext, modseq, expunged, total, deleted, unread, unseen, size FROM mailboxes",
    )
  ) {
    const want = expunged ? new CountDelta() : counts.get(id) ?? new CountDelta();
    const have = { total, deleted, unread, unseen, size };
    for (const k of ["total", "deleted", "unread", "unseen", "size"] as const) {
      if (have[k] !== want[k]) {
        say(`mailbox ${name}: count ${k} is ${have[k]}, should be ${want[k]}`);
      }
    }
    if ((uids.get(id) ?? 0) >= uidnext) {
      say(`mailbox ${name}: uidnext ${uidnext} was given already`);
    }
    if (modseq > state[0]) say(`mailbox ${name}: modseq ${modseq} is above the account's`);
  }
  const [used] = db.get("SELECT coalesce(sum(size), 0) FROM emails")!;
  if (used !== state[2]) say(`quota usage is ${state[2]}, should be ${used}`);
  for (
    const [id] of db.all(
      "SELECT e.id FROM emails e WHERE NOT EXISTS (SELECT 1 FROM messages m WHERE m.email_id = e.id AND m.expunged = 0)",
    )
  ) say(`email ${id} is in no mailbox`);
  for (
    const [id, emailId] of db.all(
      "SELECT m.id, m.email_id FROM messages m LEFT JOIN emails e ON e.id = m.email_id " +
        "WHERE m.expunged = 0 AND (e.id IS NULL OR e.size != m.size)",
    )
  ) say(`message ${id}: email ${emailId} is missing or of another size`);
  for (
    const [id] of db.all(
      "SELECT t.email_id FROM threads t LEFT JOIN emails e ON e.id = t.email_id WHERE e.id IS NULL",
    )
  ) say(`thread row of email ${id} that does not exist`);
  if (files) {
    for (const [id, prefix, size] of db.iterate("SELECT id, length(prefix), size FROM emails")) {
      if (id >= state[1]) say(`email ${id} is not below next_email_id ${state[1]}`);
      try {
        const stat = Deno.statSync(files.path(id));
        if (stat.size + prefix !== size) {
          say(
            `${files.path(id)}: ${stat.size} bytes and a prefix of ${prefix}, but size is ${size}`,
          );
        }
      } catch (err) {
        say(`${files.path(id)}: ${err instanceof Error ? err.message : err}`);
      }
    }
  }
  return found;
}

/** @throws Error listing everything that was found. */
export function checkAccount(
  db: Db,
  files: MessageFiles | undefined,
  more: readonly string[] = [],
): void {
  const found = [...inconsistencies(db, files), ...more];
  if (found.length > 0) throw new Error(`inconsistent account:\n${found.join("\n")}`);
}
