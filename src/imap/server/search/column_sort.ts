/**
 * SORT by columns (store/columns): what `sortAnew` of sorting.ts does row by row.
 *
 * @module
 */
import type { MailboxId } from "../../../store/ids.ts";
import { giveWay } from "../../../platform/turns.ts";
import type { Account } from "../../../store/account/account.ts";
import {
  type ColumnRows,
  columnRows,
  datesOf,
  textsOf,
} from "../../../store/account/column_rows.ts";
import type { TextColumn } from "../../../store/columns/values.ts";
import {
  combined,
  orderOf,
  rankNumbers,
  type Ranks,
  rankTexts,
  reversed,
} from "../../../store/columns/ranks.ts";
import type { SortKey } from "../../parse/sort_keys.ts";

const columnOf: Partial<Record<SortKey["key"], TextColumn>> = {
  SUBJECT: "sortSubject",
  FROM: "sortFrom",
  TO: "sortTo",
  CC: "sortCc",
  DISPLAYFROM: "displayFrom",
  DISPLAYTO: "displayTo",
};

async function ranksOf(
  account: Account,
  rows: ColumnRows,
  key: SortKey["key"],
): Promise<Ranks | undefined> {
  switch (key) {
    case "ARRIVAL":
      return rankNumbers(rows.received);
    case "SIZE":
      return rankNumbers(rows.sizes);
    case "DATE": {
      const dates = await datesOf(account, rows);
      return dates && rankNumbers(dates);
    }
    default: {
      const column = columnOf[key];
      if (!column) return undefined;
      const texts = await textsOf(account, rows, column);
      return texts && await rankTexts(texts);
    }
  }
}

/** Uids in the order of the keys, equal ones by uid; undefined if the columns don't have all of them. */
export async function sortByColumns(
  account: Account,
  mailboxId: MailboxId,
  uids: readonly number[],
  keys: readonly SortKey[],
): Promise<number[] | undefined> {
  const rows = await columnRows(account, mailboxId, uids);
  if (!rows) return undefined;
  let all: Ranks | undefined;
  for (const { key, reverse } of keys) {
    const ranks = await ranksOf(account, rows, key);
    if (!ranks) return undefined;
    const one = reverse ? reversed(ranks) : ranks;
    all = all ? combined(all, one) : one;
    await giveWay();
  }
  if (!all) return undefined;
  const order = orderOf(all);
  await giveWay();
  return Array.from(order, (i) => uids[i]);
}
