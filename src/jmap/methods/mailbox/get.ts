/** Mailbox/get (RFC 8621 §2.1). @module */
import { mailboxState } from "../../../store/emails/changes.ts";
import { Capability } from "../../core/capabilities.ts";
import { askedIds, askedProperties, getArgs, getResponse } from "../../core/get.ts";
import { defineMethod } from "../../core/method.ts";
import { mailboxObjects, mailboxProperties, sharedProperties } from "../../mail/mailbox_object.ts";
import { mailView } from "../../mail/view.ts";

export const mailboxGet = defineMethod({
  name: "Mailbox/get",
  capability: Capability.Mail,
  args: getArgs,
  async run(ctx, args) {
    const view = await mailView(await ctx.access(args.accountId));
    const sharing = ctx.using.has(Capability.MailShare);
    const properties = askedProperties(
      args.properties,
      sharing ? sharedProperties : mailboxProperties,
    );
    const state = String(mailboxState(view.account));
    return getResponse(
      args.accountId,
      state,
      askedIds(args.ids),
      mailboxObjects(view, sharing),
      properties,
    );
  },
});
