/**
 * What the message list shows: which messages, in which order, threaded or not.
 *
 * @module
 */
import * as v from "valibot";
import { Count, Flag, Id, Keyword, text, Time } from "./basics.ts";

const Words = v.pipe(v.array(v.pipe(text(1000), v.minLength(1))), v.maxLength(50));

/** Conditions, all of which a message must meet. Texts match anywhere, ignoring case. */
export const Filter = v.strictObject({
  /** In headers or text. A word with spaces is a phrase. */
  words: v.optional(Words),
  notWords: v.optional(Words),
  from: v.optional(Words),
  notFrom: v.optional(Words),
  /** In To, Cc or Bcc. */
  to: v.optional(Words),
  notTo: v.optional(Words),
  subject: v.optional(Words),
  notSubject: v.optional(Words),
  attachments: v.optional(v.picklist(["with", "without"])),
  /** Received at this time or later. */
  oldest: v.optional(Time),
  /** Received before this time. */
  newest: v.optional(Time),
  flags: v.optional(v.array(Flag)),
  notFlags: v.optional(v.array(Flag)),
  keywords: v.optional(v.pipe(v.array(Keyword), v.maxLength(50))),
  notKeywords: v.optional(v.pipe(v.array(Keyword), v.maxLength(50))),
  /** Bytes, exclusive. */
  largerThan: v.optional(Count),
  smallerThan: v.optional(Count),
  /** Header fields by name, with a text they contain; "" for any. */
  headers: v.optional(
    v.pipe(
      v.array(v.strictObject({ name: v.pipe(text(200), v.minLength(1)), text: text(1000) })),
      v.maxLength(20),
    ),
  ),
});
export type Filter = v.InferOutput<typeof Filter>;

/**
 * "off": single messages. "on": threads, expanded unless collapsed. "unread": threads, only those with an
 * unread message expanded. The server answers "on" and "unread" alike; the page expands.
 */
export const Threading = v.picklist(["off", "on", "unread"]);
export type Threading = v.InferOutput<typeof Threading>;

export const Order = v.picklist(["newest", "oldest"]);
export type Order = v.InferOutput<typeof Order>;

export const Query = v.strictObject({
  /** null: all mailboxes but those for junk, trash and rejects. */
  mailboxId: v.nullable(Id),
  /** Includes its child mailboxes. */
  withChildren: v.boolean(),
  filter: Filter,
  order: Order,
  threading: Threading,
});
export type Query = v.InferOutput<typeof Query>;

/** A section of the list. */
export const Page = v.strictObject({
  /** Messages (or threads) after the one with this message; null from the start. */
  anchor: v.nullable(Id),
  /** Number of messages or threads. */
  count: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1000)),
  /**
   * Continues until it includes this message (opened by a link), beyond the count if necessary, up to 5000.
   */
  until: v.optional(Id),
  /** The message that is open: its thread is sent whole. */
  open: v.optional(Id),
});
export type Page = v.InferOutput<typeof Page>;

/** A view of the message list. */
export const View = v.strictObject({
  /** Chosen by the page, increasing: events for an older view are ignored. */
  viewId: Id,
  query: Query,
  page: Page,
});
export type View = v.InferOutput<typeof View>;

/** Messages to act on: named ones, or all that a query finds. */
export const Target = v.union([
  v.strictObject({ ids: v.pipe(v.array(Id), v.minLength(1), v.maxLength(10_000)) }),
  v.strictObject({ query: Query }),
]);
export type Target = v.InferOutput<typeof Target>;
