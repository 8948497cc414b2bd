/**
 * Putting messages from elsewhere into an account: in batches, others are served in between; when it is
 * aborted or fails, what it has brought is taken away again.
 *
 * The junk filter learns of them at the end, in one go: what is taken away was never learned.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { join } from "node:path";
import { removeFile, syncAndClose, writeNew } from "../../platform/files.ts";
import type { Account } from "../account/account.ts";
import type { MailboxId } from "../ids.ts";
import { smallFile } from "../files/recent_messages.ts";
import { describeBytes, descriptionSize } from "../messages/describe.ts";
import { forgetBrought, keptInParts, noteMade, takeBack } from "../messages/unfinished.ts";
import { Flag, type Mailbox, type NewMessage, StoreError, Want } from "../types.ts";
import type { Source, SourceMailbox, SourceMessage } from "./sources.ts";

export interface ImportOptions {
  /**
   * Mailbox to import into, made if it is missing; those of subfolders below it. With "" these are at the top,
   * and what is in no subfolder goes to the Inbox.
   */
  mailbox: string;
  /** For files on their way; on the account's file system. */
  tempDir: string;
  /** Leave out messages that are in the mailbox already, by Message-ID, or else by date and content. */
  skipDuplicates?: boolean;
  signal?: AbortSignal;
  /** What came before the source failed stays; asked then, also if it was aborted. */
  keepOnFailure?: () => boolean;
  /** Told after each batch, and from time to time while nothing new comes. */
  progress?: (progress: ImportProgress) => void;
  /** Told of messages that were stored for good, with their ids here. */
  arrived?: (list: { from: SourceMessage; id: number; mailboxId: MailboxId }[]) => void;
  /** Called when all that the source has given so far is stored for good. */
  stored?: () => Promise<void>;
}

export interface ImportProgress {
  imported: number;
  duplicates: number;
  /** Of the messages that were looked at. */
  bytes: number;
  /** Messages by mailbox. */
  mailboxes: Map<string, number>;
  /** What could not be imported, and why; the first thousand. */
  warnings: string[];
  /** How many there were. */
  warningCount: number;
}

/** Messages in a transaction, and bytes after which a batch is full. */
const batchCount = 100;
const batchBytes = 16 * 1024 * 1024;
/** Characters of descriptions after which a batch is full: a small message may have thousands of parts. */
const batchDescribed = 1024 * 1024;
/** Files that are written and made durable at the same time; more would only wait for the same disk. */
const filesAtOnce = 32;
/** Messages that are passed over, after which progress is told. */
const tellAfter = 500;
/** Warnings of an import that are kept; further ones are dropped. */
const maxWarnings = 1000;

/** True if a live message of the account has the Message-ID. */
export function hasMessageId(account: Account, messageId: string): boolean {
  if (messageId === "") return false;
  return account.db.get(
    "SELECT 1 FROM threads t JOIN messages m ON m.email_id = t.email_id " +
      "WHERE t.message_id = ? AND t.message_id != '' AND m.expunged = 0",
    messageId,
  ) !== undefined;
}

/** Imports all of a source. @throws what reading or storing fails with, or the signal's reason */
export async function importMessages(
  account: Account,
  source: Source,
  options: ImportOptions,
): Promise<ImportProgress> {
  return await new Import(account, options).run(source);
}

/** A message that is stored with others. */
interface Batched {
  mailbox: Mailbox;
  message: NewMessage;
  /** Resolves when its file is there with all its content. */
  written: Promise<unknown>;
  from: SourceMessage;
  /** Only of one that has no Message-ID to know it by. */
  content: Uint8Array | undefined;
}

const noContent = new Uint8Array(0);
const sameBytes = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0;

class Import {
  readonly #account: Account;
  readonly #o: ImportOptions;
  readonly #progress: ImportProgress = {
    imported: 0,
    duplicates: 0,
    bytes: 0,
    mailboxes: new Map(),
    warnings: [],
    warningCount: 0,
  };
  readonly #boxes = new Map<string, Mailbox>();
  /** Under which what it brings is noted: not even a crash leaves a part, unless parts are to stay. */
  readonly #change: string;
  /** Ids of messages that the junk filter is to learn of. */
  readonly #trainable: number[] = [];
  /** Id of the newest message when it began. */
  readonly #newest: number;
  #batch: Batched[] = [];
  /** Files that are being written or made durable. */
  readonly #underWay = new Set<Promise<void>>();
  #bytes = 0;
  #described = 0;
  #passedOver = 0;
  #files = 0;

  constructor(account: Account, options: ImportOptions) {
    this.#account = account;
    this.#o = options;
    this.#newest = account.db.get("SELECT coalesce(max(id), 0) FROM messages")![0] as number;
    this.#change = `${options.keepOnFailure ? keptInParts : "import "}${crypto.randomUUID()}`;
  }

  async run(source: Source): Promise<ImportProgress> {
    const { signal } = this.#o;
    try {
      for await (const m of source) {
        signal?.throwIfAborted();
        if ("problem" in m) {
          this.#warn(`${m.place}: ${m.problem}`);
          await this.#pass();
        } else if ("content" in m) {
          await this.#take(m);
        } else await this.#mailbox(m);
      }
      await this.#flush();
      await this.#whole();
      return this.#progress;
    } catch (err) {
      if (this.#o.keepOnFailure?.()) {
        await this.#flush();
        await this.#whole();
        throw err;
      }
      await Promise.all(this.#underWay);
      for (const b of this.#batch) removeFile(b.message.file);
      await takeBack(this.#account, this.#change);
      throw err;
    }
  }

  /** What has come stays. */
  async #whole(): Promise<void> {
    const { db, writer } = this.#account;
    await writer.write(() => forgetBrought(db, this.#change));
    if (this.#trainable.length > 0) this.#account.onTraining?.(this.#trainable);
  }

  #warn(text: string): void {
    const p = this.#progress;
    p.warningCount++;
    if (p.warnings.length < maxWarnings) p.warnings.push(text);
  }

  /** Nothing came of what the source gave. */
  async #pass(): Promise<void> {
    if (++this.#passedOver % tellAfter === 0) {
      this.#o.progress?.(this.#progress);
      // Nothing else may give others a turn.
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
  }

  async #take(m: SourceMessage): Promise<void> {
    const mailbox = await this.#mailbox(m);
    this.#progress.bytes += m.content.length;
    const description = await describeBytes(m.content);
    if (this.#o.skipDuplicates && this.#isThere(mailbox, m, description.summary.messageId)) {
      this.#progress.duplicates++;
      return await this.#pass();
    }
    const file = join(this.#o.tempDir, `import-${crypto.randomUUID()}-${this.#files++}`);
    // While the next ones are read it is written and made durable, so that a batch needs to wait for little.
    const written = writeNew(file, m.content);
    const fileSynced = written.then(syncAndClose);
    this.#storing(fileSynced);
    const message = {
      file,
      fileSynced,
      fileSize: m.content.length,
      prefix: new Uint8Array(0),
      description,
      flags: m.flags,
      keywords: m.keywords,
      received: m.received,
      noTrain: true,
    };
    const content = description.summary.messageId === "" ? m.content : undefined;
    // Its content is in the file.
    const from = { ...m, content: noContent };
    this.#batch.push({ mailbox, message, written, from, content });
    this.#described += descriptionSize(description);
    // A large one is in memory until it is written.
    if (m.content.length > smallFile) await written.catch(() => {});
    while (this.#underWay.size >= filesAtOnce) await Promise.race(this.#underWay);
    this.#bytes += m.content.length;
    const full = this.#batch.length >= batchCount || this.#bytes >= batchBytes ||
      this.#described >= batchDescribed;
    if (full) await this.#flush();
  }

  /** Until then it counts among the files under way; whoever waits for it finds out how it went. */
  #storing(fileSynced: Promise<void>): void {
    const settled = fileSynced.catch(() => {}).finally(() => this.#underWay.delete(settled));
    this.#underWay.add(settled);
  }

  /** The mailbox that is meant, made if it is missing. */
  async #mailbox(m: SourceMailbox): Promise<Mailbox> {
    const into = this.#o.mailbox;
    const name = into === "" ? m.below || "Inbox" : m.below === "" ? into : `${into}/${m.below}`;
    const use = into === "" ? m.use ?? 0 : 0;
    const key = `${use} ${name}`;
    let mailbox = this.#boxes.get(key);
    if (mailbox !== undefined) return mailbox;
    const account = this.#account;
    mailbox = (use ? account.mailboxBySpecialUse(use) : undefined) ?? account.mailboxByName(name);
    if (mailbox === undefined) {
      try {
        const r = await account.createMailbox(name, { specialUse: use });
        mailbox = r.mailbox;
        const names = r.created.map((m) => m.name);
        await account.writer.write(() => noteMade(account.db, this.#change, names));
        // Mailboxes that are there already are as their user wants them here.
        if (m.unsubscribed) await account.unsubscribe(mailbox.name);
      } catch (err) {
        if (!(err instanceof StoreError && err.code === "mailboxName") || m.below === "") throw err;
        this.#warn(`${name}: ${err.message}; its messages are in ${into || "Inbox"}`);
        mailbox = await this.#mailbox({ below: "" });
      }
    }
    this.#boxes.set(key, mailbox);
    return mailbox;
  }

  /**
   * True if the message is in the mailbox, or in the batch for it. What this import itself brought with the same
   * Message-ID is another copy if it has another size: a list's beside the one that came directly.
   */
  #isThere(mailbox: Mailbox, message: SourceMessage, messageId: string): boolean {
    const batch = this.#batch.filter((b) => b.mailbox.id === mailbox.id);
    if (messageId === "") return this.#isCopied(mailbox, message, batch);
    const inBatch = batch.some((b) =>
      b.message.description!.summary.messageId === messageId &&
      b.message.fileSize === message.content.length
    );
    if (inBatch) return true;
    return this.#account.db.get(
      "SELECT 1 FROM threads t JOIN messages m ON m.email_id = t.email_id " +
        "WHERE t.message_id = ? AND m.expunged = 0 AND m.mailbox_id = ? AND (m.id <= ? OR m.size = ?)",
      messageId,
      mailbox.id,
      this.#newest,
      message.content.length,
    ) !== undefined;
  }

  /** The same for a message without a Message-ID: by its date and all of its bytes. */
  #isCopied(mailbox: Mailbox, message: SourceMessage, batch: readonly Batched[]): boolean {
    // Mailbox files tell no more than the second.
    const second = Math.floor(message.received / 1000);
    const inBatch = batch.some((b) =>
      b.content !== undefined && Math.floor(b.message.received! / 1000) === second &&
      sameBytes(b.content, message.content)
    );
    if (inBatch) return true;
    const account = this.#account;
    const uids = account.db.all(
      "SELECT uid FROM messages WHERE mailbox_id = ? AND received >= ? AND received < ? AND size = ? " +
        "AND expunged = 0",
      mailbox.id,
      second * 1000,
      second * 1000 + 1000,
      message.content.length,
    ).map(([uid]) => uid as number);
    let found = false;
    account.fetch(mailbox.id, uids, Want.Content, (row) => {
      const reader = account.openRow(row);
      try {
        found = sameBytes(reader.read(0, reader.size), message.content);
      } finally {
        reader.close();
      }
      return !found;
    });
    return found;
  }

  async #flush(): Promise<void> {
    const written = await Promise.allSettled(this.#batch.map((b) => b.written));
    // Of those that couldn't be written there is no file; the others are stored before that is told.
    const batch = this.#batch = this.#batch.filter((_, i) => written[i].status === "fulfilled");
    try {
      for (const id of new Set(batch.map((b) => b.mailbox.id))) {
        const part = batch.filter((b) => b.mailbox.id === id);
        const list = part.map((b) => b.message);
        const messages = await this.#account.append(id, list, undefined, this.#change);
        for (const m of messages) {
          if (m.flags & (Flag.Junk | Flag.NotJunk)) this.#trainable.push(m.id);
        }
        this.#o.arrived?.(
          messages.map((m, i) => ({ from: part[i].from, id: m.id, mailboxId: id })),
        );
        const p = this.#progress;
        const { name } = part[0].mailbox;
        p.mailboxes.set(name, (p.mailboxes.get(name) ?? 0) + part.length);
        p.imported += part.length;
      }
    } finally {
      // Not everywhere can a file go that is open.
      await Promise.all(this.#underWay);
      for (const b of batch) removeFile(b.message.file);
      this.#batch = [];
      this.#bytes = 0;
      this.#described = 0;
    }
    const failed = written.find((w) => w.status === "rejected");
    if (failed) throw failed.reason;
    await this.#o.stored?.();
    this.#o.progress?.(this.#progress);
  }
}
