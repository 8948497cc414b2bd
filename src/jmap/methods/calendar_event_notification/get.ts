/** CalendarEventNotification/get (jmap-calendars §7.4). @module */
import {
  eventNotificationProperties,
  eventNotifications,
  notificationsOf,
  shownNotification,
} from "../../calendars/event_notifications.ts";
import { Capability } from "../../core/capabilities.ts";
import { askedIds, askedProperties, getArgs, getResponse } from "../../core/get.ts";
import { defineMethod } from "../../core/method.ts";
import { objectId } from "../../objects/store.ts";

export const eventNotificationGet = defineMethod({
  name: "CalendarEventNotification/get",
  capability: Capability.Calendars,
  args: getArgs,
  async run(ctx, args) {
    const access = await ctx.access(args.accountId);
    const { account, type } = notificationsOf(access);
    const state = String(ctx.s.objects.state(account, type));
    const all = await eventNotifications(ctx.s, access);
    return getResponse(
      args.accountId,
      state,
      askedIds(args.ids),
      new Map(all.map((n) => [objectId("event", n.id), shownNotification(n)])),
      askedProperties(args.properties, eventNotificationProperties),
    );
  },
});
