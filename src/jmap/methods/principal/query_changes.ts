/** Principal/queryChanges (RFC 9670 §2.5): none, or unknown. @module */
import * as v from "valibot";
import { Capability } from "../../core/capabilities.ts";
import { cannotCalculate } from "../../core/changes.ts";
import { defineMethod } from "../../core/method.ts";
import { queryChangesEntries } from "../../core/query.ts";
import { principalState } from "../../principals/principals.ts";
import { queryPrincipals } from "../../principals/query.ts";

export const principalQueryChanges = defineMethod({
  name: "Principal/queryChanges",
  capability: Capability.Principals,
  args: v.strictObject(queryChangesEntries),
  async run(ctx, args) {
    await ctx.access(args.accountId, { own: true });
    const state = principalState(ctx.s, ctx.user);
    if (args.sinceQueryState !== state) throw cannotCalculate();
    const now = queryPrincipals(ctx.s, ctx.user, args);
    return {
      accountId: args.accountId,
      oldQueryState: state,
      newQueryState: state,
      ...args.calculateTotal ? { total: now.length } : {},
      removed: [],
      added: [],
    };
  },
});
