/** EmailSubmission/changes (RFC 8621 §7.2). @module */
import { Capability } from "../../core/capabilities.ts";
import { changesArgs } from "../../core/changes.ts";
import { defineMethod } from "../../core/method.ts";
import { refreshSubmissions } from "../../mail/submissions.ts";
import { objectChanges } from "../../objects/changes.ts";

export const emailSubmissionChanges = defineMethod({
  name: "EmailSubmission/changes",
  capability: Capability.Submission,
  args: changesArgs,
  async run(ctx, args) {
    const access = await ctx.access(args.accountId, { own: true });
    await refreshSubmissions(ctx.s, access);
    return objectChanges(ctx.s.objects, access.account.name, "submission", args);
  },
});
