/** Calls of the account page for forwarding and vacation replies. @module */
import * as v from "valibot";
import { Nothing, text, Time } from "../api/basics.ts";

const Vacation = v.strictObject({
  enabled: v.boolean(),
  /** If empty: "Auto: " and the message's subject. */
  subject: text(500),
  text: text(20_000),
  /** Start and end; null for no limit. */
  from: v.nullable(Time),
  until: v.nullable(Time),
  /** Days between two replies to the same sender. */
  days: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(365)),
});
export type Vacation = v.InferOutput<typeof Vacation>;

const Forwarding = v.strictObject({
  to: v.pipe(v.array(text(1000)), v.maxLength(20)),
  /** Whether no copy stays in the account. */
  only: v.boolean(),
});

export const onwardCalls = {
  Onward: {
    request: Nothing,
    response: v.object({
      forwarding: Forwarding,
      vacation: Vacation,
      /** Whether replies are being sent now. */
      away: v.boolean(),
    }),
  },
  ForwardingSet: { request: v.strictObject({ forwarding: Forwarding }), response: Nothing },
  /** Forgets who has had a reply. */
  VacationSet: { request: v.strictObject({ vacation: Vacation }), response: Nothing },
};
