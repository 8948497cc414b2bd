/**
 * EXPUNGE: removes messages from their mailbox, and emails that are in no mailbox any more from the account.
 * Runs inside a write (see writer.ts).
 *
 * @module
 */
import type { EmailId, MailboxId } from "../ids.ts";
import type { Db } from "../database/database.ts";
import { applyCounts, CountDelta } from "../mailboxes/counts.ts";
import { nextModseq, requireMailbox } from "../mailboxes/mailboxes.ts";
import { runsOf, runsOfIds } from "./runs.ts";
import { forgetThreads } from "./threads.ts";
import type { WriteContext } from "../database/writer.ts";

/** A message that leaves its mailbox. */
interface Gone {
  id: number;
  emailId: EmailId;
  uid: number;
  flags: number;
  size: number;
}

const expungeRange =
  "UPDATE messages SET expunged = 1, modseq = ?, keywords = '' WHERE mailbox_id = ? AND uid >= ? AND uid <= ? " +
  "AND expunged = 0 AND (? OR flags & 8 != 0) RETURNING id, email_id, uid, flags, size";
const placedEmails =
  "SELECT DISTINCT email_id FROM messages WHERE email_id >= ? AND email_id <= ? AND expunged = 0";

/**
 * Expunges messages: those with \Deleted, or with `force` all of the uids. Emails that are in no mailbox any
 * more are erased; their files are removed after the commit.
 * @returns the removed uids, ascending, and the modseq.
 */
export function expungeMessages(
  db: Db,
  ctx: WriteContext,
  mailboxId: MailboxId,
  uids: ArrayLike<number> | undefined,
  force: boolean,
  removeFiles: (emailIds: EmailId[]) => void,
): { uids: number[]; modseq: number } {
  const mailbox = requireMailbox(db, mailboxId);
  if (uids === undefined && !force && mailbox.deleted === 0) {
    return { uids: [], modseq: mailbox.modseq };
  }
  // Set below, if anything is removed.
  const modseq = db.get("SELECT modseq + 1 FROM state")![0] as number;
  const gone: Gone[] = [];
  const ranges = uids === undefined
    ? [[0, 0xffffffff]]
    : [...runsOfIds(uids)].map((r) => [uids[r.from], uids[r.end - 1]]);
  for (const [from, to] of ranges) {
    const rows = db.all(expungeRange, modseq, mailboxId, from, to, force ? 1 : 0);
    for (const r of rows) {
      gone.push({ id: r[0], emailId: r[1], uid: r[2], flags: r[3], size: r[4] });
    }
  }
  if (gone.length === 0) return { uids: [], modseq: mailbox.modseq };
  nextModseq(db);
  // RETURNING has no order.
  gone.sort((a, b) => a.uid - b.uid);
  const delta = new CountDelta();
  for (const m of gone) delta.count(-1, m.flags, m.size);
  for (const { from, end } of runsOf(gone.length, (i) => gone[i].id === gone[i - 1].id + 1)) {
    db.run(
      "DELETE FROM deliveries WHERE message_id >= ? AND message_id <= ? AND is_reject = 1",
      gone[from].id,
      gone[end - 1].id,
    );
  }
  const erased = eraseEmails(db, gone, modseq);
  ctx.changes.push({
    kind: "removeMessages",
    mailboxId,
    uids: gone.map((m) => m.uid),
    messageIds: gone.map((m) => m.id),
    modseq,
  });
  applyCounts(db, ctx, mailboxId, delta, modseq);
  if (erased.length > 0) ctx.afterCommit(() => removeFiles(erased));
  return { uids: gone.map((m) => m.uid), modseq };
}

/** Erases emails that are in no mailbox any more. @returns their ids, ascending */
function eraseEmails(db: Db, gone: readonly Gone[], modseq: number): EmailId[] {
  const sizes = new Map(gone.map((m) => [m.emailId, m.size]));
  const ids = [...sizes.keys()].sort((a, b) => a - b);
  const erased: EmailId[] = [];
  let freed = 0;
  for (const { from, end } of runsOfIds(ids)) {
    const [first, last] = [ids[from], ids[end - 1]];
    const placed = new Set(db.all(placedEmails, first, last).map((r) => r[0]));
    for (const id of ids.slice(from, end)) {
      if (placed.has(id)) continue;
      freed += sizes.get(id)!;
      erased.push(id);
    }
  }
  for (const { from, end } of runsOfIds(erased)) {
    const [first, last] = [erased[from], erased[end - 1]];
    db.run(
      "INSERT OR IGNORE INTO erased (email_id) SELECT id FROM emails WHERE id >= ? AND id <= ?",
      first,
      last,
    );
    db.run("DELETE FROM emails WHERE id >= ? AND id <= ?", first, last);
    forgetThreads(db, first, last, modseq);
  }
  if (freed > 0) db.run("UPDATE state SET message_size = max(0, message_size - ?)", freed);
  return erased;
}
