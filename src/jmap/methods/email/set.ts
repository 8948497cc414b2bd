/** Email/set (RFC 8621 §4.6). @module */
import { emailState } from "../../../store/emails/changes.ts";
import { Capability } from "../../core/capabilities.ts";
import { defineMethod } from "../../core/method.ts";
import { runSet, setArgs } from "../../core/set.ts";
import { changeEmail, createEmail, destroyEmail } from "../../mail/email_changes.ts";

export const emailSet = defineMethod({
  name: "Email/set",
  capability: Capability.Mail,
  args: setArgs,
  async run(ctx, args) {
    const access = await ctx.access(args.accountId);
    return await runSet(ctx, args, {
      state: () => String(emailState(access.account)),
      create: (o) => createEmail(ctx, access, o),
      update: (id, patch) => changeEmail(ctx, access, id, patch),
      destroy: (id) => destroyEmail(access, id),
    });
  },
});
