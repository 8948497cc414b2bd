/** Principal/set (RFC 9670 §2.3): the administrator creates and names accounts. @module */
import { Capability } from "../../core/capabilities.ts";
import { SetError } from "../../core/errors.ts";
import { defineMethod } from "../../core/method.ts";
import { notFound, runSet, setArgs } from "../../core/set.ts";
import { principals, principalState } from "../../principals/principals.ts";

export const principalSet = defineMethod({
  name: "Principal/set",
  capability: Capability.Principals,
  args: setArgs,
  async run(ctx, args) {
    await ctx.access(args.accountId, { own: true });
    const forbidden = () =>
      new SetError("forbidden", "accounts are made and changed by the administrator");
    const known = (id: string) => {
      if (!principals(ctx.s, ctx.user).has(id)) throw notFound();
      throw forbidden();
    };
    return await runSet(ctx, args, {
      state: () => principalState(ctx.s, ctx.user),
      create: () => Promise.reject(forbidden()),
      update: async (id) => await known(id),
      destroy: async (id) => await known(id),
    });
  },
});
