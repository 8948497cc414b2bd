/** Calls for webhooks: HTTP calls that are waiting, and finished ones. @module */
import * as v from "valibot";
import { Count, Id, Nothing, Time } from "../../api/basics.ts";

export const HookAttempt = v.object({
  time: Time,
  /** In milliseconds. */
  took: Count,
  success: v.boolean(),
  code: v.number(),
  error: v.string(),
  response: v.string(),
});
export type HookAttempt = v.InferOutput<typeof HookAttempt>;

const hook = {
  id: Id,
  account: v.string(),
  url: v.string(),
  event: v.string(),
  subject: v.string(),
  submitted: Time,
  attempts: Count,
  results: v.array(HookAttempt),
};
export const Hook = v.object({ ...hook, next: Time });
export type Hook = v.InferOutput<typeof Hook>;
export const RetiredHook = v.object({ ...hook, outcome: v.string(), left: Time });
export type RetiredHook = v.InferOutput<typeof RetiredHook>;

export const hookCalls = {
  Hooks: {
    request: Nothing,
    response: v.object({
      waiting: v.array(Hook),
      total: Count,
      retired: v.array(RetiredHook),
    }),
  },
  HooksAct: {
    request: v.strictObject({
      ids: v.pipe(v.array(Id), v.minLength(1), v.maxLength(10_000)),
      action: v.picklist(["now", "cancel"]),
    }),
    response: v.object({ count: Count }),
  },
  /** Content of a waiting or kept call. */
  HookPayload: {
    request: v.strictObject({ id: Id, retired: v.boolean() }),
    response: v.object({ payload: v.string() }),
  },
};
