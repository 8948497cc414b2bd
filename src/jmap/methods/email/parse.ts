/** Email/parse (RFC 8621 §4.9). @module */
import * as v from "valibot";
import { openBlob } from "../../mail/blob.ts";
import { Capability } from "../../core/capabilities.ts";
import { MethodError } from "../../core/errors.ts";
import { defineMethod } from "../../core/method.ts";
import { id } from "../../core/types.ts";
import { bodyEntries, parsedEmail, presetOfParse, wantedEmail } from "../../mail/email_object.ts";
import { rawFields } from "../../mail/header_fields.ts";
import { blobMessage, headerOf, Turns } from "../../mail/message_source.ts";

/** Most messages parsed per call. */
const maxBlobs = 100;

export const emailParse = defineMethod({
  name: "Email/parse",
  capability: Capability.Mail,
  args: v.strictObject({ accountId: id, blobIds: v.array(v.string()), ...bodyEntries }),
  async run(ctx, args) {
    const want = wantedEmail(args, presetOfParse);
    const blobIds = [...new Set(args.blobIds)];
    if (blobIds.length > maxBlobs) {
      throw new MethodError("requestTooLarge", `more than ${maxBlobs} blobs`);
    }
    const access = await ctx.access(args.accountId);
    const turns = new Turns();
    const parsed: Record<string, unknown> = {};
    const notParsable: string[] = [];
    const notFound: string[] = [];
    for (const blobId of blobIds) {
      const blob = await openBlob(ctx.s, access, blobId);
      if (blob === undefined) {
        notFound.push(blobId);
        continue;
      }
      const m = await blobMessage(blob, blobId);
      try {
        // Data that doesn't begin with a header field is not a message.
        if (rawFields(headerOf(m, m.root)).length === 0) notParsable.push(blobId);
        else parsed[blobId] = await parsedEmail(m, blob.size, want, turns);
      } finally {
        m.close();
      }
      await turns.next();
    }
    return {
      accountId: args.accountId,
      parsed: Object.keys(parsed).length === 0 ? null : parsed,
      notParsable: notParsable.length === 0 ? null : notParsable,
      notFound: notFound.length === 0 ? null : notFound,
    };
  },
});
