/** AddressBook/changes (RFC 9610 §2.2). @module */
import { Capability } from "../../core/capabilities.ts";
import { changesArgs } from "../../core/changes.ts";
import { defineMethod } from "../../core/method.ts";
import { groupwareChanges, groupwareView } from "../../groupware/collections.ts";

export const addressBookChanges = defineMethod({
  name: "AddressBook/changes",
  capability: Capability.Contacts,
  args: changesArgs,
  async run(ctx, args) {
    const v = await groupwareView(await ctx.access(args.accountId), "addressbooks", ctx.s.objects);
    return groupwareChanges(v, "collection", args);
  },
});
