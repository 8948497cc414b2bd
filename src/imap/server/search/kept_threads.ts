/**
 * THREAD with the threads of a mailbox kept from the last time.
 *
 * What threads are made from never changes in a message, so the same messages have the same threads: they are kept
 * as the answer's text, about 7 bytes a message, for as long as the mailbox's rows are in memory.
 *
 * @module
 */
import type { Account } from "../../../store/account/account.ts";
import type { MailboxRows } from "../../../store/messages/mailbox_rows.ts";
import { formatThreads, orderedSubject, references, refs } from "./sorting.ts";

const algorithms = { ORDEREDSUBJECT: orderedSubject, REFERENCES: references, REFS: refs };
export type ThreadAlgorithm = keyof typeof algorithms;

interface Threads {
  /** The messages that were threaded. */
  uids: Uint32Array;
  text: string;
}

const kept = new WeakMap<MailboxRows, Map<ThreadAlgorithm, Threads>>();
/** Fewer messages are threaded anew at once. */
const fewMessages = 100;

/** The threads of messages (uids, ascending), as the answer has them (RFC 5256 §4), with uids for numbers. */
export async function threadText(
  account: Account,
  mailboxId: number,
  uids: number[],
  algorithm: ThreadAlgorithm,
): Promise<string> {
  const rows = uids.length < fewMessages ? undefined : account.rows.get(mailboxId);
  let threads = rows && kept.get(rows);
  const known = threads?.get(algorithm);
  if (known && known.uids.length === uids.length && known.uids.every((u, i) => u === uids[i])) {
    return known.text;
  }
  const text = formatThreads(await algorithms[algorithm](account, mailboxId, uids));
  if (rows) {
    if (!threads) kept.set(rows, threads = new Map());
    threads.set(algorithm, { uids: Uint32Array.from(uids), text });
  }
  return text;
}
