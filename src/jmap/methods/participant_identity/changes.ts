/** ParticipantIdentity/changes (jmap-calendars §3.2): they change with the account's addresses. @module */
import { participantState } from "../../calendars/participant_identities.ts";
import { Capability } from "../../core/capabilities.ts";
import { cannotCalculate, changesArgs } from "../../core/changes.ts";
import { defineMethod } from "../../core/method.ts";

export const participantIdentityChanges = defineMethod({
  name: "ParticipantIdentity/changes",
  capability: Capability.Calendars,
  args: changesArgs,
  async run(ctx, args) {
    const { account } = await ctx.access(args.accountId, { own: true });
    const state = participantState(ctx.s, account.name);
    if (args.sinceState !== state) throw cannotCalculate();
    return {
      accountId: args.accountId,
      oldState: state,
      newState: state,
      hasMoreChanges: false,
      created: [],
      updated: [],
      destroyed: [],
    };
  },
});
