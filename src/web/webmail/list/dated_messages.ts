/**
 * The messages of several mailboxes as one list by date: each mailbox is read in windows through its
 * index, and the windows are merged, so that the first lines of a list cost the same in a mailbox of
 * ten and of a million messages.
 *
 * @module
 */
import type { MailboxId } from "../../../store/ids.ts";
import type { Account } from "../../../store/account/account.ts";
import {
  comparePlaces,
  type DatePlace,
  listByDate,
  type Listed,
  listOthersByDate,
} from "../../../store/messages/listing.ts";

/** Rows of the first window of a mailbox; a small one, as most mailboxes have nothing so new. */
const firstWindow = 32;
/** The most rows that a window grows to. */
const maxWindow = 512;

interface Cursor {
  mailboxId: MailboxId;
  rows: Listed[];
  /** Index of the next one. */
  at: number;
  window: number;
  behind: DatePlace | undefined;
  ended: boolean;
}

export class DatedMessages {
  readonly #account: Account;
  readonly #order: "newest" | "oldest";
  readonly #without: ReadonlySet<number>;
  #cursors: Cursor[];

  /**
   * @param behind starts behind this place
   * @param without threads whose messages needn't be returned; what is added later counts from then on
   */
  constructor(
    account: Account,
    mailboxIds: Iterable<MailboxId>,
    order: "newest" | "oldest",
    behind?: DatePlace,
    without: ReadonlySet<number> = new Set(),
  ) {
    this.#without = without;
    this.#account = account;
    this.#order = order;
    this.#cursors = [...mailboxIds].map((mailboxId) => ({
      mailboxId,
      rows: [],
      at: 0,
      window: firstWindow,
      behind,
      ended: false,
    }));
  }

  /** Reads what {@link next} needs, a few milliseconds of it; false if that isn't all. */
  prepare(): boolean {
    for (const c of this.#cursors) {
      if (c.at < c.rows.length || c.ended) continue;
      this.#read(c);
      if (c.rows.length === 0 && !c.ended) return false;
    }
    return true;
  }

  /** The next message; undefined at the end. What it needs has been prepared. */
  next(): Listed | undefined {
    let best: Cursor | undefined;
    for (const c of this.#cursors) {
      const row = c.rows[c.at];
      if (row === undefined) continue;
      if (best === undefined || this.#before(row, best.rows[best.at])) best = c;
    }
    return best === undefined ? undefined : best.rows[best.at++];
  }

  #before(a: DatePlace, b: DatePlace): boolean {
    const n = comparePlaces(a, b);
    return this.#order === "newest" ? n > 0 : n < 0;
  }

  #read(cursor: Cursor): void {
    const { mailboxId, behind, window } = cursor;
    const { db } = this.#account;
    cursor.at = 0;
    cursor.window = Math.min(maxWindow, window * 2);
    if (this.#without.size > 0 && behind !== undefined) {
      const found = listOthersByDate(db, mailboxId, this.#order, behind, this.#without, window);
      cursor.rows = found.rows;
      cursor.ended = found.behind === undefined;
      cursor.behind = found.behind;
      return;
    }
    cursor.rows = listByDate(db, mailboxId, this.#order, behind, window);
    cursor.ended = cursor.rows.length < window;
    cursor.behind = cursor.rows.at(-1) ?? behind;
  }
}
