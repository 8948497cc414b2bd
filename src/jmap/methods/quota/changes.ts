/** Quota/changes (RFC 9425 §4.3). @module */
import { Capability } from "../../core/capabilities.ts";
import { cannotCalculate, changesArgs } from "../../core/changes.ts";
import { defineMethod } from "../../core/method.ts";
import { quotaState } from "../../mail/quotas.ts";

export const quotaChanges = defineMethod({
  name: "Quota/changes",
  capability: Capability.Quota,
  args: changesArgs,
  async run(ctx, args) {
    const { account } = await ctx.access(args.accountId, { own: true });
    const now = quotaState(account);
    const m = /^(?:none|(\d{1,16})-(\d{1,16}))$/.exec(args.sinceState);
    if (!m) throw cannotCalculate();
    const was = m[1] !== undefined;
    const is = now !== "none";
    const [, , limit] = /^(\d+)-(\d+)$/.exec(now) ?? [];
    const changed = was && is && now !== args.sinceState;
    return {
      accountId: args.accountId,
      oldState: args.sinceState,
      newState: now,
      hasMoreChanges: false,
      created: is && !was ? ["size"] : [],
      updated: changed ? ["size"] : [],
      destroyed: was && !is ? ["size"] : [],
      updatedProperties: changed && m[2] === limit ? ["used"] : null,
    };
  },
});
