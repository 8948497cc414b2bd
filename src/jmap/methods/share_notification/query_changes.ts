/** ShareNotification/queryChanges (RFC 9670 §3.7). @module */
import * as v from "valibot";
import { Capability } from "../../core/capabilities.ts";
import { cannotCalculate } from "../../core/changes.ts";
import { defineMethod } from "../../core/method.ts";
import { queryChangesEntries, queryDifference } from "../../core/query.ts";
import { objectId } from "../../objects/store.ts";
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
    const since = /^\d{1,15}$/.test(args.sinceQueryState)
      ? objects.changes(account.name, "share", Number(args.sinceQueryState))
      : undefined;
    if (since === undefined) throw cannotCalculate();
    const all = objects.list<ShareNotification>(account.name, "share");
    const now = queryShareNotifications(all, args);
    const changed = new Set(since.map((e) => objectId("share", e.order)));
    const before = since.filter((e) => e.kind !== "created").map((e) => objectId("share", e.order));
    return {
      accountId: args.accountId,
      oldQueryState: args.sinceQueryState,
      newQueryState: String(objects.state(account.name, "share")),
      ...args.calculateTotal ? { total: now.length } : {},
      ...queryDifference(now, before, (i) => changed.has(now[i]), args),
    };
  },
});
