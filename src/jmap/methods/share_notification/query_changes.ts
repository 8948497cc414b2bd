/** ShareNotification/queryChanges (RFC 9670 §3.7). @module */
import * as v from "valibot";
import { Capability } from "../../core/capabilities.ts";
import { defineMethod } from "../../core/method.ts";
import { queryChangesEntries } from "../../core/query.ts";
import { objectQueryChanges } from "../../objects/changes.ts";
import {
  queryShareNotifications,
  type ShareNotification,
} from "../../principals/share_notifications.ts";

export const shareNotificationQueryChanges = defineMethod({
  name: "ShareNotification/queryChanges",
  capability: Capability.Principals,
  args: v.strictObject(queryChangesEntries),
  async run(ctx, args) {
    const { account } = await ctx.access(args.accountId, { own: true });
    const { objects } = ctx.s;
    const all = objects.list<ShareNotification>(account.name, "share");
    const now = queryShareNotifications(all, args);
    return objectQueryChanges(objects, account.name, "share", args, now);
  },
});
