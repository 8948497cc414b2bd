/** ShareNotification/set (RFC 9670 §3.5): clients remove them, and nothing else. @module */
import { Capability } from "../../core/capabilities.ts";
import { SetError } from "../../core/errors.ts";
import { defineMethod } from "../../core/method.ts";
import { notFound, runSet, setArgs } from "../../core/set.ts";
import { objectNumber } from "../../objects/store.ts";

export const shareNotificationSet = defineMethod({
  name: "ShareNotification/set",
  capability: Capability.Principals,
  args: setArgs,
  async run(ctx, args) {
    const { account } = await ctx.access(args.accountId, { own: true });
    const { objects } = ctx.s;
    const find = (id: string): number => {
      const number = objectNumber("share", id);
      if (number === undefined || objects.get(account.name, "share", number) === undefined) {
        throw notFound();
      }
      return number;
    };
    const forbidden = () => new SetError("forbidden", "the server makes these");
    return await runSet(ctx, args, {
      state: () => String(objects.state(account.name, "share")),
      create: () => Promise.reject(forbidden()),
      async update(id) {
        await find(id);
        throw forbidden();
      },
      async destroy(id) {
        await objects.remove(account.name, "share", find(id));
      },
    });
  },
});
