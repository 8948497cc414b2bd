/** SieveScript/query (RFC 9661 §2.5). @module */
import * as v from "valibot";
import { Capability } from "../../core/capabilities.ts";
import { MethodError } from "../../core/errors.ts";
import { defineMethod } from "../../core/method.ts";
import { meets, queryEntries, queryWindow, readFilter } from "../../core/query.ts";
import { scriptObjects, scriptState } from "../../sieve/scripts.ts";

interface Condition {
  name?: string;
  isActive?: boolean;
}

function condition(c: Record<string, unknown>): Condition {
  for (const [k, value] of Object.entries(c)) {
    const good = k === "name"
      ? typeof value === "string"
      : k === "isActive" && typeof value === "boolean";
    if (!good) throw new MethodError("invalidArguments", `filter: ${k.slice(0, 100)} can't be so`);
  }
  return c as Condition;
}

export const sieveScriptQuery = defineMethod({
  name: "SieveScript/query",
  capability: Capability.Sieve,
  args: v.strictObject(queryEntries),
  async run(ctx, args) {
    const { account } = await ctx.access(args.accountId, { own: true });
    const { scripts } = ctx.s;
    const filter = readFilter(args.filter, condition);
    const found = [...scriptObjects(scripts, account.name).values()].filter((o) =>
      meets(
        filter,
        (c) =>
          (c.name === undefined ||
            (o.name as string).toLowerCase().includes(c.name.toLowerCase())) &&
          (c.isActive === undefined || o.isActive === c.isActive),
      )
    );
    for (const s of (args.sort ?? []).toReversed()) {
      if (s.property !== "name" && s.property !== "isActive") {
        throw new MethodError(
          "unsupportedSort",
          `scripts can't be sorted by ${s.property.slice(0, 100)}`,
        );
      }
      const key = (o: Record<string, unknown>) =>
        s.property === "name" ? (o.name as string).toLowerCase() : o.isActive ? "1" : "0";
      const direction = s.isAscending ? 1 : -1;
      found.sort((a, b) => direction * (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
    }
    return {
      accountId: args.accountId,
      queryState: scriptState(scripts, account.name),
      canCalculateChanges: false,
      ...queryWindow(found.map((o) => o.id as string), args),
    };
  },
});
