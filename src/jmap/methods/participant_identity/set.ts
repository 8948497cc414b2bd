/**
 * ParticipantIdentity/set (jmap-calendars §3.3): the administrator sets the addresses of an account. @module
 */
import { participantIdentities, participantState } from "../../calendars/participant_identities.ts";
import { Capability } from "../../core/capabilities.ts";
import { SetError } from "../../core/errors.ts";
import { defineMethod } from "../../core/method.ts";
import { notFound, runSet, setArgs } from "../../core/set.ts";

export const participantIdentitySet = defineMethod({
  name: "ParticipantIdentity/set",
  capability: Capability.Calendars,
  args: setArgs,
  async run(ctx, args) {
    const { account } = await ctx.access(args.accountId, { own: true });
    const forbidden = () =>
      new SetError("forbidden", "the addresses of the account are set by its administrator");
    const known = (id: string) => {
      if (!participantIdentities(ctx.s, account.name).has(id)) throw notFound();
      throw forbidden();
    };
    return await runSet(ctx, args, {
      state: () => participantState(ctx.s, account.name),
      create: () => Promise.reject(forbidden()),
      update: async (id) => await known(id),
      destroy: async (id) => await known(id),
    });
  },
});
