/**
 * Reading an open account: mailboxes, messages and their bytes.
 *
 * @module
 */
import type { EmailId, MailboxId } from "../ids.ts";
import type { FetchRow } from "../messages/row.ts";
import type { Db } from "../database/database.ts";
import * as reading from "../messages/fetch.ts";
import { RowCache } from "../messages/mailbox_rows.ts";
import * as mailboxes from "../mailboxes/mailboxes.ts";
import { MessageFiles } from "../files/message_files.ts";
import { type Mailbox, type Message, type MessageReader, StoreError } from "../types.ts";

/** Up to this many messages are read without first loading changes into memory. */
const smallFetch = 8;

export class AccountReader {
  readonly db: Db;
  readonly files: MessageFiles;
  /** Mailboxes that are in memory. */
  readonly rows: RowCache;

  /** @param messageDir folder of the message files */
  constructor(db: Db, messageDir: string) {
    this.db = db;
    this.files = new MessageFiles(messageDir);
    this.rows = new RowCache(db);
  }

  mailboxes(): Mailbox[] {
    return mailboxes.listMailboxes(this.db);
  }
  mailbox(id: MailboxId): Mailbox | undefined {
    return mailboxes.mailboxById(this.db, id);
  }
  /** By name; "inbox" in any case is Inbox. */
  mailboxByName(name: string): Mailbox | undefined {
    return mailboxes.mailboxByName(this.db, name);
  }
  mailboxBySpecialUse(bit: number): Mailbox | undefined {
    return mailboxes.mailboxBySpecialUse(this.db, bit);
  }
  subscriptions(): string[] {
    return mailboxes.subscriptions(this.db);
  }
  /** Uids of the live messages, ascending. */
  uids(mailboxId: MailboxId): Uint32Array {
    const rows = this.rows.get(mailboxId);
    return rows ? rows.uids.slice(0, rows.count) : reading.mailboxUids(this.db, mailboxId);
  }
  /**
   * How many live messages have this uid or a higher one: the cost depends on these, not on the size of the
   * mailbox.
   */
  countFromUid(mailboxId: MailboxId, uid: number): number {
    return reading.countFromUid(this.db, mailboxId, uid);
  }
  /** Uids of the messages of these emails, and of all emails with id `from` or higher. */
  uidsOfEmails(mailboxId: MailboxId, emailIds: Iterable<number>, from: number): Uint32Array {
    return reading.uidsOfEmails(this.db, mailboxId, emailIds, from);
  }
  firstUnseenUid(mailboxId: MailboxId): number | undefined {
    return reading.firstUnseenUid(this.db, mailboxId);
  }
  /** Loads a mailbox into memory for many reads. Done in slices. */
  prepareRows(mailboxId: MailboxId): Promise<void> {
    return this.rows.prepare(mailboxId);
  }
  /**
   * Rows of the live ones among the uids (ascending); see fetch.ts.
   * @param fields the fields for `listed` of the rows, with Want.Listed; all stored ones if not given
   */
  fetch(
    mailboxId: MailboxId,
    uids: ArrayLike<number>,
    want: number,
    each: (row: FetchRow) => boolean | void,
    fields?: reading.Fields,
  ): void {
    const rows = this.rows.get(mailboxId, uids.length <= smallFetch);
    if (rows) reading.fetchFromRows(this.db, rows, this.rows.emails, uids, want, each, fields);
    else reading.fetchMessages(this.db, mailboxId, uids, want, each, fields);
  }
  /** Live messages changed after the modseq. */
  fetchSince(
    mailboxId: MailboxId,
    modseq: number,
    want: number,
    each: (row: FetchRow) => boolean | void,
  ): void {
    reading.fetchSince(this.db, mailboxId, modseq, want, each);
  }
  /** Uids of live messages changed after the modseq, ascending. */
  uidsSince(mailboxId: MailboxId, modseq: number): Uint32Array {
    const rows = this.rows.get(mailboxId);
    if (!rows) return reading.uidsSince(this.db, mailboxId, modseq);
    const { uids, modseqs, count } = rows;
    const found: number[] = [];
    for (let i = 0; i < count; i++) if (modseqs[i] > modseq) found.push(uids[i]);
    return Uint32Array.from(found);
  }
  /** Uids expunged after the modseq, ascending. */
  expungedSince(mailboxId: MailboxId, modseq: number): number[] {
    return reading.expungedSince(this.db, mailboxId, modseq);
  }
  /** Highest uid that a message of the mailbox has, or had. */
  highestEverUid(mailboxId: MailboxId): number {
    return (mailboxes.mailboxById(this.db, mailboxId)?.uidNext ?? 1) - 1;
  }
  /** The mailbox's HIGHESTMODSEQ. */
  highestModseq(mailboxId: MailboxId): number {
    return mailboxes.mailboxById(this.db, mailboxId)?.modseq ?? 0;
  }
  message(id: number): Message | undefined {
    return reading.messageById(this.db, id);
  }
  messageByUid(mailboxId: MailboxId, uid: number): Message | undefined {
    return reading.messageByUid(this.db, mailboxId, uid);
  }
  /** Modseq of the last change anywhere in the account. */
  state(): number {
    return this.db.get("SELECT modseq FROM state")![0];
  }

  /** Highest id of a message so far; later ones have higher ids. */
  newestMessageId(): number {
    return this.db.get("SELECT coalesce(max(id), 0) FROM messages")![0];
  }

  /** Opens an email's bytes. @throws StoreError "mailboxMissing" if it is gone; file errors. */
  openMessage(emailId: EmailId): MessageReader {
    const r = this.db.get("SELECT prefix, size FROM emails WHERE id = ?", emailId);
    if (!r) throw new StoreError("mailboxMissing", "message is gone");
    return this.files.open(emailId, r[0], r[1]);
  }

  /** Opens the bytes of a message whose row was fetched with Want.Content. @throws file errors. */
  openRow(row: { emailId: EmailId; prefix: Uint8Array; size: number }): MessageReader {
    return this.files.open(row.emailId, row.prefix, row.size);
  }

  /** Calls `each` for live messages with all of the flags in `set` and none in `clear`, ascending by uid. */
  eachWithFlags(
    mailboxId: MailboxId,
    set: number,
    clear: number,
    each: (uid: number, modseq: number) => void,
  ): void {
    const rows = this.rows.get(mailboxId);
    if (!rows) {
      reading.eachWithFlags(this.db, mailboxId, set, clear, each);
      return;
    }
    const { uids, flags, modseqs, count } = rows;
    const mask = set | clear;
    for (let i = 0; i < count; i++) if ((flags[i] & mask) === set) each(uids[i], modseqs[i]);
  }
}
