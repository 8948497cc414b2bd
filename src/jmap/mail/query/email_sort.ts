/** Orders of emails (RFC 8621 §4.4.2). @module */
import { giveWay } from "../../../platform/turns.ts";
import {
  combined,
  orderOf,
  rankNumbers,
  type Ranks,
  reversed,
} from "../../../store/columns/ranks.ts";
import { MethodError } from "../../core/errors.ts";
import type { Comparator } from "../../core/query.ts";
import { isCollation } from "./collation.ts";
import { keywordTest, threadsByKeyword } from "./email_filter.ts";
import { summaryRanks } from "./text_orders.ts";
import type { MailView } from "../view.ts";

/** Properties that the session announces for sorting. */
export const emailSorts = [
  "receivedAt",
  "size",
  "from",
  "to",
  "subject",
  "sentAt",
  "hasKeyword",
  "allInThreadHaveKeyword",
  "someInThreadHaveKeyword",
];
const byKeyword = ["hasKeyword", "allInThreadHaveKeyword", "someInThreadHaveKeyword"];

export interface EmailComparator {
  property: string;
  isAscending: boolean;
  collation: string | undefined;
  keyword: string;
}

/** @throws MethodError unsupportedSort, invalidArguments */
export function readEmailSort(sort: readonly Comparator[] | null | undefined): EmailComparator[] {
  return (sort ?? []).map((c) => {
    if (!emailSorts.includes(c.property)) {
      throw new MethodError(
        "unsupportedSort",
        `emails can't be sorted by ${c.property.slice(0, 200)}`,
      );
    }
    if (c.collation !== undefined && !isCollation(c.collation)) {
      throw new MethodError(
        "unsupportedSort",
        `there is no collation ${c.collation.slice(0, 200)}`,
      );
    }
    const { keyword } = c;
    if (byKeyword.includes(c.property) && typeof keyword !== "string") {
      throw new MethodError("invalidArguments", `sort: ${c.property} needs a keyword`);
    }
    return {
      property: c.property,
      isAscending: c.isAscending,
      collation: c.collation,
      keyword: typeof keyword === "string" ? keyword : "",
    };
  });
}

/** True if an order uses keywords, which change. */
export function sortsByKeyword(sort: readonly EmailComparator[]): boolean {
  return sort.some((c) => byKeyword.includes(c.property));
}

export function sortsByThread(sort: readonly EmailComparator[]): boolean {
  return sort.some((c) => byKeyword.includes(c.property) && c.property !== "hasKeyword");
}

/** Numbers that sort like one comparator's values, ascending. */
async function ranksOf(
  view: MailView,
  comparator: EmailComparator,
  slots: readonly number[],
): Promise<Ranks> {
  const { index } = view;
  const flags = (test: (slot: number) => boolean): Ranks => ({
    ranks: Float64Array.from(slots, (slot) => test(slot) ? 1 : 0),
    max: 1,
  });
  switch (comparator.property) {
    case "receivedAt":
      return rankNumbers(Float64Array.from(slots, (slot) => index.received[slot]));
    case "size":
      return rankNumbers(Float64Array.from(slots, (slot) => index.size[slot]));
    case "hasKeyword":
      return flags(keywordTest(index, comparator.keyword));
    case "allInThreadHaveKeyword": {
      const { lacking } = threadsByKeyword(index, comparator.keyword, view.visible);
      return flags((slot) => !lacking.has(index.threadId[slot]));
    }
    case "someInThreadHaveKeyword": {
      const { some } = threadsByKeyword(index, comparator.keyword, view.visible);
      return flags((slot) => some.has(index.threadId[slot]));
    }
    default:
      return await summaryRanks(view, comparator, slots);
  }
}

/** Sorts slots, which are in date order; equal ones keep it. */
export async function sortSlots(
  view: MailView,
  slots: number[],
  sort: readonly EmailComparator[],
): Promise<number[]> {
  // Newest first by default.
  if (sort.length === 0) return slots.reverse();
  if (sort.length === 1 && sort[0].property === "receivedAt") {
    return sort[0].isAscending ? slots : slots.reverse();
  }
  let all: Ranks | undefined;
  for (const c of sort) {
    const ranks = await ranksOf(view, c, slots);
    const one = c.isAscending ? ranks : reversed(ranks);
    all = all ? combined(all, one) : one;
    await giveWay();
  }
  return Array.from(orderOf(all!), (i) => slots[i]);
}
