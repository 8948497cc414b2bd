/** EmailSubmission/get (RFC 8621 §7.1). @module */
import { Capability } from "../../core/capabilities.ts";
import { askedIds, askedProperties, getArgs, getResponse } from "../../core/get.ts";
import { defineMethod } from "../../core/method.ts";
import {
  refreshSubmissions,
  type Submission,
  submissionObject,
  submissionProperties,
} from "../../mail/submissions.ts";
import { objectId } from "../../objects/store.ts";

export const emailSubmissionGet = defineMethod({
  name: "EmailSubmission/get",
  capability: Capability.Submission,
  args: getArgs,
  async run(ctx, args) {
    const access = await ctx.access(args.accountId, { own: true });
    const properties = askedProperties(args.properties, submissionProperties);
    const ids = askedIds(args.ids);
    await refreshSubmissions(ctx.s, access);
    const { name } = access.account;
    const objects = new Map(
      ctx.s.objects.list<Submission>(name, "submission").map(({ id, value }) => {
        const key = objectId("submission", id);
        return [key, submissionObject(key, value)];
      }),
    );
    const state = String(ctx.s.objects.state(name, "submission"));
    return getResponse(args.accountId, state, ids, objects, properties);
  },
});
