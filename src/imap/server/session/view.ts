/**
 * What a client knows of the mailbox it has selected: the uids, in the order of their sequence numbers.
 *
 * The view changes only together with the client's: an expunge that can't be announced yet stays in
 * `expunged` and keeps its number.
 *
 * @module
 */
import type { MailboxId } from "../../../store/ids.ts";
import { spellings } from "../../../store/mailboxes/keywords.ts";
import type { Account } from "../../../store/account/account.ts";
import type { Context } from "./search_context.ts";
import type { Place, Source } from "../names/names.ts";
import { lowerBound, normalRanges, type NumSet } from "../../parse/numset.ts";

export class View {
  /** The mailbox's account, and the source of its changes. */
  readonly source: Source;
  readonly mailboxId: MailboxId;
  readonly uidValidity: number;
  /** As the client calls it. */
  readonly name: string;
  /** What the client may do (RFC 4314); of a mailbox of others, when the command began. */
  rights: string;
  readOnly: boolean;
  #uids: Uint32Array;
  #count: number;
  /** Uids that are gone and not yet announced. */
  expunged: number[] = [];
  /** Held back by NOTIFY for now: messages that aren't in the view yet, and changed flags. */
  held: { arrived: number[]; flags: Set<number> } = { arrived: [], flags: new Set() };
  /** Results that are kept up to date (RFC 5267). */
  contexts: Context[] = [];
  /** Uids whose flags this session has changed since results were last updated. */
  touched: number[] = [];
  /** "$" (RFC 5182), ascending uids. */
  saved: number[] = [];
  /** Uids of messages that no session was told of before this one (RFC 3501 §2.3.2), as ascending ranges. */
  readonly recent: [number, number][] = [];
  /** How many of them were last reported to the client. */
  toldRecent = 0;
  /** Spelling of the keywords announced to the client, by stored keyword. */
  keywords: Map<string, string>;

  constructor(
    source: Source,
    { mailbox, name, rights }: Place,
    uids: Uint32Array,
    readOnly: boolean,
  ) {
    this.source = source;
    this.mailboxId = mailbox.id;
    this.uidValidity = mailbox.uidValidity;
    this.name = name;
    this.rights = rights;
    this.#uids = uids;
    this.#count = uids.length;
    this.keywords = spellings(mailbox.keywords);
    this.readOnly = readOnly;
  }

  /** Where the mailbox is. */
  get account(): Account {
    return this.source.account;
  }

  /** Whether the mailbox is this one. */
  shows(account: Account, mailboxId: MailboxId): boolean {
    return this.source.account === account && this.mailboxId === mailboxId;
  }

  /** Messages as the client counts them. */
  get count(): number {
    return this.#count;
  }

  /** Ascending; valid until the view changes. */
  get uids(): Uint32Array {
    return this.#uids.subarray(0, this.#count);
  }

  /**
   * Claims as recent the messages up to a uid that no session has been told of; a read-only session leaves them to the
   * next one (RFC 3501 §6.3.2).
   */
  claimRecent(upTo: number): void {
    const marks = this.account.recent;
    const last = this.recent.at(-1);
    const from = Math.max(marks.from(this.mailboxId), last ? last[1] + 1 : 1);
    if (upTo < from) return;
    if (last && last[1] + 1 === from) last[1] = upTo;
    else this.recent.push([from, upTo]);
    if (!this.readOnly) marks.told(this.mailboxId, upTo + 1);
  }

  isRecent(uid: number): boolean {
    let [from, to] = [0, this.recent.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      if (this.recent[middle][1] < uid) from = middle + 1;
      else to = middle;
    }
    return from < this.recent.length && this.recent[from][0] <= uid;
  }

  /** Messages in the view that are recent. */
  get recentCount(): number {
    let n = 0;
    for (const [from, to] of this.recent) {
      n += lowerBound(this.#uids, to + 1, this.#count) - lowerBound(this.#uids, from, this.#count);
    }
    return n;
  }

  get highestUid(): number {
    return this.#count > 0 ? this.#uids[this.#count - 1] : 0;
  }

  /** Sequence number of a uid, 0 if it isn't in the view. */
  seqOf(uid: number): number {
    const i = lowerBound(this.#uids, uid, this.#count);
    return i < this.#count && this.#uids[i] === uid ? i + 1 : 0;
  }

  /** Adds a message at the end. False if it is there already. */
  add(uid: number): boolean {
    if (uid <= this.highestUid) return false;
    if (this.#count === this.#uids.length) {
      const bigger = new Uint32Array(Math.max(64, this.#count * 2));
      bigger.set(this.uids);
      this.#uids = bigger;
    }
    this.#uids[this.#count++] = uid;
    return true;
  }

  /**
   * Removes messages; returns the number each had when it was removed, in the order in
   * which to announce them: lowest first, each lowering those after it.
   */
  remove(uids: readonly number[]): { seqs: number[]; uids: number[] } {
    const sorted = [...uids].sort((a, b) => a - b);
    const seqs: number[] = [];
    const gone: number[] = [];
    let to = 0;
    let next = 0;
    for (let i = 0; i < this.#count; i++) {
      const uid = this.#uids[i];
      while (next < sorted.length && sorted[next] < uid) next++;
      if (next < sorted.length && sorted[next] === uid) {
        seqs.push(to + 1);
        gone.push(uid);
      } else {
        this.#uids[to++] = uid;
      }
    }
    this.#count = to;
    // RFC 5182 §2.1: expunged messages leave the saved result too.
    if (this.saved.length > 0 && gone.length > 0) {
      const set = new Set(gone);
      this.saved = this.saved.filter((u) => !set.has(u));
    }
    return { seqs, uids: gone };
  }

  /**
   * Uids in the view that a set names, ascending. Undefined for sequence numbers beyond the end: the
   * command is BAD (RFC 9051 §9 seq-number), or with `lenient` they name nothing.
   */
  resolve(set: NumSet, uid: boolean, lenient = false): Uint32Array | undefined {
    if (set.saved) return Uint32Array.from(this.saved.filter((u) => this.seqOf(u) > 0));
    const list = this.uids;
    const parts: Uint32Array[] = [];
    let total = 0;
    if (!uid && this.#count === 0) {
      return lenient || set.ranges.every(([a, b]) => a === 0 || b === 0)
        ? new Uint32Array(0)
        : undefined;
    }
    for (const [from, to] of normalRanges(set, uid ? this.highestUid : this.#count)) {
      if (!uid && to > this.#count && !lenient) return undefined;
      const a = uid ? lowerBound(list, from) : from - 1;
      const b = uid ? lowerBound(list, to + 1) : Math.min(to, this.#count);
      if (b > a) {
        parts.push(list.subarray(a, b));
        total += b - a;
      }
    }
    const out = new Uint32Array(total);
    let n = 0;
    for (const p of parts) {
      out.set(p, n);
      n += p.length;
    }
    return out;
  }

  /** As {@link resolve}, as ranges of uids; sequence numbers beyond the end name nothing. */
  uidRanges(set: NumSet, uid: boolean): [number, number][] {
    if (uid && !set.saved) return normalRanges(set, this.highestUid);
    const out: [number, number][] = [];
    for (const u of this.resolve(set, uid, true)!) {
      const last = out[out.length - 1];
      if (last && last[1] + 1 === u) last[1] = u;
      else out.push([u, u]);
    }
    return out;
  }
}
