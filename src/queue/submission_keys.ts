/**
 * Keys that senders give their messages, stored in the transaction that accepts them: a sender that was
 * interrupted before recording this itself, or that missed the answer, can ask whether a message was accepted,
 * long after it left the queue.
 *
 * @module
 */
import type { Db } from "../store/database/database.ts";

/** Milliseconds that a key is kept: senders ask about a lost answer sooner. */
const lifetime = 30 * 24 * 3600_000;

/** Runs in the transaction that accepts the message. @throws if the account has used the key before */
export function noteSubmission(db: Db, account: string, key: string, now: number): void {
  db.run("INSERT INTO submission_keys (account, key, time) VALUES (?, ?, ?)", account, key, now);
}

/** The message was withdrawn: its sender was told that it was not accepted. */
export function forgetSubmission(db: Db, account: string, key: string): void {
  db.run("DELETE FROM submission_keys WHERE account = ? AND key = ?", account, key);
}

/** Whether a message with the key was accepted. */
export function wasSubmitted(db: Db, account: string, key: string): boolean {
  return db.get("SELECT 1 FROM submission_keys WHERE account = ? AND key = ?", account, key) !==
    undefined;
}

/** Forgets keys that have expired. */
export function forgetSubmissions(db: Db, now: number): void {
  db.run("DELETE FROM submission_keys WHERE time <= ?", now - lifetime);
}
