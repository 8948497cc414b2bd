/** Orders of emails (RFC 8621 §4.4.2). @module */
import { emailSummaries } from "../../store/messages/content.ts";
import { parseSummary } from "../../store/messages/summary.ts";
import { MethodError } from "../core/errors.ts";
import type { Comparator } from "../core/query.ts";
import { isCollation, sortKey } from "./collation.ts";
import { keywordTest, threadsByKeyword } from "./email_filter.ts";
import { Turns } from "./message_source.ts";
import type { MailView } from "./view.ts";

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

type Key = string | number;

/** The keys of one comparator, by slot. */
async function keysOf(
  view: MailView,
  comparator: EmailComparator,
  slots: readonly number[],
  turns: Turns,
): Promise<(slot: number) => Key> {
  const { index } = view;
  switch (comparator.property) {
    case "receivedAt":
      return (slot) => index.received[slot];
    case "size":
      return (slot) => index.size[slot];
    case "hasKeyword": {
      const has = keywordTest(index, comparator.keyword);
      return (slot) => has(slot) ? 1 : 0;
    }
    case "allInThreadHaveKeyword": {
      const { lacking } = threadsByKeyword(index, comparator.keyword, view.visible);
      return (slot) => lacking.has(index.threadId[slot]) ? 0 : 1;
    }
    case "someInThreadHaveKeyword": {
      const { some } = threadsByKeyword(index, comparator.keyword, view.visible);
      return (slot) => some.has(index.threadId[slot]) ? 1 : 0;
    }
    default:
      return await textKeys(view, comparator, slots, turns);
  }
}

async function textKeys(
  view: MailView,
  comparator: EmailComparator,
  slots: readonly number[],
  turns: Turns,
): Promise<(slot: number) => Key> {
  const { index, account } = view;
  const keys = new Map<number, Key>();
  for (let at = 0; at < slots.length; at += 500) {
    const part = slots.slice(at, at + 500);
    const rows = emailSummaries(account.db, part.map((slot) => index.emailId[slot]));
    for (const [id, text] of rows) {
      const s = parseSummary(text);
      const slot = index.slotOf(id)!;
      if (comparator.property === "sentAt") keys.set(slot, s.sent ?? index.received[slot]);
      else if (comparator.property === "subject") {
        keys.set(
          slot,
          comparator.collation === undefined
            ? s.sortSubject
            : sortKey(s.subject, comparator.collation),
        );
      } else {
        const first = (comparator.property === "from" ? s.from : s.to)[0];
        keys.set(slot, sortKey(first ? first.name || first.address : "", comparator.collation));
      }
    }
    await turns.next();
  }
  return (slot) => keys.get(slot) ?? "";
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
  const turns = new Turns();
  const keys: ((slot: number) => Key)[] = [];
  for (const c of sort) keys.push(await keysOf(view, c, slots, turns));
  const compare = (a: number, b: number): number => {
    for (let i = 0; i < keys.length; i++) {
      const [x, y] = [keys[i](a), keys[i](b)];
      if (x !== y) return (x < y ? -1 : 1) * (sort[i].isAscending ? 1 : -1);
    }
    return 0;
  };
  return await mergeSort(slots, compare, turns);
}

/** A stable sort that gives others their turns. */
async function mergeSort(
  list: number[],
  compare: (a: number, b: number) => number,
  turns: Turns,
): Promise<number[]> {
  const run = 2000;
  let from: number[] = [];
  for (let at = 0; at < list.length; at += run) {
    for (const x of list.slice(at, at + run).sort(compare)) from.push(x);
    await turns.next();
  }
  for (let width = run; width < from.length; width *= 2) {
    const to: number[] = [];
    for (let at = 0; at < from.length; at += 2 * width) {
      let [a, b] = [at, Math.min(at + width, from.length)];
      const [endA, endB] = [b, Math.min(at + 2 * width, from.length)];
      while (a < endA || b < endB) {
        const left = a < endA && (b >= endB || compare(from[a], from[b]) <= 0);
        to.push(left ? from[a++] : from[b++]);
      }
      await turns.next();
    }
    from = to;
  }
  return from;
}
