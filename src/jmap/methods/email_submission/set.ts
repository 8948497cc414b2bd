/** EmailSubmission/set (RFC 8621 §7.5). @module */
import * as v from "valibot";
import { Capability } from "../../core/capabilities.ts";
import { invalidProperties, MethodError, SetError } from "../../core/errors.ts";
import { defineMethod } from "../../core/method.ts";
import { applyPatch, sameJson } from "../../core/patch.ts";
import { notFound, resolveId, runSet, setEntries } from "../../core/set.ts";
import { anyObject, mapOf } from "../../core/types.ts";
import { syncIdentities } from "../../mail/identities.ts";
import { currentSubmission, type Submission, submissionObject } from "../../mail/submissions.ts";
import { submit } from "../../mail/submit.ts";
import { objectId, objectNumber } from "../../objects/store.ts";

export const emailSubmissionSet = defineMethod({
  name: "EmailSubmission/set",
  capability: Capability.Submission,
  args: v.strictObject({
    ...setEntries,
    onSuccessUpdateEmail: v.optional(v.nullable(mapOf(v.string(), anyObject))),
    onSuccessDestroyEmail: v.optional(v.nullable(v.array(v.string()))),
  }),
  async run(ctx, args) {
    const access = await ctx.access(args.accountId, { own: true });
    await syncIdentities(ctx.s, access);
    const { objects, queue } = ctx.s;
    const { name: account } = access.account;
    for (
      const key of [
        ...Object.keys(args.onSuccessUpdateEmail ?? {}),
        ...args.onSuccessDestroyEmail ?? [],
      ]
    ) {
      // RFC 8621 §7.5: for a submission that this call creates or changes.
      const known = key.startsWith("#")
        ? Object.hasOwn(args.create ?? {}, key.slice(1)) || ctx.createdIds.has(key.slice(1))
        : objectNumber("submission", key) !== undefined;
      if (!known) {
        throw new MethodError("invalidArguments", `there is no submission ${key.slice(0, 200)}`);
      }
    }
    /** Emails of successful submissions, by the client's keys. */
    const done = new Map<string, string>();
    const find = (id: string) => {
      const number = objectNumber("submission", id);
      const value = number === undefined
        ? undefined
        : objects.get<Submission>(account, "submission", number);
      if (number === undefined || value === undefined) throw notFound();
      return { number, value };
    };
    const response = await runSet(ctx, args, {
      state: () => String(objects.state(account, "submission")),
      async create(o, creationId) {
        const { number, submission: made } = await submit(ctx, access, o);
        const id = objectId("submission", number);
        done.set(`#${creationId}`, made.emailId);
        const { identityId: _i, emailId: _e, ...returned } = submissionObject(id, made);
        return returned;
      },
      async update(id, patch) {
        const { number, value } = find(id);
        const now = currentSubmission(ctx.s, value);
        const before = submissionObject(id, now);
        const after = applyPatch(before, patch);
        const changed = Object.keys(after).filter((k) => !sameJson(after[k], before[k]));
        const fixed = changed.filter((k) => k !== "undoStatus");
        if (fixed.length > 0) {
          throw invalidProperties(fixed, `can't be changed: ${fixed.join(", ")}`);
        }
        if (changed.length > 0) {
          if (after.undoStatus !== "canceled") {
            throw invalidProperties(["undoStatus"], "it can be canceled, and nothing else");
          }
          const cannot = () => new SetError("cannotUnsend", "the message is on its way already");
          if (now.undoStatus !== "pending") throw cannot();
          const dropped = await queue.drop({ ids: now.queued, account });
          if (dropped === 0) throw cannot();
          await objects.put(account, "submission", number, { ...now, undoStatus: "canceled" });
        }
        done.set(id, value.emailId);
        return null;
      },
      async destroy(id) {
        const { number, value } = find(id);
        await objects.remove(account, "submission", number);
        done.set(id, value.emailId);
      },
    });
    const update: Record<string, unknown> = {};
    /** The email of a submission of this call or of an earlier one. */
    const emailOf = (key: string) => done.get(key) ?? done.get(resolveId(ctx, key) ?? key);
    for (const [key, patch] of Object.entries(args.onSuccessUpdateEmail ?? {})) {
      const emailId = emailOf(key);
      if (emailId !== undefined) update[emailId] = { ...update[emailId] as object, ...patch };
    }
    const destroy = (args.onSuccessDestroyEmail ?? []).map(emailOf)
      .filter((e) => e !== undefined);
    if (Object.keys(update).length > 0 || destroy.length > 0) {
      ctx.implicit("Email/set", { accountId: args.accountId, update, destroy });
    }
    return response;
  },
});
