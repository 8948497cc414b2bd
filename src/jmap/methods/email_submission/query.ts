/** EmailSubmission/query (RFC 8621 §7.3). @module */
import * as v from "valibot";
import { Capability } from "../../core/capabilities.ts";
import { defineMethod } from "../../core/method.ts";
import { queryEntries, queryWindow } from "../../core/query.ts";
import { querySubmissions } from "../../mail/query/submission_query.ts";
import { refreshSubmissions, type Submission } from "../../mail/submissions.ts";

export const emailSubmissionQuery = defineMethod({
  name: "EmailSubmission/query",
  capability: Capability.Submission,
  args: v.strictObject(queryEntries),
  async run(ctx, args) {
    const access = await ctx.access(args.accountId, { own: true });
    await refreshSubmissions(ctx.s, access);
    const { name } = access.account;
    const ids = querySubmissions(ctx.s.objects.list<Submission>(name, "submission"), args);
    return {
      accountId: args.accountId,
      queryState: String(ctx.s.objects.state(name, "submission")),
      canCalculateChanges: true,
      ...queryWindow(ids, args),
    };
  },
});
