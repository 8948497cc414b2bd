/** Messages: as an item of the list, and opened. @module */
import * as v from "valibot";
import { Address, Count, Flag, Id, Time } from "./basics.ts";

/** A line of the message list. */
export const MessageItem = v.object({
  id: Id,
  /** Content: copies of one message in several mailboxes have one email id. */
  emailId: Id,
  mailboxId: Id,
  uid: Id,
  threadId: Id,
  flags: v.array(Flag),
  keywords: v.array(v.string()),
  received: Time,
  /** Of the Date header; null without a valid one. */
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
  /** Email ids of its parents, the immediate one first, three at most. */
  parentIds: v.array(Id),
  /** Parents that are in the same thread of the view: how far it is indented. */
  level: Count,
  /** The immediate parent isn't here. */
  missingParent: v.boolean(),
  threadMuted: v.boolean(),
  threadCollapsed: v.boolean(),
  /** False for one that is there because a message of its thread was found. */
  matches: v.boolean(),
});
export type MessageItem = v.InferOutput<typeof MessageItem>;

/**
 * A thread as the list shows it: the root first, each message before its answers, those of one parent by
 * time. One message without threading. At most the 500 newest messages. Of a thread that has a {@link ThreadPart} beside it
 * only those that its one line needs, by time: the oldest and the newest, and the newest that were found.
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
  /** Numbers separated by dots, as IMAP counts parts. */
  path: v.string(),
  /** "" if it has none. */
  filename: v.string(),
  /** Lower case, such as "image/png". */
  type: v.string(),
  /** Bytes when decoded, nearly: encoded texts are not counted to the byte. */
  size: Count,
  /** Shown in the text rather than listed: an image that the HTML names by its Content-ID. */
  inline: v.boolean(),
  /** Content-ID without <>; "" if none. */
  cid: v.string(),
});
export type Attachment = v.InferOutput<typeof Attachment>;

/** One text/plain part, decoded. */
export const TextPart = v.object({
  path: v.string(),
  text: v.string(),
  /** Cut at 1 MB of characters: the whole is at `message/<id>/part/<path>`. */
  truncated: v.boolean(),
});

/** What was found out about the sender when the message came in. */
export const Authentication = v.object({
  /** Results as RFC 8601 names them: "pass", "fail", "softfail", "none", "temperror", ... */
  spf: v.string(),
  dkim: v.string(),
  dmarc: v.string(),
  /** Domains whose DKIM signature holds. */
  dkimDomains: v.array(v.string()),
  /** The From domain is vouched for by SPF or DKIM. */
  fromVerified: v.boolean(),
  /** TLS version it came with; "" without TLS. */
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

/** An event that a message is about (RFC 5546). */
export const Invitation = v.object({
  /** "request", "reply", "cancel", "publish", … */
  method: v.string(),
  summary: v.string(),
  location: v.string(),
  description: v.string(),
  start: Time,
  end: Time,
  /** The times are days, in UTC. */
  allDay: v.boolean(),
  recurring: v.boolean(),
  cancelled: v.boolean(),
  organizer: v.nullable(Address),
  attendees: v.array(v.object({ name: v.string(), address: v.string(), status: v.string() })),
  /** The own address that is invited, with its status; null if none is. */
  me: v.nullable(v.object({ address: v.string(), status: v.string() })),
});
export type Invitation = v.InferOutput<typeof Invitation>;

/** A contact that a message brings (RFC 6350). Texts are "" and lists empty where it says nothing. */
export const ContactCard = v.object({
  /** The part that it stands in. */
  path: v.string(),
  name: v.string(),
  organisation: v.string(),
  title: v.string(),
  emails: v.array(v.string()),
  phones: v.array(v.string()),
  addresses: v.array(v.string()),
  /** Web addresses, http: or https:. */
  urls: v.array(v.string()),
  /** As it is written in the card. */
  birthday: v.string(),
  note: v.string(),
});
export type ContactCard = v.InferOutput<typeof ContactCard>;

/** Why a message is where it is, in plain words; only for messages that came in over SMTP. */
export const Why = v.object({
  /** Code of the reason, as in the field X-Mox-Reason; "" if it is unknown. */
  reason: v.string(),
  sentence: v.string(),
  /** The junk filter's number, from 0 (good) to 1 (junk); null if it was not asked. */
  score: v.nullable(v.number()),
  /** What spoke most for good mail, and what for junk. */
  good: v.array(v.string()),
  junk: v.array(v.string()),
  /** What a careful reader would notice, as sentences. */
  signals: v.array(v.string()),
  /** Enough of it to warn. */
  warning: v.boolean(),
});
export type Why = v.InferOutput<typeof Why>;

/** An opened message. */
export const ParsedMessage = v.object({
  item: MessageItem,
  /** All of them; the item has the first ones. */
  recipients: v.object({
    to: v.array(Address),
    cc: v.array(Address),
    bcc: v.array(Address),
    replyTo: v.array(Address),
  }),
  /** Message-ID without <>; "" if none. */
  messageId: v.string(),
  /** Own addresses that it was sent to or delivered for: the first one answers. */
  ownAddresses: v.array(v.string()),
  /** Fields of the header that people look for (not those shown anyway), in their order, decoded. */
  headers: v.array(v.object({ name: v.string(), value: v.string() })),
  texts: v.array(TextPart),
  hasHtml: v.boolean(),
  /** The HTML says more than the text: pictures, tables, or what the text only points to. */
  htmlSaysMore: v.boolean(),
  /** The HTML as text, for quoting it; only of a message that has no text, otherwise "". */
  htmlText: v.string(),
  /** The HTML has resources that are only loaded on request. */
  hasExternal: v.boolean(),
  attachments: v.array(Attachment),
  authentication: v.nullable(Authentication),
  why: v.nullable(Why),
  /** Address of the mailing list (List-Post), or null. */
  listPost: v.nullable(v.string()),
  listUnsubscribe: v.nullable(ListUnsubscribe),
  invitation: v.nullable(Invitation),
  /** Contacts that it brings; at most 20. */
  contacts: v.array(ContactCard),
  /** Encrypted or signed by its sender's program. */
  protection: v.nullable(
    v.picklist(["pgpEncrypted", "smimeEncrypted", "pgpSigned", "smimeSigned"]),
  ),
  /** How this sender's messages are shown, if it was remembered. */
  senderView: v.nullable(v.picklist(["text", "html", "htmlExternal"])),
  /** When it is sent, if it waits for that; null otherwise. */
  sendAt: v.nullable(Time),
  /** Bytes of the message that its damaged file has lost. */
  lost: Count,
});
export type ParsedMessage = v.InferOutput<typeof ParsedMessage>;

/** What became of a signature that was checked. */
export const CheckedSignature = v.object({
  /**
   * good: it holds, and the key is vouched for; held: it holds, with a key that nobody vouches for; other: it is
   * by somebody other than the sender; bad: it does not hold; noKey: the key isn't known; unknown: it can't be
   * checked here.
   */
  state: v.picklist(["good", "held", "other", "bad", "noKey", "unknown"]),
  /** Whose key it is, as the key says. */
  signer: v.string(),
  fingerprint: v.string(),
});
export type CheckedSignature = v.InferOutput<typeof CheckedSignature>;
