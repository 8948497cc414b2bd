/**
 * The calls of the webmail: POST `api/<Name>` with a JSON body and the header `x-mox-request: 1`. The typed
 * client of the page and the typed table of handlers on the server both follow from this table.
 *
 * @module
 */
import { passkeyCalls } from "./passkeys.ts";
import * as v from "valibot";
import { Address, Count, Flag, Id, Keyword, Nothing, SpecialUse, text, Time } from "./basics.ts";
import {
  DomainSecurity,
  DraftGet,
  DraftSave,
  MessageQuote,
  Send,
  SendCancel,
  SendReschedule,
} from "./compose.ts";
import { Mailbox, MailboxName } from "./mailbox.ts";
import { CheckedSignature, MessageItem, ParsedMessage, Thread } from "./message.ts";
import { contactCalls } from "./contacts.ts";
import { Page, Query, Target, View } from "./query.ts";
import { calendarCalls } from "./calendar.ts";
import { ruleCalls } from "./rules.ts";
import { SenderView, Settings } from "./settings.ts";

/** A call's two schemas. */
export interface CallSchemas {
  request: v.GenericSchema;
  response: v.GenericSchema;
}

/** The result of an action on messages. */
const Done = v.object({
  /** Number of changed messages. */
  count: Count,
  /** For Undo, within 10 minutes; null if it can't be undone or nothing changed. */
  undo: v.nullable(v.string()),
});
export type Done = v.InferOutput<typeof Done>;

const Who = v.object({ account: v.string(), loginAddress: v.string() });
const SseId = text(100);

export const calls = {
  // --- session; Login, Session and those of passkeys work without one
  ...passkeyCalls,
  /** Fails with "login", "limit" (too many attempts), or "secondFactor" (see client.ts). */
  Login: {
    request: v.strictObject({
      username: text(500),
      password: text(1000),
      totp: v.optional(text(20)),
    }),
    response: Who,
  },
  /** Who is logged in; null if nobody is. */
  Session: { request: Nothing, response: v.object({ who: v.nullable(Who) }) },
  Logout: { request: Nothing, response: Nothing },
  SessionsList: {
    request: Nothing,
    response: v.object({
      sessions: v.array(v.object({
        id: Id,
        /** "webmail" or "account". */
        service: v.string(),
        created: Time,
        lastUsed: Time,
        userAgent: v.string(),
        remoteIp: v.string(),
        current: v.boolean(),
      })),
    }),
  },
  SessionRevoke: { request: v.strictObject({ id: Id }), response: Nothing },

  // --- the message list; its content comes over the event stream
  /** From now on the page gets its events over its browser's shared stream; not found if that has ended. */
  EventsJoin: {
    request: v.strictObject({ stream: SseId, page: SseId, view: View }),
    response: Nothing,
  },
  EventsLeave: { request: v.strictObject({ stream: SseId, page: SseId }), response: Nothing },
  ViewSet: { request: v.strictObject({ sseId: SseId, view: View }), response: Nothing },
  ViewMore: {
    request: v.strictObject({ sseId: SseId, viewId: Id, page: Page }),
    response: Nothing,
  },

  /** Threads of a view of which the page has a part, whole; from now on they are told whole. Without those that are gone. */
  ViewThreads: {
    request: v.strictObject({
      sseId: SseId,
      viewId: Id,
      threadIds: v.pipe(v.array(Id), v.minLength(1), v.maxLength(10)),
    }),
    response: v.object({ threads: v.array(Thread) }),
  },
  /** Starts or stops telling the page of changes in calendars and address books (events.ts). */
  GroupwareFollow: {
    request: v.strictObject({ sseId: SseId, follow: v.boolean() }),
    response: Nothing,
  },

  // --- messages
  MessageGet: { request: v.strictObject({ id: Id }), response: ParsedMessage },
  /** All messages of a thread by time, in any mailbox, each once; without trash and drafts. */
  ThreadGet: {
    request: v.strictObject({ id: Id }),
    response: v.object({ items: v.array(MessageItem) }),
  },
  /** Items by id, in the order requested; missing messages are left out. */
  MessageItems: {
    request: v.strictObject({ ids: v.pipe(v.array(Id), v.minLength(1), v.maxLength(1000)) }),
    response: v.object({ items: v.array(MessageItem) }),
  },
  FlagsSet: {
    request: v.strictObject({
      target: Target,
      add: v.array(Flag),
      remove: v.array(Flag),
      addKeywords: v.pipe(v.array(Keyword), v.maxLength(50)),
      removeKeywords: v.pipe(v.array(Keyword), v.maxLength(50)),
    }),
    response: Done,
  },
  Move: {
    request: v.strictObject({ target: Target, mailboxId: Id }),
    response: Done,
  },
  /** To the mailbox with a special use, which is created if needed. */
  MoveTo: {
    request: v.strictObject({ target: Target, specialUse: SpecialUse }),
    response: Done,
  },
  /** Moves messages to the trash; those already there (or all, with `forever`) are deleted for good. */
  Delete: {
    request: v.strictObject({ target: Target, forever: v.optional(v.boolean()) }),
    response: Done,
  },
  /** Snoozes messages: at the given time they are back where they were, unread. */
  Snooze: { request: v.strictObject({ target: Target, until: Time }), response: Done },
  /** Puts an uploaded message (.eml) into a mailbox. */
  MessageImport: {
    request: v.strictObject({ uploadId: text(100), mailboxId: Id }),
    response: v.object({ id: Id }),
  },
  Undo: { request: v.strictObject({ undo: text(100) }), response: v.object({ count: Count }) },
  /** How many messages a query finds, before an action on all of them. */
  QueryCount: { request: v.strictObject({ query: Query }), response: v.object({ count: Count }) },
  /** New messages of a muted thread arrive as read. Muting also collapses it. */
  ThreadMute: {
    request: v.strictObject({ target: Target, mute: v.boolean() }),
    response: Nothing,
  },
  ThreadCollapse: {
    request: v.strictObject({ target: Target, collapse: v.boolean() }),
    response: Nothing,
  },

  /**
   * Asks a mailing list's server to unsubscribe (RFC 8058); the request comes from this server and identifies the
   * reader only by the list's URL.
   */
  Unsubscribe: { request: v.strictObject({ id: Id }), response: Nothing },
  /** Checks a message's signature with the keys in the message and those of contacts. */
  SignatureCheck: { request: v.strictObject({ id: Id }), response: CheckedSignature },
  /** Answers an invitation; the organizer gets a message. */
  InvitationAnswer: {
    request: v.strictObject({
      id: Id,
      answer: v.picklist(["accepted", "tentative", "declined"]),
    }),
    response: v.object({ warnings: v.array(v.string()) }),
  },

  // --- mailboxes
  MailboxCreate: {
    request: v.strictObject({ name: MailboxName }),
    response: v.object({ mailbox: Mailbox }),
  },
  MailboxRename: { request: v.strictObject({ id: Id, name: MailboxName }), response: Nothing },
  /** Deletes a mailbox with its messages; refused while it has child mailboxes. */
  MailboxDelete: { request: v.strictObject({ id: Id }), response: Nothing },
  /** Deletes all its messages for good. */
  MailboxEmpty: { request: v.strictObject({ id: Id }), response: v.object({ count: Count }) },
  MailboxSetSpecialUse: {
    request: v.strictObject({ id: Id, specialUse: v.array(SpecialUse) }),
    response: Nothing,
  },

  // --- writing
  /** Addresses that match what was typed so far, most likely first, and groups of contacts by name. */
  AddressComplete: {
    request: v.strictObject({ text: text(500) }),
    response: v.object({
      addresses: v.array(Address),
      groups: v.array(v.object({ name: v.string(), members: v.array(Address) })),
    }),
  },
  RecipientSecurity: {
    request: v.strictObject({ address: text(2000) }),
    response: DomainSecurity,
  },
  MessageQuote,
  DraftSave,
  DraftGet,
  /** Deletes a draft. */
  DraftDiscard: { request: v.strictObject({ id: Id }), response: Nothing },
  Send,
  SendCancel,
  SendReschedule,

  // --- push messages for a closed page (RFC 8030)
  /** The server's key, for the browser's push service. */
  PushKey: { request: Nothing, response: v.object({ key: v.string() }) },
  PushSubscribe: {
    request: v.strictObject({
      endpoint: v.pipe(text(2000), v.url()),
      p256dh: text(200),
      auth: text(100),
      /** Names of mailboxes. */
      mailboxes: v.pipe(v.array(text(1000)), v.minLength(1), v.maxLength(50)),
    }),
    response: Nothing,
  },
  PushUnsubscribe: { request: v.strictObject({ endpoint: text(2000) }), response: Nothing },

  // --- calendars
  ...calendarCalls,

  // --- rules
  ...ruleCalls,

  // --- contacts
  ...contactCalls,

  // --- settings
  SettingsGet: { request: Nothing, response: v.object({ settings: Settings }) },
  SettingsSet: { request: v.strictObject({ settings: Settings }), response: Nothing },
  /** Stores how a sender's messages are shown; null removes that. */
  SenderViewSet: {
    request: v.strictObject({ address: text(500), view: v.nullable(SenderView) }),
    response: Nothing,
  },
} satisfies Record<string, CallSchemas>;

export type CallName = keyof typeof calls;
/** What the caller passes. */
export type CallRequest<N extends CallName> = v.InferInput<(typeof calls)[N]["request"]>;
/** What the handler gets: checked, with defaults. */
export type CallChecked<N extends CallName> = v.InferOutput<(typeof calls)[N]["request"]>;
export type CallResponse<N extends CallName> = v.InferOutput<(typeof calls)[N]["response"]>;
