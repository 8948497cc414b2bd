/** Principal/changes (RFC 9670 §2.2): only the current accounts are known, not earlier ones. @module */
import { Capability } from "../../core/capabilities.ts";
import { cannotCalculate, changesArgs } from "../../core/changes.ts";
import { defineMethod } from "../../core/method.ts";
import { principalState } from "../../principals/principals.ts";

export const principalChanges = defineMethod({
  name: "Principal/changes",
  capability: Capability.Principals,
  args: changesArgs,
  async run(ctx, args) {
    await ctx.access(args.accountId, { own: true });
    const state = principalState(ctx.s, ctx.user);
    if (args.sinceState !== state) throw cannotCalculate();
    return {
      accountId: args.accountId,
      oldState: state,
      newState: state,
      hasMoreChanges: false,
      created: [],
      updated: [],
      destroyed: [],
    };
  },
});
