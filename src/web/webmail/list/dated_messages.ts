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
  #cursors: Cursor[];

  /** @param behind starts behind this place */
  constructor(
    account: Account,
    mailboxIds: Iterable<MailboxId>,
    order: "newest" | "oldest",
    behind?: DatePlace,
  ) {
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

  /** The next message; undefined at the end. */
  next(): Listed | undefined {
    let best: Cursor | undefined;
    for (const c of this.#cursors) {
      const row = this.#peek(c);
      if (row === undefined) continue;
      if (best === undefined || this.#before(row, best.rows[best.at])) best = c;
    }
    return best === undefined ? undefined : best.rows[best.at++];
  }

  #before(a: DatePlace, b: DatePlace): boolean {
    const n = comparePlaces(a, b);
    return this.#order === "newest" ? n > 0 : n < 0;
  }

  #peek(cursor: Cursor): Listed | undefined {
    if (cursor.at < cursor.rows.length) return cursor.rows[cursor.at];
    if (cursor.ended) return undefined;
    cursor.rows = listByDate(
      this.#account.db,
      cursor.mailboxId,
      this.#order,
      cursor.behind,
      cursor.window,
    );
    cursor.at = 0;
    cursor.ended = cursor.rows.length < cursor.window;
    cursor.window = Math.min(maxWindow, cursor.window * 2);
    cursor.behind = cursor.rows.at(-1) ?? cursor.behind;
    return cursor.rows[0];
  }
}
