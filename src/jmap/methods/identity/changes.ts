/** Identity/changes (RFC 8621 §6.2). @module */
import { Capability } from "../../core/capabilities.ts";
import { changesArgs } from "../../core/changes.ts";
import { defineMethod } from "../../core/method.ts";
import { syncIdentities } from "../../mail/identities.ts";
import { objectChanges } from "../../objects/changes.ts";

export const identityChanges = defineMethod({
  name: "Identity/changes",
  capability: Capability.Submission,
  args: changesArgs,
  async run(ctx, args) {
    const access = await ctx.access(args.accountId, { own: true });
    await syncIdentities(ctx.s, access);
    return objectChanges(ctx.s.objects, access.account.name, "identity", args);
  },
});
