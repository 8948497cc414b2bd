/** Writing messages: what the compose window holds, drafts, and sending. @module */
import * as v from "valibot";
import { Count, Id, text, Time } from "./basics.ts";

/** Addresses as they were typed, one in each text: "Name <a@b>" or "a@b". */
const Recipients = v.pipe(v.array(text(2000)), v.maxLength(1000));

/** A file of a message that is being written. */
export const Attach = v.variant("kind", [
  /** Uploaded (POST upload), kept for a day. */
  v.strictObject({
    kind: v.literal("upload"),
    uploadId: text(100),
    filename: text(500),
    /** Content-ID without <>, for an image in the HTML (`cid:`); "" otherwise. */
    cid: text(200),
  }),
  /** A part of a message that is here: of the one forwarded, or of the draft itself. */
  v.strictObject({
    kind: v.literal("part"),
    messageId: Id,
    path: text(100),
    filename: text(500),
    cid: text(200),
  }),
  /** A message that is here, whole, as message/rfc822. */
  v.strictObject({ kind: v.literal("message"), messageId: Id }),
]);
export type Attach = v.InferOutput<typeof Attach>;

export const Composition = v.strictObject({
  /** One of the own addresses; its name goes before it. */
  from: v.strictObject({ name: text(500), address: text(500) }),
  to: Recipients,
  cc: Recipients,
  bcc: Recipients,
  /** "" for none. */
  replyTo: text(2000),
  subject: text(10_000),
  /** Plain text; lines of any length. */
  text: text(5_000_000),
  /** HTML, in addition to the text; null for none. */
  html: v.nullable(text(5_000_000)),
  attachments: v.pipe(v.array(Attach), v.maxLength(500)),
  /** The message that this answers: gives In-Reply-To and References, and is marked answered. */
  inReplyTo: v.nullable(Id),
  /** Messages that this forwards (inline or attached): they are marked forwarded. */
  forwards: v.pipe(v.array(Id), v.maxLength(500)),
});
export type Composition = v.InferOutput<typeof Composition>;

/** When and how a message is sent. */
export const SendOptions = v.strictObject({
  /** At this time; null at once. */
  sendAt: v.nullable(Time),
  /** true: only with verified TLS (RFC 8689); false: "TLS-Required: no"; null: as usual. */
  requireTls: v.nullable(v.boolean()),
});
export type SendOptions = v.InferOutput<typeof SendOptions>;

/**
 * Names a message from the first key until it is sent, in all windows: a UUID that the page makes. The
 * Message-ID is made of it.
 */
const Key = v.pipe(v.string(), v.regex(/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/));

export const DraftSave = {
  request: v.strictObject({
    /** The draft that this one replaces; null for the first time. */
    draftId: v.nullable(Id),
    key: v.optional(Key),
    /** Replaces what another window has saved meanwhile. */
    force: v.optional(v.boolean(), false),
    composition: Composition,
    /** Options of sending, kept with the draft. */
    options: v.optional(SendOptions),
  }),
  response: v.object({
    /** Id of the draft from now on; null: it was sent, and nothing was saved. */
    draftId: v.nullable(Id),
    /** Another window has saved it meanwhile, and nothing was saved: `draftId` is the one there is. */
    conflict: v.optional(v.boolean(), false),
    /**
     * The attachments as they are from now on: parts of the draft, in the order of the request. Use these
     * for the next save, so that nothing depends on uploads that go after a day.
     */
    attachments: v.array(Attach),
  }),
};

/** A file of a draft or a forwarded message, with what the compose window shows of it. */
export const ComposeAttachment = v.object({
  attach: Attach,
  filename: v.string(),
  type: v.string(),
  size: Count,
});
export type ComposeAttachment = v.InferOutput<typeof ComposeAttachment>;

/** Opens a draft (also one that another client saved) for writing on. */
export const DraftGet = {
  request: v.strictObject({ id: Id }),
  response: v.object({
    composition: Composition,
    attachments: v.array(ComposeAttachment),
    /** Null for a draft of another program. */
    key: v.nullable(v.string()),
    options: SendOptions,
    /** Why it could not be sent at its time; "" otherwise. */
    failure: v.string(),
  }),
};

/** The HTML of a message for quoting or forwarding it, harmless, its pictures still named by `cid:`. */
export const MessageQuote = {
  request: v.strictObject({ id: Id, style: v.boolean() }),
  response: v.object({ html: v.string(), pictures: v.array(ComposeAttachment) }),
};

export const Send = {
  request: v.strictObject({
    composition: Composition,
    /** Removed when the message is sent. */
    draftId: v.nullable(Id),
    key: v.optional(Key),
    ...SendOptions.entries,
    /** Seconds in which it can be called off; it waits on the server. Not with `sendAt`. */
    undo: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(120)), 0),
    /** Moves the thread of the message that this answers to the archive. */
    archiveThread: v.boolean(),
  }),
  response: v.object({
    /** The copy in the Sent mailbox; null if there is no such mailbox. */
    sentId: v.nullable(Id),
    /** It waits: message `id` is sent at `at` unless it is called off. Null: it is on its way. */
    waiting: v.nullable(v.object({ id: Id, at: Time })),
    /** What could not be done besides sending, in words; mostly none. */
    warnings: v.array(v.string()),
  }),
};

/** Calls off a message that waits: it is a draft again. @throws "conflict" if it is sent already */
export const SendCancel = {
  request: v.strictObject({ id: Id }),
  response: v.object({ draftId: Id }),
};

/** Another time for a message that waits; its id changes. */
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

/** How safely mail to a domain travels. */
export const DomainSecurity = v.object({
  /** As typed. */
  address: v.string(),
  /** "yes", "no", "unknown" (not asked, or the answer didn't come), "error" (the domain has a fault). */
  startTls: v.picklist(["yes", "no", "unknown"]),
  mtaSts: v.picklist(["yes", "no", "unknown", "error"]),
  dane: v.picklist(["yes", "no", "unknown", "error"]),
  dnssec: v.picklist(["yes", "no", "unknown", "error"]),
  /** The server takes REQUIRETLS, as far as is known. */
  requireTls: v.picklist(["yes", "no", "unknown"]),
});
export type DomainSecurity = v.InferOutput<typeof DomainSecurity>;
