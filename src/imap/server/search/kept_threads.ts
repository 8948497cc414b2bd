/**
 * THREAD with the threads of a mailbox kept from the last time.
 *
 * The fields that threads are made from never change, so the same messages have the same threads: they are kept
 * as the answer's text, about 7 bytes a message, for as long as the mailbox's rows are in memory.
 *
 * @module
 */
import type { MailboxId } from "../../../store/ids.ts";
import type { Account } from "../../../store/account/account.ts";
import type { MailboxRows } from "../../../store/messages/mailbox_rows.ts";
import { type ThreadAlgorithm, threadsByColumns } from "./column_threads.ts";
import { formatThreads, orderedSubject, references, refs } from "./sorting.ts";

const algorithms = { ORDEREDSUBJECT: orderedSubject, REFERENCES: references, REFS: refs };

interface Threads {
  /** The messages that were threaded, and what the answer calls them. */
  uids: Uint32Array;
  numbers: Uint32Array;
  text: string;
}

const kept = new WeakMap<MailboxRows, Map<ThreadAlgorithm, Threads>>();
/** Below this many messages, threads are computed each time. */
const smallMailbox = 100;

/**
 * The threads of messages (uids, ascending), in the form of the answer (RFC 5256 §4).
 * @param numbers what the answer calls each of them
 */
export async function threadText(
  account: Account,
  mailboxId: MailboxId,
  uids: readonly number[],
  algorithm: ThreadAlgorithm,
  numbers: readonly number[] = uids,
): Promise<string> {
  if (uids.length < smallMailbox) {
    return await threadAnew(account, mailboxId, uids, algorithm, numbers);
  }
  const before = account.rows.get(mailboxId);
  const known = before && kept.get(before)?.get(algorithm);
  if (known && same(known.uids, uids) && same(known.numbers, numbers)) return known.text;
  const text = await threadsByColumns(account, mailboxId, uids, algorithm, numbers) ??
    await threadAnew(account, mailboxId, uids, algorithm, numbers);
  const rows = account.rows.get(mailboxId);
  if (rows) {
    let threads = kept.get(rows);
    if (!threads) kept.set(rows, threads = new Map());
    const list = Uint32Array.from(uids);
    threads.set(algorithm, {
      uids: list,
      numbers: numbers === uids ? list : Uint32Array.from(numbers),
      text,
    });
  }
  return text;
}

function same(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

async function threadAnew(
  account: Account,
  mailboxId: MailboxId,
  uids: readonly number[],
  algorithm: ThreadAlgorithm,
  numbers: readonly number[],
): Promise<string> {
  const text = formatThreads(await algorithms[algorithm](account, mailboxId, [...uids]));
  if (numbers === uids) return text;
  const numberOf = new Map(uids.map((uid, i) => [uid, numbers[i]]));
  return text.replace(/\d+/g, (uid) => String(numberOf.get(Number(uid))));
}
