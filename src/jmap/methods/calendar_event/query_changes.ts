/** CalendarEvent/queryChanges (jmap-calendars §5.11); not with recurring events expanded. @module */
import * as v from "valibot";
import { queryEvents } from "../../calendars/event_query.ts";
import { Capability } from "../../core/capabilities.ts";
import { cannotCalculate } from "../../core/changes.ts";
import { defineMethod } from "../../core/method.ts";
import { queryChangesEntries, queryDifference } from "../../core/query.ts";
import { eventsOf, groupwareState, groupwareView, idOf } from "../../groupware/collections.ts";

export const calendarEventQueryChanges = defineMethod({
  name: "CalendarEvent/queryChanges",
  capability: Capability.Calendars,
  args: v.strictObject({
    ...queryChangesEntries,
    expandRecurrences: v.optional(v.nullable(v.boolean())),
    timeZone: v.optional(v.nullable(v.string())),
  }),
  async run(ctx, args) {
    const view = await groupwareView(await ctx.access(args.accountId), "calendars");
    const found = eventsOf(view, "object", args.sinceQueryState);
    if (found === undefined || args.expandRecurrences === true) throw cannotCalculate();
    const newQueryState = groupwareState(view, "object");
    const touched = new Set(found.events.map((e) => idOf("calendars", "object", e.order)));
    const before = found.events.filter((e) => e.kind !== "created")
      .map((e) => idOf("calendars", "object", e.order));
    const now = await queryEvents(view, args);
    return {
      accountId: args.accountId,
      oldQueryState: args.sinceQueryState,
      newQueryState,
      ...args.calculateTotal ? { total: now.length } : {},
      ...queryDifference(now, before, (i) => touched.has(now[i]), args),
    };
  },
});
