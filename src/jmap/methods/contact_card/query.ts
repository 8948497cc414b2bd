/** ContactCard/query (RFC 9610 §3.3). @module */
import * as v from "valibot";
import { queryCards } from "../../contacts/card_query.ts";
import { Capability } from "../../core/capabilities.ts";
import { defineMethod } from "../../core/method.ts";
import { queryEntries, queryWindow } from "../../core/query.ts";
import { groupwareState, groupwareView } from "../../groupware/collections.ts";

export const contactCardQuery = defineMethod({
  name: "ContactCard/query",
  capability: Capability.Contacts,
  args: v.strictObject(queryEntries),
  async run(ctx, args) {
    const view = await groupwareView(await ctx.access(args.accountId), "addressbooks");
    const queryState = groupwareState(view, "object");
    const found = await queryCards(view, args);
    return {
      accountId: args.accountId,
      queryState,
      canCalculateChanges: true,
      ...queryWindow(found, args),
    };
  },
});
