/**
 * Putting an email into a mailbox: rows of email, thread, message and delivery, and the counts.
 *
 * The file is in place and durable before this runs; see email_files.ts for the order of steps.
 *
 * @module
 */
import type { EmailId } from "../ids.ts";
import type { Db } from "../database/database.ts";
import type { EmailDescription } from "./describe.ts";
import { packSummary } from "./summary.ts";
import { addMailboxKeywords } from "../mailboxes/keywords.ts";
import { applyCounts, CountDelta } from "../mailboxes/counts.ts";
import { nextModseq } from "../mailboxes/mailboxes.ts";
import { matchThread } from "./threads.ts";
import {
  type DeliveryFacts,
  Flag,
  junkFlags,
  type Mailbox,
  type Message,
  SpecialUse,
  StoreError,
} from "../types.ts";
import type { WriteContext } from "../database/writer.ts";

/** An email ready to be put into a mailbox. */
export interface ReadyEmail {
  emailId: EmailId;
  prefix: Uint8Array;
  /** Size of prefix and file, in bytes. */
  size: number;
  description: EmailDescription;
  flags: number;
  keywords: string[];
  /** The keywords as originally spelled. */
  keywordNames?: readonly string[];
  received: number;
  facts: DeliveryFacts | undefined;
  isReject: boolean;
  destinedMailboxId: number;
  noThread: boolean;
  overQuota: boolean;
}

/** The relevant parts of the account's configuration. */
export interface MailboxRules {
  /** $Junk / $NotJunk bits that messages get in this mailbox; undefined leaves them unchanged. */
  junkFlags(mailbox: { name: string; specialUse: number }): number | undefined;
  /** Limit for bytes of all messages; undefined for no limit. */
  quotaMessageSize(): number | undefined;
  /** Limit for messages in all mailboxes; undefined for no limit. */
  quotaMessages?(): number | undefined;
  /** Limit for mailboxes, including Inbox; undefined for no limit. */
  quotaMailboxes?(): number | undefined;
}

/** How the junk flags of messages change when they enter a mailbox. */
export interface JunkChange {
  /** The flags that stay. */
  keep: number;
  add: number;
  /** A message with one of these flags is not changed. */
  unless: number;
}

/** Junk flags according to the mailbox's special use and name (AutomaticJunkFlags). */
export function junkChange(
  rules: MailboxRules,
  mailbox: { name: string; specialUse: number },
): JunkChange {
  const add = rules.junkFlags(mailbox);
  if (add === undefined) return { keep: ~0, add: 0, unless: 0 };
  // Who throws junk away doesn't say that it is none.
  const trash = (mailbox.specialUse & SpecialUse.Trash) !== 0 && add === Flag.NotJunk;
  return { keep: ~junkFlags, add, unless: trash ? Flag.Junk : 0 };
}

export const changedFlags = (flags: number, c: JunkChange): number =>
  (flags & c.unless) === 0 ? (flags & c.keep) | c.add : flags;

/** Sets junk flags according to the mailbox's special use and name (AutomaticJunkFlags). */
export function applyJunkFlags(
  rules: MailboxRules,
  mailbox: { name: string; specialUse: number },
  flags: number,
): number {
  return changedFlags(flags, junkChange(rules, mailbox));
}

/**
 * Counts bytes of new message files against the quota.
 * @throws StoreError "overQuota"
 */
function chargeQuota(db: Db, rules: MailboxRules, size: number, over: boolean): void {
  const used = db.get(
    "UPDATE state SET message_size = message_size + ? RETURNING message_size",
    size,
  )![0] as number;
  if (!over) requireSize(rules, used);
}

function requireSize(rules: MailboxRules, used: number): void {
  const limit = rules.quotaMessageSize();
  if (limit !== undefined && used > limit) {
    throw new StoreError(
      "overQuota",
      `account is over its quota of ${limit} bytes (QuotaMessageSize)`,
    );
  }
}

/**
 * Checks that further messages fit, without counting them.
 * @throws StoreError "overQuota"
 */
export function requireRoom(db: Db, rules: MailboxRules, size: number, count: number): void {
  requireSize(rules, db.get("SELECT message_size FROM state")![0] + size);
  chargeMessages(db, rules, count);
}

/** Messages in all mailboxes (RFC 9208 §5.2). */
export function countMessages(db: Db): number {
  return db.get("SELECT coalesce(sum(total), 0) FROM mailboxes WHERE expunged = 0")![0] as number;
}

/**
 * Checks that the account may have the given number of further messages.
 * @throws StoreError "overQuota"
 */
export function chargeMessages(db: Db, rules: MailboxRules, count: number): void {
  const limit = rules.quotaMessages?.();
  if (limit !== undefined && countMessages(db) + count > limit) {
    throw new StoreError(
      "overQuota",
      `account is over its quota of ${limit} messages (QuotaMessages)`,
    );
  }
}

/** Inserts a message for a new email. */
export function insertEmail(
  db: Db,
  ctx: WriteContext,
  mailbox: Mailbox,
  rules: MailboxRules,
  email: ReadyEmail,
): Message {
  const d = email.description;
  chargeQuota(db, rules, email.size, email.overQuota);
  if (!email.overQuota) chargeMessages(db, rules, 1);
  db.run(
    "INSERT INTO emails (id, size, prefix, envelope, body, bodystructure, structure, summary, listed) " +
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    email.emailId,
    email.size,
    email.prefix,
    d.envelope,
    d.body,
    d.bodyStructure,
    d.structure(email.prefix.length),
    packSummary(d.summary),
    d.listed(email.prefix) ?? null,
  );
  db.run("UPDATE state SET next_email_id = max(next_email_id, ?)", email.emailId + 1);
  let threadId: number = email.emailId;
  let flags = applyJunkFlags(rules, mailbox, email.flags);
  if (!email.noThread) {
    const thread = matchThread(db, {
      emailId: email.emailId,
      messageId: d.summary.messageId,
      references: d.summary.references,
      subject: d.threadSubject,
      isReply: d.isReply,
      received: email.received,
      // The modseq that insertMessage will take.
      createseq: db.get("SELECT modseq + 1 FROM state")![0],
    });
    threadId = thread.threadId;
    if (thread.muted) flags |= Flag.Seen;
  }
  const message = insertMessage(db, ctx, mailbox, {
    emailId: email.emailId,
    flags,
    keywords: email.keywords,
    keywordNames: email.keywordNames,
    received: email.received,
    size: email.size,
    threadId,
  });
  if (email.facts) insertFacts(db, message, email.facts, email);
  if (mailbox.specialUse & SpecialUse.Sent) insertRecipients(db, message, d);
  return message;
}

/** Inserts a message for an existing email: a new uid, flags, counts, the change. */
export function insertMessage(
  db: Db,
  ctx: WriteContext,
  mailbox: Mailbox,
  m: {
    emailId: EmailId;
    flags: number;
    keywords: string[];
    keywordNames?: readonly string[];
    received: number;
    size: number;
    threadId: number;
  },
): Message {
  const modseq = nextModseq(db);
  const uid = db.get(
    "UPDATE mailboxes SET uidnext = uidnext + 1 WHERE id = ? RETURNING uidnext - 1",
    mailbox.id,
  )![0] as number;
  if (uid >= 0xffffffff) throw new StoreError("mailboxName", "mailbox has used up its uids");
  const saved = Date.now();
  const { lastInsertRowid } = db.run(
    "INSERT INTO messages (email_id, mailbox_id, uid, modseq, createseq, flags, keywords, received, " +
      "saved, size) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    m.emailId,
    mailbox.id,
    uid,
    modseq,
    modseq,
    m.flags,
    m.keywords.join(" "),
    m.received,
    saved,
    m.size,
  );
  const delta = new CountDelta();
  delta.count(1, m.flags, m.size);
  addMailboxKeywords(db, ctx, mailbox.id, m.keywordNames ?? m.keywords);
  ctx.changes.push({
    kind: "addMessage",
    mailboxId: mailbox.id,
    uid,
    modseq,
    flags: m.flags,
    keywords: m.keywords,
    messageId: lastInsertRowid,
    emailId: m.emailId,
    threadId: m.threadId,
  });
  applyCounts(db, ctx, mailbox.id, delta, modseq);
  return {
    id: lastInsertRowid,
    emailId: m.emailId,
    mailboxId: mailbox.id,
    uid,
    modseq,
    createseq: modseq,
    flags: m.flags,
    keywords: m.keywords,
    received: m.received,
    saved,
    size: m.size,
    threadId: m.threadId,
  };
}

function insertFacts(db: Db, message: Message, facts: DeliveryFacts, email: ReadyEmail): void {
  db.run(
    "INSERT INTO deliveries VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    message.id,
    email.received,
    message.mailboxId,
    email.destinedMailboxId,
    email.isReject ? 1 : 0,
    facts.isForward ? 1 : 0,
    facts.isMailingList ? 1 : 0,
    facts.remoteIp,
    ...facts.networks,
    facts.ehloDomain,
    facts.mailFromLocalpart,
    facts.mailFromDomain,
    facts.rcptToLocalpart,
    facts.rcptToDomain,
    facts.msgFromLocalpart,
    facts.msgFromDomain,
    facts.msgFromOrgDomain,
    facts.ehloValidated ? 1 : 0,
    facts.mailFromValidated ? 1 : 0,
    facts.msgFromValidated ? 1 : 0,
    facts.ehloValidation,
    facts.mailFromValidation,
    facts.msgFromValidation,
    facts.receivedTlsVersion,
    facts.receivedRequireTls ? 1 : 0,
    email.size,
  );
  for (const domain of new Set(facts.dkimDomains)) {
    db.run("INSERT OR IGNORE INTO dkim_domains VALUES (?, ?)", domain, message.id);
  }
}

/** Remembers whom the user wrote to: mail from them is welcome. */
export function insertRecipients(db: Db, message: Message, description: EmailDescription): void {
  const { to, cc, bcc, sent } = description.summary;
  for (const a of [...to, ...cc, ...bcc].slice(0, 1000)) {
    const at = a.address.lastIndexOf("@");
    if (at <= 0) continue;
    const domain = a.address.slice(at + 1);
    db.run(
      "INSERT OR IGNORE INTO recipients (localpart, domain, sent, message_id, org_domain) VALUES (?, ?, ?, ?, ?)",
      a.address.slice(0, at),
      domain,
      sent ?? message.received,
      message.id,
      description.organizationalDomain(domain),
    );
  }
}
