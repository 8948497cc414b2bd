/** Finding emails (RFC 8621 §4.4): filter, order, one per thread. @module */
import type { EmailIndex } from "../../../store/emails/email_index.ts";
import { searchEmails } from "../../../store/account/search_emails.ts";
import { type Comparator, meets, type Results } from "../../core/query.ts";
import {
  eachCondition,
  type EmailCondition,
  type EmailFilter,
  indexTest,
  readEmailFilter,
  refuseSmime,
  textNode,
} from "./email_filter.ts";
import { type EmailComparator, readEmailSort, sortSlots } from "./email_sort.ts";
import { slotId, slotOfId } from "../ids.ts";
import { Turns } from "../message_source.ts";
import { asksSmime, asksVerified, withSmime } from "../smime.ts";
import { isFromSummary, orderAtHand } from "./text_orders.ts";
import type { MailView } from "../view.ts";

/** The checked query. */
export interface EmailQuery {
  filter: EmailFilter | undefined;
  sort: EmailComparator[];
  collapseThreads: boolean;
}

/** @param smime whether conditions on signatures are allowed @throws MethodError */
export function readEmailQuery(args: {
  filter?: Record<string, unknown> | null;
  sort?: Comparator[] | null;
  collapseThreads?: boolean | null;
}, smime: boolean): EmailQuery {
  const filter = readEmailFilter(args.filter);
  if (!smime) refuseSmime(filter);
  return {
    filter,
    sort: readEmailSort(args.sort),
    collapseThreads: args.collapseThreads ?? false,
  };
}

/** Up to this many results are found without checking all emails. */
const smallResult = 500;
/** Most results cached for an account, for clients that page through them. */
const keptQueries = 4;
const kept = new WeakMap<EmailIndex, { version: number; results: Map<string, number[]> }>();

/**
 * The first results of a query that the index alone decides, if its order is available, without checking all
 * emails; undefined for other queries.
 * @param most how many are wanted
 */
async function firstInOrder(
  view: MailView,
  query: EmailQuery,
  most: number,
): Promise<number[] | undefined> {
  const { index } = view;
  const [by, ...more] = query.sort;
  if (more.length > 0) return undefined;
  const byDate = by === undefined || by.property === "receivedAt";
  if (!byDate && !isFromSummary(by)) return undefined;
  const slots = byDate ? index.order.slots : await orderAtHand(view, by);
  if (slots === undefined) return undefined;
  const tests = new Map<EmailCondition, (slot: number) => boolean>();
  let decided = true;
  eachCondition(query.filter, (c) => {
    if (textNode(c) !== undefined || asksSmime(c)) decided = false;
    else tests.set(c, indexTest(index, c, view.visible));
  });
  if (!decided) return undefined;
  const newest = byDate && by?.isAscending !== true;
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

/** Options of a search. */
export interface Search {
  stopped(): boolean;
  /** PEM of authorities, for conditions on S/MIME. */
  trusted: readonly string[];
  /** How many of the first are enough. */
  most?: number;
}

/** Slots that a query finds, in order. */
export async function findEmails(
  view: MailView,
  query: EmailQuery,
  search: Search,
): Promise<number[]> {
  const { stopped, most = Infinity } = search;
  let fleeting = !view.access.own;
  eachCondition(query.filter, (c) => fleeting ||= asksVerified(c));
  if (fleeting) return await find(view, query, search);
  const { index } = view;
  const { version } = index;
  let k = kept.get(index);
  if (k?.version !== version) kept.set(index, k = { version, results: new Map() });
  const key = JSON.stringify(query);
  const known = k.results.get(key);
  if (known) return known;
  // A client that requests the first page may never request another.
  const first = most <= smallResult ? await firstInOrder(view, query, most) : undefined;
  if (first) return first;
  const found = await find(view, query, search);
  if (stopped() || index.version !== version) return found;
  if (k.results.size >= keptQueries) k.results.delete(k.results.keys().next().value!);
  k.results.set(key, found);
  return found;
}

async function find(
  view: MailView,
  query: EmailQuery,
  search: Search,
): Promise<number[]> {
  const { index } = view;
  const passed = await filtered(view, query.filter, search);
  const sorted = await sortSlots(view, passed, query.sort);
  if (!query.collapseThreads) return sorted;
  const seen = new Set<number>();
  return sorted.filter((slot) => {
    const before = seen.size;
    seen.add(index.threadId[slot]);
    return seen.size > before;
  });
}

/** Yes, no, or unknown before the texts are searched. */
type Verdict = boolean | undefined;

interface Leaf {
  test: (slot: number) => boolean;
  text: ReturnType<typeof textNode>;
  /** Whether the index alone decides. */
  decided: boolean;
  /** Emails that match the conditions on texts and signatures, once known. */
  found: Set<number> | undefined;
}

/** Slots that match a filter, by date. */
async function filtered(
  view: MailView,
  filter: EmailFilter | undefined,
  { stopped, trusted }: Search,
): Promise<number[]> {
  const { index, account } = view;
  const leaves = new Map<EmailCondition, Leaf>();
  eachCondition(filter, (c) => {
    const text = textNode(c);
    const decided = text === undefined && !asksSmime(c);
    leaves.set(c, { test: indexTest(index, c, view.visible), text, decided, found: undefined });
  });
  const verdict = (filter: EmailFilter | undefined, slot: number): Verdict => {
    if (filter === undefined) return true;
    if ("condition" in filter) {
      const leaf = leaves.get(filter.condition)!;
      if (!leaf.test(slot)) return false;
      if (leaf.decided) return true;
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
  // The order may change while others get their turn.
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
  for (const [condition, leaf] of leaves) {
    if (open.length === 0) break;
    if (leaf.decided) continue;
    let asked = open.filter(leaf.test);
    if (leaf.text !== undefined) {
      const ids = asked.map((slot) => index.emailAt(slot));
      const has = leaf.found = await searchEmails(account, ids, leaf.text, stopped);
      asked = asked.filter((slot) => has.has(index.emailId[slot]));
    }
    if (asksSmime(condition)) {
      const emails = asked.map((slot) => [index.emailAt(slot), index.received[slot]] as const);
      leaf.found = await withSmime({ account, trusted }, emails, condition, stopped);
    }
    open = open.filter((slot) => verdict(filter, slot) === undefined);
  }
  if ([...leaves.values()].some((l) => l.found)) {
    passed = passed.filter((slot) => view.visible(slot) && verdict(filter, slot) === true);
  }
  return passed;
}

/** Slots as ids, which are only made for those returned. */
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
