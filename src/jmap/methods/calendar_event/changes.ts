/** CalendarEvent/changes (jmap-calendars §5.7). @module */
import { Capability } from "../../core/capabilities.ts";
import { changesArgs } from "../../core/changes.ts";
import { defineMethod } from "../../core/method.ts";
import { groupwareChanges, groupwareView } from "../../groupware/collections.ts";

export const calendarEventChanges = defineMethod({
  name: "CalendarEvent/changes",
  capability: Capability.Calendars,
  args: changesArgs,
  async run(ctx, args) {
    const v = await groupwareView(await ctx.access(args.accountId), "calendars");
    return groupwareChanges(v, "object", args);
  },
});
