/** Email/query (RFC 8621 §4.4). @module */
import * as v from "valibot";
import { emailState } from "../../../store/emails/changes.ts";
import { Capability } from "../../core/capabilities.ts";
import { defineMethod } from "../../core/method.ts";
import { queryEntries, queryWindow } from "../../core/query.ts";
import { findEmails, readEmailQuery, resultsOf } from "../../mail/query/email_query.ts";
import { mailView } from "../../mail/view.ts";

export const emailQuery = defineMethod({
  name: "Email/query",
  capability: Capability.Mail,
  args: v.strictObject({
    ...queryEntries,
    collapseThreads: v.optional(v.nullable(v.boolean())),
  }),
  async run(ctx, args) {
    const query = readEmailQuery(args, ctx.using.has(Capability.SmimeVerify));
    const view = await mailView(await ctx.access(args.accountId));
    // The state before the search: changes meanwhile are reported with the next ones.
    const queryState = String(emailState(view.account));
    const { position, limit } = args;
    const isStart = !args.anchor && !args.calculateTotal && (position ?? 0) >= 0;
    const most = isStart && limit !== null && limit !== undefined
      ? (position ?? 0) + limit
      : Infinity;
    const slots = await findEmails(view, query, {
      stopped: () => ctx.signal.aborted,
      trusted: ctx.s.authorities(),
      most,
    });
    return {
      accountId: args.accountId,
      queryState,
      canCalculateChanges: true,
      collapseThreads: query.collapseThreads,
      ...queryWindow(resultsOf(view.index, slots), args),
    };
  },
});
