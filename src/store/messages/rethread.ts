/** Matches all emails of an account to threads again. @module */
import type { EmailId } from "../ids.ts";
import { baseSubject } from "../../mail/header/subject.ts";
import type { AccountDb } from "../database/account_db.ts";
import type { RowDb } from "../database/database.ts";
import { parseSummary } from "./summary.ts";
import { matchThread } from "./threads.ts";

/** Emails matched in one transaction. */
const slice = 250;

/** Matches one email to its thread by its stored summary; `received` is null if unknown. */
export function matchEmail(
  db: RowDb,
  emailId: EmailId,
  summaryText: string,
  received: number | null,
): void {
  const summary = parseSummary(summaryText);
  const { base, isReply } = baseSubject(summary.subject);
  matchThread(db, {
    emailId,
    messageId: summary.messageId,
    references: summary.references,
    subject: base.toLowerCase(),
    isReply,
    received: received ?? 0,
  });
}

/**
 * Forgets all threads and matches the emails again, in the order of their arrival. Muted and collapsed threads
 * stay so.
 * @returns how many emails
 */
export async function reassignThreads(
  account: AccountDb,
  progress: (done: number) => void = () => {},
): Promise<number> {
  const { db } = account;
  const marked = db.all(
    "SELECT email_id, muted, collapsed FROM threads WHERE muted = 1 OR collapsed = 1",
  ) as [number, number, number][];
  await account.writer.write(() => db.exec("DELETE FROM threads"));
  let done = 0;
  for (let after = 0;;) {
    const rows = db.all(
      "SELECT e.id, e.summary, (SELECT min(received) FROM messages m WHERE m.email_id = e.id " +
        "AND m.expunged = 0) FROM emails e WHERE e.id > ? ORDER BY e.id LIMIT ?",
      after,
      slice,
    ) as [EmailId, string, number | null][];
    if (rows.length === 0) break;
    after = rows.at(-1)![0];
    await account.writer.write(() => {
      for (const [emailId, text, received] of rows) matchEmail(db, emailId, text, received);
    });
    done += rows.length;
    progress(done);
  }
  await account.writer.write(() => {
    // Clients that knew the old threads must read them again.
    db.run("DELETE FROM gone_emails");
    db.run("UPDATE state SET modseq = modseq + 1, known_since = modseq + 1");
    for (const [emailId, muted, collapsed] of marked) {
      db.run(
        "UPDATE threads SET muted = ?, collapsed = ? WHERE email_id = ?",
        muted,
        collapsed,
        emailId,
      );
    }
  });
  return done;
}
