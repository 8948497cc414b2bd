/** CalendarEventNotification/changes (jmap-calendars §7.5). @module */
import { notificationsOf } from "../../calendars/event_notifications.ts";
import { Capability } from "../../core/capabilities.ts";
import { changesArgs } from "../../core/changes.ts";
import { defineMethod } from "../../core/method.ts";
import { objectChanges } from "../../objects/changes.ts";

export const eventNotificationChanges = defineMethod({
  name: "CalendarEventNotification/changes",
  capability: Capability.Calendars,
  args: changesArgs,
  async run(ctx, args) {
    const { account, type } = notificationsOf(await ctx.access(args.accountId));
    return objectChanges(ctx.s.objects, account, type, args);
  },
});
