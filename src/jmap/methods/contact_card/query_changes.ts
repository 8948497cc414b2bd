/** ContactCard/queryChanges (RFC 9610 §3.4). @module */
import * as v from "valibot";
import { queryCards } from "../../contacts/card_query.ts";
import { Capability } from "../../core/capabilities.ts";
import { cannotCalculate } from "../../core/changes.ts";
import { defineMethod } from "../../core/method.ts";
import { queryChangesEntries, queryDifference } from "../../core/query.ts";
import { eventsOf, groupwareState, groupwareView, idOf } from "../../groupware/collections.ts";

export const contactCardQueryChanges = defineMethod({
  name: "ContactCard/queryChanges",
  capability: Capability.Contacts,
  args: v.strictObject(queryChangesEntries),
  async run(ctx, args) {
    const view = await groupwareView(await ctx.access(args.accountId), "addressbooks");
    const found = eventsOf(view, "object", args.sinceQueryState);
    if (found === undefined) throw cannotCalculate();
    const newQueryState = groupwareState(view, "object");
    const touched = new Set(found.events.map((e) => idOf("addressbooks", "object", e.order)));
    const before = found.events.filter((e) => e.kind !== "created")
      .map((e) => idOf("addressbooks", "object", e.order));
    const now = await queryCards(view, args);
    return {
      accountId: args.accountId,
      oldQueryState: args.sinceQueryState,
      newQueryState,
      ...args.calculateTotal ? { total: now.length } : {},
      ...queryDifference(now, before, (i) => touched.has(now[i]), args),
    };
  },
});
