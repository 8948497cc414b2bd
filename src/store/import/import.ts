/**
 * Imports messages into an account, in batches, so that others are served in between.
 *
 * An all-or-nothing import puts nothing into the account before all of it was read (see staged.ts). Then its
 * mailboxes are created and its messages put in place, and it can no longer be aborted; if that fails or a
 * crash interrupts it, what was put in place is removed again. An import that may stay in parts stores each
 * batch immediately.
 *
 * The junk filter is trained at the end, in one go: what is removed again was never learned.
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
import { requireRoom } from "../messages/insert.ts";
import { forgetBrought, keptInParts, takeBack } from "../messages/unfinished.ts";
import { Flag, type Message, Want } from "../types.ts";
import type { Source, SourceMailbox, SourceMessage } from "./sources.ts";
import { Staged, type StagedMessage } from "./staged.ts";
import { type Target, Targets } from "./targets.ts";

export interface ImportOptions {
  /**
   * Mailbox to import into, created if missing; subfolders become mailboxes below it. With "" these are at the
   * top, and messages in no subfolder go to the Inbox.
   */
  mailbox: string;
  /** For temporary files; on the account's file system. */
  tempDir: string;
  /**
   * Skip messages that are already in the mailbox, compared by Message-ID or, without one, by date and content.
   */
  skipDuplicates?: boolean;
  signal?: AbortSignal;
  /**
   * Whether to keep what came before the source failed or was aborted; called at that time. If not given,
   * nothing reaches the account before all of it was read.
   */
  keepOnFailure?: () => boolean;
  /** Called after each batch, and from time to time while nothing new comes. */
  progress?: (progress: ImportProgress) => void;
  /** Called with messages that were stored permanently, with their ids here. */
  arrived?: (list: { from: SourceMessage; id: number; mailboxId: MailboxId }[]) => void;
  /** Called when everything that the source has yielded so far is stored permanently. */
  stored?: () => Promise<void>;
}

export interface ImportProgress {
  /** Messages that were read and accepted. */
  imported: number;
  /** How many of them are in their mailboxes: none before the end, unless parts may stay. */
  placed: number;
  duplicates: number;
  /** Bytes of the messages processed. */
  bytes: number;
  /** Messages by mailbox. */
  mailboxes: Map<string, number>;
  /** What could not be imported, and why; the first thousand of them. */
  warnings: string[];
  /** Total number of warnings. */
  warningCount: number;
}

/** Messages in a transaction, and bytes after which a batch is full. */
const batchCount = 100;
const batchBytes = 16 * 1024 * 1024;
/** A batch is full with this many characters of descriptions: a small message may have thousands of parts. */
const batchDescribed = 1024 * 1024;
/**
 * Files that are written and made durable at the same time: a quarter of the runtime's threads, as everything
 * else uses these too. More isn't faster.
 */
const filesAtOnce = 8;
/** Progress is reported after this many skipped messages. */
const tellAfter = 500;
/** Warnings of an import that are kept; further ones are dropped. */
const maxWarnings = 1000;

/**
 * Fraction of an import spent reading the source, if nothing is put in place before; the rest is putting in
 * place.
 */
const readingPart = 0.8;

/** The fraction of an import that is done. @param bytes of all messages of the source */
export function partDone(p: ImportProgress, bytes: number): number {
  const read = Math.min(1, p.bytes / bytes);
  const placed = read < 1 ? 0 : p.imported === 0 ? 1 : p.placed / p.imported;
  return readingPart * read + (1 - readingPart) * placed;
}

/** True if a live message of the account has the Message-ID. */
export function hasMessageId(account: Account, messageId: string): boolean {
  if (messageId === "") return false;
  return account.db.get(
    "SELECT 1 FROM threads t JOIN messages m ON m.email_id = t.email_id " +
      "WHERE t.message_id = ? AND t.message_id != '' AND m.expunged = 0",
    messageId,
  ) !== undefined;
}

/** Imports all of a source. @throws errors of reading or storing, or the signal's reason */
export async function importMessages(
  account: Account,
  source: Source,
  options: ImportOptions,
): Promise<ImportProgress> {
  return await new Import(account, options).run(source);
}

/** A message that is stored together with others. */
interface Batched {
  target: Target;
  message: StagedMessage;
  /** Resolves when its complete file exists. */
  written: Promise<unknown>;
  from: SourceMessage;
  /** Identifies copies of it: its Message-ID, or else its content. */
  key: string;
}

const isFull = (count: number, bytes: number, described: number) =>
  count >= batchCount || bytes >= batchBytes || described >= batchDescribed;

const noContent = new Uint8Array(0);
const digest = async (content: Uint8Array) =>
  `sha-256 ${
    new Uint8Array(await crypto.subtle.digest("SHA-256", content as BufferSource)).toHex()
  }`;
const sameBytes = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0;

class Import {
  readonly #account: Account;
  readonly #o: ImportOptions;
  readonly #progress: ImportProgress = {
    imported: 0,
    placed: 0,
    duplicates: 0,
    bytes: 0,
    mailboxes: new Map(),
    warnings: [],
    warningCount: 0,
  };
  readonly #targets: Targets;
  readonly #inParts: boolean;
  /** Prefix of the names of its files. */
  readonly #prefix: string;
  /** Messages that wait for the end, if they exceed a batch. */
  #staged: Staged | undefined;
  /** Under this name its messages are noted: not even a crash leaves a part, unless parts may stay. */
  readonly #change: string;
  /** Ids of messages for the junk filter to learn. */
  readonly #trainable: number[] = [];
  /** Id of the newest message at the start. */
  readonly #newest: number;
  #batch: Batched[] = [];
  /** Files being written or made durable. */
  readonly #underWay = new Set<Promise<void>>();
  #bytes = 0;
  #described = 0;
  #passedOver = 0;
  #files = 0;

  constructor(account: Account, options: ImportOptions) {
    this.#account = account;
    this.#o = options;
    this.#inParts = options.keepOnFailure !== undefined;
    this.#newest = account.db.get("SELECT coalesce(max(id), 0) FROM messages")![0] as number;
    this.#prefix = join(options.tempDir, `import-${crypto.randomUUID()}`);
    this.#change = `${this.#inParts ? keptInParts : "import "}${crypto.randomUUID()}`;
    this.#targets = new Targets(account, this.#change, options.mailbox);
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
        } else await this.#target(m);
      }
      await this.#end();
      return this.#progress;
    } catch (err) {
      if (this.#o.keepOnFailure?.()) {
        await this.#end();
        throw err;
      }
      await Promise.all(this.#underWay);
      for (const b of this.#batch) removeFile(b.message.file);
      await takeBack(this.#account, this.#change);
      throw err;
    } finally {
      await this.#staged?.remove();
    }
  }

  /** Called when everything has been read. */
  async #end(): Promise<void> {
    if (this.#staged !== undefined) await this.#flush();
    if (!this.#inParts) { for (const t of this.#targets.all) await this.#targets.make(t); }
    if (this.#staged === undefined) await this.#flush(true);
    else for (const t of this.#targets.all) await this.#place(t, this.#staged);
    await this.#whole();
  }

  /** What was imported stays. */
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

  /** The source yielded something that brought no message. */
  async #pass(): Promise<void> {
    if (++this.#passedOver % tellAfter === 0) {
      this.#o.progress?.(this.#progress);
      // Nothing else may give other work a turn.
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
  }

  /** The mailbox for a source's mailbox; created immediately if parts may stay. */
  async #target(m: SourceMailbox): Promise<Target> {
    const target = this.#targets.find(m, (problem) => this.#warn(problem));
    if (this.#inParts && target.mailbox === undefined) await this.#targets.make(target);
    return target;
  }

  async #take(m: SourceMessage): Promise<void> {
    const target = await this.#target(m);
    this.#progress.bytes += m.content.length;
    const description = await describeBytes(m.content);
    const { messageId } = description.summary;
    const key = messageId || (this.#o.skipDuplicates ? await digest(m.content) : "");
    if (this.#o.skipDuplicates && this.#isThere(target, m, messageId, key)) {
      this.#progress.duplicates++;
      return await this.#pass();
    }
    const file = `${this.#prefix}-${this.#files++}`;
    // It is written and made durable while the next ones are read, so that a batch has little to wait for.
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
    // The content is in the file.
    const from = { ...m, content: noContent };
    this.#batch.push({ target, message, written, from, key });
    this.#described += descriptionSize(description);
    // A large message stays in memory until it is written.
    if (m.content.length > smallFile) await written.catch(() => {});
    while (this.#underWay.size >= filesAtOnce) await Promise.race(this.#underWay);
    this.#bytes += m.content.length;
    if (isFull(this.#batch.length, this.#bytes, this.#described)) await this.#flush();
  }

  /** Counts among the files being written until done; whoever waits for it learns the result. */
  #storing(fileSynced: Promise<void>): void {
    const settled = fileSynced.catch(() => {}).finally(() => this.#underWay.delete(settled));
    this.#underWay.add(settled);
  }

  /** Waits for the files of the batch and drops those that couldn't be written; returns the first failure. */
  async #written(): Promise<{ reason: unknown } | undefined> {
    const written = await Promise.allSettled(this.#batch.map((b) => b.written));
    this.#batch = this.#batch.filter((_, i) => written[i].status === "fulfilled");
    return written.find((w) => w.status === "rejected");
  }

  /**
   * True if the message is in the mailbox or waits to be put there. A message of this import with the same
   * Message-ID but another size is a different copy: one through a list and one sent directly.
   */
  #isThere(target: Target, message: SourceMessage, messageId: string, key: string): boolean {
    const size = message.content.length;
    // Mailbox files have a precision of one second.
    const second = messageId === "" ? Math.floor(message.received / 1000) * 1000 : undefined;
    const waits =
      this.#batch.some((b) =>
        b.target === target && b.key === key && b.message.fileSize === size &&
        (second === undefined || b.message.received >= second && b.message.received < second + 1000)
      ) || this.#staged?.has(target.number, key, size, second);
    if (waits) return true;
    if (target.mailbox === undefined) return false;
    if (second !== undefined) return this.#isCopied(target.mailbox.id, message.content, second);
    return this.#account.db.get(
      "SELECT 1 FROM threads t JOIN messages m ON m.email_id = t.email_id " +
        "WHERE t.message_id = ? AND m.expunged = 0 AND m.mailbox_id = ? AND (m.id <= ? OR m.size = ?)",
      messageId,
      target.mailbox.id,
      this.#newest,
      size,
    ) !== undefined;
  }

  /** The same for a message without a Message-ID: by its date and all of its bytes. */
  #isCopied(mailboxId: MailboxId, content: Uint8Array, second: number): boolean {
    const account = this.#account;
    const uids = account.db.all(
      "SELECT uid FROM messages WHERE mailbox_id = ? AND received >= ? AND received < ? AND size = ? " +
        "AND expunged = 0",
      mailboxId,
      second,
      second + 1000,
      content.length,
    ).map(([uid]) => uid as number);
    let found = false;
    account.fetch(mailboxId, uids, Want.Content, (row) => {
      const reader = account.openRow(row);
      try {
        found = sameBytes(reader.read(0, reader.size), content);
      } finally {
        reader.close();
      }
      return !found;
    });
    return found;
  }

  /**
   * Stores a full batch, or the last one. @param last the end: without an earlier batch it is stored directly
   */
  async #flush(last = false): Promise<void> {
    const failed = await this.#written();
    // What was written stays only if parts may stay.
    if (failed && !this.#inParts) throw failed.reason;
    const batch = this.#batch;
    if (this.#inParts || last) {
      try {
        for (const t of new Set(batch.map((b) => b.target))) {
          const part = batch.filter((b) => b.target === t);
          const messages = await this.#store(t, part.map((b) => b.message));
          const mailboxId = t.mailbox!.id;
          this.#o.arrived?.(messages.map((m, i) => ({ from: part[i].from, id: m.id, mailboxId })));
          this.#count(t, part.length);
        }
      } finally {
        // Some systems can't remove an open file.
        await Promise.all(this.#underWay);
        for (const b of batch) removeFile(b.message.file);
        this.#empty();
      }
      if (failed) throw failed.reason;
      await this.#o.stored?.();
    } else await this.#stage(batch);
    this.#o.progress?.(this.#progress);
  }

  #empty(): void {
    this.#batch = [];
    this.#bytes = 0;
    this.#described = 0;
  }

  #count(t: Target, messages: number): void {
    const p = this.#progress;
    const name = t.mailbox?.name ?? t.name;
    p.mailboxes.set(name, (p.mailboxes.get(name) ?? 0) + messages);
    p.imported += messages;
  }

  /** Puts messages into a mailbox. */
  async #store(t: Target, list: readonly StagedMessage[]): Promise<Message[]> {
    const messages = await this.#account.append(t.mailbox!.id, list, undefined, this.#change);
    for (const m of messages) {
      if (m.flags & (Flag.Junk | Flag.NotJunk)) this.#trainable.push(m.id);
    }
    this.#progress.placed += messages.length;
    return messages;
  }

  /** Stages a batch until the end. @throws StoreError "overQuota" */
  async #stage(batch: readonly Batched[]): Promise<void> {
    const staged = this.#staged ??= await Staged.open(`${this.#prefix}-list`);
    await Promise.all(batch.map((b) => b.message.fileSynced));
    staged.add(batch.map(({ target, message, key }) => ({ mailbox: target.number, message, key })));
    this.#empty();
    for (const b of batch) this.#count(b.target, 1);
    const { db, rules } = this.#account;
    try {
      requireRoom(db, rules, staged.bytes, staged.count);
    } catch (err) {
      this.#account.onUsage?.(true);
      throw err;
    }
  }

  /** Puts the staged messages of a mailbox into it. */
  async #place(t: Target, staged: Staged): Promise<void> {
    let part: StagedMessage[] = [];
    let bytes = 0;
    let described = 0;
    const store = async () => {
      await this.#store(t, part);
      // Messages in the account have their own link to the file.
      for (const m of part) removeFile(m.file);
      part = [];
      bytes = described = 0;
      this.#o.progress?.(this.#progress);
    };
    for (const m of staged.of(t.number)) {
      part.push(m);
      bytes += m.fileSize;
      described += descriptionSize(m.description);
      if (isFull(part.length, bytes, described)) await store();
    }
    if (part.length > 0) await store();
  }
}
