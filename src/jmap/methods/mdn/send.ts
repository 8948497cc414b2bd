/** MDN/send (RFC 9007 §2.1). @module */
import * as v from "valibot";
import { Capability } from "../../core/capabilities.ts";
import { MethodError, SetError } from "../../core/errors.ts";
import { maxObjectsInSet } from "../../core/limits.ts";
import { defineMethod } from "../../core/method.ts";
import { resolveId, setErrorOf } from "../../core/set.ts";
import { anyObject, id, mapOf } from "../../core/types.ts";
import { type Identity, maySendAs, syncIdentities } from "../../mail/identities.ts";
import { sendMdn } from "../../mail/mdn.ts";
import { objectNumber } from "../../objects/store.ts";

export const mdnSend = defineMethod({
  name: "MDN/send",
  capability: Capability.Mdn,
  args: v.strictObject({
    accountId: id,
    identityId: v.string(),
    send: mapOf(id, anyObject),
    onSuccessUpdateEmail: v.optional(v.nullable(mapOf(v.string(), anyObject))),
  }),
  async run(ctx, args) {
    const access = await ctx.access(args.accountId, { own: true });
    await syncIdentities(ctx.s, access);
    if (Object.keys(args.send).length > maxObjectsInSet) {
      throw new MethodError("requestTooLarge", `more than ${maxObjectsInSet} objects`);
    }
    const { name: account } = access.account;
    const number = objectNumber("identity", resolveId(ctx, args.identityId) ?? "");
    const identity = number === undefined
      ? undefined
      : ctx.s.objects.get<Identity>(account, "identity", number);
    const sent: Record<string, unknown> = {};
    const notSent: Record<string, unknown> = {};
    const done = new Map<string, string>();
    for (const [key, o] of Object.entries(args.send)) {
      try {
        if (identity === undefined) {
          throw new SetError("notFound", "there is no such identity");
        }
        if (!maySendAs(ctx.s.config, account, identity.email)) {
          throw new SetError("forbiddenFrom", `${identity.email} is not one of your addresses`);
        }
        // One after the other, as the same message may be included twice.
        if ([...done.values()].includes(String(o.forEmailId))) {
          throw new SetError("mdnAlreadySent", "this call sends one about the message already");
        }
        const { told, emailId } = await sendMdn(ctx, access, identity, o);
        sent[key] = told;
        done.set(`#${key}`, emailId);
      } catch (err) {
        notSent[key] = setErrorOf(err).value();
      }
    }
    const update: Record<string, Record<string, unknown>> = {};
    // RFC 9007 §2.1: the message is marked as answered by an MDN, whether or not the client requests that.
    for (const emailId of done.values()) update[emailId] = { "keywords/$mdnsent": true };
    for (const [key, patch] of Object.entries(args.onSuccessUpdateEmail ?? {})) {
      const emailId = done.get(key);
      if (emailId !== undefined) update[emailId] = { ...update[emailId], ...patch };
    }
    if (Object.keys(update).length > 0) {
      ctx.implicit("Email/set", { accountId: args.accountId, update });
    }
    return {
      accountId: args.accountId,
      sent: Object.keys(sent).length === 0 ? null : sent,
      notSent: Object.keys(notSent).length === 0 ? null : notSent,
    };
  },
});
