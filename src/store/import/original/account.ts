/**
 * Takes an account of the Go original over into a new folder that is then put in place: mailboxes with their
 * UIDVALIDITY, messages with uids, modseqs, flags and dates, threads, reputation data of senders, and
 * credentials. Nothing in the original's folder is changed: message files are hard links.
 *
 * @module
 */
import { join } from "node:path";
import { syncDir, syncFile } from "../../../platform/files.ts";
import { type BoltRecord, RecordFile } from "../../bolt/records.ts";
import { Db } from "../../database/database.ts";
import { accountMigrations } from "../../database/schema.ts";
import { putCredentials } from "../../logins/credentials.ts";
import type { EmailDescription } from "../../messages/describe.ts";
import { originalCredentials } from "./credentials.ts";
import {
  countMailboxes,
  takeAnnotations,
  takeMailboxes,
  takeRecipients,
  takeSettings,
  takeSubscriptions,
  type Warn,
} from "./mailboxes.ts";
import { MessageTaker, surveyMessages } from "./messages.ts";

/** What is, or would be, taken over from an account. */
export interface TakenAccount {
  mailboxes: number;
  messages: number;
  /** Uids reported to programs as gone. */
  expunged: number;
  /** Messages whose files are missing. */
  missing: number;
  bytes: number;
  password: boolean;
  /** Kinds of records that are not taken over, and how many. */
  dropped: Record<string, number>;
}

/** Records that have no counterpart here. */
const droppedTypes = [
  "LoginSession",
  "RecipientDomainTLS",
  "RulesetNoListID",
  "RulesetNoMailbox",
  "RulesetNoMsgFrom",
  "Subjectpass",
];

function droppedOf(file: RecordFile): Record<string, number> {
  const dropped: Record<string, number> = {};
  for (const type of droppedTypes) {
    let n = 0;
    for (const _ of file.records(type)) n++;
    if (n > 0) dropped[type] = n;
  }
  return dropped;
}

/** Surveys an account of the original without changing anything. @throws BoltError */
export function surveyAccount(dir: string): TakenAccount {
  const file = RecordFile.open(join(dir, "index.db"));
  let failed = true;
  try {
    const mailboxes = new Set<number>();
    for (const m of file.records("Mailbox")) if (!m.flag("Expunged")) mailboxes.add(m.number("ID"));
    let bytes = 0, messages = 0, expunged = 0;
    for (const m of file.records("Message")) {
      if (!mailboxes.has(m.number("MailboxID"))) continue;
      if (m.flag("Expunged")) {
        expunged++;
        continue;
      }
      messages++;
      bytes += m.number("Size");
    }
    const [password] = file.records("Password");
    const dropped = droppedOf(file);
    failed = false;
    return {
      mailboxes: mailboxes.size,
      messages,
      expunged,
      missing: 0,
      bytes,
      password: password !== undefined,
      dropped,
    };
  } finally {
    file.close(failed);
  }
}

export interface TakeAccountOptions {
  warn: Warn;
  /** Called with the number of messages taken over, and their total. */
  progress?: (done: number, of: number) => void;
}

/** Messages per transaction. */
const batch = 500;

/**
 * Takes an account over.
 * @param from the account's folder in the original
 * @param to an empty folder; complete and on disk when it resolves
 * @throws BoltError; errors of the file system
 */
export async function takeAccount(
  from: string,
  to: string,
  options: TakeAccountOptions,
): Promise<TakenAccount> {
  const file = RecordFile.open(join(from, "index.db"));
  let failed = true;
  try {
    const db = await Db.open(join(to, "index.db"), accountMigrations);
    try {
      const taken = await takeAll(db, file, from, to, options);
      await db.durable();
      failed = false;
      return taken;
    } finally {
      await db.close();
    }
  } finally {
    file.close(failed);
    await syncFile(join(to, "index.db")).catch(() => {});
    await syncDir(to);
  }
}

async function takeAll(
  db: Db,
  file: RecordFile,
  from: string,
  to: string,
  options: TakeAccountOptions,
): Promise<TakenAccount> {
  const mailboxes = db.transaction(() => takeMailboxes(db, file, options.warn));
  const survey = surveyMessages(file, mailboxes);
  const folders = { from: join(from, "msg"), to: join(to, "msg") };
  Deno.mkdirSync(folders.to, { recursive: true, mode: 0o700 });
  const taker = new MessageTaker(db, folders, survey, mailboxes, options.warn);
  let done = 0;
  let waiting: { record: BoltRecord; description: EmailDescription | undefined }[] = [];
  const write = () => {
    db.transaction(() => {
      for (const { record, description } of waiting) {
        if (description) taker.insert(record, description);
        else taker.remnant(record);
      }
    });
    waiting = [];
    options.progress?.(done, survey.live.size);
  };
  for (const record of file.records("Message")) {
    if (!mailboxes.has(record.number("MailboxID"))) continue;
    const expunged = record.flag("Expunged");
    waiting.push({ record, description: expunged ? undefined : await taker.prepare(record) });
    if (!expunged) done++;
    if (waiting.length >= batch) write();
  }
  write();

  const [sync] = file.records("SyncState");
  const [next] = file.records("NextUIDValidity");
  const credentials = originalCredentials(file, options.warn);
  db.transaction(() => {
    taker.finish();
    forgottenUids(db, sync?.number("HighestDeletedModSeq") ?? 0);
    takeSubscriptions(db, file);
    takeAnnotations(db, file);
    takeRecipients(db, file);
    takeSettings(db, file);
    countMailboxes(db);
    db.run(
      "UPDATE state SET modseq = ?, uidvalidity = max(uidvalidity, ?, " +
        "(SELECT coalesce(max(uidvalidity), 1) FROM mailboxes)), next_email_id = ?",
      Math.max(1, survey.lastModseq, sync?.number("LastModSeq") ?? 0),
      next?.number("Next") ?? 1,
      survey.lastId + 1,
    );
    if (credentials) putCredentials(db, credentials.hash, credentials.derived);
  });
  for (const shard of taker.shards) await syncDir(shard);
  await syncDir(folders.to);
  return {
    mailboxes: mailboxes.size,
    messages: survey.live.size - taker.missing,
    expunged: survey.expunged,
    missing: taker.missing,
    bytes: db.get("SELECT message_size FROM state")![0],
    password: credentials !== undefined,
    dropped: droppedOf(file),
  };
}

/** Most uids of a mailbox that are recorded as gone. */
const maxForgotten = 1_000_000;

/**
 * Where the original has forgotten which messages were removed up to some change, programs that last
 * synchronised before it are told of all missing uids (RFC 7162 §3.2.5.1 allows naming uids that never
 * existed).
 */
function forgottenUids(db: Db, modseq: number): void {
  if (modseq <= 0) return;
  for (const [id, uidnext] of db.all("SELECT id, uidnext FROM mailboxes")) {
    db.run(
      "WITH RECURSIVE n (uid) AS (SELECT 1 UNION ALL SELECT uid + 1 FROM n WHERE uid + 1 < min(?2, ?4)) " +
        "INSERT INTO messages (email_id, mailbox_id, uid, modseq, createseq, expunged, flags, keywords, " +
        "received, saved, size) SELECT 0, ?1, uid, ?3, 0, 1, 0, '', 0, 0, 0 FROM n WHERE uid < ?2 AND uid NOT IN " +
        "(SELECT uid FROM messages WHERE mailbox_id = ?1)",
      id,
      uidnext,
      modseq,
      maxForgotten,
    );
  }
}
