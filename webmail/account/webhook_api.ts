/** Calls of the account page for webhooks. @module */
import * as v from "valibot";
import { Count, Id, Nothing, text, Time } from "../api/basics.ts";

/** Null: no webhook. A null authorization leaves it unchanged. */
const OutgoingSetting = v.nullable(v.strictObject({
  url: v.pipe(text(2000), v.minLength(1)),
  authorization: v.nullable(text(2000)),
  /** Empty for all events. */
  events: v.pipe(v.array(text(50)), v.maxLength(20)),
}));
const IncomingSetting = v.nullable(v.strictObject({
  url: v.pipe(text(2000), v.minLength(1)),
  authorization: v.nullable(text(2000)),
}));

export const WebhookCall = v.object({
  id: Id,
  event: v.string(),
  subject: v.string(),
  attempts: Count,
  /** Time of the next attempt, or of the end. */
  time: Time,
  /** "waits", "done", "failed" or "canceled". */
  state: v.string(),
  last: v.string(),
});
export type WebhookCall = v.InferOutput<typeof WebhookCall>;

export const webhookCalls = {
  Webhooks: {
    request: Nothing,
    response: v.object({
      outgoing: v.nullable(v.object({
        url: v.string(),
        hasAuthorization: v.boolean(),
        events: v.array(v.string()),
      })),
      incoming: v.nullable(v.object({ url: v.string(), hasAuthorization: v.boolean() })),
      /** Names of all events. */
      events: v.array(v.string()),
      /** Secret for signing calls. */
      secret: v.string(),
      calls: v.array(WebhookCall),
    }),
  },
  OutgoingWebhookSet: { request: v.strictObject({ webhook: OutgoingSetting }), response: Nothing },
  IncomingWebhookSet: { request: v.strictObject({ webhook: IncomingSetting }), response: Nothing },
  /** Calls the configured webhook with an example. */
  WebhookTest: {
    request: v.strictObject({ kind: v.picklist(["outgoing", "incoming"]) }),
    /** The error is "" if the call succeeded. */
    response: v.object({ code: Count, error: v.string(), took: Count }),
  },
  WebhookAct: {
    request: v.strictObject({ id: Id, action: v.picklist(["now", "cancel"]) }),
    response: Nothing,
  },
};
