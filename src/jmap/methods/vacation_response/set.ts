/** VacationResponse/set (RFC 8621 §8.2). @module */
import { Capability } from "../../core/capabilities.ts";
import { SetError } from "../../core/errors.ts";
import { defineMethod } from "../../core/method.ts";
import { applyPatch } from "../../core/patch.ts";
import { notFound, runSet, setArgs } from "../../core/set.ts";
import { changeVacation, vacationObject, vacationState } from "../../mail/vacation.ts";

export const vacationResponseSet = defineMethod({
  name: "VacationResponse/set",
  capability: Capability.VacationResponse,
  args: setArgs,
  async run(ctx, args) {
    const { account } = await ctx.access(args.accountId, { own: true });
    const singleton = () =>
      Promise.reject(new SetError("singleton", "there is one, and always will be"));
    return await runSet(ctx, args, {
      state: () => vacationState(account),
      create: singleton,
      async update(id, patch) {
        if (id !== "singleton") throw notFound();
        await changeVacation(account, applyPatch(vacationObject(account), patch));
        ctx.s.signals.changed(account.name);
        return null;
      },
      destroy: (id) => id === "singleton" ? singleton() : Promise.reject(notFound()),
    });
  },
});
