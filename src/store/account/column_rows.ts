/**
 * Columns of the messages of a mailbox: the values of their emails, in uid order.
 *
 * @module
 */
import type { MailboxId } from "../ids.ts";
import { giveWay } from "../../platform/turns.ts";
import type { Account } from "./account.ts";
import {
  chunkEmails,
  type NumberColumn,
  type TextColumn,
  unknownValue,
} from "../columns/values.ts";

/** Messages whose columns are read: the facts about them that never change. */
export interface ColumnRows {
  /** Ascending. */
  uids: readonly number[];
  emailIds: Float64Array;
  received: Float64Array;
  sizes: Float64Array;
}

/** Messages that must be in a chunk to make unpacking it worthwhile. */
const sparseChunk = 8;

/**
 * The rows of uids, if they are in memory and their emails are in columns; undefined if not, or where reading
 * their summaries is just as fast.
 */
export async function columnRows(
  account: Account,
  mailboxId: MailboxId,
  uids: readonly number[],
): Promise<ColumnRows | undefined> {
  if (!await account.columns.follow()) return undefined;
  const rows = account.rows.get(mailboxId);
  if (!rows) return undefined;
  const n = uids.length;
  const r: ColumnRows = {
    uids,
    emailIds: new Float64Array(n),
    received: new Float64Array(n),
    sizes: new Float64Array(n),
  };
  const { below } = account.columns;
  let at = n > 0 ? rows.indexOf(uids[0]) : 0;
  let chunks = 0;
  let last = -1;
  for (let i = 0; i < n; i++) {
    while (at < rows.count && rows.uids[at] < uids[i]) at++;
    const emailId = rows.emailIds[at];
    if (at >= rows.count || rows.uids[at] !== uids[i] || emailId >= below) return undefined;
    r.emailIds[i] = emailId;
    r.received[i] = rows.received[at];
    r.sizes[i] = rows.sizes[at];
    const chunk = Math.floor(emailId / chunkEmails);
    if (chunk !== last) chunks++;
    last = chunk;
  }
  return chunks * sparseChunk > n ? undefined : r;
}

/** Values of a column; undefined if one of them isn't stored. */
export async function textsOf(
  account: Account,
  rows: ColumnRows,
  column: TextColumn,
): Promise<string[] | undefined> {
  const { emailIds } = rows;
  const out: string[] = new Array(emailIds.length);
  let last = -1;
  let values: string[] = [];
  for (let i = 0; i < emailIds.length; i++) {
    const chunk = Math.floor(emailIds[i] / chunkEmails);
    if (chunk !== last) {
      await giveWay();
      const texts = account.columns.text(chunk, column);
      if (!texts) return undefined;
      values = texts.values();
      last = chunk;
    }
    const value = values[emailIds[i] % chunkEmails];
    if (value === undefined || value === unknownValue) return undefined;
    out[i] = value;
  }
  return out;
}

/** Numbers of a column, NaN for none; undefined if there is no column. */
export async function numbersOf(
  account: Account,
  rows: ColumnRows,
  column: NumberColumn,
): Promise<Float64Array | undefined> {
  const { emailIds } = rows;
  const out = new Float64Array(emailIds.length);
  let last = -1;
  let values: Float64Array = out;
  for (let i = 0; i < emailIds.length; i++) {
    const chunk = Math.floor(emailIds[i] / chunkEmails);
    if (chunk !== last) {
      await giveWay();
      const found = account.columns.numbers(chunk, column);
      if (!found) return undefined;
      values = found;
      last = chunk;
    }
    out[i] = values[emailIds[i] % chunkEmails];
  }
  return out;
}

/** The dates that SORT and THREAD use: the internal date where there is no usable Date (RFC 5256 §2.2). */
export async function datesOf(
  account: Account,
  rows: ColumnRows,
): Promise<Float64Array | undefined> {
  const dates = await numbersOf(account, rows, "sent");
  if (dates) {
    for (let i = 0; i < dates.length; i++) if (Number.isNaN(dates[i])) dates[i] = rows.received[i];
  }
  return dates;
}
