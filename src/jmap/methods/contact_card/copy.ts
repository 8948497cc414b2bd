/** ContactCard/copy (RFC 9610 §3.6). @module */
import { createCard } from "../../contacts/card_set.ts";
import { Capability } from "../../core/capabilities.ts";
import { copyArgs, fromAccount, runCopy } from "../../core/copy.ts";
import { MethodError } from "../../core/errors.ts";
import { defineMethod } from "../../core/method.ts";
import { readStored } from "../../groupware/card_media.ts";
import { groupwareState, groupwareView, objectOfId } from "../../groupware/collections.ts";

export const contactCardCopy = defineMethod({
  name: "ContactCard/copy",
  capability: Capability.Contacts,
  args: copyArgs,
  async run(ctx, args) {
    if (args.fromAccountId === args.accountId) {
      throw new MethodError("invalidArguments", "fromAccountId: is the account itself");
    }
    const from = await groupwareView(await fromAccount(ctx, args.fromAccountId), "addressbooks");
    const to = await groupwareView(await ctx.access(args.accountId), "addressbooks");
    return await runCopy(ctx, args, {
      setMethod: "ContactCard/set",
      fromState: () => groupwareState(from, "object"),
      state: () => groupwareState(to, "object"),
      async read(id) {
        const found = objectOfId(from, id);
        return found && (await readStored(from, found.row)).converted.card;
      },
      create: (o) => createCard(ctx, to, o),
    });
  },
});
