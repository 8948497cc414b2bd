/** MDN/parse (RFC 9007 §2.2). @module */
import * as v from "valibot";
import { parseMdn } from "../../../mail/dsn/mdn.ts";
import { Capability } from "../../core/capabilities.ts";
import { MethodError } from "../../core/errors.ts";
import { maxObjectsInGet } from "../../core/limits.ts";
import { defineMethod } from "../../core/method.ts";
import { id } from "../../core/types.ts";
import { openBlob } from "../../mail/blob.ts";
import { emailOfMessageId } from "../../mail/mdn.ts";

/** Most bytes of a message that is parsed. */
const maxSize = 1024 * 1024;

export const mdnParse = defineMethod({
  name: "MDN/parse",
  capability: Capability.Mdn,
  args: v.strictObject({ accountId: id, blobIds: v.array(v.string()) }),
  async run(ctx, args) {
    const access = await ctx.access(args.accountId);
    if (args.blobIds.length > maxObjectsInGet) {
      throw new MethodError("requestTooLarge", `more than ${maxObjectsInGet} blobs`);
    }
    const parsed: Record<string, unknown> = {};
    const notParsable: string[] = [];
    const notFound: string[] = [];
    for (const blobId of new Set(args.blobIds)) {
      const blob = await openBlob(ctx.s, access, blobId);
      if (blob === undefined) {
        notFound.push(blobId);
        continue;
      }
      try {
        const m = parseMdn(blob.read(0, Math.min(blob.size, maxSize)));
        if (m === undefined) {
          notParsable.push(blobId);
          continue;
        }
        parsed[blobId] = {
          forEmailId: await emailOfMessageId(access, m.originalMessageId),
          subject: m.subject ?? null,
          textBody: m.text ?? null,
          includeOriginalMessage: m.includesOriginal,
          reportingUA: m.reportingUa ?? null,
          disposition: m.disposition,
          mdnGateway: m.mdnGateway ?? null,
          originalRecipient: m.originalRecipient ?? null,
          finalRecipient: m.finalRecipient ?? null,
          originalMessageId: m.originalMessageId ?? null,
          error: m.errors.length === 0 ? null : m.errors,
          extensionFields: m.extensionFields.length === 0
            ? null
            : Object.fromEntries(m.extensionFields),
        };
      } finally {
        blob.close();
      }
    }
    return {
      accountId: args.accountId,
      parsed: Object.keys(parsed).length === 0 ? null : parsed,
      notParsable: notParsable.length === 0 ? null : notParsable,
      notFound: notFound.length === 0 ? null : notFound,
    };
  },
});
