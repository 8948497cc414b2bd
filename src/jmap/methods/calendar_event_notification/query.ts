/** CalendarEventNotification/query (jmap-calendars §7.7). @module */
import * as v from "valibot";
import {
  eventNotifications,
  notificationsOf,
  queryEventNotifications,
} from "../../calendars/event_notifications.ts";
import { Capability } from "../../core/capabilities.ts";
import { defineMethod } from "../../core/method.ts";
import { queryEntries, queryWindow } from "../../core/query.ts";

export const eventNotificationQuery = defineMethod({
  name: "CalendarEventNotification/query",
  capability: Capability.Calendars,
  args: v.strictObject(queryEntries),
  async run(ctx, args) {
    const access = await ctx.access(args.accountId);
    const { account, type } = notificationsOf(access);
    const queryState = String(ctx.s.objects.state(account, type));
    const all = await eventNotifications(ctx.s, access);
    return {
      accountId: args.accountId,
      queryState,
      canCalculateChanges: true,
      ...queryWindow(queryEventNotifications(all, args), args),
    };
  },
});
