/** Mailbox/query (RFC 8621 §2.3). @module */
import * as v from "valibot";
import { mailboxState } from "../../../store/emails/changes.ts";
import { Capability } from "../../core/capabilities.ts";
import { defineMethod } from "../../core/method.ts";
import { queryEntries, queryWindow } from "../../core/query.ts";
import { mailboxObjects } from "../../mail/mailbox_object.ts";
import { queryMailboxes } from "../../mail/query/mailbox_query.ts";
import { mailView } from "../../mail/view.ts";

export const mailboxQuery = defineMethod({
  name: "Mailbox/query",
  capability: Capability.Mail,
  args: v.strictObject({
    ...queryEntries,
    sortAsTree: v.optional(v.nullable(v.boolean())),
    filterAsTree: v.optional(v.nullable(v.boolean())),
  }),
  async run(ctx, args) {
    const view = await mailView(await ctx.access(args.accountId));
    const ids = queryMailboxes(mailboxObjects(view), args);
    return {
      accountId: args.accountId,
      queryState: String(mailboxState(view.account)),
      canCalculateChanges: true,
      ...queryWindow(ids, args),
    };
  },
});
