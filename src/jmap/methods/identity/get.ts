/** Identity/get (RFC 8621 §6.1). @module */
import { Capability } from "../../core/capabilities.ts";
import { askedIds, askedProperties, getArgs, getResponse } from "../../core/get.ts";
import { defineMethod } from "../../core/method.ts";
import { type Identity, identityProperties, syncIdentities } from "../../mail/identities.ts";
import { objectId } from "../../objects/store.ts";

export const identityGet = defineMethod({
  name: "Identity/get",
  capability: Capability.Submission,
  args: getArgs,
  async run(ctx, args) {
    const access = await ctx.access(args.accountId, { own: true });
    await syncIdentities(ctx.s, access);
    const properties = askedProperties(args.properties, identityProperties);
    const { name } = access.account;
    const objects = new Map(
      ctx.s.objects.list<Identity>(name, "identity").map(({ id, value }) => {
        const { ofAddress, ...shown } = value;
        const key = objectId("identity", id);
        return [key, { id: key, ...shown, mayDelete: !ofAddress }];
      }),
    );
    const state = String(ctx.s.objects.state(name, "identity"));
    return getResponse(args.accountId, state, askedIds(args.ids), objects, properties);
  },
});
