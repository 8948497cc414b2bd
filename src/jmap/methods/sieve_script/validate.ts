/** SieveScript/validate (RFC 9661 §2.6). @module */
import * as v from "valibot";
import { Capability } from "../../core/capabilities.ts";
import { SetError } from "../../core/errors.ts";
import { defineMethod } from "../../core/method.ts";
import { id } from "../../core/types.ts";
import { scriptError } from "../../mail/scripts.ts";
import { scriptText } from "../../mail/script_text.ts";

export const sieveScriptValidate = defineMethod({
  name: "SieveScript/validate",
  capability: Capability.Sieve,
  args: v.strictObject({ accountId: id, blobId: v.string() }),
  async run(ctx, args) {
    const access = await ctx.access(args.accountId, { own: true });
    let error: SetError | null = null;
    try {
      ctx.s.scripts.check(await scriptText(ctx, access, args.blobId));
    } catch (err) {
      error = err instanceof SetError ? err : scriptError(err);
    }
    return { accountId: args.accountId, error: error?.value() ?? null };
  },
});
