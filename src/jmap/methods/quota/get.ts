/** Quota/get (RFC 9425 §4.2). @module */
import { Capability } from "../../core/capabilities.ts";
import { askedIds, askedProperties, getArgs, getResponse } from "../../core/get.ts";
import { defineMethod } from "../../core/method.ts";
import { quotaObjects, quotaProperties, quotaState } from "../../mail/quotas.ts";

export const quotaGet = defineMethod({
  name: "Quota/get",
  capability: Capability.Quota,
  args: getArgs,
  async run(ctx, args) {
    const { account } = await ctx.access(args.accountId, { own: true });
    const properties = askedProperties(args.properties, quotaProperties);
    return getResponse(
      args.accountId,
      quotaState(account),
      askedIds(args.ids),
      quotaObjects(account),
      properties,
    );
  },
});
