/** ParticipantIdentity/get (jmap-calendars §3.1). @module */
import {
  participantIdentities,
  participantProperties,
  participantState,
} from "../../calendars/participant_identities.ts";
import { Capability } from "../../core/capabilities.ts";
import { askedIds, askedProperties, getArgs, getResponse } from "../../core/get.ts";
import { defineMethod } from "../../core/method.ts";

export const participantIdentityGet = defineMethod({
  name: "ParticipantIdentity/get",
  capability: Capability.Calendars,
  args: getArgs,
  async run(ctx, args) {
    const { account } = await ctx.access(args.accountId, { own: true });
    return getResponse(
      args.accountId,
      participantState(ctx.s, account.name),
      askedIds(args.ids),
      participantIdentities(ctx.s, account.name),
      askedProperties(args.properties, participantProperties),
    );
  },
});
