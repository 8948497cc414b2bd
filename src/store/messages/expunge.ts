/**
 * EXPUNGE: messages leave their mailbox, and emails that are in none any more the account. Runs inside a
 * write (see writer.ts).
 *
 * @module
 */
import type { EmailId, MailboxId } from "../ids.ts";
import type { Db } from "../database/database.ts";
import { fetchMessages } from "./fetch.ts";
import { applyCounts, CountDelta } from "../mailboxes/counts.ts";
import { nextModseq, requireMailbox } from "../mailboxes/mailboxes.ts";
import { forgetThread } from "./threads.ts";
import { Flag } from "../types.ts";
import type { WriteContext } from "../database/writer.ts";

/**
 * Expunges messages: those with \Deleted, or with `force` all of the uids. Emails that are in no
 * mailbox any more are erased; their files are removed after the commit.
 * @returns the uids that are gone, ascending, and the modseq.
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
  const gone: { id: number; emailId: EmailId; uid: number; flags: number; size: number }[] = [];
  const take = (m: { id: number; emailId: EmailId; uid: number; flags: number; size: number }) => {
    if (force || m.flags & Flag.Deleted) {
      gone.push({ id: m.id, emailId: m.emailId, uid: m.uid, flags: m.flags, size: m.size });
    }
  };
  if (uids) {
    fetchMessages(db, mailboxId, uids, 0, take);
  } else if (force || mailbox.deleted > 0) {
    for (
      const r of db.all(
        "SELECT id, email_id, uid, flags, size FROM messages WHERE mailbox_id = ? AND expunged = 0 " +
          "AND (? OR flags & 8 != 0) ORDER BY uid",
        mailboxId,
        force ? 1 : 0,
      )
    ) take({ id: r[0], emailId: r[1], uid: r[2], flags: r[3], size: r[4] });
  }
  if (gone.length === 0) return { uids: [], modseq: mailbox.modseq };
  const modseq = nextModseq(db);
  const delta = new CountDelta();
  const erased: EmailId[] = [];
  let freed = 0;
  for (const m of gone) {
    delta.count(-1, m.flags, m.size);
    db.run(
      "UPDATE messages SET expunged = 1, modseq = ?, keywords = '' WHERE id = ?",
      modseq,
      m.id,
    );
    db.run("DELETE FROM deliveries WHERE message_id = ? AND is_reject = 1", m.id);
    if (db.get("SELECT 1 FROM messages WHERE email_id = ? AND expunged = 0 LIMIT 1", m.emailId)) {
      continue;
    }
    freed += m.size;
    eraseEmail(db, m.emailId, modseq);
    erased.push(m.emailId);
  }
  if (freed > 0) db.run("UPDATE state SET message_size = max(0, message_size - ?)", freed);
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

function eraseEmail(db: Db, emailId: EmailId, modseq: number): void {
  db.run("DELETE FROM emails WHERE id = ?", emailId);
  forgetThread(db, emailId, modseq);
  db.run("INSERT OR IGNORE INTO erased (email_id) VALUES (?)", emailId);
}
