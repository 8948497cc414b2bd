/** CalendarEvent/query (jmap-calendars §5.10). @module */
import * as v from "valibot";
import { queryEvents } from "../../calendars/event_query.ts";
import { Capability } from "../../core/capabilities.ts";
import { defineMethod } from "../../core/method.ts";
import { queryEntries, queryWindow } from "../../core/query.ts";
import { groupwareState, groupwareView } from "../../groupware/collections.ts";

export const calendarEventQuery = defineMethod({
  name: "CalendarEvent/query",
  capability: Capability.Calendars,
  args: v.strictObject({
    ...queryEntries,
    expandRecurrences: v.optional(v.nullable(v.boolean())),
    timeZone: v.optional(v.nullable(v.string())),
  }),
  async run(ctx, args) {
    const view = await groupwareView(await ctx.access(args.accountId), "calendars");
    const queryState = groupwareState(view, "object");
    const found = await queryEvents(view, args);
    return {
      accountId: args.accountId,
      queryState,
      canCalculateChanges: args.expandRecurrences !== true,
      ...queryWindow(found, args),
    };
  },
});
