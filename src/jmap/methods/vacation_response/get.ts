/** VacationResponse/get (RFC 8621 §8.1). @module */
import { Capability } from "../../core/capabilities.ts";
import { askedIds, askedProperties, getArgs, getResponse } from "../../core/get.ts";
import { defineMethod } from "../../core/method.ts";
import { vacationObject, vacationProperties, vacationState } from "../../mail/vacation.ts";

export const vacationResponseGet = defineMethod({
  name: "VacationResponse/get",
  capability: Capability.VacationResponse,
  args: getArgs,
  async run(ctx, args) {
    const { account } = await ctx.access(args.accountId, { own: true });
    const properties = askedProperties(args.properties, vacationProperties);
    const objects = new Map([["singleton", vacationObject(account)]]);
    return getResponse(
      args.accountId,
      vacationState(account),
      askedIds(args.ids),
      objects,
      properties,
    );
  },
});
