/**
 * A page of the messages of several mailboxes, newest first. Messages before the page are skipped using the
 * index only, one window of each mailbox at a time.
 *
 * @module
 */
import { giveWay } from "../../platform/turns.ts";
import type { Account } from "../../store/account/account.ts";
import type { MailboxId } from "../../store/ids.ts";
import { datesByDate, listedAt, type Place } from "../../store/messages/dates.ts";

/** Rows read from a mailbox at a time. */
const rowsAtATime = 2000;

export interface DatedBox {
  account: Account;
  mailboxId: MailboxId;
}

/** A message of a page. */
export interface Dated extends DatedBox, Place {
  uid: number;
}

/** Dates of a mailbox, newest first. */
class Cursor {
  readonly box: DatedBox;
  readonly #window: number;
  #rows: Place[] = [];
  #at = 0;

  constructor(box: DatedBox, window: number) {
    this.box = box;
    this.#window = window;
    this.#read(undefined);
  }

  #read(behind: Place | undefined): void {
    this.#rows = datesByDate(this.box.account.db, this.box.mailboxId, behind, this.#window);
    this.#at = 0;
  }

  get head(): Place | undefined {
    return this.#rows[this.#at];
  }

  /** Advances by one. True if rows had to be read. */
  step(): boolean {
    const last = this.#rows[this.#at++];
    if (this.#at < this.#rows.length || this.#rows.length < this.#window) return false;
    this.#read(last);
    return true;
  }
}

/** The messages from the `start`th on, `limit` at most. */
export async function pageByDate(
  boxes: readonly DatedBox[],
  start: number,
  limit: number,
  window = rowsAtATime,
): Promise<Dated[]> {
  if (boxes.length === 1) {
    const [box] = boxes;
    return listedAt(box.account.db, box.mailboxId, start, limit).map((p) => ({ ...box, ...p }));
  }
  const cursors = boxes.map((b) => new Cursor(b, window));
  const page: Dated[] = [];
  for (let n = 0; n < start + limit; n++) {
    const newest = newestOf(cursors);
    if (newest === undefined) break;
    const { account, mailboxId } = newest.box;
    if (n >= start) {
      const m = account.message(newest.head!.id);
      // One that was removed while others were served.
      if (m !== undefined) page.push({ account, mailboxId, ...newest.head!, uid: m.uid });
    }
    if (newest.step()) await giveWay();
  }
  return page;
}

function newestOf(cursors: readonly Cursor[]): Cursor | undefined {
  let [newest, head]: [Cursor | undefined, Place | undefined] = [undefined, undefined];
  for (const c of cursors) {
    const h = c.head;
    if (h === undefined) continue;
    if (
      head === undefined || h.received > head.received ||
      h.received === head.received && h.id > head.id
    ) [newest, head] = [c, h];
  }
  return newest;
}
