/**
 * One view of the message list: finds its messages (or threads) in order, as many as the page asks for,
 * and decides which changes of the account concern it.
 *
 * What it keeps is bounded: a window of messages, and the ids of threads that were sent.
 *
 * @module
 */
import type { MailboxId } from "../../../store/ids.ts";
import type { Query, Thread, ThreadPart, View } from "../../../../webmail/api/mod.ts";
import type { Account } from "../../../store/account/account.ts";
import {
  comparePlaces,
  type DatePlace,
  listByUid,
  type Listed,
  listedMessage,
} from "../../../store/messages/listing.ts";
import { searchMailbox } from "../../../store/account/search.ts";
import { needs, type SearchNode } from "../../../store/search/types.ts";
import type { Mailbox } from "../../../store/types.ts";
import { giveWay } from "../../../platform/turns.ts";
import { DatedMessages } from "./dated_messages.ts";
import { messageItem } from "./items.ts";
import { allMayRead, filterTree, isHidden, type MayRead, queryMailboxes } from "./query.ts";
import { nothingSent, type Sent, SentThreads } from "./sent_threads.ts";

/** Threads of one event. */
const threadsPerEvent = 50;
/**
 * Messages that are looked at before the filter runs on them together: few at first, so that something
 * shows soon, then more, as each time the index is asked anew.
 */
const windowSizes = { all: [64, 64], columns: [1000, 10_000], files: [200, 5000] } as const;
/** A filter that finds less than one of so many messages is run over all of them at once. */
const rare = 50;
/** Messages that are kept of that, and places of messages that are read at a time. */
const maxFound = 5000;
const placesAtOnce = 500;
/** Milliseconds of work between two turns of the event loop. */
const sliceTime = 10;
/** Most threads for `until`. */
const maxUntil = 5000;

/** A step of loading: threads to show, or none but the chance to do something else. */
export interface ViewStep {
  threads: Thread[];
  parts: ThreadPart[];
  done: boolean;
  end: boolean;
  total: number | null;
  /** Messages looked at, of so many in the mailboxes. */
  looked: number;
  of: number;
}

/** The part that the list requests. */
export interface Wanted {
  count: number;
  until?: number;
  open?: number;
}

export class ListView {
  readonly viewId: number;
  readonly query: Query;
  readonly #account: Account;
  readonly #rejects: readonly string[];
  readonly #mayRead: MayRead;
  readonly #tree: SearchNode | undefined;
  #window: number;
  readonly #maxWindow: number;
  #mailboxes = new Map<MailboxId, Mailbox>();
  #hidden = new Set<number>();
  #source: DatedMessages;
  /** Found, not sent yet. */
  #pending: Listed[] = [];
  readonly #sent: SentThreads;
  /** The last message that was sent: messages that sort after it are sent on request. */
  #horizon: DatePlace | undefined;
  #ended = false;
  /** The page was told that there are no more: from then on every new message is reported to it. */
  #endSent = false;
  /** The place of the last message that the filter was applied to. */
  #lookedAt: DatePlace | undefined;
  /** The filter finds more than are kept: it goes on by windows. */
  #tooMany = false;
  #looked = 0;
  #of = 0;
  #found = 0;
  #anchored = false;
  /** Messages that arrived since a moment within the last second. */
  #burst = { since: -Infinity, messages: 0 };

  /** @throws ViewError if the mailbox is gone. */
  constructor(
    account: Account,
    view: View,
    rejects: readonly string[],
    mayRead: MayRead = allMayRead,
  ) {
    this.viewId = view.viewId;
    this.query = view.query;
    this.#account = account;
    this.#rejects = rejects;
    this.#mayRead = mayRead;
    this.#tree = filterTree(view.query.filter);
    [this.#window, this.#maxWindow] = this.#tree === undefined
      ? windowSizes.all
      : needs(this.#tree).file
      ? windowSizes.files
      : windowSizes.columns;
    if (!this.#chooseMailboxes()) throw new ViewError("this mailbox is gone");
    this.#sent = new SentThreads(account, {
      matching: (messages) => this.#matching(messages),
      isHidden: (id) => this.#hidden.has(id),
      mayRead,
    });
    for (const m of this.#mailboxes.values()) this.#of += m.total;
    if (view.page.anchor !== null) {
      const anchor = listedMessage(account.db, view.page.anchor);
      if (anchor === undefined || !mayRead(anchor.mailboxId)) {
        throw new ViewError("the message to go on from is gone");
      }
      this.#horizon = { received: anchor.received, id: anchor.id };
      this.#sent.note(anchor.threadId);
      this.#anchored = true;
    }
    this.#source = this.#open();
  }

  /** Counts arrivals, and returns their number within about a second. */
  addedLately(messages: number, now = performance.now()): number {
    if (now - this.#burst.since > 1000) this.#burst = { since: now, messages: 0 };
    return this.#burst.messages += messages;
  }

  #chooseMailboxes(): boolean {
    const chosen = queryMailboxes(this.#account, this.query, this.#rejects, this.#mayRead);
    if (chosen === undefined) return false;
    this.#mailboxes = new Map(chosen.map((m) => [m.id, m]));
    this.#hidden = new Set(
      this.#account.mailboxes().filter((m) => isHidden(m, this.#rejects)).map((m) => m.id),
    );
    return true;
  }

  #open(): DatedMessages {
    return new DatedMessages(
      this.#account,
      this.#mailboxes.keys(),
      this.query.order,
      this.#horizon,
      // What a filter finds is also counted.
      this.#threaded && this.#tree === undefined ? this.#sent.threads : undefined,
    );
  }

  get #threaded(): boolean {
    return this.query.threading !== "off";
  }

  /**
   * Loads more: each step is a little work. `stopped` is asked during long searches; after it said yes
   * the view must not be used any more.
   */
  async *load(wanted: Wanted, stopped: () => boolean): AsyncGenerator<ViewStep> {
    let sent = 0;
    let waitFor = wanted.until;
    for (const id of [wanted.until, wanted.open]) {
      const m = id === undefined ? undefined : listedMessage(this.#account.db, id);
      if (m !== undefined) this.#sent.wantWhole(m.threadId);
    }
    let chunk = nothingSent();
    let turn = performance.now();
    const step = (done: boolean): ViewStep => {
      const { threads, parts } = chunk;
      chunk = nothingSent();
      turn = performance.now();
      this.#endSent = this.#ended && this.#pending.length === 0;
      return {
        threads,
        parts,
        done,
        end: this.#endSent,
        total: this.#total(),
        looked: this.#looked,
        of: this.#of,
      };
    };
    while (sent < wanted.count || (waitFor !== undefined && sent < maxUntil)) {
      if (this.#pending.length === 0 && !this.#ended) {
        await this.#refill(stopped);
        if (stopped()) return;
      }
      const next = this.#pending.shift();
      if (next === undefined) {
        if (this.#ended) break;
      } else {
        this.#found++;
        this.#horizon = { received: next.received, id: next.id };
        const thread = await this.#show(next, chunk);
        if (thread !== undefined) {
          sent++;
          if (thread.some((m) => m.id === waitFor)) waitFor = undefined;
        }
      }
      if (chunk.threads.length >= threadsPerEvent || performance.now() - turn > sliceTime) {
        yield step(false);
      }
    }
    // Only looking for one more shows whether these were the last.
    if (this.#pending.length === 0 && !this.#ended) await this.#refill(stopped);
    if (!stopped()) yield step(true);
  }

  #total(): number | null {
    if (this.#tree === undefined) return this.#of;
    return this.#ended && this.#pending.length === 0 && !this.#anchored ? this.#found : null;
  }

  /** Searches the next window. */
  async #refill(stopped: () => boolean): Promise<void> {
    const window: Listed[] = [];
    while (window.length < this.#window) {
      while (!this.#source.prepare()) {
        await giveWay();
        if (stopped()) return;
      }
      const m = this.#source.next();
      if (m === undefined) {
        this.#ended = true;
        break;
      }
      window.push(m);
    }
    this.#looked += window.length;
    this.#window = Math.min(this.#maxWindow, this.#window * 2);
    this.#lookedAt = window.at(-1) ?? this.#lookedAt;
    const matching = await this.#matching(window, stopped);
    for (const m of window) if (matching.has(m.id)) this.#pending.push(m);
    // What is rare is not looked for window by window: all mailboxes are searched at once.
    if (this.#tree === undefined || this.#ended || this.#tooMany || stopped()) return;
    if (this.#pending.length * rare < window.length) await this.#searchAll(this.#tree, stopped);
  }

  /** Finds all that comes after what was looked at, if that isn't too much to keep. */
  async #searchAll(tree: SearchNode, stopped: () => boolean): Promise<void> {
    const source = this.#source;
    const found: Listed[] = [];
    for (const mailboxId of this.#mailboxes.keys()) {
      const { uids } = await searchMailbox(this.#account, mailboxId, tree, { stopped });
      this.#tooMany = found.length + uids.length > maxFound;
      if (stopped() || this.#tooMany) return;
      for (let at = 0; at < uids.length; at += placesAtOnce) {
        found.push(...listByUid(this.#account.db, mailboxId, uids.slice(at, at + placesAtOnce)));
        await giveWay();
      }
    }
    // The list was restarted meanwhile.
    if (this.#source !== source || stopped()) return;
    const newest = this.query.order === "newest";
    const last = this.#lookedAt;
    const rest = found.filter((listed) => {
      const n = last === undefined ? 1 : comparePlaces(listed, last);
      return last === undefined || (newest ? n < 0 : n > 0);
    }).sort((a, b) => newest ? comparePlaces(b, a) : comparePlaces(a, b));
    this.#pending.push(...rest);
    this.#looked = this.#of;
    this.#ended = true;
  }

  /** Those of the messages that the query finds. */
  async #matching(
    messages: readonly Pick<Listed, "id" | "mailboxId" | "uid">[],
    stopped: () => boolean = () => false,
  ): Promise<Set<number>> {
    const found = new Set<number>();
    const byMailbox = Map.groupBy(messages, (m) => m.mailboxId);
    for (const [mailboxId, list] of byMailbox) {
      if (!this.#mailboxes.has(mailboxId)) continue;
      if (this.#tree === undefined) {
        for (const m of list) found.add(m.id);
        continue;
      }
      const uids = Uint32Array.from(list, (m) => m.uid).sort();
      const r = await searchMailbox(this.#account, mailboxId, this.#tree, { uids, stopped });
      const set = new Set(r.uids);
      for (const m of list) if (set.has(m.uid)) found.add(m.id);
    }
    return found;
  }

  /** Sends the message or its thread as it is shown; undefined if that was done, or there is nothing. */
  async #show(listed: Listed, into: Sent): Promise<Thread | undefined> {
    if (this.#threaded) return await this.#sent.next(listed.threadId, listed.id, into);
    const item = messageItem(this.#account, listed.id);
    if (item === undefined) return undefined;
    into.threads.push([item]);
    return [item];
  }

  /** Threads of which the page has a part, whole; see {@link SentThreads.whole}. */
  whole(threadIds: readonly number[]): Promise<Thread[]> {
    return this.#sent.whole(threadIds);
  }

  /** The thread of a message, if the page has a part of it. */
  partOf(id: number): number | undefined {
    return this.#sent.partOf(id);
  }

  /** Threads anew of which the page still has a part. */
  parts(threadIds: Iterable<number>): Promise<Sent> {
    return this.#sent.parts(threadIds);
  }

  /**
   * Messages that came into mailboxes: the threads that the list shows for them, and messages that it
   * shows in other threads and has to take from there first.
   */
  async added(
    messages: readonly { messageId: number }[],
  ): Promise<Sent & { moved: number[] }> {
    const candidates: Listed[] = [];
    for (const { messageId } of messages) {
      const m = listedMessage(this.#account.db, messageId);
      if (m !== undefined) candidates.push(m);
    }
    const matching = await this.#matching(candidates);
    const sent = nothingSent();
    const moved: number[] = [];
    const done = new Set<number>();
    for (const m of candidates) {
      const known = this.#threaded && this.#sent.isShown(m.threadId);
      if (matching.has(m.id) && !known && this.#isBehind(m)) {
        // It may be among the messages that were read ahead.
        this.#readAgain();
        continue;
      }
      if (!matching.has(m.id) && !known) continue;
      if (!this.#threaded) {
        const item = messageItem(this.#account, m.id);
        if (item !== undefined) sent.threads.push([item]);
      } else if (!done.has(m.threadId)) {
        done.add(m.threadId);
        await this.#sent.again(m.threadId, sent, moved);
      }
    }
    return { ...sent, moved };
  }

  /** Messages that were removed: those that were shown only for their thread, and go with it. */
  removed(ids: readonly number[]): Promise<number[]> {
    return this.#sent.removed(ids);
  }

  #isBehind(place: DatePlace): boolean {
    if (this.#endSent) return false;
    if (this.#horizon === undefined) return true;
    const n = comparePlaces(place, this.#horizon);
    return this.query.order === "newest" ? n < 0 : n > 0;
  }

  #readAgain(): void {
    this.#pending = [];
    this.#ended = false;
    this.#lookedAt = this.#horizon;
    this.#source = this.#open();
  }

  /**
   * Mailboxes were added, renamed or removed. "gone": the view's own mailbox is. "stale": messages came
   * into the view or left it with a renamed mailbox; those of others are told one by one.
   */
  mailboxesChanged(renamed: boolean): "same" | "gone" | "stale" {
    const before = this.#mailboxes;
    if (!this.#chooseMailboxes()) return "gone";
    const now = this.#mailboxes;
    const full = (id: MailboxId) => (this.#account.mailbox(id)?.total ?? 0) > 0;
    const gained = [...now.keys()].filter((id) => !before.has(id));
    const lost = [...before.keys()].filter((id) => !now.has(id));
    if (renamed && [...gained, ...lost].some(full)) return "stale";
    if (gained.length > 0 && !this.#endSent) this.#readAgain();
    return "same";
  }
}

/** A view that can't be shown; the message is for the user. */
export class ViewError extends Error {
  override name = "ViewError";
}
