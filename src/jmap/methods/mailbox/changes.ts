/** Mailbox/changes (RFC 8621 §2.2). @module */
import { asMailboxId } from "../../../store/ids.ts";
import { Capability } from "../../core/capabilities.ts";
import { changesArgs, changesResponse } from "../../core/changes.ts";
import { defineMethod } from "../../core/method.ts";
import { mailboxIdOf } from "../../mail/ids.ts";
import { mailboxChanges } from "../../mail/mailbox_changes.ts";
import { countProperties } from "../../mail/mailbox_object.ts";
import { mailView } from "../../mail/view.ts";

export const mailboxChangesMethod = defineMethod({
  name: "Mailbox/changes",
  capability: Capability.Mail,
  args: changesArgs,
  async run(ctx, args) {
    const view = await mailView(await ctx.access(args.accountId));
    const c = mailboxChanges(view, args.sinceState);
    const response = changesResponse(args, c.events, c.now, (n) => mailboxIdOf(asMailboxId(n)));
    const countsOnly = c.countsOnly && c.events.some((e) => e.kind === "updated");
    return { ...response, updatedProperties: countsOnly ? countProperties : null };
  },
});
