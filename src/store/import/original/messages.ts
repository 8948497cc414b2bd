/** Messages of an account of the Go original: rows, files by hard link, threads, reputation. @module */
import { asEmailId } from "../../ids.ts";
import { join } from "node:path";
import { linkOrCopy } from "../../../platform/files.ts";
import type { BoltRecord, RecordFile } from "../../bolt/records.ts";
import type { Db } from "../../database/database.ts";
import { MessageFiles } from "../../files/message_files.ts";
import { describeFile, type EmailDescription } from "../../messages/describe.ts";
import { packSummary } from "../../messages/summary.ts";
import { matchThread } from "../../messages/threads.ts";
import { Flag } from "../../types.ts";
import type { TakenMailbox, Warn } from "./mailboxes.ts";

const flagFields: readonly (readonly [field: string, bit: number])[] = [
  ["Seen", Flag.Seen],
  ["Answered", Flag.Answered],
  ["Flagged", Flag.Flagged],
  ["Deleted", Flag.Deleted],
  ["Draft", Flag.Draft],
  ["Forwarded", Flag.Forwarded],
  ["Junk", Flag.Junk],
  ["Notjunk", Flag.NotJunk],
  ["Phishing", Flag.Phishing],
  ["MDNSent", Flag.MDNSent],
];

/** How a domain was verified, by the original's numbers. */
const validations = [
  "unknown",
  "strict",
  "dmarc",
  "relaxed",
  "pass",
  "neutral",
  "temperror",
  "permerror",
  "fail",
  "softfail",
  "none",
];

const tlsVersions: Record<number, string> = {
  0x301: "TLSv1",
  0x302: "TLSv1.1",
  0x303: "TLSv1.2",
  0x304: "TLSv1.3",
};

/** Letters of the original's folders of message files, 8192 in each. */
const shardLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";

/** Path of a message's file in the original's folder. */
export function originalPath(messageDir: string, id: number): string {
  let shard = "";
  let n = Math.floor(id / 8192);
  do {
    shard += shardLetters[n % 64];
    n = Math.floor(n / 64);
  } while (n > 0);
  return join(messageDir, shard, String(id));
}

/** The message files in a folder of the original. */
export class OriginalFiles {
  readonly #dir: string;
  #found: Map<number, string> | undefined;

  constructor(dir: string) {
    this.#dir = dir;
  }

  /**
   * Links or copies a file to another place.
   * @throws Deno.errors.NotFound if there is none of that id in any folder; errors of the file system
   */
  async place(id: number, target: string): Promise<void> {
    try {
      return await linkOrCopy(originalPath(this.#dir, id), target);
    } catch (err) {
      if (!(err instanceof Deno.errors.NotFound)) throw err;
    }
    this.#found ??= this.#scan();
    await linkOrCopy(this.#found.get(id) ?? originalPath(this.#dir, id), target);
  }

  /** Finds each file, for those that are not where they are expected. */
  #scan(): Map<number, string> {
    const found = new Map<number, string>();
    try {
      for (const shard of Deno.readDirSync(this.#dir)) {
        if (!shard.isDirectory) continue;
        for (const e of Deno.readDirSync(join(this.#dir, shard.name))) {
          const id = Number(e.name);
          if (e.isFile && Number.isSafeInteger(id)) {
            found.set(id, join(this.#dir, shard.name, e.name));
          }
        }
      }
    } catch (err) {
      if (!(err instanceof Deno.errors.NotFound)) throw err;
    }
    return found;
  }
}

/** Result of the first pass over the messages. */
export interface MessageSurvey {
  live: Set<number>;
  expunged: number;
  lastId: number;
  lastModseq: number;
  /** For each thread, the first of its existing messages. */
  threads: Map<number, number>;
}

/** Goes through all messages once, without files. */
export function surveyMessages(
  file: RecordFile,
  mailboxes: { has(id: number): boolean },
): MessageSurvey {
  const s: MessageSurvey = {
    live: new Set(),
    expunged: 0,
    lastId: 0,
    lastModseq: 1,
    threads: new Map(),
  };
  for (const m of file.records("Message")) {
    const id = asEmailId(m.number("ID"));
    s.lastId = Math.max(s.lastId, id);
    s.lastModseq = Math.max(s.lastModseq, m.number("ModSeq"));
    if (!mailboxes.has(m.number("MailboxID"))) continue;
    if (m.flag("Expunged")) {
      s.expunged++;
      continue;
    }
    s.live.add(id);
    const thread = m.number("ThreadID");
    if (thread !== 0 && !s.threads.has(thread)) s.threads.set(thread, id);
  }
  return s;
}

/** Writes messages into a new account's database and folder. */
export class MessageTaker {
  readonly #db: Db;
  readonly #from: OriginalFiles;
  readonly #files: MessageFiles;
  readonly #survey: MessageSurvey;
  readonly #mailboxes: ReadonlyMap<number, TakenMailbox>;
  readonly #warn: Warn;
  readonly shards = new Set<string>();
  /** Messages whose files are missing. */
  missing = 0;

  constructor(
    db: Db,
    folders: { from: string; to: string },
    survey: MessageSurvey,
    mailboxes: ReadonlyMap<number, TakenMailbox>,
    warn: Warn,
  ) {
    this.#db = db;
    this.#from = new OriginalFiles(folders.from);
    this.#files = new MessageFiles(folders.to);
    this.#survey = survey;
    this.#mailboxes = mailboxes;
    this.#warn = warn;
  }

  /** The slow work outside the database: the file and its contents. */
  async prepare(record: BoltRecord): Promise<EmailDescription | undefined> {
    const id = asEmailId(record.number("ID"));
    const target = this.#files.path(id);
    const shard = join(target, "..");
    if (!this.shards.has(shard)) {
      Deno.mkdirSync(shard, { recursive: true, mode: 0o700 });
      this.shards.add(shard);
    }
    try {
      await this.#from.place(id, target);
    } catch (err) {
      if (!(err instanceof Deno.errors.NotFound)) throw err;
      this.#warn(`${this.#name(record)} is left out: its file is missing`);
      this.missing++;
      return undefined;
    }
    return await describeFile(target);
  }

  #name(record: BoltRecord): string {
    const mailbox = this.#mailboxes.get(record.number("MailboxID"))?.name ?? "?";
    return `message ${record.number("ID")} (uid ${record.number("UID")} in ${mailbox})`;
  }

  /** A message that is gone or can't be taken over: programs are told that its uid is gone. */
  remnant(record: BoltRecord): void {
    this.#db.run(
      "INSERT INTO messages (id, email_id, mailbox_id, uid, modseq, createseq, expunged, flags, keywords, " +
        "received, saved, size) VALUES (?, 0, ?, ?, ?, ?, 1, 0, '', 0, 0, 0)",
      record.number("ID"),
      record.number("MailboxID"),
      record.number("UID"),
      Math.max(1, record.number("ModSeq")),
      Math.max(1, record.number("CreateSeq")),
    );
  }

  /** The rows of a message whose file is in place. */
  insert(record: BoltRecord, description: EmailDescription): void {
    const db = this.#db;
    const id = asEmailId(record.number("ID"));
    const prefix = record.bytes("MsgPrefix");
    const size = prefix.length + Deno.statSync(this.#files.path(id)).size;
    if (size !== record.number("Size")) {
      this.#warn(
        `${this.#name(record)} has ${size} bytes, where the database said ${record.number("Size")}`,
      );
    }
    const received = record.number("Received");
    db.run(
      "INSERT INTO emails (id, size, prefix, envelope, body, bodystructure, structure, summary, listed) " +
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
      id,
      size,
      prefix,
      description.envelope,
      description.body,
      description.bodyStructure,
      description.structure(prefix.length),
      packSummary(description.summary),
      description.listed(prefix) ?? null,
    );
    let flags = 0;
    for (const [field, bit] of flagFields) if (record.flag(field)) flags |= bit;
    const junk = record.value("TrainedJunk");
    db.run(
      "INSERT INTO messages (id, email_id, mailbox_id, uid, modseq, createseq, flags, keywords, received, " +
        "saved, size, trained) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      id,
      id,
      record.number("MailboxID"),
      record.number("UID"),
      Math.max(1, record.number("ModSeq")),
      Math.max(1, record.number("CreateSeq")),
      flags,
      record.texts("Keywords").map((k) => k.toLowerCase()).sort().join(" "),
      received,
      record.number("SaveDate") || received,
      size,
      junk === true ? 2 : junk === false ? 1 : 0,
    );
    this.#thread(record, description);
    if (record.text("RemoteIP") !== "") this.#facts(record, size);
  }

  #thread(record: BoltRecord, description: EmailDescription): void {
    const id = asEmailId(record.number("ID"));
    const { messageId, references } = description.summary;
    const received = record.number("Received");
    const thread = this.#survey.threads.get(record.number("ThreadID"));
    if (thread === undefined) {
      // From a version before threads.
      matchThread(this.#db, {
        emailId: id,
        messageId,
        references,
        subject: description.threadSubject,
        isReply: description.isReply,
        received,
      });
      return;
    }
    const parents = record.list("ThreadParentIDs").filter((p) => typeof p === "number");
    const parent = parents.find((p) => p !== id && this.#survey.live.has(p)) ?? 0;
    const missing = record.flag("ThreadMissingLink") || (parent === 0 && parents.length > 0);
    const last = references.findLast((r) => r !== messageId);
    this.#db.run(
      "INSERT INTO threads (email_id, thread_id, parent_id, missing_link, muted, collapsed, message_id, " +
        "subject, received, wanted) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      id,
      thread,
      parent,
      missing ? 1 : 0,
      record.flag("ThreadMuted") ? 1 : 0,
      record.flag("ThreadCollapsed") ? 1 : 0,
      messageId,
      description.threadSubject,
      received,
      missing ? last ?? null : null,
    );
  }

  #facts(record: BoltRecord, size: number): void {
    const validation = (field: string) => validations[record.number(field)] ?? "unknown";
    this.#db.run(
      "INSERT INTO deliveries VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
      record.number("ID"),
      record.number("Received"),
      record.number("MailboxOrigID"),
      record.number("MailboxDestinedID"),
      record.flag("IsReject") ? 1 : 0,
      record.flag("IsForward") ? 1 : 0,
      record.flag("IsMailingList") ? 1 : 0,
      record.text("RemoteIP"),
      record.text("RemoteIPMasked1"),
      record.text("RemoteIPMasked2"),
      record.text("RemoteIPMasked3"),
      record.text("EHLODomain"),
      record.text("MailFromLocalpart"),
      record.text("MailFromDomain"),
      record.text("RcptToLocalpart"),
      record.text("RcptToDomain"),
      record.text("MsgFromLocalpart"),
      record.text("MsgFromDomain"),
      record.text("MsgFromOrgDomain"),
      record.flag("EHLOValidated") ? 1 : 0,
      record.flag("MailFromValidated") ? 1 : 0,
      record.flag("MsgFromValidated") ? 1 : 0,
      validation("EHLOValidation"),
      validation("MailFromValidation"),
      validation("MsgFromValidation"),
      tlsVersions[record.number("ReceivedTLSVersion")] ?? "",
      record.flag("ReceivedRequireTLS") ? 1 : 0,
      size,
    );
    for (const domain of new Set(record.texts("DKIMDomains"))) {
      this.#db.run("INSERT OR IGNORE INTO dkim_domains VALUES (?, ?)", domain, record.number("ID"));
    }
  }

  /** Completes the threads once all messages are there. */
  finish(): void {
    // A parent that could not be taken over, or is in another thread, does not count.
    this.#db.exec(
      "UPDATE threads SET parent_id = 0, missing_link = 1 WHERE parent_id != 0 AND NOT EXISTS " +
        "(SELECT 1 FROM threads p WHERE p.email_id = threads.parent_id AND p.thread_id = threads.thread_id)",
    );
  }
}
