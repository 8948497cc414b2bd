/** Finding quotas (RFC 9425 §4.4). @module */
import * as v from "valibot";
import { MethodError } from "../../core/errors.ts";
import { type Comparator, meets, readFilter } from "../../core/query.ts";
import { readCondition } from "./mailbox_query.ts";

const condition = v.strictObject({
  name: v.optional(v.string()),
  scope: v.optional(v.string()),
  resourceType: v.optional(v.string()),
  type: v.optional(v.string()),
});

/** Ids of the matching ones. @throws MethodError */
export function queryQuotas(
  objects: ReadonlyMap<string, Record<string, unknown>>,
  q: { filter?: Record<string, unknown> | null; sort?: Comparator[] | null },
): string[] {
  const filter = readFilter(q.filter, (c) => readCondition(condition, c));
  for (const c of q.sort ?? []) {
    if (c.property !== "name" && c.property !== "used") {
      throw new MethodError(
        "unsupportedSort",
        `quotas can't be sorted by ${c.property.slice(0, 200)}`,
      );
    }
  }
  return [...objects.values()].filter((o) =>
    meets(filter, (c) =>
      (c.name === undefined || (o.name as string).includes(c.name)) &&
      (c.scope === undefined || o.scope === c.scope) &&
      (c.resourceType === undefined || o.resourceType === c.resourceType) &&
      (c.type === undefined || (o.types as string[]).includes(c.type)))
  ).map((o) => o.id as string);
}
