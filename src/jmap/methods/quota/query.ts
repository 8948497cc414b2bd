/** Quota/query (RFC 9425 §4.4). @module */
import * as v from "valibot";
import { Capability } from "../../core/capabilities.ts";
import { defineMethod } from "../../core/method.ts";
import { queryEntries, queryWindow } from "../../core/query.ts";
import { queryQuotas } from "../../mail/query/quota_query.ts";
import { quotaObjects, quotaState } from "../../mail/quotas.ts";

export const quotaQuery = defineMethod({
  name: "Quota/query",
  capability: Capability.Quota,
  args: v.strictObject(queryEntries),
  async run(ctx, args) {
    const { account } = await ctx.access(args.accountId, { own: true });
    return {
      accountId: args.accountId,
      queryState: quotaState(account),
      canCalculateChanges: true,
      ...queryWindow(queryQuotas(quotaObjects(account), args), args),
    };
  },
});
