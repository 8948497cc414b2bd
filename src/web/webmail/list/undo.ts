/** Moves that can be undone, kept in memory for some minutes. @module */
import type { MailboxId } from "../../../store/ids.ts";
import type { Account } from "../../../store/account/account.ts";
import { placesOf } from "../../../store/messages/listing.ts";
import { Flag } from "../../../store/types.ts";
import { HttpError } from "../../http/mod.ts";
import type { Noted } from "./noted.ts";

/** A message that was moved, as it was before. */
export interface Moved {
  id: number;
  mailboxId: MailboxId;
  flags: number;
}

interface Entry {
  /** Name of the account whose user did it, and of the one whose messages they are. */
  user: string;
  account: string;
  /** Where the messages were moved to. */
  mailboxId: MailboxId;
  messages: Moved[];
  until: number;
}

/** Milliseconds during which a move can be undone. */
const lifetime = 10 * 60_000;
/** Moves of an account, and messages of all of them, that are remembered. */
const maxEntries = 20;
const maxMessages = 500_000;

const junk = Flag.Junk | Flag.NotJunk;

export class UndoLog {
  readonly #entries = new Map<string, Entry>();

  /**
   * Remembers a move; returns the name under which it can be undone, null if it is too large.
   * @param user who may undo it, if that is another's than the account
   */
  add(
    account: string,
    mailboxId: MailboxId,
    messages: Moved[],
    user: string = account,
  ): string | null {
    const now = Date.now();
    let total = messages.length;
    for (const [id, e] of this.#entries) {
      if (e.until < now) this.#entries.delete(id);
      else total += e.messages.length;
    }
    const own = [...this.#entries].filter(([, e]) => e.user === user);
    for (let i = 0; i <= own.length - maxEntries; i++) this.#entries.delete(own[i][0]);
    if (messages.length === 0 || total > maxMessages) return null;
    const id = crypto.randomUUID();
    this.#entries.set(id, { user, account, mailboxId, messages, until: now + lifetime });
    return id;
  }

  #entry(user: string, id: string): Entry {
    const entry = this.#entries.get(id);
    if (entry === undefined || entry.user !== user || entry.until < Date.now()) {
      throw new HttpError(404, "this can't be undone any more");
    }
    return entry;
  }

  /** A user's move: its account, its target mailbox and its source. @throws HttpError 404 */
  find(
    user: string,
    id: string,
  ): { account: string; to: MailboxId; from: ReadonlySet<MailboxId> } {
    const { account, mailboxId, messages } = this.#entry(user, id);
    return { account, to: mailboxId, from: new Set(messages.map((m) => m.mailboxId)) };
  }

  /** Moves back the messages that are still where they were moved to. Returns their number. */
  async undo(
    account: Account,
    id: string,
    noted?: Noted,
    user: string = account.name,
  ): Promise<number> {
    const entry = this.#entry(user, id);
    this.#entries.delete(id);
    let count = 0;
    for (const [mailboxId, list] of Map.groupBy(entry.messages, (m) => m.mailboxId)) {
      if (account.mailbox(mailboxId) === undefined) continue;
      for (let at = 0; at < list.length; at += 500) {
        count += await this.#moveBack(
          account,
          entry.mailboxId,
          mailboxId,
          list.slice(at, at + 500),
          noted,
        );
      }
    }
    return count;
  }

  async #moveBack(
    account: Account,
    from: MailboxId,
    to: MailboxId,
    list: Moved[],
    noted: Noted | undefined,
  ): Promise<number> {
    const here = placesOf(account.db, list.map((m) => m.id)).filter((m) => m.mailboxId === from);
    const uids = Uint32Array.from(here, (m) => m.uid).sort();
    const { toUids } = await account.move(from, uids, to);
    // Junk flags that the move set are removed with it.
    const before = new Map(list.map((m) => [m.id, m.flags & junk]));
    const back = placesOf(account.db, here.map((m) => m.id)).filter((m) => m.mailboxId === to);
    for (const [flags, messages] of Map.groupBy(back, (m) => before.get(m.id)!)) {
      const wrong = Uint32Array.from(
        messages.filter((m) => (m.flags & junk) !== flags),
        (m) => m.uid,
      ).sort();
      if (wrong.length === 0) continue;
      await account.storeFlags(to, wrong, "remove", junk & ~flags, []);
      if (flags !== 0) await account.storeFlags(to, wrong, "add", flags, []);
    }
    await noted?.("COPY", to, toUids);
    return here.length;
  }
}
