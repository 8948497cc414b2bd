/**
 * Keys that senders gave their messages, noted in the transaction that takes these: a sender that was cut off
 * before it noted so itself, or whose answer was lost, asks whether a message was taken, long after it left
 * the queue.
 *
 * @module
 */
import type { Db } from "../store/database/database.ts";

/** Milliseconds that a key is known: a lost answer is asked for sooner. */
const lifetime = 30 * 24 * 3600_000;

/** In the transaction that takes the message. @throws if the account has used the key before */
export function noteSubmission(db: Db, account: string, key: string, now: number): void {
  db.run("INSERT INTO submission_keys (account, key, time) VALUES (?, ?, ?)", account, key, now);
}

/** The message was taken back: its sender is told that it was not taken. */
export function forgetSubmission(db: Db, account: string, key: string): void {
  db.run("DELETE FROM submission_keys WHERE account = ? AND key = ?", account, key);
}

/** Whether a message with the key was taken. */
export function wasSubmitted(db: Db, account: string, key: string): boolean {
  return db.get("SELECT 1 FROM submission_keys WHERE account = ? AND key = ?", account, key) !==
    undefined;
}

/** Forgets those whose time is over. */
export function forgetSubmissions(db: Db, now: number): void {
  db.run("DELETE FROM submission_keys WHERE time <= ?", now - lifetime);
}
