/** ShareNotification/changes (RFC 9670 §3.4). @module */
import { Capability } from "../../core/capabilities.ts";
import { changesArgs } from "../../core/changes.ts";
import { defineMethod } from "../../core/method.ts";
import { objectChanges } from "../../objects/changes.ts";

export const shareNotificationChanges = defineMethod({
  name: "ShareNotification/changes",
  capability: Capability.Principals,
  args: changesArgs,
  async run(ctx, args) {
    const { account } = await ctx.access(args.accountId, { own: true });
    return objectChanges(ctx.s.objects, account.name, "share", args);
  },
});
