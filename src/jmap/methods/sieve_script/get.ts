/** SieveScript/get (RFC 9661 §2.2). @module */
import { Capability } from "../../core/capabilities.ts";
import { askedIds, askedProperties, getArgs, getResponse } from "../../core/get.ts";
import { defineMethod } from "../../core/method.ts";
import { scriptObjects, scriptProperties, scriptState } from "../../sieve/scripts.ts";

export const sieveScriptGet = defineMethod({
  name: "SieveScript/get",
  capability: Capability.Sieve,
  args: getArgs,
  async run(ctx, args) {
    const { account } = await ctx.access(args.accountId, { own: true });
    const { scripts } = ctx.s;
    return getResponse(
      args.accountId,
      scriptState(scripts, account.name),
      askedIds(args.ids),
      scriptObjects(scripts, account.name),
      askedProperties(args.properties, scriptProperties),
    );
  },
});
