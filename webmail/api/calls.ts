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

/** What an action on messages did. */
const Done = v.object({
  /** Messages that it changed. */
  count: Count,
  /** For Undo, within 10 minutes; null if it can't be undone or changed nothing. */
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

  // --- the message list; what is asked for comes over the event stream
  /** A page is told its events over the stream of its browser from now on; not found if that has ended. */
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
  /** From now on, or no more, the page is told of changes of calendars and address books (events.ts). */
  GroupwareFollow: {
    request: v.strictObject({ sseId: SseId, follow: v.boolean() }),
    response: Nothing,
  },

  // --- messages
  MessageGet: { request: v.strictObject({ id: Id }), response: ParsedMessage },
  /** All of a thread by time, wherever its messages are, each once; not what is thrown away or being written. */
  ThreadGet: {
    request: v.strictObject({ id: Id }),
    response: v.object({ items: v.array(MessageItem) }),
  },
  /** Items by id, in the order asked for, without those that are gone. */
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
  /** To the mailbox of a special use, which is made if there is none. */
  MoveTo: {
    request: v.strictObject({ target: Target, specialUse: SpecialUse }),
    response: Done,
  },
  /** Moves to the trash; what is there already (or all, with `forever`) goes for good. */
  Delete: {
    request: v.strictObject({ target: Target, forever: v.optional(v.boolean()) }),
    response: Done,
  },
  /** Puts messages away until a time; then they are back where they were, unread. */
  Snooze: { request: v.strictObject({ target: Target, until: Time }), response: Done },
  /** Puts an uploaded message (.eml) into a mailbox. */
  MessageImport: {
    request: v.strictObject({ uploadId: text(100), mailboxId: Id }),
    response: v.object({ id: Id }),
  },
  Undo: { request: v.strictObject({ undo: text(100) }), response: v.object({ count: Count }) },
  /** How many messages a query finds, before acting on them all. */
  QueryCount: { request: v.strictObject({ query: Query }), response: v.object({ count: Count }) },
  /** New messages of a muted thread arrive as read. Muting collapses it, too. */
  ThreadMute: {
    request: v.strictObject({ target: Target, mute: v.boolean() }),
    response: Nothing,
  },
  ThreadCollapse: {
    request: v.strictObject({ target: Target, collapse: v.boolean() }),
    response: Nothing,
  },

  /** Asks a list's server to send no more (RFC 8058), from this server, without anything of the reader's. */
  Unsubscribe: { request: v.strictObject({ id: Id }), response: Nothing },
  /** Checks the signature of a message, by what came with it and the keys of contacts. */
  SignatureCheck: { request: v.strictObject({ id: Id }), response: CheckedSignature },
  /** Answers an invitation; its organiser gets a message. */
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
  /** With its messages; refused while it has mailboxes below it. */
  MailboxDelete: { request: v.strictObject({ id: Id }), response: Nothing },
  /** Removes all its messages for good. */
  MailboxEmpty: { request: v.strictObject({ id: Id }), response: v.object({ count: Count }) },
  MailboxSetSpecialUse: {
    request: v.strictObject({ id: Id, specialUse: v.array(SpecialUse) }),
    response: Nothing,
  },

  // --- writing
  /** Addresses for what was typed so far, the likeliest first, and groups of contacts by their names. */
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
  /** Throws a draft away. */
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
  /** Remembers how the messages of a sender are shown; null forgets it. */
  SenderViewSet: {
    request: v.strictObject({ address: text(500), view: v.nullable(SenderView) }),
    response: Nothing,
  },
} satisfies Record<string, CallSchemas>;

export type CallName = keyof typeof calls;
/** What the caller gives. */
export type CallRequest<N extends CallName> = v.InferInput<(typeof calls)[N]["request"]>;
/** What the handler gets: checked, with defaults filled in. */
export type CallChecked<N extends CallName> = v.InferOutput<(typeof calls)[N]["request"]>;
export type CallResponse<N extends CallName> = v.InferOutput<(typeof calls)[N]["response"]>;
