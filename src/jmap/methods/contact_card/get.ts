/** ContactCard/get (RFC 9610 §3.1). @module */
import { askedContactProperties, contactObject } from "../../contacts/cards.ts";
import { Capability } from "../../core/capabilities.ts";
import { askedIds, checkCount, getArgs } from "../../core/get.ts";
import { defineMethod } from "../../core/method.ts";
import {
  groupwareState,
  groupwareView,
  idOf,
  objectOfId,
  shownCollections,
} from "../../groupware/collections.ts";
import { giveWay } from "../../../platform/turns.ts";

export const contactCardGet = defineMethod({
  name: "ContactCard/get",
  capability: Capability.Contacts,
  args: getArgs,
  async run(ctx, args) {
    const v = await groupwareView(await ctx.access(args.accountId), "addressbooks");
    const properties = askedContactProperties(args.properties);
    let ids = askedIds(args.ids);
    if (ids === null) {
      const books = shownCollections(v);
      checkCount(books.reduce((n, c) => n + v.g.count(c.id), 0));
      ids = books.flatMap((c) =>
        v.g.objects(c.id).map((r) => idOf("addressbooks", "object", r.id))
      );
    }
    const state = groupwareState(v, "object");
    const list = [];
    const notFound = [];
    for (const id of ids) {
      await giveWay();
      const found = objectOfId(v, id);
      if (found === undefined) notFound.push(id);
      else list.push(await contactObject(v, found.row, properties));
    }
    return { accountId: args.accountId, state, list, notFound };
  },
});
