/** Messages: as an item of the list, and opened. @module */
import * as v from "valibot";
import { Address, Count, Flag, Id, Time } from "./basics.ts";

/** A row of the message list. */
export const MessageItem = v.object({
  id: Id,
  /** Identifies the content: copies of a message in several mailboxes share an email id. */
  emailId: Id,
  mailboxId: Id,
  uid: Id,
  threadId: Id,
  flags: v.array(Flag),
  keywords: v.array(v.string()),
  received: Time,
  /** From the Date header; null without a valid one. */
  sent: v.nullable(Time),
  size: Count,
  subject: v.string(),
  from: v.array(Address),
  to: v.array(Address),
  cc: v.array(Address),
  bcc: v.array(Address),
  replyTo: v.array(Address),
  /** First words of the text. */
  preview: v.string(),
  hasAttachment: v.boolean(),
  /** Email ids of its ancestors, nearest first, three at most. */
  parentIds: v.array(Id),
  /** Number of ancestors in the same thread of the view: determines the indentation. */
  level: Count,
  /** The immediate parent isn't in the view. */
  missingParent: v.boolean(),
  threadMuted: v.boolean(),
  threadCollapsed: v.boolean(),
  /** False for a message shown because another message of its thread was found. */
  matches: v.boolean(),
});
export type MessageItem = v.InferOutput<typeof MessageItem>;

/**
 * A thread as the list shows it: the root first, each message before its answers, siblings by time. A single message
 * without threading. At most the 500 newest messages. Of a thread that has a {@link ThreadPart} beside it only those that
 * its one line needs, by time: the oldest and the newest, and the newest that were found.
 */
export const Thread = v.array(MessageItem);
export type Thread = v.InferOutput<typeof Thread>;

/**
 * What the line of a thread says that was sent in part; the whole is had by ViewThreads. Counted are the messages of the
 * thread's 100 newest emails, and what was found otherwise.
 */
export const ThreadPart = v.object({
  threadId: Id,
  /** Messages that the whole has; those that the query finds. */
  count: Count,
  found: Count,
  /** There are older ones, which aren't counted. */
  older: v.boolean(),
  unread: v.boolean(),
  /** All that were found are flagged. */
  allFlagged: v.boolean(),
  /** Flags and keywords that a message of it has. */
  flags: v.array(Flag),
  keywords: v.array(v.string()),
});
export type ThreadPart = v.InferOutput<typeof ThreadPart>;

/** A part that can be opened or saved, at `message/<id>/part/<path>` (see urls.ts). */
export const Attachment = v.object({
  /** Numbers separated by dots, as IMAP numbers parts. */
  path: v.string(),
  /** "" if missing. */
  filename: v.string(),
  /** In lower case, such as "image/png". */
  type: v.string(),
  /** Approximate decoded size in bytes: encoded content is not counted to the byte. */
  size: Count,
  /** Shown within the text rather than listed: an image referenced by Content-ID in the HTML. */
  inline: v.boolean(),
  /** Content-ID without <>; "" if missing. */
  cid: v.string(),
});
export type Attachment = v.InferOutput<typeof Attachment>;

/** A text/plain part, decoded. */
export const TextPart = v.object({
  path: v.string(),
  text: v.string(),
  /** Truncated at a million characters; complete at `message/<id>/part/<path>`. */
  truncated: v.boolean(),
});

/** What was determined about the sender on arrival. */
export const Authentication = v.object({
  /** Results as RFC 8601 names them: "pass", "fail", "softfail", "none", "temperror", ... */
  spf: v.string(),
  dkim: v.string(),
  dmarc: v.string(),
  /** Domains with a valid DKIM signature. */
  dkimDomains: v.array(v.string()),
  /** The From domain is verified by SPF or DKIM. */
  fromVerified: v.boolean(),
  /** TLS version of the incoming connection; "" without TLS. */
  tls: v.string(),
});
export type Authentication = v.InferOutput<typeof Authentication>;

/** A List-Unsubscribe field (RFC 2369, RFC 8058). */
export const ListUnsubscribe = v.object({
  /** An https: URL, or null. */
  url: v.nullable(v.string()),
  /** A mailto: URL, or null. */
  mailto: v.nullable(v.string()),
  oneClick: v.boolean(),
});

/** An event in a message (RFC 5546). */
export const Invitation = v.object({
  /** "request", "reply", "cancel", "publish", … */
  method: v.string(),
  summary: v.string(),
  location: v.string(),
  description: v.string(),
  start: Time,
  end: Time,
  /** The times are dates, in UTC. */
  allDay: v.boolean(),
  recurring: v.boolean(),
  cancelled: v.boolean(),
  organizer: v.nullable(Address),
  attendees: v.array(v.object({ name: v.string(), address: v.string(), status: v.string() })),
  /** The user's invited address with its status; null if not invited. */
  me: v.nullable(v.object({ address: v.string(), status: v.string() })),
});
export type Invitation = v.InferOutput<typeof Invitation>;

/** A contact in a message (RFC 6350). Missing texts are "", missing lists empty. */
export const ContactCard = v.object({
  /** The part that contains it. */
  path: v.string(),
  name: v.string(),
  organisation: v.string(),
  title: v.string(),
  emails: v.array(v.string()),
  phones: v.array(v.string()),
  addresses: v.array(v.string()),
  /** Web addresses, http: or https:. */
  urls: v.array(v.string()),
  /** As written in the card. */
  birthday: v.string(),
  note: v.string(),
});
export type ContactCard = v.InferOutput<typeof ContactCard>;

/** Why a message is where it is, in plain words; only for messages received over SMTP. */
export const Why = v.object({
  /** Code of the reason, as in the field X-Mox-Reason; "" if unknown. */
  reason: v.string(),
  sentence: v.string(),
  /** The junk filter's score, from 0 (good) to 1 (junk); null if it was not used. */
  score: v.nullable(v.number()),
  /** The strongest evidence for good mail, and for junk. */
  good: v.array(v.string()),
  junk: v.array(v.string()),
  /** What a careful reader would notice, as sentences. */
  signals: v.array(v.string()),
  /** Serious enough for a warning. */
  warning: v.boolean(),
});
export type Why = v.InferOutput<typeof Why>;

/** An opened message. */
export const ParsedMessage = v.object({
  item: MessageItem,
  /** All of them; the item has only the first ones. */
  recipients: v.object({
    to: v.array(Address),
    cc: v.array(Address),
    bcc: v.array(Address),
    replyTo: v.array(Address),
  }),
  /** Message-ID without <>; "" if none. */
  messageId: v.string(),
  /** The user's addresses that it was sent to or delivered for: an answer comes from the first one. */
  ownAddresses: v.array(v.string()),
  /** Header fields that are useful to people and not shown elsewhere, in their order, decoded. */
  headers: v.array(v.object({ name: v.string(), value: v.string() })),
  texts: v.array(TextPart),
  hasHtml: v.boolean(),
  /** The HTML has content that the text lacks: images, tables, or what the text merely refers to. */
  htmlSaysMore: v.boolean(),
  /** The HTML as text, for quoting; only for a message without text, otherwise "". */
  htmlText: v.string(),
  /** The HTML refers to resources that are only loaded on request. */
  hasExternal: v.boolean(),
  attachments: v.array(Attachment),
  authentication: v.nullable(Authentication),
  why: v.nullable(Why),
  /** Address of the mailing list (List-Post), or null. */
  listPost: v.nullable(v.string()),
  listUnsubscribe: v.nullable(ListUnsubscribe),
  invitation: v.nullable(Invitation),
  /** Contacts in the message; at most 20. */
  contacts: v.array(ContactCard),
  /** Encryption or signature by the sender's program. */
  protection: v.nullable(
    v.picklist(["pgpEncrypted", "smimeEncrypted", "pgpSigned", "smimeSigned"]),
  ),
  /** The stored choice for this sender's messages. */
  senderView: v.nullable(v.picklist(["text", "html", "htmlExternal"])),
  /** When it will be sent, if it is scheduled; null otherwise. */
  sendAt: v.nullable(Time),
  /** Bytes of the message that are missing from its damaged file. */
  lost: Count,
});
export type ParsedMessage = v.InferOutput<typeof ParsedMessage>;

/** The result of checking a signature. */
export const CheckedSignature = v.object({
  /**
   * good: valid, and the key is vouched for;
   * held: valid, with a key that nobody vouches for;
   * other: made by someone other than the sender;
   * bad: invalid;
   * noKey: the key isn't known;
   * unknown: it can't be checked here.
   */
  state: v.picklist(["good", "held", "other", "bad", "noKey", "unknown"]),
  /** The key's owner, according to the key. */
  signer: v.string(),
  fingerprint: v.string(),
});
export type CheckedSignature = v.InferOutput<typeof CheckedSignature>;
