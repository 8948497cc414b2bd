/** Quota/queryChanges (RFC 9425 §4.5). @module */
import * as v from "valibot";
import { Capability } from "../../core/capabilities.ts";
import { cannotCalculate } from "../../core/changes.ts";
import { defineMethod } from "../../core/method.ts";
import { queryChangesEntries, queryDifference } from "../../core/query.ts";
import { queryQuotas } from "../../mail/quota_query.ts";
import { quotaObjects, quotaState } from "../../mail/quotas.ts";

export const quotaQueryChanges = defineMethod({
  name: "Quota/queryChanges",
  capability: Capability.Quota,
  args: v.strictObject(queryChangesEntries),
  async run(ctx, args) {
    const { account } = await ctx.access(args.accountId, { own: true });
    if (!/^(?:none|\d{1,16}-\d{1,16})$/.test(args.sinceQueryState)) throw cannotCalculate();
    const state = quotaState(account);
    const now = queryQuotas(quotaObjects(account), args);
    const same = state === args.sinceQueryState;
    return {
      accountId: args.accountId,
      oldQueryState: args.sinceQueryState,
      newQueryState: state,
      ...args.calculateTotal ? { total: now.length } : {},
      ...queryDifference(now, same ? [] : ["size"], () => !same, args),
    };
  },
});
