/** AddressBook/get (RFC 9610 §2.1). @module */
import { Capability } from "../../core/capabilities.ts";
import { askedIds, askedProperties, getArgs, getResponse } from "../../core/get.ts";
import { defineMethod } from "../../core/method.ts";
import { bookProperties, collectionObjects } from "../../groupware/collection_object.ts";
import { groupwareState, groupwareView } from "../../groupware/collections.ts";

export const addressBookGet = defineMethod({
  name: "AddressBook/get",
  capability: Capability.Contacts,
  args: getArgs,
  async run(ctx, args) {
    const v = await groupwareView(await ctx.access(args.accountId), "addressbooks", ctx.s.objects);
    return getResponse(
      args.accountId,
      groupwareState(v, "collection"),
      askedIds(args.ids),
      collectionObjects(v),
      askedProperties(args.properties, bookProperties),
    );
  },
});
