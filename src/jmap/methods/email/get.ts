/** Email/get (RFC 8621 §4.2). @module */
import * as v from "valibot";
import { emailState } from "../../../store/emails/changes.ts";
import { Capability } from "../../core/capabilities.ts";
import { askedIds, checkCount, getEntries } from "../../core/get.ts";
import { defineMethod } from "../../core/method.ts";
import { bodyEntries, presetOfGet, storedEmail, wantedEmail } from "../../mail/email_object.ts";
import { slotId, slotOfId } from "../../mail/ids.ts";
import { Turns } from "../../mail/message_source.ts";
import { smimeProperties } from "../../mail/smime.ts";
import { mailView } from "../../mail/view.ts";

export const emailGet = defineMethod({
  name: "Email/get",
  capability: Capability.Mail,
  args: v.strictObject({ ...getEntries, ...bodyEntries }),
  async run(ctx, args) {
    const verifies = ctx.using.has(Capability.SmimeVerify);
    const want = wantedEmail(args, presetOfGet, verifies ? smimeProperties : []);
    const view = await mailView(await ctx.access(args.accountId));
    const { index } = view;
    const state = String(emailState(view.account));
    let ids = askedIds(args.ids);
    if (ids === null) {
      checkCount(index.live);
      ids = [...index.order.slots].filter(view.visible).map((slot) => slotId(index, slot));
    }
    const turns = new Turns();
    const list: unknown[] = [];
    const notFound: string[] = [];
    for (const id of ids) {
      const slot = slotOfId(index, id);
      const email = slot !== undefined && view.visible(slot)
        ? await storedEmail(view, slot, want, turns, ctx.s.authorities())
        : undefined;
      if (email) list.push(email);
      else notFound.push(id);
      await turns.next();
      if (ctx.signal.aborted) break;
    }
    return { accountId: args.accountId, state, list, notFound };
  },
});
