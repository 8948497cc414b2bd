/** ShareNotification/get (RFC 9670 §3.3). @module */
import { Capability } from "../../core/capabilities.ts";
import { askedIds, askedProperties, getArgs, getResponse } from "../../core/get.ts";
import { defineMethod } from "../../core/method.ts";
import {
  shareNotificationProperties,
  shareNotifications,
} from "../../principals/share_notifications.ts";

export const shareNotificationGet = defineMethod({
  name: "ShareNotification/get",
  capability: Capability.Principals,
  args: getArgs,
  async run(ctx, args) {
    const { account } = await ctx.access(args.accountId, { own: true });
    return getResponse(
      args.accountId,
      String(ctx.s.objects.state(account.name, "share")),
      askedIds(args.ids),
      shareNotifications(ctx.s, account.name),
      askedProperties(args.properties, shareNotificationProperties),
    );
  },
});
