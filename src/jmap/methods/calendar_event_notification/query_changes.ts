/** CalendarEventNotification/queryChanges (jmap-calendars §7.8). @module */
import * as v from "valibot";
import {
  eventNotifications,
  notificationsOf,
  queryEventNotifications,
} from "../../calendars/event_notifications.ts";
import { Capability } from "../../core/capabilities.ts";
import { defineMethod } from "../../core/method.ts";
import { queryChangesEntries } from "../../core/query.ts";
import { objectQueryChanges } from "../../objects/changes.ts";

export const eventNotificationQueryChanges = defineMethod({
  name: "CalendarEventNotification/queryChanges",
  capability: Capability.Calendars,
  args: v.strictObject(queryChangesEntries),
  async run(ctx, args) {
    const access = await ctx.access(args.accountId);
    const { account, type } = notificationsOf(access);
    const now = queryEventNotifications(await eventNotifications(ctx.s, access), args);
    return objectQueryChanges(ctx.s.objects, account, type, args, now);
  },
});
