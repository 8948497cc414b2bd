/** CalendarEvent/set (jmap-calendars §5.8). @module */
import * as v from "valibot";
import { createEvent, destroyEvent, updateEvent } from "../../calendars/event_set.ts";
import { Capability } from "../../core/capabilities.ts";
import { defineMethod } from "../../core/method.ts";
import { runSet, setEntries } from "../../core/set.ts";
import { groupwareState, groupwareView } from "../../groupware/collections.ts";

export const calendarEventSet = defineMethod({
  name: "CalendarEvent/set",
  capability: Capability.Calendars,
  args: v.strictObject({
    ...setEntries,
    sendSchedulingMessages: v.optional(v.nullable(v.boolean())),
  }),
  async run(ctx, args) {
    const view = await groupwareView(await ctx.access(args.accountId), "calendars");
    const tells = args.sendSchedulingMessages ?? false;
    return await runSet(ctx, args, {
      state: () => groupwareState(view, "object"),
      create: (o) => createEvent(ctx, view, o, tells),
      update: (id, patch) => updateEvent(ctx, view, id, patch, tells),
      destroy: (id) => destroyEvent(ctx, view, id, tells),
    });
  },
});
