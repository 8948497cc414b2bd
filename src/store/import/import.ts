/**
 * Putting messages from elsewhere into an account: in batches, others are served in between.
 *
 * Of an import that counts only as a whole nothing is in the account before all of it was read (see staged.ts). Then
 * its mailboxes are made and its messages put in place, and it can't be aborted any more; if that fails, or a crash
 * cuts it off, what was put in place is taken away again. One of which parts may stay stores each batch at once.
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
import { requireRoom } from "../messages/insert.ts";
import { forgetBrought, keptInParts, takeBack } from "../messages/unfinished.ts";
import { Flag, type Message, Want } from "../types.ts";
import type { Source, SourceMailbox, SourceMessage } from "./sources.ts";
import { Staged, type StagedMessage } from "./staged.ts";
import { type Target, Targets } from "./targets.ts";

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
  /**
   * What came before the source failed stays; asked then, also if it was aborted. Without it the account has nothing of
   * the import before all of it was read.
   */
  keepOnFailure?: () => boolean;
  /** Told after each batch, and from time to time while nothing new comes. */
  progress?: (progress: ImportProgress) => void;
  /** Told of messages that were stored for good, with their ids here. */
  arrived?: (list: { from: SourceMessage; id: number; mailboxId: MailboxId }[]) => void;
  /** Called when all that the source has given so far is stored for good. */
  stored?: () => Promise<void>;
}

export interface ImportProgress {
  /** Messages that were taken. */
  imported: number;
  /** How many of them are in their mailboxes: up to the end none, unless parts may stay. */
  placed: number;
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
/**
 * Files that are written and made durable at the same time: a quarter of the runtime's threads, as all others wait for
 * these too. More isn't faster.
 */
const filesAtOnce = 8;
/** Messages that are passed over, after which progress is told. */
const tellAfter = 500;
/** Warnings of an import that are kept; further ones are dropped. */
const maxWarnings = 1000;

/** What part of an import takes reading the source, where nothing is put in place before; the rest is that. */
const readingPart = 0.8;

/** How much of an import is done, of 1. @param bytes of all messages of the source */
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
  target: Target;
  message: StagedMessage;
  /** Resolves when its file is there with all its content. */
  written: Promise<unknown>;
  from: SourceMessage;
  /** By which a copy of it is known: its Message-ID, or else its content. */
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
  /** Begins the names of its files. */
  readonly #prefix: string;
  /** What waits for the end, if that is more than a batch. */
  #staged: Staged | undefined;
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

  /** All has been read. */
  async #end(): Promise<void> {
    if (this.#staged !== undefined) await this.#flush();
    if (!this.#inParts) { for (const t of this.#targets.all) await this.#targets.make(t); }
    if (this.#staged === undefined) await this.#flush(true);
    else for (const t of this.#targets.all) await this.#place(t, this.#staged);
    await this.#whole();
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

  /** The mailbox that is meant; made at once if parts may stay. */
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
    // Its content is in the file.
    const from = { ...m, content: noContent };
    this.#batch.push({ target, message, written, from, key });
    this.#described += descriptionSize(description);
    // A large one is in memory until it is written.
    if (m.content.length > smallFile) await written.catch(() => {});
    while (this.#underWay.size >= filesAtOnce) await Promise.race(this.#underWay);
    this.#bytes += m.content.length;
    if (isFull(this.#batch.length, this.#bytes, this.#described)) await this.#flush();
  }

  /** Until then it counts among the files under way; whoever waits for it finds out how it went. */
  #storing(fileSynced: Promise<void>): void {
    const settled = fileSynced.catch(() => {}).finally(() => this.#underWay.delete(settled));
    this.#underWay.add(settled);
  }

  /** Waits for the files of the batch, and leaves out those that couldn't be written; how the first of these failed. */
  async #written(): Promise<{ reason: unknown } | undefined> {
    const written = await Promise.allSettled(this.#batch.map((b) => b.written));
    this.#batch = this.#batch.filter((_, i) => written[i].status === "fulfilled");
    return written.find((w) => w.status === "rejected");
  }

  /**
   * True if the message is in the mailbox, or waits for being put there. What this import itself brought with the same
   * Message-ID is another copy if it has another size: a list's beside the one that came directly.
   */
  #isThere(target: Target, message: SourceMessage, messageId: string, key: string): boolean {
    const size = message.content.length;
    // Mailbox files tell no more than the second.
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

  /** A batch is full, or the last one. @param last with nothing before it: it is stored at once */
  async #flush(last = false): Promise<void> {
    const failed = await this.#written();
    // What could be written stays only where parts may.
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
        // Not everywhere can a file go that is open.
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

  /** Lets a batch wait for the end. @throws StoreError "overQuota" */
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

  /** Puts what waits for a mailbox into it. */
  async #place(t: Target, staged: Staged): Promise<void> {
    let part: StagedMessage[] = [];
    let bytes = 0;
    let described = 0;
    const store = async () => {
      await this.#store(t, part);
      // What is in the account has a name there.
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
