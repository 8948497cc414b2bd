/** Writing messages: the content of the compose window, drafts, and sending. @module */
import * as v from "valibot";
import { Count, Id, text, Time } from "./basics.ts";

/** Addresses as typed, one per text: "Name <a@b>" or "a@b". */
const Recipients = v.pipe(v.array(text(2000)), v.maxLength(1000));

/** An attachment of a message being written. */
export const Attach = v.variant("kind", [
  /** Uploaded (POST upload), kept for a day. */
  v.strictObject({
    kind: v.literal("upload"),
    uploadId: text(100),
    filename: text(500),
    /** Content-ID without <>, for an image in the HTML (`cid:`); "" otherwise. */
    cid: text(200),
  }),
  /** A part of a stored message: of the forwarded one, or of the draft itself. */
  v.strictObject({
    kind: v.literal("part"),
    messageId: Id,
    path: text(100),
    filename: text(500),
    cid: text(200),
  }),
  /** A whole stored message, as message/rfc822. */
  v.strictObject({ kind: v.literal("message"), messageId: Id }),
]);
export type Attach = v.InferOutput<typeof Attach>;

export const Composition = v.strictObject({
  /** One of the user's addresses, with the name to put before it. */
  from: v.strictObject({ name: text(500), address: text(500) }),
  to: Recipients,
  cc: Recipients,
  bcc: Recipients,
  /** "" for none. */
  replyTo: text(2000),
  subject: text(10_000),
  /** Plain text; lines of any length. */
  text: text(5_000_000),
  /** HTML in addition to the text; null for none. */
  html: v.nullable(text(5_000_000)),
  attachments: v.pipe(v.array(Attach), v.maxLength(500)),
  /** The message being answered: determines In-Reply-To and References, and is marked as answered. */
  inReplyTo: v.nullable(Id),
  /** Forwarded messages (inline or attached), which are marked as forwarded. */
  forwards: v.pipe(v.array(Id), v.maxLength(500)),
});
export type Composition = v.InferOutput<typeof Composition>;

/** When and how a message is sent. */
export const SendOptions = v.strictObject({
  /** Time of sending; null for now. */
  sendAt: v.nullable(Time),
  /** true: only with verified TLS (RFC 8689); false: "TLS-Required: no"; null: as usual. */
  requireTls: v.nullable(v.boolean()),
});
export type SendOptions = v.InferOutput<typeof SendOptions>;

/**
 * Identifies a message from the first keystroke until it is sent, in all windows: a UUID made by the page. The
 * Message-ID is derived from it.
 */
const Key = v.pipe(v.string(), v.regex(/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/));

export const DraftSave = {
  request: v.strictObject({
    /** The draft that this one replaces; null the first time. */
    draftId: v.nullable(Id),
    key: v.optional(Key),
    /** Overwrites what another window has saved meanwhile. */
    force: v.optional(v.boolean(), false),
    composition: Composition,
    /** Sending options, stored with the draft. */
    options: v.optional(SendOptions),
  }),
  response: v.object({
    /** The draft's new id; null if the message was already sent and nothing was saved. */
    draftId: v.nullable(Id),
    /** Another window has saved it meanwhile, and nothing was saved: `draftId` is the stored one. */
    conflict: v.optional(v.boolean(), false),
    /**
     * The attachments from now on: parts of the draft, in the order of the request. Use these for the next save, so
     * that nothing depends on uploads, which are removed after a day.
     */
    attachments: v.array(Attach),
  }),
};

/** An attachment of a draft or a forwarded message, with what the compose window shows of it. */
export const ComposeAttachment = v.object({
  attach: Attach,
  filename: v.string(),
  type: v.string(),
  size: Count,
});
export type ComposeAttachment = v.InferOutput<typeof ComposeAttachment>;

/** Opens a draft for editing, including those saved by other clients. */
export const DraftGet = {
  request: v.strictObject({ id: Id }),
  response: v.object({
    composition: Composition,
    attachments: v.array(ComposeAttachment),
    /** Null for a draft of another program. */
    key: v.nullable(v.string()),
    options: SendOptions,
    /** Why scheduled sending failed; "" otherwise. */
    failure: v.string(),
  }),
};

/** A message's HTML for quoting or forwarding: sanitised, with its images still named by `cid:`. */
export const MessageQuote = {
  request: v.strictObject({ id: Id, style: v.boolean() }),
  response: v.object({ html: v.string(), pictures: v.array(ComposeAttachment) }),
};

export const Send = {
  request: v.strictObject({
    composition: Composition,
    /** The draft to remove when the message is sent. */
    draftId: v.nullable(Id),
    key: v.optional(Key),
    ...SendOptions.entries,
    /** Seconds within which sending can be undone; the message waits on the server. Not with `sendAt`. */
    undo: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(120)), 0),
    /** Archives the thread of the message being answered. */
    archiveThread: v.boolean(),
  }),
  response: v.object({
    /** The copy in the Sent mailbox; null without such a mailbox. */
    sentId: v.nullable(Id),
    /** The message waits: `id` is sent at `at` unless it is cancelled. Null: it is on its way. */
    waiting: v.nullable(v.object({ id: Id, at: Time })),
    /** What failed apart from sending, in words; usually empty. */
    warnings: v.array(v.string()),
  }),
};

/** Cancels a waiting message, which becomes a draft again. @throws "conflict" if it has been sent */
export const SendCancel = {
  request: v.strictObject({ id: Id }),
  response: v.object({ draftId: Id }),
};

/** Reschedules a waiting message; its id changes. */
export const SendReschedule = {
  request: v.strictObject({ id: Id, sendAt: Time }),
  response: v.object({ id: Id }),
};

/** Answer to POST upload?filename=…&type=… with the file as its body. */
export const Upload = v.object({
  uploadId: v.string(),
  filename: v.string(),
  type: v.string(),
  size: Count,
});
export type Upload = v.InferOutput<typeof Upload>;

/** How securely mail to a domain is transported. */
export const DomainSecurity = v.object({
  /** As typed. */
  address: v.string(),
  /** "yes", "no", "unknown" (not looked up, or no answer), "error" (the domain is misconfigured). */
  startTls: v.picklist(["yes", "no", "unknown"]),
  mtaSts: v.picklist(["yes", "no", "unknown", "error"]),
  dane: v.picklist(["yes", "no", "unknown", "error"]),
  dnssec: v.picklist(["yes", "no", "unknown", "error"]),
  /** Whether the server supports REQUIRETLS, as far as is known. */
  requireTls: v.picklist(["yes", "no", "unknown"]),
});
export type DomainSecurity = v.InferOutput<typeof DomainSecurity>;
