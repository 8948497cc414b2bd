/**
 * The values that the store returns and accepts: mailboxes, messages, flags, changes.
 *
 * How mail is laid out in an account's database:
 * - an *email* is content that never changes: a file, the prefix before it, and the data
 *   computed from both at delivery (structure, envelope, thread). Its id is the IMAP EMAILID.
 * - a *message* is an email's place in a mailbox: uid, flags, modseq. COPY adds a message to an email,
 *   so it neither touches the file system nor parses anything; MOVE changes the message's mailbox.
 * - an expunged message stays behind as (mailbox, uid, modseq, createseq) for QRESYNC. Every query
 *   except those for VANISHED filters on `expunged = 0`.
 *
 * @module
 */
import type { EmailId, MailboxId } from "./ids.ts";
import type { Part } from "../mail/structure/structure.ts";
import type { EmailDescription } from "./messages/describe.ts";

/** System and well-known flags, as bits. Other keywords are strings. */
export const Flag = {
  Seen: 1,
  Answered: 2,
  Flagged: 4,
  Deleted: 8,
  Draft: 16,
  Forwarded: 32,
  Junk: 64,
  NotJunk: 128,
  Phishing: 256,
  MDNSent: 512,
} as const;
export const allFlags = 1023;

/** Flags that the junk filter learns from. */
export const junkFlags = Flag.Junk | Flag.NotJunk;

/** IMAP spelling of each bit, in the order of the bits. */
export const flagNames: readonly (readonly [number, string])[] = [
  [Flag.Seen, "\\Seen"],
  [Flag.Answered, "\\Answered"],
  [Flag.Flagged, "\\Flagged"],
  [Flag.Deleted, "\\Deleted"],
  [Flag.Draft, "\\Draft"],
  [Flag.Forwarded, "$Forwarded"],
  [Flag.Junk, "$Junk"],
  [Flag.NotJunk, "$NotJunk"],
  [Flag.Phishing, "$Phishing"],
  [Flag.MDNSent, "$MDNSent"],
];

/** Special uses of a mailbox (RFC 6154), as bits; at most one mailbox has a given special use. */
export const SpecialUse = { Archive: 1, Drafts: 2, Junk: 4, Sent: 8, Trash: 16 } as const;
export const specialUseNames: readonly (readonly [number, string])[] = [
  [SpecialUse.Archive, "\\Archive"],
  [SpecialUse.Drafts, "\\Drafts"],
  [SpecialUse.Junk, "\\Junk"],
  [SpecialUse.Sent, "\\Sent"],
  [SpecialUse.Trash, "\\Trash"],
];

/** Counts of a mailbox, updated in the transaction of each change. */
export interface MailboxCounts {
  /** Messages, without expunged ones. */
  total: number;
  /** Messages with \Deleted. */
  deleted: number;
  /** Without \Seen and without \Deleted. */
  unread: number;
  /** Without \Seen. */
  unseen: number;
  /** Sum of message sizes in bytes. */
  size: number;
}

export interface Mailbox extends MailboxCounts {
  id: MailboxId;
  /** 0 for top level. */
  parentId: MailboxId;
  /** Full name, levels separated by "/", Unicode NFC; the inbox is always "Inbox". */
  name: string;
  uidValidity: number;
  uidNext: number;
  modseq: number;
  createseq: number;
  /** Modseq of the last change of anything but counts. */
  formseq: number;
  /** Position among the others, lowest first (RFC 8621 §2). */
  sortOrder: number;
  /** Bits of {@link SpecialUse}. */
  specialUse: number;
  /** Keywords ever used in this mailbox, lower case, sorted. */
  keywords: string[];
}

/** A message without its content. */
export interface Message {
  id: number;
  emailId: EmailId;
  mailboxId: MailboxId;
  uid: number;
  modseq: number;
  createseq: number;
  /** Bits of {@link Flag}. */
  flags: number;
  /** Lower case, sorted, without the well-known ones that have a bit. */
  keywords: string[];
  /** Milliseconds since the epoch: INTERNALDATE. */
  received: number;
  /** Milliseconds since the epoch: when it came into this mailbox (SAVEDATE). */
  saved: number;
  /** Prefix and file together, in bytes. */
  size: number;
  threadId: number;
}

/** Parts of a fetched row that cost extra to read; see {@link FetchRow}. */
export const Want = {
  /** envelope, body, bodyStructure: text ready for an IMAP answer. */
  Envelope: 1,
  Body: 16,
  BodyStructure: 32,
  /** The data needed to open the message. */
  Prefix: 64,
  Structure: 2,
  /** prefix and structure. */
  Content: 66,
  /** subject, addresses, sent date, preview. */
  Summary: 4,
  /** threadId; without it threadId is 0. */
  Thread: 8,
  /** listed: fields of the header. */
  Listed: 128,
} as const;

export type { FetchRow } from "./messages/row.ts";
export type { AddressField, GroupNames, Summary, SummaryAddress } from "./messages/summary.ts";

/** Where an incoming message came from and what is known about it; the basis of reputation. */
export interface DeliveryFacts {
  remoteIp: string;
  /** Networks of the IP, narrow to wide (IPv4 /32 /26 /21, IPv6 /64 /48 /32). */
  networks: [string, string, string];
  ehloDomain: string;
  mailFromLocalpart: string;
  mailFromDomain: string;
  rcptToLocalpart: string;
  rcptToDomain: string;
  msgFromLocalpart: string;
  msgFromDomain: string;
  msgFromOrgDomain: string;
  ehloValidated: boolean;
  mailFromValidated: boolean;
  msgFromValidated: boolean;
  /** Name of a Validation: "strict", "pass", "relaxed", "none", "dmarc", "softfail", ... */
  ehloValidation: string;
  mailFromValidation: string;
  msgFromValidation: string;
  dkimDomains: string[];
  isForward: boolean;
  isMailingList: boolean;
  receivedTlsVersion: string;
  receivedRequireTls: boolean;
}

/** A message to put into a mailbox. */
export interface NewMessage {
  /** Complete file with the message after the prefix. It is linked or copied, never moved or removed. */
  file: string;
  /**
   * True if the file's content has already been fsynced, or the promise of a running fsync: it is awaited
   * before a row names the file. Otherwise it is done here.
   */
  fileSynced?: boolean | Promise<void>;
  /** Result of describe.ts for the file's content; computed here if not given. */
  description?: EmailDescription;
  /** Bytes in front of the file's content, e.g. Received headers. */
  prefix: Uint8Array;
  /** Size of the file in bytes; checked. */
  fileSize: number;
  flags?: number;
  keywords?: string[];
  /** Milliseconds; now if not given. */
  received?: number;
  facts?: DeliveryFacts;
  /** Reads bytes of the file by offset, if it is open anyway; saves opening it. */
  read?: (from: number, to: number) => Uint8Array;
  /** Set for a message put into a Rejects mailbox: the mailbox it would have gone to. */
  isReject?: boolean;
  destinedMailboxId?: MailboxId;
  /** Don't set junk flags from the mailbox's name, don't train (import trains in one batch). */
  noTrain?: boolean;
  /** Don't match threads (import matches at its end). */
  noThread?: boolean;
  /** Counted against the quota, but never refused because of it: for messages of the server itself. */
  overQuota?: boolean;
}

/** A message stored in place of another one. */
export interface SealedMessage {
  message: NewMessage;
  /** Removes its file. */
  remove(): void;
}

/** A change in an account, as its listeners get it after the commit. */
export type Change =
  | {
    kind: "addMessage";
    mailboxId: MailboxId;
    uid: number;
    modseq: number;
    flags: number;
    keywords: string[];
    messageId: number;
    emailId: EmailId;
    threadId: number;
  }
  | {
    kind: "removeMessages";
    mailboxId: MailboxId;
    uids: number[];
    messageIds: number[];
    modseq: number;
  }
  | {
    kind: "changeFlags";
    mailboxId: MailboxId;
    uid: number;
    modseq: number;
    flags: number;
    keywords: string[];
    messageId: number;
  }
  | { kind: "changeThread"; emailIds: EmailId[]; muted: boolean; collapsed: boolean }
  | { kind: "addMailbox"; mailbox: Mailbox; subscribed: boolean; modseq: number }
  | { kind: "removeMailbox"; mailboxId: MailboxId; name: string; modseq: number }
  | {
    kind: "renameMailbox";
    mailboxId: MailboxId;
    oldName: string;
    newName: string;
    modseq: number;
  }
  | { kind: "subscription"; name: string; subscribed: boolean }
  | { kind: "mailboxCounts"; mailboxId: MailboxId; counts: MailboxCounts }
  | {
    kind: "mailboxSpecialUse";
    mailboxId: MailboxId;
    name: string;
    specialUse: number;
    modseq: number;
  }
  | { kind: "mailboxKeywords"; mailboxId: MailboxId; keywords: string[] }
  | { kind: "annotation"; mailboxId: MailboxId; name: string; key: string; modseq: number };

/** A listener for an account's changes. */
export interface Listener {
  /** Takes all pending changes, in commit order. Never waits. */
  take(): readonly Change[];
  /** True if changes are pending. */
  readonly pending: boolean;
  /** Set when the listener fell too far behind and changes were dropped: start afresh or disconnect. */
  readonly overflowed: boolean;
  /** Resolves when changes are pending (immediately if some are) or the signal is aborted. */
  wait(signal?: AbortSignal): Promise<void>;
  /** Called in the same turn as the commit, when the list goes from empty to pending. */
  onPending: (() => void) | undefined;
  close(): void;
}

/** Reads an email's bytes: prefix and file as one, by offset. Close it; on Windows files can't be removed while open. */
export interface MessageReader {
  /** Bytes that can be read: fewer than the message's size if its file is damaged. */
  readonly size: number;
  /**
   * Fills the buffer from the offset; returns the number of bytes read (less than requested only at the end).
   */
  readInto(buffer: Uint8Array, offset: number): number;
  /** Bytes [from, to), as a new array. */
  read(from: number, to: number): Uint8Array;
  close(): void;
}

export type { Part };

/** A request that can't be carried out; the code gives the reason, the text what to do. */
export class StoreError extends Error {
  readonly code:
    | "mailboxExists"
    | "mailboxMissing"
    | "emailMissing"
    | "mailboxName"
    | "mailboxHasChildren"
    | "inbox"
    | "tooManyKeywords"
    | "keyword"
    | "overQuota"
    | "accountMissing"
    | "specialUse"
    | "annotation"
    | "size"
    | "rights"
    | "busy"
    | "closed";
  constructor(code: StoreError["code"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "StoreError";
    this.code = code;
  }
}
