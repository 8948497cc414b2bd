/** Blob/lookup (RFC 9404 §4.3): the objects that a blob is part of. @module */
import { asEmailId } from "../../../store/ids.ts";
import * as v from "valibot";
import { openBlob } from "../../mail/blob.ts";
import { Capability } from "../../core/capabilities.ts";
import { MethodError } from "../../core/errors.ts";
import { checkCount } from "../../core/get.ts";
import { defineMethod } from "../../core/method.ts";
import { id } from "../../core/types.ts";
import { mailboxIdOf, slotId, threadIdOf } from "../../mail/ids.ts";
import { mailView } from "../../mail/view.ts";

/** Types that can be looked up. */
export const lookupTypes = ["Email", "Thread", "Mailbox"];

export const blobLookup = defineMethod({
  name: "Blob/lookup",
  capability: Capability.Blob,
  args: v.strictObject({
    accountId: id,
    typeNames: v.array(v.string()),
    ids: v.array(v.string()),
  }),
  async run(ctx, args) {
    for (const type of args.typeNames) {
      if (!lookupTypes.includes(type)) {
        throw new MethodError("unknownDataType", `blobs of ${type.slice(0, 100)} can't be found`);
      }
    }
    const ids = [...new Set(args.ids)];
    checkCount(ids.length);
    const access = await ctx.access(args.accountId);
    const view = await mailView(access);
    const list: unknown[] = [];
    const notFound: string[] = [];
    for (const blobId of ids) {
      const blob = await openBlob(ctx.s, access, blobId);
      if (!blob) {
        notFound.push(blobId);
        continue;
      }
      blob.close();
      const number = /^B(\d+)/.exec(blobId)?.[1];
      const slot = number === undefined ? undefined : view.index.slotOf(asEmailId(Number(number)));
      const of: Record<string, string[]> = { Email: [], Thread: [], Mailbox: [] };
      if (slot !== undefined) {
        of.Email = [slotId(view.index, slot)];
        of.Thread = [threadIdOf(view.index.threadId[slot])];
        of.Mailbox = view.mailboxesOf(slot).map(mailboxIdOf);
      }
      list.push({
        id: blobId,
        matchedIds: Object.fromEntries(args.typeNames.map((t) => [t, of[t]])),
      });
    }
    return { accountId: args.accountId, list, notFound };
  },
});
