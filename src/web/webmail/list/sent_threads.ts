/**
 * The threads that a page has from its view: which messages it got in which thread, and which threads it has in part.
 *
 * @module
 */
import type { Thread, ThreadPart } from "../../../../webmail/api/mod.ts";
import { giveWay } from "../../../platform/turns.ts";
import type { Account } from "../../../store/account/account.ts";
import { threadPlaces } from "../../../store/messages/listing.ts";
import { maxThread, type ThreadChoice, threadItems } from "./items.ts";
import { partItems, threadInPart } from "./thread_parts.ts";

/**
 * Items that a view may send beyond {@link partItems} of each thread: a thread is sent whole if it fits into this and what
 * shorter ones left over. So a few long threads are sent whole, and a hundred of them in 300 KB.
 */
const spareItems = 20;

/** Threads for the page, and of those that are sent in part what their lines say. */
export interface Sent {
  threads: Thread[];
  parts: ThreadPart[];
}

export const nothingSent = (): Sent => ({ threads: [], parts: [] });

export class SentThreads {
  readonly #account: Account;
  readonly #choice: ThreadChoice;
  readonly #threads = new Set<number>();
  /** Under which thread each message was sent: a message that arrives can make two threads one. */
  readonly #sentIn = new Map<number, number>();
  /** Threads that the page has in part. */
  readonly #inPart = new Set<number>();
  /** Threads that are sent whole, however long they are. */
  readonly #whole = new Set<number>();
  /** Items that shorter threads have left for a longer one. */
  #room = spareItems;

  constructor(account: Account, choice: ThreadChoice) {
    this.#account = account;
    this.#choice = choice;
  }

  /** The page has this thread, or gets it some other way. */
  note(threadId: number): void {
    this.#threads.add(threadId);
  }

  /** Those that the page has or had. */
  get threads(): ReadonlySet<number> {
    return this.#threads;
  }

  /** From now on the thread is sent whole. */
  wantWhole(threadId: number): void {
    this.#whole.add(threadId);
  }

  /** Sends the next thread of the list; undefined if it was sent, or there is nothing. `found` is its message that was found. */
  async next(threadId: number, found: number, into: Sent): Promise<Thread | undefined> {
    if (this.#threads.has(threadId)) return undefined;
    this.#threads.add(threadId);
    this.#room += partItems;
    const thread = await this.#send(threadId, this.#room, into, [], found);
    this.#room -= thread.length;
    return thread.length === 0 ? undefined : thread;
  }

  /**
   * Sends a thread in which something is new, if the query finds any of it. What the page has whole stays so. Adds to
   * `moved` the messages that were sent as another thread's.
   */
  async again(threadId: number, into: Sent, moved: number[]): Promise<void> {
    const room = this.#inPart.has(threadId)
      ? partItems
      : this.#threads.has(threadId)
      ? Infinity
      : spareItems;
    this.#threads.add(threadId);
    const one = nothingSent();
    const thread = await this.#send(threadId, room, one, moved);
    if (!thread.some((m) => m.matches)) return;
    into.threads.push(...one.threads);
    into.parts.push(...one.parts);
  }

  /** Threads that the page has a part of, whole; from now on they are sent whole. */
  async whole(threadIds: readonly number[]): Promise<Thread[]> {
    const into = nothingSent();
    for (const threadId of threadIds) {
      if (!this.#threads.has(threadId)) continue;
      this.#whole.add(threadId);
      await this.#send(threadId, Infinity, into, []);
      await giveWay();
    }
    return into.threads;
  }

  /** The thread of a message, if the page has a part of it. */
  partOf(id: number): number | undefined {
    const threadId = this.#inPart.size === 0 ? undefined : this.#sentIn.get(id);
    return threadId !== undefined && this.#inPart.has(threadId) ? threadId : undefined;
  }

  /** Threads anew of which the page still has a part. */
  async parts(threadIds: Iterable<number>): Promise<Sent> {
    const into = nothingSent();
    for (const threadId of threadIds) {
      if (!this.#inPart.has(threadId)) continue;
      await this.#send(threadId, partItems, into, []);
      await giveWay();
    }
    return into;
  }

  /** Messages that were removed: those that were shown only for their thread, and go with it. */
  async removed(ids: readonly number[]): Promise<number[]> {
    const threads = new Set<number>();
    for (const id of ids) {
      const threadId = this.#sentIn.get(id);
      if (threadId !== undefined) threads.add(threadId);
    }
    const gone: number[] = [];
    for (const threadId of threads) {
      const places = threadPlaces(this.#account.db, threadId, maxThread);
      if ((await this.#choice.matching(places)).size === 0) {
        for (const { id } of places) if (this.#sentIn.has(id)) gone.push(id);
        this.#inPart.delete(threadId);
      }
      await giveWay();
    }
    for (const id of [...ids, ...gone]) this.#sentIn.delete(id);
    return gone;
  }

  /** True if the thread, or one that has become part of it, was sent. */
  isShown(threadId: number): boolean {
    if (this.#threads.has(threadId)) return true;
    return threadPlaces(this.#account.db, threadId, maxThread)
      .some(({ id }) => this.#sentIn.has(id));
  }

  /** Sends the thread as it is now, in part if it has more than `room` items; nothing of one that is gone. */
  async #send(
    threadId: number,
    room: number,
    into: Sent,
    moved: number[],
    found?: number,
  ): Promise<Thread> {
    const long = this.#whole.has(threadId)
      ? undefined
      : await threadInPart(this.#account, threadId, this.#choice, room, found);
    const thread = long?.items ?? await threadItems(this.#account, threadId, this.#choice);
    this.#noteMessages(threadId, long?.ids ?? thread.map((m) => m.id), moved);
    if (long === undefined) this.#inPart.delete(threadId);
    else this.#inPart.add(threadId);
    if (thread.length === 0) return thread;
    into.threads.push(thread);
    if (long !== undefined) into.parts.push(long.part);
    return thread;
  }

  /** Notes in which thread messages were sent. What else was sent of a thread that this one has taken in goes along. */
  #noteMessages(threadId: number, ids: readonly number[], moved: number[]): void {
    const joined = new Set<number>();
    for (const id of ids) {
      const before = this.#sentIn.get(id);
      if (before !== undefined && before !== threadId) joined.add(before);
    }
    if (joined.size > 0) {
      for (const [id, before] of this.#sentIn) {
        if (!joined.has(before)) continue;
        moved.push(id);
        this.#sentIn.set(id, threadId);
      }
      for (const before of joined) this.#inPart.delete(before);
    }
    for (const id of ids) this.#sentIn.set(id, threadId);
  }
}
