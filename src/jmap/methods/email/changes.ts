/** Email/changes (RFC 8621 §4.3). @module */
import { emailChanges, emailState, pointOf } from "../../../store/emails/changes.ts";
import { Capability } from "../../core/capabilities.ts";
import { cannotCalculate, changesArgs, mostChanges } from "../../core/changes.ts";
import { defineMethod } from "../../core/method.ts";
import { emailIdOf } from "../../mail/ids.ts";
import { mailView } from "../../mail/view.ts";

export const emailChangesMethod = defineMethod({
  name: "Email/changes",
  capability: Capability.Mail,
  args: changesArgs,
  async run(ctx, args) {
    const view = await mailView(await ctx.access(args.accountId));
    const { account, index } = view;
    const since = pointOf(account, args.sinceState, emailState(account));
    if (since === undefined) throw cannotCalculate();
    const limit = Math.min(args.maxChanges ?? mostChanges, mostChanges);
    const c = emailChanges(account, index, since, limit, view.visible);
    return {
      accountId: args.accountId,
      oldState: args.sinceState,
      newState: c.newState,
      hasMoreChanges: c.hasMore,
      created: c.created.map(emailIdOf),
      updated: c.updated.map(emailIdOf),
      destroyed: c.destroyed.map(emailIdOf),
    };
  },
});
