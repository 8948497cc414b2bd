/** CalendarEvent/copy (jmap-calendars §5.9). @module */
import { storedSeriesInTurns } from "../../../groupware/objects.ts";
import { eventFromSeries } from "../../../mail/jscalendar/from_ical.ts";
import { createEvent } from "../../calendars/event_set.ts";
import { eventOfId } from "../../calendars/events.ts";
import { Capability } from "../../core/capabilities.ts";
import { copyArgs, fromAccount, runCopy } from "../../core/copy.ts";
import { MethodError, SetError } from "../../core/errors.ts";
import { defineMethod } from "../../core/method.ts";
import { groupwareState, groupwareView } from "../../groupware/collections.ts";

export const calendarEventCopy = defineMethod({
  name: "CalendarEvent/copy",
  capability: Capability.Calendars,
  args: copyArgs,
  async run(ctx, args) {
    if (args.fromAccountId === args.accountId) {
      throw new MethodError("invalidArguments", "fromAccountId: is the account itself");
    }
    const from = await groupwareView(await fromAccount(ctx, args.fromAccountId), "calendars");
    const to = await groupwareView(await ctx.access(args.accountId), "calendars");
    return await runCopy(ctx, args, {
      setMethod: "CalendarEvent/set",
      fromState: () => groupwareState(from, "object"),
      state: () => groupwareState(to, "object"),
      async read(id) {
        const found = eventOfId(from, id);
        if (found === undefined || found.recurrenceId !== undefined) return undefined;
        if (found.row.reduced === true) {
          throw new SetError("forbidden", "this event is private: only its owner can copy it");
        }
        return eventFromSeries(await storedSeriesInTurns(from.g, found.row));
      },
      create: (o) => createEvent(ctx, to, o, false),
    });
  },
});
