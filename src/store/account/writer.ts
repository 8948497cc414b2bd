/** Changing mailboxes and messages of an account. @module */
import type { EmailId, MailboxId } from "../ids.ts";
import type { Log } from "../../log/mod.ts";
import { AccountReader } from "./reader.ts";
import { Broadcast } from "../changes.ts";
import {
  copyMessages,
  type CopyResult,
  joinedCopies,
  moveMessages,
  type MoveResult,
} from "../messages/copy_move.ts";
import { Db } from "../database/database.ts";
import { EmailFiles } from "../files/email_files.ts";
import { expungeMessages } from "../messages/expunge.ts";
import {
  applyJunkFlags,
  chargeMessages,
  insertEmail,
  insertMessage,
  type MailboxRules,
  type ReadyEmail,
} from "../messages/insert.ts";
import { destroyEmail, type EmailChange, updateEmail } from "../messages/update_email.ts";
import * as changing from "./mailbox_changes.ts";
import { forgetUnusedKeywords } from "../mailboxes/keywords.ts";
import { normalizeMailboxName, requireMailbox } from "../mailboxes/mailboxes.ts";
import {
  type ChangeableFlags,
  storeFlags,
  type StoreFlagsResult,
  unchangedFlags,
} from "../messages/store_flags.ts";
import {
  Flag,
  junkFlags,
  type Listener,
  type Mailbox,
  type Message,
  type NewMessage,
  type SealedMessage,
  StoreError,
} from "../types.ts";
import { flagsPerSlice, inSlices, isSliced } from "../messages/slices.ts";
import { forgetBrought, noteBrought, takeBack } from "../messages/unfinished.ts";
import { type WriteContext, Writer } from "../database/writer.ts";

/** Mailboxes of a new account, from the configuration. */
export interface InitialMailbox {
  name: string;
  /** Bits of SpecialUse. */
  specialUse: number;
}

/** What the store needs of an account's configuration, read each time as it may be reloaded. */
export interface AccountRules extends MailboxRules {
  initialMailboxes(): readonly InitialMailbox[];
}

/** An account's mail with all methods that change it. What a method promises is durable when it resolves. */
export abstract class AccountWriter extends AccountReader {
  readonly name: string;
  readonly log: Log;
  readonly rules: AccountRules;
  readonly writer: Writer;
  readonly broadcast = new Broadcast();
  protected readonly emails: EmailFiles;
  /** Names that a client subscribed to explicitly: these subscriptions outlive their mailboxes. */
  readonly #askedFor = new Set<string>();
  readonly #removeFiles = (emailIds: EmailId[]) => this.emails.remove(emailIds);
  /** Makes the stored form of an incoming message: encrypts it for accounts that want that. */
  seal: ((message: NewMessage) => Promise<SealedMessage | undefined>) | undefined;
  /** Called after a commit in which messages may have become ham or spam, or are neither any more. */
  onTraining: ((messageIds: number[]) => void) | undefined;
  /**
   * Called after a commit in which messages came or went, and when some were refused because the account is
   * full.
   */
  onUsage: ((refused: boolean) => void) | undefined;

  constructor(name: string, messageDir: string, db: Db, log: Log, rules: AccountRules) {
    super(db, messageDir);
    this.name = name;
    this.log = log;
    this.rules = rules;
    this.writer = new Writer(db, (changes, origin) => {
      this.rows.note(changes);
      this.broadcast.publish(changes, origin);
    });
    this.emails = new EmailFiles(
      db,
      this.files,
      this.writer,
      log,
      (gone) => {
        this.filesChanged(gone);
        this.onUsage?.(false);
      },
    );
  }

  /** Called after a commit that added message files; `gone` if it removed some. */
  protected abstract filesChanged(gone: boolean): void;

  // --- mailboxes

  /** Creates a mailbox and missing parents. @throws StoreError */
  createMailbox(
    name: string,
    opts: { specialUse?: number; origin?: Listener } = {},
  ): Promise<{ mailbox: Mailbox; created: Mailbox[] }> {
    return this.writer.write(
      (ctx) =>
        changing.createMailbox(
          this.db,
          ctx,
          name,
          opts.specialUse ?? 0,
          this.rules.quotaMailboxes?.(),
        ),
      opts.origin,
    );
  }

  /**
   * Renames a mailbox and all below it; renaming Inbox moves its messages to a new mailbox (RFC 9051 §6.3.6).
   */
  renameMailbox(oldName: string, newName: string, origin?: Listener): Promise<Mailbox[]> {
    return this.writer.write(
      (ctx) =>
        changing.renameMailbox(
          this.db,
          ctx,
          this.rules,
          oldName,
          newName,
          (ids) => this.onTraining?.(ids),
        ),
      origin,
    );
  }

  /** Renames mailboxes, each to the name of the next one, all at once; see {@link changing.renameInCircle}. */
  renameInCircle(circle: readonly changing.Renaming[]): Promise<void> {
    return this.writer.write((ctx) => changing.renameInCircle(this.db, ctx, this.rules, circle));
  }

  /** Gives mailboxes special uses that others of them have, all at once. @throws StoreError "specialUse" */
  setSpecialUses(uses: readonly { id: MailboxId; bits: number }[]): Promise<void> {
    return this.writer.write((ctx) => changing.setSpecialUses(this.db, ctx, uses));
  }

  /** Removes a mailbox with its messages. @throws StoreError "inbox", "mailboxHasChildren", "mailboxMissing" */
  deleteMailbox(name: string, origin?: Listener): Promise<void> {
    return this.writer.write(
      (ctx) =>
        changing.deleteMailbox(
          this.db,
          ctx,
          name,
          this.#removeFiles,
          this.#askedFor.has(normalizeMailboxName(name)),
        ),
      origin,
    );
  }

  subscribe(name: string, origin?: Listener): Promise<void> {
    this.#askedFor.add(normalizeMailboxName(name));
    return this.writer.write((ctx) => changing.subscribe(this.db, ctx, name), origin);
  }
  unsubscribe(name: string, origin?: Listener): Promise<void> {
    this.#askedFor.delete(normalizeMailboxName(name));
    return this.writer.write((ctx) => changing.unsubscribe(this.db, ctx, name), origin);
  }
  /** Sets the special uses of a mailbox, replacing the old ones. */
  setSpecialUse(mailboxId: MailboxId, bits: number, origin?: Listener): Promise<void> {
    return this.writer.write(
      (ctx) => changing.setSpecialUse(this.db, ctx, mailboxId, bits),
      origin,
    );
  }

  /** Sets the mailbox's place among the others (RFC 8621 §2). */
  setSortOrder(mailboxId: MailboxId, order: number): Promise<void> {
    return this.writer.write(() => changing.setSortOrder(this.db, mailboxId, order));
  }

  /** Forgets keywords that no message of the mailbox has any more, of those for which the function says true. */
  forgetUnusedKeywords(
    mailboxId: MailboxId,
    mayForget: (keyword: string) => boolean,
  ): Promise<void> {
    return this.writer.write((ctx) => forgetUnusedKeywords(this.db, ctx, mailboxId, mayForget));
  }

  // --- messages

  #train(list: readonly NewMessage[], messages: Message[]): void {
    const ids = messages.filter((m, i) => !list[i].noTrain && (m.flags & junkFlags) !== 0)
      .map((m) => m.id);
    if (ids.length > 0) this.onTraining?.(ids);
  }

  /** As EmailFiles.arrive, and reports what was refused for the quota. */
  async #arrive<T>(
    list: readonly NewMessage[],
    origin: Listener | undefined,
    fn: (ctx: WriteContext, ready: ReadyEmail[]) => T,
  ): Promise<T> {
    try {
      return await this.emails.arrive(list, origin, fn);
    } catch (err) {
      if (err instanceof StoreError && err.code === "overQuota") this.onUsage?.(true);
      throw err;
    }
  }

  /**
   * Puts an incoming message of the account into the named mailbox, created if it is missing; `seal` may
   * replace the message. Durable when it resolves.
   */
  async deliver(mailboxName: string, m: NewMessage, origin?: Listener): Promise<Message> {
    const sealed = await this.seal?.(m);
    try {
      const stored = sealed?.message ?? m;
      const message = await this.#arrive([stored], origin, (ctx, [ready]) => {
        const mailbox = changing.ensureMailbox(this.db, ctx, mailboxName);
        return insertEmail(this.db, ctx, mailbox, this.rules, ready);
      });
      this.#train([stored], [message]);
      return message;
    } finally {
      sealed?.remove();
    }
  }

  /**
   * APPEND of one or more messages, all or nothing (RFC 3502).
   * @param change a change made of several writes: what is appended is noted for it (messages/unfinished.ts)
   */
  async append(
    mailboxId: MailboxId,
    list: readonly NewMessage[],
    origin?: Listener,
    change?: string,
  ): Promise<Message[]> {
    const messages = await this.#arrive(list, origin, (ctx, ready) => {
      const made = ready.map((r) =>
        insertEmail(this.db, ctx, requireMailbox(this.db, mailboxId), this.rules, r)
      );
      if (change !== undefined) {
        noteBrought(this.db, change, mailboxId, made.map((m) => m.uid));
      }
      return made;
    });
    this.#train(list, messages);
    return messages;
  }

  /** Puts one message into several mailboxes; durable when it resolves. @throws StoreError */
  async addEmail(mailboxIds: readonly MailboxId[], message: NewMessage): Promise<Message> {
    const messages = await this.#arrive([message], undefined, (ctx, [ready]) => {
      const [first, ...others] = mailboxIds.map((id) => requireMailbox(this.db, id));
      const made = insertEmail(this.db, ctx, first, this.rules, ready);
      chargeMessages(this.db, this.rules, others.length);
      const copies = others.map((mailbox) => {
        const flags = applyJunkFlags(this.rules, mailbox, made.flags);
        return insertMessage(this.db, ctx, mailbox, { ...made, flags });
      });
      return [made, ...copies];
    });
    // Each mailbox's copy has its own flags.
    this.#train(messages.map(() => message), messages);
    return messages[0];
  }

  /** Changes flags and mailboxes of an email; see messages/update_email.ts. @throws StoreError */
  async updateEmail(emailId: EmailId, change: EmailChange): Promise<void> {
    const trainable = await this.writer.write((ctx) =>
      updateEmail(this.db, ctx, this.rules, emailId, change, this.#removeFiles)
    );
    if (trainable.length > 0) this.onTraining?.(trainable);
  }

  /** Takes an email out of all its mailboxes, or only those that `may` allows. @throws StoreError */
  destroyEmail(
    emailId: EmailId,
    may: (mailboxId: MailboxId) => boolean = () => true,
  ): Promise<void> {
    return this.writer.write((ctx) => {
      destroyEmail(this.db, ctx, emailId, may, this.#removeFiles);
    });
  }

  /** REPLACE (RFC 8508): adds the new message and removes the old one in one transaction. */
  async replace(
    mailboxId: MailboxId,
    uid: number,
    toMailboxId: MailboxId,
    m: NewMessage,
    origin?: Listener,
  ): Promise<{ message: Message; expunged: number[]; modseq: number }> {
    const r = await this.#arrive([m], origin, (ctx, [ready]) => {
      const to = requireMailbox(this.db, toMailboxId);
      if (!this.messageByUid(mailboxId, uid)) {
        throw new StoreError("mailboxMissing", "message to be replaced is gone");
      }
      const message = insertEmail(this.db, ctx, to, this.rules, ready);
      const { uids, modseq } = expungeMessages(
        this.db,
        ctx,
        mailboxId,
        [uid],
        true,
        this.#removeFiles,
      );
      return { message, expunged: uids, modseq };
    });
    this.#train([m], [r.message]);
    return r;
  }

  /** Changes flags of messages; see store_flags.ts. The origin's listener isn't notified. */
  async storeFlags(
    mailboxId: MailboxId,
    uids: ArrayLike<number>,
    op: "set" | "add" | "remove",
    flags: number,
    keywords: readonly string[],
    opts: { unchangedSince?: number; origin?: Listener; only?: ChangeableFlags } = {},
  ): Promise<StoreFlagsResult> {
    const { unchangedSince, origin, only } = opts;
    const parts = await inSlices(this.writer, origin, uids, async (part, write) => {
      // An attempt in memory, where everything readable is durable.
      const rows = this.writer.busy ? undefined : this.rows.get(mailboxId);
      const same = rows && unchangedFlags(rows, part, op, flags, keywords, unchangedSince, only);
      if (same) return same;
      const r = await write((ctx) =>
        storeFlags(this.db, ctx, mailboxId, part, op, flags, keywords, unchangedSince, only)
      );
      if (r.trainable.length > 0) this.onTraining?.(r.trainable);
      return r;
    }, flagsPerSlice);
    return parts.length === 1 ? parts[0] : {
      changed: parts.flatMap((r) => r.changed),
      modified: parts.flatMap((r) => r.modified),
      missing: parts.flatMap((r) => r.missing),
      trainable: parts.flatMap((r) => r.trainable),
    };
  }

  /**
   * COPY; touches no file. All or nothing: what a crash leaves of a large copy is removed at the next start.
   */
  async copy(
    fromMailboxId: MailboxId,
    uids: ArrayLike<number>,
    toMailboxId: MailboxId,
    origin?: Listener,
  ): Promise<CopyResult> {
    const made: CopyResult[] = [];
    const change = isSliced(uids) ? `copy ${crypto.randomUUID()}` : undefined;
    try {
      await inSlices(this.writer, origin, uids, async (part, write) => {
        made.push(
          await write((ctx) => {
            const r = copyMessages(this.db, ctx, this.rules, fromMailboxId, part, toMailboxId);
            if (change !== undefined) noteBrought(this.db, change, toMailboxId, r.toUids);
            return r;
          }),
        );
      });
      if (change !== undefined) await this.writer.write(() => forgetBrought(this.db, change));
    } catch (err) {
      // RFC 9051 §6.4.7: the mailbox is restored to its former state.
      if (change !== undefined) await takeBack(this, change, origin);
      throw err;
    }
    const r = joinedCopies(made);
    if (r.trainable.length > 0) this.onTraining?.(r.trainable);
    return r;
  }

  /** MOVE (RFC 6851): each message is in exactly one of the two mailboxes at any time. */
  async move(
    fromMailboxId: MailboxId,
    uids: ArrayLike<number>,
    toMailboxId: MailboxId,
    origin?: Listener,
  ): Promise<MoveResult> {
    const parts = await inSlices(this.writer, origin, uids, async (part, write) => {
      const r = await write((ctx) =>
        moveMessages(this.db, ctx, this.rules, fromMailboxId, part, toMailboxId)
      );
      if (r.trainable.length > 0) this.onTraining?.(r.trainable);
      return r;
    });
    return { ...joinedCopies(parts), modseq: parts[parts.length - 1].modseq };
  }

  /** EXPUNGE: messages with \Deleted, limited to the uids if given; with `force` regardless of flags. */
  async expunge(
    mailboxId: MailboxId,
    uids?: ArrayLike<number>,
    origin?: Listener,
    opts: { force?: boolean } = {},
  ): Promise<{ uids: number[]; modseq: number }> {
    const force = opts.force ?? false;
    const chosen = force ? uids ?? this.uids(mailboxId) : this.#deleted(mailboxId, uids);
    if (chosen.length === 0) return { uids: [], modseq: requireMailbox(this.db, mailboxId).modseq };
    const parts = await inSlices(
      this.writer,
      origin,
      chosen,
      (part, write) =>
        write((ctx) => expungeMessages(this.db, ctx, mailboxId, part, force, this.#removeFiles)),
    );
    return { uids: parts.flatMap((r) => r.uids), modseq: parts[parts.length - 1].modseq };
  }

  /** Uids of the messages with \\Deleted, among those given. */
  #deleted(mailboxId: MailboxId, among: ArrayLike<number> | undefined): ArrayLike<number> {
    const found: number[] = [];
    if ((this.mailbox(mailboxId)?.deleted ?? 0) === 0) return found;
    let at = 0;
    this.eachWithFlags(mailboxId, Flag.Deleted, 0, (uid) => {
      if (among !== undefined) {
        while (among[at] < uid) at++;
        if (among[at] !== uid) return;
      }
      found.push(uid);
    });
    return found;
  }
}
