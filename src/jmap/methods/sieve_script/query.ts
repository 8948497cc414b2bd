/** SieveScript/query (RFC 9661 §2.5). @module */
import * as v from "valibot";
import { Capability } from "../../core/capabilities.ts";
import { MethodError } from "../../core/errors.ts";
import { defineMethod } from "../../core/method.ts";
import { meets, queryEntries, queryWindow, readFilter } from "../../core/query.ts";
import { readCondition } from "../../mail/mailbox_query.ts";
import { scriptObjects, scriptState } from "../../mail/scripts.ts";

const condition = v.strictObject({
  name: v.optional(v.string()),
  isActive: v.optional(v.boolean()),
});

export const sieveScriptQuery = defineMethod({
  name: "SieveScript/query",
  capability: Capability.Sieve,
  args: v.strictObject(queryEntries),
  async run(ctx, args) {
    const { account } = await ctx.access(args.accountId, { own: true });
    const { scripts } = ctx.s;
    const filter = readFilter(args.filter, (c) => readCondition(condition, c));
    const sort = args.sort ?? [];
    for (const c of sort) {
      if (c.property !== "name" && c.property !== "isActive") {
        throw new MethodError(
          "unsupportedSort",
          `scripts can't be sorted by ${c.property.slice(0, 200)}`,
        );
      }
    }
    const found = [...scriptObjects(scripts, account.name).values()].filter((s) =>
      meets(filter, (c) =>
        (c.name === undefined || (s.name as string).includes(c.name)) &&
        (c.isActive === undefined || s.isActive === c.isActive))
    ).sort((a, b) => {
      for (const c of sort) {
        const [x, y] = [String(a[c.property]), String(b[c.property])];
        if (x !== y) return (x < y ? -1 : 1) * (c.isAscending ? 1 : -1);
      }
      return 0;
    });
    return {
      accountId: args.accountId,
      queryState: scriptState(scripts, account.name),
      canCalculateChanges: false,
      ...queryWindow(found.map((s) => s.id as string), args),
    };
  },
});
