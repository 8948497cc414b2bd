/**
 * An open account: the face through which protocols read and change its mail.
 *
 * Order of steps of a delivery, so that an answer after it is a promise:
 * 1. the message file is complete under a temporary name, and its content fsynced (by the caller, or here);
 * 2. it is linked into `msg/`, and the folder fsynced; 1 and 2 may overlap, 3 waits for both;
 * 3. rows and counts are committed, and the WAL fsynced: only now does the caller answer.
 * A crash before 3 leaves a file without a row, which the next start removes (the sender was not told
 * that it arrived, and tries again); a crash after it leaves everything. There is no moment at which
 * a durable row names a file that is not durable. A failure in 3 removes the file of 2.
 *
 * @module
 */
import { join } from "node:path";
import type { Log } from "../log/mod.ts";
import { syncFile } from "../platform/files.ts";
import { Annotations } from "./annotations.ts";
import { Broadcast } from "./changes.ts";
import { checkAccount } from "./consistency.ts";
import { FulltextIndex } from "./fulltext/index.ts";
import { Credentials } from "./credentials.ts";
import { Db } from "./database.ts";
import { describeBytes, describeFile, type EmailDescription } from "./describe.ts";
import * as reading from "./fetch.ts";
import { copyMessages, insertEmail, type MailboxRules, type ReadyEmail } from "./insert.ts";
import { normalizeKeywords } from "./keywords.ts";
import * as mailboxes from "./mailboxes.ts";
import { MessageFiles } from "./message_files.ts";
import { RowCache } from "./mailbox_rows.ts";
import * as modify from "./modify.ts";
import { smallFile } from "./recent_messages.ts";
import { accountMigrations } from "./schema.ts";
import {
  type FetchRow,
  type Listener,
  type Mailbox,
  type Message,
  type MessageReader,
  type NewMessage,
  StoreError,
} from "./types.ts";
import { type WriteContext, Writer } from "./writer.ts";

/** Mailboxes of a new account, from the configuration. */
export interface InitialMailbox {
  name: string;
  /** Bits of SpecialUse. */
  specialUse: number;
}

/** What the store asks of an account's configuration, each time anew as it may be reloaded. */
export interface AccountRules extends MailboxRules {
  initialMailboxes(): readonly InitialMailbox[];
}

/** Checks counts and files at each close. Set in tests; it reads everything. */
export const consistency = { checkAtClose: false };

/** For so few messages changes aren't followed in memory first. */
const fewMessages = 8;

/** Files that are put in place side by side, so that they share fsyncs of their folder. */
const placedAtOnce = 16;

export class Account {
  readonly name: string;
  readonly dir: string;
  readonly db: Db;
  readonly log: Log;
  readonly rules: AccountRules;
  readonly files: MessageFiles;
  readonly writer: Writer;
  /** Mailboxes that are in memory. */
  readonly rows: RowCache;
  readonly broadcast = new Broadcast();
  readonly credentials: Credentials;
  readonly annotations: Annotations;
  #fulltext: FulltextIndex | undefined;
  #nextEmailId: number;
  /** Ids of emails whose files are in place, or nearly, and whose rows aren't written yet. */
  readonly #arriving = new Set<number>();
  #references = 0;
  readonly #onIdle: (a: Account) => void;
  /** Called after a commit in which messages may have become ham or spam, or ceased to be. */
  onTraining: ((messageIds: number[]) => void) | undefined;

  private constructor(
    name: string,
    dir: string,
    db: Db,
    log: Log,
    rules: AccountRules,
    onIdle: (a: Account) => void,
  ) {
    this.name = name;
    this.dir = dir;
    this.db = db;
    this.log = log;
    this.rules = rules;
    this.files = new MessageFiles(join(dir, "msg"));
    this.rows = new RowCache(db);
    this.writer = new Writer(db, (changes, origin) => {
      this.rows.note(changes);
      this.broadcast.publish(changes, origin);
    });
    this.credentials = new Credentials(db, this.writer);
    this.annotations = new Annotations(db, this.writer);
    this.#onIdle = onIdle;
    const r = db.get("SELECT next_email_id FROM state")!;
    const max = db.get("SELECT coalesce(max(id), 0) + 1 FROM emails")!;
    this.#nextEmailId = Math.max(r[0], max[0]);
  }

  /** Opens the account's folder, made if needed. For Accounts only. */
  static async open(
    name: string,
    dir: string,
    log: Log,
    rules: AccountRules,
    onIdle: (a: Account) => void,
  ): Promise<Account> {
    const db = await Db.open(join(dir, "index.db"), accountMigrations);
    let account: Account | undefined;
    try {
      account = new Account(name, dir, db, log, rules, onIdle);
      await account.#prepare();
      return account;
    } catch (err) {
      // It will be tried again, for each message that comes: nothing may stay open.
      await account?.closeFulltext();
      await db.close();
      throw err;
    }
  }

  /** What an account needs before its first use. */
  async #prepare(): Promise<void> {
    this.#removeLeftovers();
    this.#fulltext = await FulltextIndex.open({
      dir: this.dir,
      log: this.log,
      settledBelow: () => Math.min(this.#nextEmailId, ...this.#arriving),
    });
    this.#fulltext.changed();
    if (mailboxes.mailboxByName(this.db, "Inbox")) return;
    await this.writer.write((ctx) => {
      mailboxes.createMailbox(this.db, ctx, "Inbox");
      for (const m of this.rules.initialMailboxes()) {
        if (!mailboxes.mailboxByName(this.db, m.name)) {
          mailboxes.createMailbox(this.db, ctx, m.name, m.specialUse);
        }
      }
    });
  }

  /** Files that a crash left without a row, or that were to be removed when it came. */
  #removeLeftovers(): void {
    for (const [id] of this.db.all("SELECT email_id FROM erased")) this.files.remove(id);
    this.db.transaction(() => this.db.exec("DELETE FROM erased"));
    const there = this.files.recent(this.#nextEmailId);
    const first = there.reduce((least, id) => Math.min(least, id), Infinity);
    const named = new Set<number>();
    if (there.length > 0) {
      for (const [id] of this.db.all("SELECT id FROM emails WHERE id >= ?", first)) named.add(id);
    }
    for (const id of there) {
      if (!named.has(id)) {
        this.log.warn("removing message file that no row names, left by a crash", {
          path: this.files.path(id),
        });
        this.files.remove(id);
      }
    }
  }

  /** Counts one more user of the account. */
  acquire(): this {
    this.#references++;
    return this;
  }

  /** Drops one use; the last one lets the account be closed. */
  close(): void {
    if (--this.#references === 0) this.#onIdle(this);
  }

  get references(): number {
    return this.#references;
  }

  /** Ends all use: writes under way are finished. For Accounts only. */
  async shutdown(): Promise<void> {
    await this.writer.close();
    try {
      if (consistency.checkAtClose) checkAccount(this.db, this.files, this.rows.differences());
    } finally {
      this.rows.clear();
      this.files.close();
      await this.fulltext.close();
      await this.db.close();
    }
  }

  /** For a failure to open. */
  private async closeFulltext(): Promise<void> {
    await this.#fulltext?.close();
  }

  /** What searches are narrowed with. */
  get fulltext(): FulltextIndex {
    return this.#fulltext!;
  }

  // --- reading

  mailboxes(): Mailbox[] {
    return mailboxes.listMailboxes(this.db);
  }
  mailbox(id: number): Mailbox | undefined {
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
  uids(mailboxId: number): Uint32Array {
    const rows = this.rows.get(mailboxId);
    return rows ? rows.uids.slice(0, rows.count) : reading.mailboxUids(this.db, mailboxId);
  }
  /** Uids of the messages of these emails, and of all emails with the id or a higher one. */
  uidsOfEmails(mailboxId: number, emailIds: Iterable<number>, from: number): Uint32Array {
    return reading.uidsOfEmails(this.db, mailboxId, emailIds, from);
  }
  firstUnseenUid(mailboxId: number): number | undefined {
    return reading.firstUnseenUid(this.db, mailboxId);
  }
  /** Takes a mailbox into memory, as it will be read much. Done in slices. */
  prepareRows(mailboxId: number): Promise<void> {
    return this.rows.prepare(mailboxId);
  }
  /** Rows of the live ones among the uids (ascending); see fetch.ts. */
  fetch(
    mailboxId: number,
    uids: ArrayLike<number>,
    want: number,
    each: (row: FetchRow) => boolean | void,
  ): void {
    const rows = this.rows.get(mailboxId, uids.length <= fewMessages);
    if (rows) reading.fetchFromRows(this.db, rows, uids, want, each);
    else reading.fetchMessages(this.db, mailboxId, uids, want, each);
  }
  /** Live messages changed after the modseq. */
  fetchSince(
    mailboxId: number,
    modseq: number,
    want: number,
    each: (row: FetchRow) => boolean | void,
  ): void {
    reading.fetchSince(this.db, mailboxId, modseq, want, each);
  }
  /** Uids expunged after the modseq, ascending. */
  expungedSince(mailboxId: number, modseq: number): number[] {
    return reading.expungedSince(this.db, mailboxId, modseq);
  }
  /** Highest uid that a message of the mailbox has, or had. */
  highestEverUid(mailboxId: number): number {
    return (mailboxes.mailboxById(this.db, mailboxId)?.uidNext ?? 1) - 1;
  }
  /** The mailbox's HIGHESTMODSEQ. */
  highestModseq(mailboxId: number): number {
    return mailboxes.mailboxById(this.db, mailboxId)?.modseq ?? 0;
  }
  message(id: number): Message | undefined {
    return reading.messageById(this.db, id);
  }
  messageByUid(mailboxId: number, uid: number): Message | undefined {
    return reading.messageByUid(this.db, mailboxId, uid);
  }
  /** Modseq of the last change anywhere in the account. */
  state(): number {
    return this.db.get("SELECT modseq FROM state")![0];
  }

  /** Highest id of a message so far; those made later have higher ones. */
  newestMessageId(): number {
    return this.db.get("SELECT coalesce(max(id), 0) FROM messages")![0];
  }

  /** Opens an email's bytes. @throws StoreError "mailboxMissing" if it is gone; file errors. */
  openMessage(emailId: number): MessageReader {
    const r = this.db.get("SELECT prefix, size FROM emails WHERE id = ?", emailId);
    if (!r) throw new StoreError("mailboxMissing", "message is gone");
    return this.files.open(emailId, r[0], r[1]);
  }

  /** Opens the bytes of a message whose row was fetched with Want.Content. @throws file errors. */
  openRow(row: { emailId: number; prefix: Uint8Array; size: number }): MessageReader {
    return this.files.open(row.emailId, row.prefix, row.size);
  }

  /** Calls `each` for live messages with all of the flags in `set` and none in `clear`, ascending by uid. */
  eachWithFlags(
    mailboxId: number,
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

  /** Bytes used by messages, and the limit if there is one. */
  quota(): { messageSize: { used: number; limit: number | undefined } } {
    const used = this.db.get("SELECT message_size FROM state")![0] as number;
    return { messageSize: { used, limit: this.rules.quotaMessageSize() } };
  }

  listen(): Listener {
    return this.broadcast.listen();
  }

  // --- mailboxes

  /** Makes a mailbox and missing parents. @throws StoreError */
  createMailbox(
    name: string,
    opts: { specialUse?: number; origin?: Listener } = {},
  ): Promise<{ mailbox: Mailbox; created: Mailbox[] }> {
    return this.writer.write(
      (ctx) => mailboxes.createMailbox(this.db, ctx, name, opts.specialUse ?? 0),
      opts.origin,
    );
  }

  /** Renames with all below; renaming Inbox moves its messages to a new mailbox (RFC 9051 §6.3.6). */
  renameMailbox(oldName: string, newName: string, origin?: Listener): Promise<Mailbox[]> {
    return this.writer.write((ctx) => {
      const inbox = mailboxes.mailboxByName(this.db, oldName);
      if (inbox?.name !== "Inbox") {
        return mailboxes.renameMailbox(this.db, ctx, oldName, newName);
      }
      const { mailbox, created } = mailboxes.createMailbox(this.db, ctx, newName);
      modify.moveMessages(
        this.db,
        ctx,
        this.rules,
        inbox.id,
        reading.mailboxUids(this.db, inbox.id),
        mailbox.id,
      );
      return created.map((m) => mailboxes.requireMailbox(this.db, m.id));
    }, origin);
  }

  /** Removes a mailbox with its messages. @throws StoreError "inbox", "mailboxHasChildren", "mailboxMissing" */
  deleteMailbox(name: string, origin?: Listener): Promise<void> {
    return this.writer.write((ctx) => {
      const m = mailboxes.mailboxByName(this.db, name);
      if (!m) throw new StoreError("mailboxMissing", `no mailbox ${name}`);
      if (m.name === "Inbox") throw new StoreError("inbox", "Inbox can't be removed");
      if (this.mailboxes().some((c) => c.name.startsWith(`${m.name}/`))) {
        throw new StoreError("mailboxHasChildren", `mailbox ${m.name} has mailboxes below it`);
      }
      this.#expunge(ctx, m.id, undefined, true);
      const modseq = mailboxes.nextModseq(this.db);
      this.db.run(
        "UPDATE mailboxes SET expunged = 1, modseq = ?, special_use = 0 WHERE id = ?",
        modseq,
        m.id,
      );
      this.db.run("DELETE FROM annotations WHERE mailbox_id = ?", m.id);
      this.db.run("DELETE FROM mailbox_rights WHERE mailbox_id = ?", m.id);
      this.db.run("DELETE FROM url_keys WHERE mailbox_id = ?", m.id);
      ctx.changes.push({ kind: "removeMailbox", mailboxId: m.id, name: m.name, modseq });
    }, origin);
  }

  subscribe(name: string, origin?: Listener): Promise<void> {
    return this.writer.write((ctx) => mailboxes.subscribe(this.db, ctx, name), origin);
  }
  unsubscribe(name: string, origin?: Listener): Promise<void> {
    return this.writer.write((ctx) => mailboxes.unsubscribe(this.db, ctx, name), origin);
  }
  /** Gives the mailbox these special uses, in place of those it had. */
  setSpecialUse(mailboxId: number, bits: number, origin?: Listener): Promise<void> {
    return this.writer.write(
      (ctx) => mailboxes.setSpecialUse(this.db, ctx, mailboxId, bits),
      origin,
    );
  }

  // --- messages

  /** Puts the file in place and makes it durable. */
  async #place(m: NewMessage, description?: EmailDescription): Promise<ReadyEmail> {
    const keywords = normalizeKeywords(m.keywords ?? []);
    const { size } = Deno.statSync(m.file);
    if (size !== m.fileSize) {
      throw new StoreError("size", `message file has ${size} bytes, not ${m.fileSize}`);
    }
    const synced = m.fileSynced === true ? undefined : m.fileSynced || syncFile(m.file);
    // Content and name are made durable side by side: on most file systems they share a commit.
    synced?.catch(() => {});
    const known = description ?? m.description;
    // Of an import nobody waits for single messages.
    const keep = size <= smallFile && !m.noThread;
    const content = !keep
      ? undefined
      : m.read?.(0, size) ?? (known === undefined ? await Deno.readFile(m.file) : undefined);
    description = known ?? (content ? describeBytes(content) : await describeFile(m.file));
    for (;;) {
      const emailId = this.#nextEmailId++;
      this.#arriving.add(emailId);
      try {
        await this.files.add(emailId, m.file);
      } catch (err) {
        this.#arriving.delete(emailId);
        // A stray file: never written over, the next id is as good.
        if (err instanceof Deno.errors.AlreadyExists) continue;
        throw err;
      }
      try {
        await synced;
      } catch (err) {
        this.#arriving.delete(emailId);
        this.files.remove(emailId);
        throw err;
      }
      if (content !== undefined) this.files.keep(emailId, content);
      return {
        emailId,
        prefix: m.prefix,
        size: m.prefix.length + m.fileSize,
        description,
        flags: m.flags ?? 0,
        keywords,
        received: m.received ?? Date.now(),
        facts: m.facts,
        isReject: m.isReject ?? false,
        destinedMailboxId: m.destinedMailboxId ?? 0,
        noThread: m.noThread ?? false,
      };
    }
  }

  /** Places files, then writes; when anything fails no file and no row is left. */
  async #placeAndWrite<T>(
    list: readonly NewMessage[],
    origin: Listener | undefined,
    fn: (ctx: WriteContext, ready: ReadyEmail[]) => T,
  ): Promise<T> {
    const ready: ReadyEmail[] = [];
    try {
      for (let at = 0; at < list.length; at += placedAtOnce) {
        const part = list.slice(at, at + placedAtOnce).map((m) => this.#place(m));
        const placed = await Promise.allSettled(part);
        for (const p of placed) if (p.status === "fulfilled") ready.push(p.value);
        const failed = placed.find((p) => p.status === "rejected");
        if (failed) throw failed.reason;
      }
      const r = await this.writer.write((ctx) => fn(ctx, ready), origin);
      this.fulltext.changed();
      return r;
    } catch (err) {
      for (const r of ready) {
        // A row can be there if the commit was done and its fsync failed: then the file stays.
        try {
          if (!this.db.get("SELECT 1 FROM emails WHERE id = ?", r.emailId)) {
            this.files.remove(r.emailId);
          }
        } catch (cleanup) {
          this.log.error("removing file of a failed delivery", {
            err: cleanup as Error,
            path: this.files.path(r.emailId),
          });
        }
      }
      throw err;
    } finally {
      for (const r of ready) this.#arriving.delete(r.emailId);
    }
  }

  #train(list: readonly NewMessage[], messages: Message[]): void {
    const ids = messages.filter((m, i) => !list[i].noTrain && (m.flags & modify.junkFlags) !== 0)
      .map((m) => m.id);
    if (ids.length > 0) this.onTraining?.(ids);
  }

  /** Puts a message into the named mailbox, made if it is missing. Durable when it resolves. */
  async deliver(mailboxName: string, m: NewMessage, origin?: Listener): Promise<Message> {
    const message = await this.#placeAndWrite([m], origin, (ctx, [ready]) => {
      const mailbox = mailboxes.ensureMailbox(this.db, ctx, mailboxName);
      return insertEmail(this.db, ctx, mailbox, this.rules, ready);
    });
    this.#train([m], [message]);
    return message;
  }

  /** APPEND of one or more messages, all or nothing (RFC 3502). */
  async append(
    mailboxId: number,
    list: readonly NewMessage[],
    origin?: Listener,
  ): Promise<Message[]> {
    const messages = await this.#placeAndWrite(
      list,
      origin,
      (ctx, ready) =>
        ready.map((r) =>
          insertEmail(
            this.db,
            ctx,
            mailboxes.requireMailbox(this.db, mailboxId),
            this.rules,
            r,
          )
        ),
    );
    this.#train(list, messages);
    return messages;
  }

  /** REPLACE (RFC 8508): the new message comes and the old one goes in one transaction. */
  async replace(
    mailboxId: number,
    uid: number,
    toMailboxId: number,
    m: NewMessage,
    origin?: Listener,
  ): Promise<{ message: Message; expunged: number[]; modseq: number }> {
    const r = await this.#placeAndWrite([m], origin, (ctx, [ready]) => {
      const to = mailboxes.requireMailbox(this.db, toMailboxId);
      if (!reading.messageByUid(this.db, mailboxId, uid)) {
        throw new StoreError("mailboxMissing", "message to be replaced is gone");
      }
      const message = insertEmail(this.db, ctx, to, this.rules, ready);
      const { uids, modseq } = this.#expunge(ctx, mailboxId, [uid], true);
      return { message, expunged: uids, modseq };
    });
    this.#train([m], [r.message]);
    return r;
  }

  /** Changes flags of messages; see modify.ts. The origin's listener isn't told. */
  async storeFlags(
    mailboxId: number,
    uids: ArrayLike<number>,
    op: "set" | "add" | "remove",
    flags: number,
    keywords: readonly string[],
    opts: { unchangedSince?: number; origin?: Listener; only?: modify.ChangeableFlags } = {},
  ): Promise<modify.StoreFlagsResult> {
    const r = await this.writer.write(
      (ctx) =>
        modify.storeFlags(
          this.db,
          ctx,
          mailboxId,
          uids,
          op,
          flags,
          keywords,
          opts.unchangedSince,
          opts.only,
        ),
      opts.origin,
    );
    if (r.trainable.length > 0) this.onTraining?.(r.trainable);
    return r;
  }

  /** COPY; touches no file. */
  async copy(
    fromMailboxId: number,
    uids: ArrayLike<number>,
    toMailboxId: number,
    origin?: Listener,
  ): Promise<{ fromUids: number[]; toUids: number[]; uidValidity: number }> {
    const trained: number[] = [];
    const r = await this.writer.write((ctx) => {
      const r = copyMessages(
        this.db,
        ctx,
        this.rules,
        fromMailboxId,
        uids,
        toMailboxId,
        (id, list, each) => modify.copySources(this.db, id, list, each),
      );
      for (const c of ctx.changes) {
        if (c.kind === "addMessage" && c.flags & modify.junkFlags) trained.push(c.messageId);
      }
      return r;
    }, origin);
    if (trained.length > 0) this.onTraining?.(trained);
    return r;
  }

  /** MOVE (RFC 6851). */
  async move(
    fromMailboxId: number,
    uids: ArrayLike<number>,
    toMailboxId: number,
    origin?: Listener,
  ): Promise<modify.MoveResult> {
    const r = await this.writer.write(
      (ctx) => modify.moveMessages(this.db, ctx, this.rules, fromMailboxId, uids, toMailboxId),
      origin,
    );
    if (r.trainable.length > 0) this.onTraining?.(r.trainable);
    return r;
  }

  #expunge(
    ctx: WriteContext,
    mailboxId: number,
    uids: ArrayLike<number> | undefined,
    force: boolean,
  ): { uids: number[]; modseq: number } {
    return modify.expungeMessages(this.db, ctx, mailboxId, uids, force, (emailIds) => {
      this.#removeFiles(emailIds);
    });
  }

  #removeFiles(emailIds: number[]): void {
    this.fulltext.changed(true);
    for (const id of emailIds) {
      try {
        this.files.remove(id);
      } catch (err) {
        // Its row in `erased` stays, so that the next start tries again.
        this.log.error("removing file of an expunged message", {
          err: err as Error,
          path: this.files.path(id),
        });
        emailIds = emailIds.filter((e) => e !== id);
      }
    }
    this.writer.write(() => {
      for (const id of emailIds) this.db.run("DELETE FROM erased WHERE email_id = ?", id);
    }).catch(() => {
      // The account is being closed: the next start looks at what is left.
    });
  }

  /** EXPUNGE: messages with \Deleted, among the uids if given; with `force` whatever their flags. */
  expunge(
    mailboxId: number,
    uids?: ArrayLike<number>,
    origin?: Listener,
    opts: { force?: boolean } = {},
  ): Promise<{ uids: number[]; modseq: number }> {
    return this.writer.write(
      (ctx) => this.#expunge(ctx, mailboxId, uids, opts.force ?? false),
      origin,
    );
  }
}
