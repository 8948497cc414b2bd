/**
 * Putting messages from elsewhere into an account: in batches, others are served in between; when it is
 * aborted or fails, what it has brought is taken away again.
 *
 * @module
 */
import { join } from "node:path";
import { removeFile } from "../../platform/files.ts";
import type { Account } from "../account.ts";
import { describeFile } from "../describe.ts";
import type { Mailbox, NewMessage } from "../types.ts";
import type { Source } from "./sources.ts";

export interface ImportOptions {
  /**
   * Mailbox to import into, made if it is missing; those of subfolders below it. With "" these are at the top,
   * and what is in no subfolder goes to the Inbox.
   */
  mailbox: string;
  /** For files on their way; on the account's file system. */
  tempDir: string;
  /** Leave out messages whose Message-ID is in the mailbox already. */
  skipDuplicates?: boolean;
  signal?: AbortSignal;
  /** What came before the source failed stays; not if it was aborted. */
  keepOnFailure?: boolean;
  /** Told after each batch. */
  progress?: (p: ImportProgress) => void;
}

export interface ImportProgress {
  imported: number;
  duplicates: number;
  /** Messages by mailbox. */
  mailboxes: Map<string, number>;
  /** What could not be imported, and why; the first thousand. */
  warnings: string[];
}

/** Messages in a transaction, and bytes after which a batch is full. */
const batchCount = 100;
const batchBytes = 16 * 1024 * 1024;
const maxWarnings = 1000;

/** Imports all of a source. @throws what reading or storing fails with, or the signal's reason */
export async function importMessages(
  account: Account,
  source: Source,
  o: ImportOptions,
): Promise<ImportProgress> {
  const progress: ImportProgress = {
    imported: 0,
    duplicates: 0,
    mailboxes: new Map(),
    warnings: [],
  };
  const warn = (text: string) => {
    if (progress.warnings.length < maxWarnings) progress.warnings.push(text);
  };
  const boxes = new Map<string, Mailbox>();
  /** Made for it, also those above the ones with messages. */
  const made: Mailbox[] = [];
  /** Uids that were brought, by mailbox. */
  const brought = new Map<number, number[]>();
  let batch: { mailbox: Mailbox; message: NewMessage; place: string }[] = [];
  let bytes = 0;

  const flush = async () => {
    const files = batch.map((b) => b.message.file);
    try {
      const ids = new Set(batch.map((b) => b.mailbox.id));
      for (const id of ids) {
        const part = batch.filter((b) => b.mailbox.id === id);
        const messages = await account.append(id, part.map((b) => b.message));
        const uids = brought.get(id) ?? [];
        uids.push(...messages.map((m) => m.uid));
        brought.set(id, uids);
        const { name } = part[0].mailbox;
        progress.mailboxes.set(name, (progress.mailboxes.get(name) ?? 0) + part.length);
        progress.imported += part.length;
      }
    } finally {
      for (const f of files) removeFile(f);
      batch = [];
      bytes = 0;
    }
    o.progress?.(progress);
  };

  try {
    let number = 0;
    for await (const m of source) {
      o.signal?.throwIfAborted();
      if ("problem" in m) {
        warn(`${m.place}: ${m.problem}`);
        continue;
      }
      const name = o.mailbox === ""
        ? m.below || "Inbox"
        : m.below === ""
        ? o.mailbox
        : `${o.mailbox}/${m.below}`;
      let mailbox = boxes.get(name);
      if (mailbox === undefined) {
        mailbox = account.mailboxByName(name);
        if (mailbox === undefined) {
          const r = await account.createMailbox(name);
          mailbox = r.mailbox;
          made.push(...r.created);
        }
        boxes.set(name, mailbox);
      }
      const file = join(o.tempDir, `import-${crypto.randomUUID()}-${number++}`);
      await Deno.writeFile(file, m.content, { createNew: true, mode: 0o600 });
      let message: NewMessage;
      try {
        const description = await describeFile(file);
        if (o.skipDuplicates && isThere(account, mailbox.id, description.summary.messageId)) {
          progress.duplicates++;
          removeFile(file);
          continue;
        }
        message = {
          file,
          fileSize: m.content.length,
          prefix: new Uint8Array(0),
          description,
          flags: m.flags,
          keywords: m.keywords,
          received: m.received,
        };
      } catch (err) {
        removeFile(file);
        throw err;
      }
      batch.push({ mailbox, message, place: m.place });
      bytes += m.content.length;
      if (batch.length >= batchCount || bytes >= batchBytes) await flush();
    }
    await flush();
    return progress;
  } catch (err) {
    if (o.keepOnFailure && !o.signal?.aborted) {
      await flush();
      throw err;
    }
    for (const b of batch) removeFile(b.message.file);
    await takeBack(account, brought, made);
    throw err;
  }
}

/** True if a live message of the mailbox has the Message-ID. */
function isThere(account: Account, mailboxId: number, messageId: string): boolean {
  return messageId !== "" && account.db.get(
        "SELECT 1 FROM threads t JOIN messages m ON m.email_id = t.email_id " +
          "WHERE t.message_id = ? AND t.message_id != '' AND m.mailbox_id = ? AND m.expunged = 0",
        messageId,
        mailboxId,
      ) !== undefined;
}

/** Removes what an import has brought. */
async function takeBack(
  account: Account,
  brought: Map<number, number[]>,
  made: readonly Mailbox[],
): Promise<void> {
  for (const [id, uids] of brought) {
    for (let i = 0; i < uids.length; i += 500) {
      await account.expunge(id, uids.slice(i, i + 500), undefined, { force: true });
    }
  }
  // Those below first.
  for (const m of [...made].sort((a, b) => b.name.length - a.name.length)) {
    await account.deleteMailbox(m.name);
  }
}
