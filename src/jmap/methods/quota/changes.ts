/** Quota/changes (RFC 9425 §4.3). @module */
import { Capability } from "../../core/capabilities.ts";
import { cannotCalculate, changesArgs } from "../../core/changes.ts";
import { defineMethod } from "../../core/method.ts";
import { quotaDifference, quotaState } from "../../mail/quotas.ts";

export const quotaChanges = defineMethod({
  name: "Quota/changes",
  capability: Capability.Quota,
  args: changesArgs,
  async run(ctx, args) {
    const { account } = await ctx.access(args.accountId, { own: true });
    const now = quotaState(account);
    const changes = quotaDifference(args.sinceState, now);
    if (!changes) throw cannotCalculate();
    const { created, updated, destroyed, limits } = changes;
    return {
      accountId: args.accountId,
      oldState: args.sinceState,
      newState: now,
      hasMoreChanges: false,
      created,
      updated,
      destroyed,
      updatedProperties: updated.length > 0 && !limits ? ["used"] : null,
    };
  },
});
