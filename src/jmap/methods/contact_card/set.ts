/** ContactCard/set (RFC 9610 §3.5). @module */
import { createCard, destroyCard, updateCard } from "../../contacts/card_set.ts";
import { Capability } from "../../core/capabilities.ts";
import { defineMethod } from "../../core/method.ts";
import { runSet, setArgs } from "../../core/set.ts";
import { groupwareState, groupwareView } from "../../groupware/collections.ts";

export const contactCardSet = defineMethod({
  name: "ContactCard/set",
  capability: Capability.Contacts,
  args: setArgs,
  async run(ctx, args) {
    const v = await groupwareView(await ctx.access(args.accountId), "addressbooks");
    return await runSet(ctx, args, {
      state: () => groupwareState(v, "object"),
      create: (o) => createCard(ctx, v, o),
      update: (id, patch) => updateCard(ctx, v, id, patch),
      destroy: (id) => destroyCard(v, id),
    });
  },
});
