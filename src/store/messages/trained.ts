/** How messages are marked, and what a junk filter has learned from them. */
import type { Db } from "../database/database.ts";
import type { EmailId } from "../ids.ts";
import { Flag } from "../types.ts";

/** An existing message, with its flags and what was learned from it (Trained of src/junk). */
export interface TrainableMessage {
  id: number;
  emailId: EmailId;
  flags: number;
  trained: number;
}

const columns = "id, email_id, flags, trained";
const trainableOf = (r: unknown[]): TrainableMessage => ({
  id: r[0] as number,
  emailId: r[1] as EmailId,
  flags: r[2] as number,
  trained: r[3] as number,
});

/** All messages with exactly one of $Junk and $NotJunk, in order of arrival. */
export function markedMessages(db: Pick<Db, "all">): TrainableMessage[] {
  return db.all(
    `SELECT ${columns} FROM messages WHERE expunged = 0 AND ` +
      `(flags & ${Flag.Junk} != 0) != (flags & ${Flag.NotJunk} != 0) ORDER BY received, id`,
  ).map(trainableOf);
}

/** Undefined for a message that is gone. */
export function trainableMessage(db: Pick<Db, "get">, id: number): TrainableMessage | undefined {
  const r = db.get(`SELECT ${columns} FROM messages WHERE id = ? AND expunged = 0`, id);
  return r && trainableOf(r);
}

/** Notes what was learned. Within a write. */
export function noteTrained(
  db: Pick<Db, "run">,
  learned: Iterable<{ id: number; state: number }>,
): void {
  for (const { id, state } of learned) {
    db.run("UPDATE messages SET trained = ? WHERE id = ?", state, id);
  }
}

/** Notes that nothing was learned from any message. Within a write. */
export function forgetTrained(db: Pick<Db, "run">): void {
  db.run("UPDATE messages SET trained = 0 WHERE trained != 0");
}
