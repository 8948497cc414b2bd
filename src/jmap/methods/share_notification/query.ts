/** ShareNotification/query (RFC 9670 §3.6). @module */
import * as v from "valibot";
import { Capability } from "../../core/capabilities.ts";
import { defineMethod } from "../../core/method.ts";
import { queryEntries, queryWindow } from "../../core/query.ts";
import {
  queryShareNotifications,
  type ShareNotification,
} from "../../principals/share_notifications.ts";

export const shareNotificationQuery = defineMethod({
  name: "ShareNotification/query",
  capability: Capability.Principals,
  args: v.strictObject(queryEntries),
  async run(ctx, args) {
    const { account } = await ctx.access(args.accountId, { own: true });
    const all = ctx.s.objects.list<ShareNotification>(account.name, "share");
    return {
      accountId: args.accountId,
      queryState: String(ctx.s.objects.state(account.name, "share")),
      canCalculateChanges: true,
      ...queryWindow(queryShareNotifications(all, args), args),
    };
  },
});
