/** Principal/query (RFC 9670 §2.4). @module */
import * as v from "valibot";
import { Capability } from "../../core/capabilities.ts";
import { defineMethod } from "../../core/method.ts";
import { queryEntries, queryWindow } from "../../core/query.ts";
import { principalState } from "../../principals/principals.ts";
import { queryPrincipals } from "../../principals/query.ts";

export const principalQuery = defineMethod({
  name: "Principal/query",
  capability: Capability.Principals,
  args: v.strictObject(queryEntries),
  async run(ctx, args) {
    await ctx.access(args.accountId, { own: true });
    return {
      accountId: args.accountId,
      queryState: principalState(ctx.s, ctx.user),
      canCalculateChanges: false,
      ...queryWindow(queryPrincipals(ctx.s, ctx.user, args), args),
    };
  },
});
