/** Quota/queryChanges (RFC 9425 §4.5). @module */
import * as v from "valibot";
import { Capability } from "../../core/capabilities.ts";
import { cannotCalculate } from "../../core/changes.ts";
import { defineMethod } from "../../core/method.ts";
import { queryChangesEntries, queryDifference } from "../../core/query.ts";
import { queryQuotas } from "../../mail/query/quota_query.ts";
import { quotaDifference, quotaObjects, quotaState } from "../../mail/quotas.ts";

export const quotaQueryChanges = defineMethod({
  name: "Quota/queryChanges",
  capability: Capability.Quota,
  args: v.strictObject(queryChangesEntries),
  async run(ctx, args) {
    const { account } = await ctx.access(args.accountId, { own: true });
    const state = quotaState(account);
    const changes = quotaDifference(args.sinceQueryState, state);
    if (!changes) throw cannotCalculate();
    const now = queryQuotas(quotaObjects(account), args);
    const changed = [...changes.created, ...changes.updated, ...changes.destroyed];
    return {
      accountId: args.accountId,
      oldQueryState: args.sinceQueryState,
      newQueryState: state,
      ...args.calculateTotal ? { total: now.length } : {},
      ...queryDifference(now, changed, (at) => changed.includes(now[at]), args),
    };
  },
});
