/** CalendarEventNotification/set (jmap-calendars §7.6): clients can only remove them. @module */
import { notificationsOf } from "../../calendars/event_notifications.ts";
import { Capability } from "../../core/capabilities.ts";
import { defineMethod } from "../../core/method.ts";
import { setArgs } from "../../core/set.ts";
import { removalsOnly } from "../../objects/removals.ts";

export const eventNotificationSet = defineMethod({
  name: "CalendarEventNotification/set",
  capability: Capability.Calendars,
  args: setArgs,
  async run(ctx, args) {
    const { account, type } = notificationsOf(await ctx.access(args.accountId));
    return await removalsOnly(ctx, args, account, type);
  },
});
