/** EmailSubmission/queryChanges (RFC 8621 §7.4). @module */
import * as v from "valibot";
import { Capability } from "../../core/capabilities.ts";
import { cannotCalculate } from "../../core/changes.ts";
import { defineMethod } from "../../core/method.ts";
import { queryChangesEntries, queryDifference } from "../../core/query.ts";
import { querySubmissions } from "../../mail/query/submission_query.ts";
import { refreshSubmissions, type Submission } from "../../mail/submissions.ts";
import { objectId } from "../../objects/store.ts";

export const emailSubmissionQueryChanges = defineMethod({
  name: "EmailSubmission/queryChanges",
  capability: Capability.Submission,
  args: v.strictObject(queryChangesEntries),
  async run(ctx, args) {
    const access = await ctx.access(args.accountId, { own: true });
    await refreshSubmissions(ctx.s, access);
    const { objects } = ctx.s;
    const { name } = access.account;
    const since = /^\d{1,15}$/.test(args.sinceQueryState)
      ? objects.changes(name, "submission", Number(args.sinceQueryState))
      : undefined;
    if (since === undefined) throw cannotCalculate();
    const now = querySubmissions(objects.list<Submission>(name, "submission"), args);
    const changed = new Set(since.map((e) => objectId("submission", e.order)));
    const before = since.filter((e) => e.kind !== "created");
    const touched = before.map((e) => objectId("submission", e.order));
    return {
      accountId: args.accountId,
      oldQueryState: args.sinceQueryState,
      newQueryState: String(objects.state(name, "submission")),
      ...args.calculateTotal ? { total: now.length } : {},
      ...queryDifference(now, touched, (i) => changed.has(now[i]), { maxChanges: args.maxChanges }),
    };
  },
});
