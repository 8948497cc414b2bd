/**
 * Sort keys that must be read from emails' summaries (RFC 8621 §4.4.2): read once per email, as they never
 * change, and kept together with the order of all emails by them. So after a change of the account, a list
 * sorted by subject costs the same as one sorted by date.
 *
 * @module
 */
import { giveWay } from "../../../platform/turns.ts";
import {
  orderOf,
  rankNumbers,
  type Ranks,
  rankTexts,
  reversed,
} from "../../../store/columns/ranks.ts";
import { chunkEmails, unknownValue } from "../../../store/columns/values.ts";
import type { EmailIndex } from "../../../store/emails/email_index.ts";
import { emailSummaries } from "../../../store/messages/content.ts";
import { parseSummary, type Summary } from "../../../store/messages/summary.ts";
import { sortKey } from "./collation.ts";
import type { MailView } from "../view.ts";

/** How emails are compared; equal ones by date. */
export interface SummaryComparator {
  property: string;
  isAscending: boolean;
  collation: string | undefined;
}

/** Comparators whose values are kept per account: the last used ones. */
const keptComparators = 3;
/** Up to this many emails are inserted into the order one by one; more are sorted again with all others. */
const smallAddition = 500;
/** Summaries read at a time. */
const summariesAtOnce = 250;
/** The values of all emails are read if at least one in this many is requested. */
const worthAll = 8;

const keptProperties = ["subject", "from", "to", "sentAt"];

/** Whether a comparator's values come from summaries. */
export function isFromSummary(by: SummaryComparator): boolean {
  return keptProperties.includes(by.property);
}

/** The value that an email is compared by; NaN without a date of sending. */
function valueOf(s: Summary, by: SummaryComparator): string | number {
  if (by.property === "sentAt") return s.sent ?? NaN;
  if (by.property === "subject") {
    return by.collation === undefined ? s.sortSubject : sortKey(s.subject, by.collation);
  }
  const first = (by.property === "from" ? s.from : s.to)[0];
  return sortKey(first ? first.name || first.address : "", by.collation);
}

/** Values of emails whose ids ascend, from columns if available; undefined for emails that are gone. */
async function readValues(
  view: MailView,
  by: SummaryComparator,
  emailIds: readonly number[],
): Promise<(string | number | undefined)[]> {
  const { account } = view;
  const { columns } = account;
  const inColumns = by.property === "sentAt" ||
    by.property === "subject" && by.collation === undefined;
  const below = inColumns && emailIds.length > smallAddition && await columns.follow()
    ? columns.below
    : 0;
  const values: (string | number | undefined)[] = new Array(emailIds.length);
  const unknown: number[] = [];
  let last = -1;
  let chunk: ArrayLike<string | number> = [];
  for (let i = 0; i < emailIds.length; i++) {
    const id = emailIds[i];
    if (id >= below) {
      unknown.push(i);
      continue;
    }
    const n = Math.floor(id / chunkEmails);
    if (n !== last) {
      await giveWay();
      chunk = by.property === "sentAt"
        ? columns.numbers(n, "sent") ?? []
        : columns.text(n, "sortSubject")?.values() ?? [];
      last = n;
    }
    const value = chunk[id % chunkEmails] as string | number | undefined;
    if (value === undefined || value === unknownValue) unknown.push(i);
    else values[i] = value;
  }
  for (let at = 0; at < unknown.length; at += summariesAtOnce) {
    await giveWay();
    const part = unknown.slice(at, at + summariesAtOnce);
    const place = new Map(part.map((i) => [emailIds[i], i]));
    for (const [id, text] of emailSummaries(account.db, [...place.keys()])) {
      values[place.get(id)!] = valueOf(parseSummary(text), by);
    }
  }
  return values;
}

/** All emails in the order of a comparator, from a list in date order. */
interface Ordered {
  byDate: Uint32Array;
  order: Uint32Array;
}

/** The values of an account's emails for one comparator. */
class KeptValues {
  readonly #index: EmailIndex;
  readonly #by: SummaryComparator;
  /** Slots below this have their value. */
  #covered = 0;
  /** By slot: milliseconds for "sentAt", for texts their index in {@link #texts}. */
  #values = new Float64Array(0);
  #texts: string[] = [];
  /** Indexes of {@link #texts}, in text order. */
  #sorted: number[] = [];
  /** Position of a text in that order, by its index. */
  #rankOf: Float64Array | undefined;
  #reading: Promise<void> | undefined;
  readonly #ordered = new Map<boolean, Ordered>();

  constructor(index: EmailIndex, by: SummaryComparator) {
    this.#index = index;
    this.#by = by;
  }

  /** Whether at most a few emails have to be read. */
  get isNear(): boolean {
    return this.#index.count - this.#covered <= smallAddition;
  }

  get isWhole(): boolean {
    return this.#covered === this.#index.count;
  }

  /** Reads the values of new emails. More may arrive meanwhile. */
  read(view: MailView): Promise<void> {
    return this.#reading ??= this.#read(view).finally(() => this.#reading = undefined);
  }

  async #read(view: MailView): Promise<void> {
    const [from, to] = [this.#covered, this.#index.count];
    const slots = Array.from({ length: to - from }, (_, i) => from + i);
    const ids = this.#index.emailId;
    slots.sort((a, b) => ids[a] - ids[b]);
    const read = await readValues(view, this.#by, slots.map((slot) => ids[slot]));
    const values = new Float64Array(this.#index.emailId.length);
    values.set(this.#values.subarray(0, from));
    if (this.#by.property === "sentAt") {
      slots.forEach((slot, i) => values[slot] = read[i] as number ?? NaN);
    } else if (slots.length <= smallAddition && from > 0) {
      slots.forEach((slot, i) => values[slot] = this.#place(read[i] as string ?? ""));
    } else await this.#sortAnew(values, slots, read.map((v) => v as string ?? ""));
    this.#values = values;
    this.#covered = to;
    this.#rankOf = undefined;
    this.#ordered.clear();
  }

  /** The index of a text, which gets one if it has none. */
  #place(text: string): number {
    const [texts, sorted] = [this.#texts, this.#sorted];
    let lo = 0;
    let hi = sorted.length;
    while (lo < hi) {
      const mid = (lo + hi) >>> 1;
      if (texts[sorted[mid]] < text) lo = mid + 1;
      else hi = mid;
    }
    if (lo < sorted.length && texts[sorted[lo]] === text) return sorted[lo];
    sorted.splice(lo, 0, texts.length);
    return texts.push(text) - 1;
  }

  async #sortAnew(values: Float64Array, slots: readonly number[], read: string[]): Promise<void> {
    // Earlier ones already have their positions.
    const before = this.#texts;
    const { ranks, max } = await rankTexts([...before, ...read]);
    const texts: string[] = new Array(max + 1);
    for (let i = 0; i < ranks.length; i++) {
      texts[ranks[i]] = i < before.length ? before[i] : read[i - before.length];
    }
    for (let slot = 0; slot < this.#covered; slot++) values[slot] = ranks[values[slot]];
    slots.forEach((slot, i) => values[slot] = ranks[before.length + i]);
    this.#texts = texts;
    this.#sorted = texts.map((_, i) => i);
  }

  /** Numbers that sort like the slots' values; all slots must be covered. */
  ranks(slots: ArrayLike<number>): Ranks {
    const numbers = new Float64Array(slots.length);
    if (this.#by.property === "sentAt") {
      const { received } = this.#index;
      for (let i = 0; i < numbers.length; i++) {
        const sent = this.#values[slots[i]];
        numbers[i] = Number.isNaN(sent) ? received[slots[i]] : sent;
      }
      return rankNumbers(numbers);
    }
    if (!this.#rankOf) {
      this.#rankOf = new Float64Array(this.#texts.length);
      for (let r = 0; r < this.#sorted.length; r++) this.#rankOf[this.#sorted[r]] = r;
    }
    for (let i = 0; i < numbers.length; i++) numbers[i] = this.#rankOf[this.#values[slots[i]]];
    return { ranks: numbers, max: Math.max(0, this.#texts.length - 1) };
  }

  /** All emails in this order; equal ones by date, oldest first. */
  ordered(isAscending: boolean): Uint32Array {
    const byDate = this.#index.order.slots;
    const known = this.#ordered.get(isAscending);
    if (known?.byDate === byDate) return known.order;
    const ranks = this.ranks(byDate);
    const order = orderOf(isAscending ? ranks : reversed(ranks)).map((i) => byDate[i]);
    this.#ordered.set(isAscending, { byDate, order });
    return order;
  }
}

const kept = new WeakMap<EmailIndex, Map<string, KeptValues>>();

const keyOf = (by: SummaryComparator) => `${by.property} ${by.collation ?? ""}`;

/** Calls the function with the values of a comparator, once all emails have theirs. */
async function withValues<T>(
  view: MailView,
  by: SummaryComparator,
  fn: (values: KeptValues) => T,
): Promise<T> {
  const { index } = view;
  let own = kept.get(index);
  if (!own) kept.set(index, own = new Map());
  const key = keyOf(by);
  const values = own.get(key) ?? new KeptValues(index, by);
  own.delete(key);
  own.set(key, values);
  if (own.size > keptComparators) own.delete(own.keys().next().value!);
  while (!values.isWhole) await values.read(view);
  return fn(values);
}

/** Whether the values of at most a few emails have to be read. */
const isNear = ({ index }: MailView, by: SummaryComparator) =>
  kept.get(index)?.get(keyOf(by))?.isNear === true;

/** All emails in the order of a comparator; undefined if more than a few would have to be read for it. */
export async function orderAtHand(
  view: MailView,
  by: SummaryComparator,
): Promise<Uint32Array | undefined> {
  if (!isNear(view, by)) return undefined;
  return await withValues(view, by, (v) => v.ordered(by.isAscending));
}

/** Numbers that sort like the slots' values, ascending. */
export async function summaryRanks(
  view: MailView,
  by: SummaryComparator,
  slots: readonly number[],
): Promise<Ranks> {
  const { index } = view;
  if (isNear(view, by) || slots.length * worthAll >= index.live) {
    return await withValues(view, by, (v) => v.ranks(slots));
  }
  const byId = slots.toSorted((a, b) => index.emailId[a] - index.emailId[b]);
  const read = await readValues(view, by, byId.map((slot) => index.emailId[slot]));
  const values = new Map(byId.map((slot, i) => [slot, read[i]]));
  if (by.property !== "sentAt") {
    return await rankTexts(slots.map((slot) => values.get(slot) as string ?? ""));
  }
  return rankNumbers(Float64Array.from(slots, (slot) => {
    const sent = values.get(slot) as number ?? NaN;
    return Number.isNaN(sent) ? index.received[slot] : sent;
  }));
}
