/**
 * What comes over the event stream (`GET events?view=…`, text/event-stream): one JSON value in each `data:`,
 * told apart by `kind`. One connection serves all views, one after the other: ViewSet and ViewMore name it
 * by its sseId.
 *
 * Pages of a browser share one stream (`GET events?shared`), which a worker of it holds (webmail/worker/events.ts): over
 * HTTP/1.1 a browser has six connections to a host. There each value is `{"stream": id}`, the first; `{"page", "event"}`
 * for the page that has joined by that name (EventsJoin); `{"page", "ended"}` if it has to join again; or `{}`, a sign of life.
 *
 * @module
 */
import * as v from "valibot";
import { Address, Count, Flag, Id, Time } from "./basics.ts";
import { Mailbox, MailboxCounts } from "./mailbox.ts";
import { MessageItem, Thread, ThreadPart } from "./message.ts";
import { SpecialUse } from "./basics.ts";
import { Settings } from "./settings.ts";

/** First event of each connection. */
export const StartEvent = v.object({
  kind: v.literal("start"),
  sseId: v.string(),
  /** The server's version; a page of another version reloads when nothing is being written. */
  version: v.string(),
  /** Name of the account, and the address used to log in. */
  account: v.string(),
  loginAddress: v.string(),
  /** Addresses to send from; the first is the default. */
  addresses: v.array(Address),
  /** Domains for which the account receives every address. */
  catchallDomains: v.array(v.string()),
  mailboxes: v.array(Mailbox),
  /** Names of mailboxes that hold refused messages. */
  rejectsMailboxes: v.array(v.string()),
  settings: Settings,
  /** Largest message in bytes, with encoded attachments. */
  maxMessageSize: Count,
  /** Most bytes of all messages together; null without a limit. */
  quota: v.nullable(Count),
  /** Path of the account page; null if it isn't served here. */
  accountPage: v.nullable(v.string()),
  /** Only in localserve: where a message is shown with its checks, with {id} in it; null elsewhere. */
  checks: v.nullable(v.string()),
});
export type StartEvent = v.InferOutput<typeof StartEvent>;

/** The next messages of a view. */
export const ViewEvent = v.object({
  kind: v.literal("view"),
  viewId: Id,
  threads: v.array(Thread),
  /** Of those that are long, and sent in part. */
  parts: v.array(ThreadPart),
  /** Nothing follows these before the next ViewMore. */
  done: v.boolean(),
  /** These are the last messages of the view. */
  end: v.boolean(),
  /**
   * Number of messages that the query finds, without those shown only for their thread; null while unknown.
   */
  total: v.nullable(Count),
});
export type ViewEvent = v.InferOutput<typeof ViewEvent>;

/** Progress of a slow search. */
export const ProgressEvent = v.object({
  kind: v.literal("progress"),
  viewId: Id,
  /** Messages searched so far. */
  done: Count,
  total: Count,
});

/** A view that can't be shown, for example because its mailbox is gone. */
export const ViewErrorEvent = v.object({
  kind: v.literal("viewError"),
  viewId: Id,
  message: v.string(),
});

/** A change in the account. Changes of messages concern messages of the current view. */
export const Change = v.variant("kind", [
  /**
   * Threads with new messages, whole or with their part: each takes the place of what the page has of that threadId, or
   * is new. Without threading each has one message. What sorts behind the last one loaded isn't told.
   * Messages that belonged to another thread until now are removed before. A thread of which the page has a part is also
   * told anew when its messages get other flags, or some are removed.
   */
  v.object({
    kind: v.literal("threads"),
    threads: v.array(Thread),
    parts: v.array(ThreadPart),
  }),
  /** Includes messages that were shown only for the thread of a removed one. */
  v.object({ kind: v.literal("messagesRemove"), ids: v.array(Id) }),
  /** Current flags and keywords. Messages that no longer match stay in the view. */
  v.object({
    kind: v.literal("flags"),
    items: v.array(v.object({ id: Id, flags: v.array(Flag), keywords: v.array(v.string()) })),
  }),
  /** Concerns all messages with one of these email ids. */
  v.object({
    kind: v.literal("threadState"),
    emailIds: v.array(Id),
    muted: v.boolean(),
    collapsed: v.boolean(),
  }),
  /** So much has changed that the view must be requested again. */
  v.object({ kind: v.literal("viewStale") }),
  /** A message arrived in the inbox (whatever the view shows), for notifications. */
  v.object({ kind: v.literal("arrived"), item: MessageItem }),
  v.object({ kind: v.literal("mailboxAdd"), mailbox: Mailbox }),
  v.object({ kind: v.literal("mailboxRemove"), id: Id }),
  v.object({ kind: v.literal("mailboxRename"), id: Id, name: v.string(), parentId: Count }),
  v.object({ kind: v.literal("mailboxCounts"), id: Id, counts: MailboxCounts }),
  v.object({ kind: v.literal("mailboxSpecialUse"), id: Id, specialUse: v.array(SpecialUse) }),
  v.object({ kind: v.literal("mailboxKeywords"), id: Id, keywords: v.array(v.string()) }),
  v.object({ kind: v.literal("settings"), settings: Settings }),
  /**
   * Calendars or address books that the user sees have changed; sent to pages that asked for it (GroupwareFollow).
   */
  v.object({ kind: v.literal("groupware"), calendars: v.boolean(), contacts: v.boolean() }),
  /** A message waits for its sending time, or no longer does (null). */
  v.object({ kind: v.literal("waits"), id: Id, sendAt: v.nullable(Time) }),
  /** A scheduled message could not be sent, and is a draft again. */
  v.object({ kind: v.literal("sendFailed"), draftId: Id, subject: v.string(), why: v.string() }),
]);
export type Change = v.InferOutput<typeof Change>;

/** Changes, in order; those of messages belong to the named view. */
export const ChangesEvent = v.object({
  kind: v.literal("changes"),
  viewId: Id,
  changes: v.array(Change),
});

/** Sent every 20 seconds without other events: a page that gets nothing for 60 seconds reconnects. */
export const AliveEvent = v.object({ kind: v.literal("alive") });

/** The session has ended (logout, revoked, password changed): reconnecting is pointless. */
export const EndEvent = v.object({ kind: v.literal("end"), reason: v.string() });

export const ServerEvent = v.variant("kind", [
  StartEvent,
  ViewEvent,
  ProgressEvent,
  ViewErrorEvent,
  ChangesEvent,
  AliveEvent,
  EndEvent,
]);
export type ServerEvent = v.InferOutput<typeof ServerEvent>;
