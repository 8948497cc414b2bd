/** Calendar/changes (jmap-calendars §4.2). @module */
import { Capability } from "../../core/capabilities.ts";
import { changesArgs } from "../../core/changes.ts";
import { defineMethod } from "../../core/method.ts";
import { groupwareChanges, groupwareView } from "../../groupware/collections.ts";

export const calendarChanges = defineMethod({
  name: "Calendar/changes",
  capability: Capability.Calendars,
  args: changesArgs,
  async run(ctx, args) {
    const v = await groupwareView(await ctx.access(args.accountId), "calendars", ctx.s.objects);
    return groupwareChanges(v, "collection", args);
  },
});
