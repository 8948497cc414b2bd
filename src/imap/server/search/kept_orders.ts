/**
 * SORT with the order of a mailbox kept from the last time.
 *
 * A message's sort keys never change, so an order stays valid: vanished messages are left out, and
 * new ones inserted. An order takes 4 bytes a message, and is kept no longer than the
 * mailbox's rows are in memory (store/messages/mailbox_rows.ts), which is bounded.
 *
 * @module
 */
import { giveWay } from "../../../platform/turns.ts";
import type { MailboxId } from "../../../store/ids.ts";
import type { Account } from "../../../store/account/account.ts";
import type { MailboxRows } from "../../../store/messages/mailbox_rows.ts";
import { sortByColumns } from "./column_sort.ts";
import type { SortKey } from "../../parse/sort_keys.ts";
import { compareSorted, readSorted, sortAnew } from "./sorting.ts";

interface Order {
  /** All messages up to `highest` that existed at the last update. */
  uids: Uint32Array;
  highest: number;
}

/** By the keys, as text; least recently used first. */
const kept = new WeakMap<MailboxRows, Map<string, Order>>();
/** Orders that are kept of a mailbox. */
const maxOrders = 4;
/** New messages that are inserted one by one; with more of them everything is sorted again. */
const maxNew = 100;
/** Picking a smaller part than this from a whole order takes longer than sorting it. */
const smallPart = 1 / 20;

/** Uids in the order of the keys; equal ones by uid. Scores are for RELEVANCY. */
export async function sortUids(
  account: Account,
  mailboxId: MailboxId,
  uids: number[],
  keys: readonly SortKey[],
  scores?: ReadonlyMap<number, number>,
): Promise<number[]> {
  const anew = async () =>
    scores === undefined && uids.length > maxNew
      ? await sortByColumns(account, mailboxId, uids, keys) ??
        await sortAnew(account, mailboxId, uids, keys)
      : await sortAnew(account, mailboxId, uids, keys, scores);
  if (keys.some((k) => k.key === "RELEVANCY")) return await anew();
  const rows = account.rows.get(mailboxId);
  if (!rows || uids.length < rows.count * smallPart) return await anew();
  let orders = kept.get(rows);
  if (!orders) kept.set(rows, orders = new Map());
  const name = keys.map((k) => `${k.reverse ? "-" : ""}${k.key}`).join();
  let order = orders.get(name);
  if (order && !update(account, rows, order, keys)) order = undefined;
  if (!order) {
    // Created for half of a mailbox or more: smaller sets may never be requested again.
    if (uids.length < rows.count / 2) return await anew();
    const all = Array.from(rows.uids.subarray(0, rows.count));
    const sorted = await sortByColumns(account, mailboxId, all, keys) ??
      await sortAnew(account, mailboxId, all, keys);
    order = { uids: Uint32Array.from(sorted), highest: all[all.length - 1] ?? 0 };
    await giveWay();
  }
  orders.delete(name);
  orders.set(name, order);
  for (const oldest of orders.keys()) {
    if (orders.size <= maxOrders) break;
    orders.delete(oldest);
  }
  return pick(order.uids, uids);
}

/** Updates an order to the current rows. False if sorting again costs less. */
function update(
  account: Account,
  rows: MailboxRows,
  order: Order,
  keys: readonly SortKey[],
): boolean {
  const old = rows.indexOf(order.highest + 1);
  const fresh = rows.uids.slice(old, rows.count);
  if (fresh.length > maxNew) return false;
  if (order.uids.length > old) {
    order.uids = order.uids.filter((uid) => {
      const i = rows.indexOf(uid);
      return i < rows.count && rows.uids[i] === uid;
    });
  }
  if (order.uids.length !== old) return false;
  if (fresh.length === 0) return true;
  const { mailboxId } = rows;
  for (const row of readSorted(account, mailboxId, fresh, keys)) {
    let lo = 0;
    let hi = order.uids.length;
    while (lo < hi) {
      const mid = (lo + hi) >>> 1;
      const [other] = readSorted(account, mailboxId, order.uids.subarray(mid, mid + 1), keys);
      if (other === undefined) return false;
      if (compareSorted(other, row, keys) < 0) lo = mid + 1;
      else hi = mid;
    }
    const uids = new Uint32Array(order.uids.length + 1);
    uids.set(order.uids.subarray(0, lo));
    uids[lo] = row.uid;
    uids.set(order.uids.subarray(lo), lo + 1);
    order.uids = uids;
    order.highest = row.uid;
  }
  return true;
}

/** Bytes of a map of uids up to which one is made; a set takes more time, and no more memory. */
const maxMap = 16 * 1024 * 1024;

/** The wanted uids (ascending) that are in the order, sorted by it. */
function pick(order: Uint32Array, wanted: readonly number[]): number[] {
  const out: number[] = [];
  const first = wanted[0] ?? 0;
  const range = (wanted[wanted.length - 1] ?? 0) - first + 1;
  if (range > maxMap) {
    const set = new Set(wanted);
    for (const uid of order) if (set.has(uid)) out.push(uid);
    return out;
  }
  const map = new Uint8Array(range);
  for (const uid of wanted) map[uid - first] = 1;
  for (const uid of order) if (map[uid - first] === 1) out.push(uid);
  return out;
}
