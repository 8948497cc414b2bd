/** Calendar/set (jmap-calendars §4.3). @module */
import * as v from "valibot";
import { Capability } from "../../core/capabilities.ts";
import { defineMethod } from "../../core/method.ts";
import { setEntries } from "../../core/set.ts";
import { setCollections } from "../../groupware/collection_set.ts";
import { groupwareView } from "../../groupware/collections.ts";

export const calendarSet = defineMethod({
  name: "Calendar/set",
  capability: Capability.Calendars,
  args: v.strictObject({
    ...setEntries,
    onDestroyRemoveEvents: v.optional(v.nullable(v.boolean())),
    onSuccessSetIsDefault: v.optional(v.nullable(v.string())),
  }),
  async run(ctx, args) {
    const view = await groupwareView(await ctx.access(args.accountId), "calendars", ctx.s.objects);
    return await setCollections(ctx, view, {
      ...args,
      removeContents: args.onDestroyRemoveEvents ?? false,
    });
  },
});
