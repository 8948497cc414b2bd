/** Calls for the queue: what is waiting, what has left it, and suppressed addresses. @module */
import * as v from "valibot";
import { Count, Id, Nothing, text, Time } from "../../api/basics.ts";

const Name = v.pipe(text(500), v.minLength(1));

export const Attempt = v.object({
  time: Time,
  kind: v.string(),
  code: v.number(),
  enhanced: v.string(),
  text: v.string(),
  remoteMta: v.string(),
});
export type Attempt = v.InferOutput<typeof Attempt>;

export const QueueItem = v.object({
  id: Id,
  account: v.string(),
  from: v.string(),
  to: v.string(),
  subject: v.string(),
  size: Count,
  queued: Time,
  next: Time,
  attempts: Count,
  hold: v.boolean(),
  transport: v.string(),
  requireTls: v.picklist(["", "yes", "no"]),
  /** The last attempt; null before the first. */
  last: v.nullable(Attempt),
});
export type QueueItem = v.InferOutput<typeof QueueItem>;

/** All given conditions must match. */
export const QueueFilter = v.strictObject({
  ids: v.optional(v.pipe(v.array(Id), v.maxLength(10_000))),
  account: v.optional(text(500)),
  from: v.optional(text(500)),
  to: v.optional(text(500)),
  hold: v.optional(v.boolean()),
  transport: v.optional(text(500)),
});
export type QueueFilter = v.InferOutput<typeof QueueFilter>;

const limit = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1000));

export const RetiredItem = v.object({
  id: Id,
  account: v.string(),
  from: v.string(),
  to: v.string(),
  subject: v.string(),
  size: Count,
  queued: Time,
  left: Time,
  keepUntil: Time,
  outcome: v.string(),
  attempts: Count,
  results: v.array(Attempt),
});
export type RetiredItem = v.InferOutput<typeof RetiredItem>;

export const queueCalls = {
  Queue: {
    request: v.strictObject({
      filter: QueueFilter,
      sort: v.picklist(["next", "queued"]),
      descending: v.boolean(),
      limit,
    }),
    response: v.object({
      items: v.array(QueueItem),
      /** Messages in the queue, whatever the filter. */
      total: Count,
      /** Whether more match. */
      more: v.boolean(),
      /** Transports of mox.conf. */
      transports: v.array(v.string()),
    }),
  },
  QueueAct: {
    request: v.strictObject({
      filter: QueueFilter,
      action: v.variant("do", [
        v.strictObject({ do: v.picklist(["hold", "release", "fail", "drop"]) }),
        /** Sets the time of the next attempt. */
        v.strictObject({ do: v.literal("schedule"), time: Time }),
        /** "" for what the routes say. */
        v.strictObject({ do: v.literal("transport"), transport: text(500) }),
        /** "" for what the message and policies say. */
        v.strictObject({ do: v.literal("requiretls"), value: v.picklist(["", "yes", "no"]) }),
      ]),
    }),
    response: v.object({ count: Count }),
  },
  /** An item with its attempts and its message. */
  QueueMessage: {
    request: v.strictObject({ id: Id }),
    response: v.object({
      item: QueueItem,
      messageId: v.string(),
      attempts: v.array(Attempt),
      /** The first bytes, as text. */
      text: v.string(),
      cut: v.boolean(),
    }),
  },
  HoldRules: {
    request: Nothing,
    response: v.object({
      rules: v.array(v.object({
        id: Id,
        account: v.string(),
        senderDomain: v.string(),
        recipientDomain: v.string(),
      })),
    }),
  },
  /** Holds new messages that match; "" for any. */
  HoldRuleAdd: {
    request: v.strictObject({
      account: text(500),
      senderDomain: text(500),
      recipientDomain: text(500),
    }),
    response: Nothing,
  },
  HoldRuleRemove: { request: v.strictObject({ id: Id }), response: Nothing },
  Retired: {
    request: v.strictObject({ account: text(500), limit }),
    response: v.object({
      items: v.array(RetiredItem),
      /** Accounts whose messages are kept after leaving the queue. */
      keeping: v.array(v.string()),
    }),
  },
  Suppressions: {
    request: Nothing,
    response: v.object({
      entries: v.array(v.object({
        account: v.string(),
        address: v.string(),
        manual: v.boolean(),
        reason: v.string(),
        created: Time,
      })),
    }),
  },
  SuppressionAdd: {
    request: v.strictObject({ account: Name, address: Name, reason: text(500) }),
    response: Nothing,
  },
  SuppressionRemove: {
    request: v.strictObject({ account: Name, address: Name }),
    response: Nothing,
  },
};
