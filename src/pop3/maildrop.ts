/**
 * The maildrop of a session: the messages of the Inbox as they were at login (RFC 1939 §4). Messages that
 * arrive later appear in the next session; those that another program expunges meanwhile can't be read any
 * more.
 *
 * @module
 */
import type { MailboxId } from "../store/ids.ts";
import type { Account } from "../store/account/account.ts";
import { Flag, Want } from "../store/types.ts";

/** Bytes of a message that are read and sent at a time. */
const pieceSize = 64 * 1024;

/** A message with its number in the session, from 1 on. */
export interface DropMessage {
  number: number;
  uid: number;
  /** Octets, as RETR sends them, not counting the dots added at line starts (RFC 1939 §11). */
  size: number;
  deleted: boolean;
  retrieved: boolean;
}

export class Maildrop {
  readonly account: Account;
  readonly #mailboxId: MailboxId;
  readonly #uidValidity: number;
  readonly messages: DropMessage[];

  constructor(account: Account) {
    this.account = account;
    const inbox = account.mailboxByName("Inbox")!;
    this.#mailboxId = inbox.id;
    this.#uidValidity = inbox.uidValidity;
    this.messages = [];
    account.fetch(inbox.id, account.uids(inbox.id), 0, (row) => {
      this.messages.push({
        number: this.messages.length + 1,
        uid: row.uid,
        size: row.size,
        deleted: false,
        retrieved: false,
      });
    });
  }

  /** Messages that are not marked as deleted. */
  get live(): DropMessage[] {
    return this.messages.filter((m) => !m.deleted);
  }

  /** Permanently unique: 1 to 70 characters (RFC 1939 §7, UIDL). */
  uniqueId(message: DropMessage): string {
    return `${this.#uidValidity}.${message.uid}`;
  }

  /** The message's bytes, a piece at a time; undefined if it is gone or its file can't be read. */
  open(
    message: DropMessage,
  ): { pieces: Generator<Uint8Array>; close(): void } | undefined {
    let reader: ReturnType<Account["openRow"]> | undefined;
    this.account.fetch(this.#mailboxId, [message.uid], Want.Content, (row) => {
      reader = this.account.openRow(row);
      return false;
    });
    if (reader === undefined) return undefined;
    const open = reader;
    function* pieces() {
      for (let at = 0; at < open.size; at += pieceSize) {
        yield open.read(at, Math.min(open.size, at + pieceSize));
      }
    }
    return { pieces: pieces(), close: () => open.close() };
  }

  /** Carries out what the session marked: deletions are durable when it resolves (UPDATE state). */
  async update(): Promise<void> {
    const uids = this.messages.filter((m) => m.deleted).map((m) => m.uid);
    if (uids.length > 0) {
      await this.account.expunge(this.#mailboxId, uids, undefined, { force: true });
    }
  }

  /** Messages that were retrieved count as read, as in other programs. */
  async markRead(): Promise<void> {
    const uids = this.messages.filter((m) => m.retrieved && !m.deleted).map((m) => m.uid);
    if (uids.length > 0) await this.account.storeFlags(this.#mailboxId, uids, "add", Flag.Seen, []);
  }
}
