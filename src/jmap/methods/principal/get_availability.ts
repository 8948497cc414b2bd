/** Principal/getAvailability (jmap-calendars §2.2): when somebody is busy. @module */
import * as v from "valibot";
import { Capability } from "../../core/capabilities.ts";
import { MethodError } from "../../core/errors.ts";
import { defineMethod } from "../../core/method.ts";
import { dateMs, id, utcDate } from "../../core/types.ts";
import { availability } from "../../calendars/availability.ts";
import { accountOfPrincipal } from "../../principals/principals.ts";

/** Most days of a request. */
export const maxAvailabilityDays = 400;

export const principalGetAvailability = defineMethod({
  name: "Principal/getAvailability",
  capability: Capability.Availability,
  args: v.strictObject({
    accountId: id,
    id: v.string(),
    utcStart: utcDate,
    utcEnd: utcDate,
    showDetails: v.optional(v.nullable(v.boolean())),
    eventProperties: v.optional(v.nullable(v.array(v.string()))),
  }),
  async run(ctx, args) {
    const { account } = await ctx.access(args.accountId, { own: true });
    const of = accountOfPrincipal(ctx.s, account.name, args.id);
    if (of === undefined) throw new MethodError("notFound", "there is no such principal");
    const [start, end] = [dateMs(args.utcStart)!, dateMs(args.utcEnd)!];
    if (end <= start) throw new MethodError("invalidArguments", "utcEnd is not after utcStart");
    if (end - start > maxAvailabilityDays * 86_400_000) {
      throw new MethodError("tooLarge", `more than ${maxAvailabilityDays} days`);
    }
    const list = await availability(ctx, of, { start, end }, {
      showDetails: args.showDetails ?? false,
      eventProperties: args.eventProperties,
    });
    return { accountId: args.accountId, list };
  },
});
