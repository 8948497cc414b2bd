/** Principal/get (RFC 9670 §2.1). @module */
import { Capability } from "../../core/capabilities.ts";
import { askedIds, askedProperties, getArgs, getResponse } from "../../core/get.ts";
import { defineMethod } from "../../core/method.ts";
import { principalProperties, principals, principalState } from "../../principals/principals.ts";

export const principalGet = defineMethod({
  name: "Principal/get",
  capability: Capability.Principals,
  args: getArgs,
  async run(ctx, args) {
    await ctx.access(args.accountId, { own: true });
    return getResponse(
      args.accountId,
      principalState(ctx.s, ctx.user),
      askedIds(args.ids),
      principals(ctx.s, ctx.user),
      askedProperties(args.properties, principalProperties),
    );
  },
});
