/** ShareNotification/set (RFC 9670 §3.5): clients can only remove them. @module */
import { Capability } from "../../core/capabilities.ts";
import { defineMethod } from "../../core/method.ts";
import { setArgs } from "../../core/set.ts";
import { removalsOnly } from "../../objects/removals.ts";

export const shareNotificationSet = defineMethod({
  name: "ShareNotification/set",
  capability: Capability.Principals,
  args: setArgs,
  async run(ctx, args) {
    const { account } = await ctx.access(args.accountId, { own: true });
    return await removalsOnly(ctx, args, account.name, "share");
  },
});
