/** The calls about forwarding and vacation replies of the account page. @module */
import * as v from "valibot";
import { Nothing, text, Time } from "../api/basics.ts";

const Vacation = v.strictObject({
  enabled: v.boolean(),
  /** Empty: "Auto: " and that of the message. */
  subject: text(500),
  text: text(20_000),
  /** From and until when; null for no end on that side. */
  from: v.nullable(Time),
  until: v.nullable(Time),
  /** Between two replies to a sender. */
  days: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(365)),
});
export type Vacation = v.InferOutput<typeof Vacation>;

const Forwarding = v.strictObject({
  to: v.pipe(v.array(text(1000)), v.maxLength(20)),
  /** Without a copy in the account. */
  only: v.boolean(),
});

export const onwardCalls = {
  Onward: {
    request: Nothing,
    response: v.object({
      forwarding: Forwarding,
      vacation: Vacation,
      /** Replies are sent now. */
      away: v.boolean(),
    }),
  },
  ForwardingSet: { request: v.strictObject({ forwarding: Forwarding }), response: Nothing },
  /** Forgets who had a reply. */
  VacationSet: { request: v.strictObject({ vacation: Vacation }), response: Nothing },
};
