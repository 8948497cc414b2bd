/** Finding emails (RFC 8621 §4.4): filter, order, one of each thread. @module */
import type { EmailIndex } from "../../store/emails/email_index.ts";
import { searchEmails } from "../../store/account/search_emails.ts";
import { type Comparator, meets, type Results } from "../core/query.ts";
import {
  eachCondition,
  type EmailCondition,
  type EmailFilter,
  indexTest,
  readEmailFilter,
  textNode,
} from "./email_filter.ts";
import { type EmailComparator, readEmailSort, sortSlots } from "./email_sort.ts";
import { slotId, slotOfId } from "./ids.ts";
import { Turns } from "./message_source.ts";
import type { MailView } from "./view.ts";

/** What is asked for, checked. */
export interface EmailQuery {
  filter: EmailFilter | undefined;
  sort: EmailComparator[];
  collapseThreads: boolean;
}

/** @throws MethodError */
export function readEmailQuery(args: {
  filter?: Record<string, unknown> | null;
  sort?: Comparator[] | null;
  collapseThreads?: boolean | null;
}): EmailQuery {
  return {
    filter: readEmailFilter(args.filter),
    sort: readEmailSort(args.sort),
    collapseThreads: args.collapseThreads ?? false,
  };
}

/** So many results are found without looking at all. */
const smallResult = 500;
/** Results that are kept of an account, for clients that ask page by page. */
const keptQueries = 4;
const kept = new WeakMap<EmailIndex, { version: number; results: Map<string, number[]> }>();

/**
 * The first of a query by date that the index decides alone, without looking at all; undefined for other queries.
 * @param most how many are wanted
 */
function firstByDate(view: MailView, query: EmailQuery, most: number): number[] | undefined {
  const { index } = view;
  const [by, ...more] = query.sort;
  if (more.length > 0 || by !== undefined && by.property !== "receivedAt") return undefined;
  const tests = new Map<EmailCondition, (slot: number) => boolean>();
  let decided = true;
  eachCondition(query.filter, (c) => {
    if (textNode(c) !== undefined) decided = false;
    else tests.set(c, indexTest(index, c, view.visible));
  });
  if (!decided) return undefined;
  const { slots } = index.order;
  const newest = by?.isAscending !== true;
  const threads = new Set<number>();
  const found: number[] = [];
  for (let i = 0; i < slots.length && found.length < most; i++) {
    const slot = slots[newest ? slots.length - 1 - i : i];
    if (!view.visible(slot) || !meets(query.filter, (c) => tests.get(c)!(slot))) continue;
    if (query.collapseThreads) {
      const thread = index.threadId[slot];
      if (threads.has(thread)) continue;
      threads.add(thread);
    }
    found.push(slot);
  }
  return found;
}

/**
 * Slots that a query finds, in order.
 * @param most how many of the first are enough
 */
export async function findEmails(
  view: MailView,
  query: EmailQuery,
  stopped: () => boolean,
  most = Infinity,
): Promise<number[]> {
  if (!view.access.own) return await find(view, query, stopped);
  const { index } = view;
  const { version } = index;
  let k = kept.get(index);
  if (k?.version !== version) kept.set(index, k = { version, results: new Map() });
  const key = JSON.stringify(query);
  const known = k.results.get(key);
  if (known) return known;
  // Who asks for the first page may ask for no other.
  const first = most <= smallResult ? firstByDate(view, query, most) : undefined;
  if (first) return first;
  const found = await find(view, query, stopped);
  if (stopped() || index.version !== version) return found;
  if (k.results.size >= keptQueries) k.results.delete(k.results.keys().next().value!);
  k.results.set(key, found);
  return found;
}

async function find(
  view: MailView,
  query: EmailQuery,
  stopped: () => boolean,
): Promise<number[]> {
  const { index } = view;
  const passed = await filtered(view, query.filter, stopped);
  const sorted = await sortSlots(view, passed, query.sort);
  if (!query.collapseThreads) return sorted;
  const seen = new Set<number>();
  return sorted.filter((slot) => {
    const before = seen.size;
    seen.add(index.threadId[slot]);
    return seen.size > before;
  });
}

/** Yes, no, or not known before the texts are looked at. */
type Verdict = boolean | undefined;

interface Leaf {
  test: (slot: number) => boolean;
  text: ReturnType<typeof textNode>;
  /** Emails that have the texts, when that is known. */
  found: Set<number> | undefined;
}

/** Slots that meet a filter, by date. */
async function filtered(
  view: MailView,
  filter: EmailFilter | undefined,
  stopped: () => boolean,
): Promise<number[]> {
  const { index, account } = view;
  const leaves = new Map<EmailCondition, Leaf>();
  eachCondition(filter, (c) => {
    leaves.set(c, { test: indexTest(index, c, view.visible), text: textNode(c), found: undefined });
  });
  const verdict = (filter: EmailFilter | undefined, slot: number): Verdict => {
    if (filter === undefined) return true;
    if ("condition" in filter) {
      const leaf = leaves.get(filter.condition)!;
      if (!leaf.test(slot)) return false;
      if (leaf.text === undefined) return true;
      return leaf.found?.has(index.emailId[slot]);
    }
    const one = filter.operator === "AND" ? false : true;
    let unknown = false;
    for (const c of filter.conditions) {
      const r = verdict(c, slot);
      if (r === one) return filter.operator === "NOT" ? false : one;
      if (r === undefined) unknown = true;
    }
    return unknown ? undefined : filter.operator === "NOT" ? true : !one;
  };
  const turns = new Turns();
  // The order may change while others have their turn.
  const slots = index.order.slots;
  let passed: number[] = [];
  let open: number[] = [];
  for (let i = 0; i < slots.length; i++) {
    const slot = slots[i];
    if (!view.visible(slot)) continue;
    const r = verdict(filter, slot);
    if (r !== false) passed.push(slot);
    if (r === undefined) open.push(slot);
    if (i % 20_000 === 19_999) await turns.next();
  }
  for (const leaf of leaves.values()) {
    if (open.length === 0) break;
    if (leaf.text === undefined) continue;
    const ids = open.filter(leaf.test).map((slot) => index.emailAt(slot));
    leaf.found = await searchEmails(account, ids, leaf.text, stopped);
    open = open.filter((slot) => verdict(filter, slot) === undefined);
  }
  if ([...leaves.values()].some((l) => l.found)) {
    passed = passed.filter((slot) => view.visible(slot) && verdict(filter, slot) === true);
  }
  return passed;
}

/** Slots as ids, which are made for those that are given only. */
export function resultsOf(index: EmailIndex, slots: readonly number[]): Results {
  return {
    length: slots.length,
    indexOf(id) {
      const slot = slotOfId(index, id);
      return slot === undefined ? -1 : slots.indexOf(slot);
    },
    slice: (from, to) => slots.slice(from, to).map((slot) => slotId(index, slot)),
  };
}
