/** Blob/copy (RFC 8620 §6.3). @module */
import * as v from "valibot";
import { openBlob } from "../../mail/blob.ts";
import { blobStream } from "../../blobs/stream.ts";
import { UploadLimitError } from "../../blobs/uploads.ts";
import { Capability } from "../../core/capabilities.ts";
import { MethodError, SetError } from "../../core/errors.ts";
import { checkCount } from "../../core/get.ts";
import { defineMethod } from "../../core/method.ts";
import { id } from "../../core/types.ts";

export const blobCopy = defineMethod({
  name: "Blob/copy",
  capability: Capability.Core,
  args: v.strictObject({ fromAccountId: id, accountId: id, blobIds: v.array(v.string()) }),
  async run(ctx, args) {
    checkCount(args.blobIds.length);
    let from;
    try {
      from = await ctx.access(args.fromAccountId);
    } catch (err) {
      if (!(err instanceof MethodError) || err.type !== "accountNotFound") throw err;
      throw new MethodError("fromAccountNotFound", "there is no such account", { cause: err });
    }
    const to = await ctx.access(args.accountId);
    const copied: Record<string, string> = {};
    const notCopied: Record<string, unknown> = {};
    for (const blobId of new Set(args.blobIds)) {
      const blob = await openBlob(ctx.s, from, blobId);
      if (blob === undefined) {
        notCopied[blobId] = new SetError("notFound", "there is no such blob").value();
        continue;
      }
      try {
        const upload = await ctx.s.uploads.add(
          to.account.name,
          ctx.user.account,
          blobStream(blob, 0, blob.size),
        );
        copied[blobId] = upload.id;
      } catch (err) {
        if (!(err instanceof UploadLimitError)) throw err;
        notCopied[blobId] = new SetError("overQuota", err.message).value();
      } finally {
        blob.close();
      }
    }
    return {
      fromAccountId: args.fromAccountId,
      accountId: args.accountId,
      copied: Object.keys(copied).length === 0 ? null : copied,
      notCopied: Object.keys(notCopied).length === 0 ? null : notCopied,
    };
  },
});
