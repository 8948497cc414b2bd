/** SieveScript/validate (RFC 9661 §2.6). @module */
import * as v from "valibot";
import { Capability } from "../../core/capabilities.ts";
import { SetError } from "../../core/errors.ts";
import { defineMethod } from "../../core/method.ts";
import { id } from "../../core/types.ts";
import { scriptSetError, textOfBlob } from "../../sieve/scripts.ts";

export const sieveScriptValidate = defineMethod({
  name: "SieveScript/validate",
  capability: Capability.Sieve,
  args: v.strictObject({ accountId: id, blobId: v.string() }),
  async run(ctx, args) {
    const access = await ctx.access(args.accountId, { own: true });
    try {
      const text = await textOfBlob(ctx.s, access, args.blobId);
      try {
        await ctx.s.scripts.check(text);
      } catch (err) {
        scriptSetError(err);
      }
      return { accountId: args.accountId, error: null };
    } catch (err) {
      if (!(err instanceof SetError)) throw err;
      return { accountId: args.accountId, error: err.value() };
    }
  },
});
