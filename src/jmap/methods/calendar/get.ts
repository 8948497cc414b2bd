/** Calendar/get (jmap-calendars §4.1). @module */
import { Capability } from "../../core/capabilities.ts";
import { askedIds, askedProperties, getArgs, getResponse } from "../../core/get.ts";
import { defineMethod } from "../../core/method.ts";
import { calendarProperties, collectionObjects } from "../../groupware/collection_object.ts";
import { groupwareState, groupwareView } from "../../groupware/collections.ts";

export const calendarGet = defineMethod({
  name: "Calendar/get",
  capability: Capability.Calendars,
  args: getArgs,
  async run(ctx, args) {
    const v = await groupwareView(await ctx.access(args.accountId), "calendars", ctx.s.objects);
    return getResponse(
      args.accountId,
      groupwareState(v, "collection"),
      askedIds(args.ids),
      collectionObjects(v),
      askedProperties(args.properties, calendarProperties),
    );
  },
});
