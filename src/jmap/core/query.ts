/** What all /query and /queryChanges methods have in common (RFC 8620 §5.5, §5.6). @module */
import * as v from "valibot";
import { MethodError } from "./errors.ts";
import { anyObject, id, int, unsignedInt } from "./types.ts";

/** How results are compared by one property. */
export const comparator = v.looseObject({
  property: v.string(),
  isAscending: v.optional(v.boolean(), true),
  collation: v.optional(v.string()),
});
export type Comparator = v.InferOutput<typeof comparator>;

/** Arguments of a /query method. */
export const queryEntries = {
  accountId: id,
  filter: v.optional(v.nullable(anyObject)),
  sort: v.optional(v.nullable(v.array(comparator))),
  position: v.optional(v.nullable(int)),
  anchor: v.optional(v.nullable(v.string())),
  anchorOffset: v.optional(v.nullable(int)),
  limit: v.optional(v.nullable(unsignedInt)),
  calculateTotal: v.optional(v.nullable(v.boolean())),
};

/** Arguments of a /queryChanges method. */
export const queryChangesEntries = {
  accountId: id,
  filter: queryEntries.filter,
  sort: queryEntries.sort,
  sinceQueryState: v.string(),
  maxChanges: v.optional(v.nullable(unsignedInt)),
  upToId: v.optional(v.nullable(v.string())),
  calculateTotal: queryEntries.calculateTotal,
};

/** Combined conditions; each leaf is a single condition. */
export type FilterTree<C> =
  | { operator: "AND" | "OR" | "NOT"; conditions: FilterTree<C>[] }
  | { condition: C };

/** Most conditions of a filter. */
const maxConditions = 500;

/**
 * Reads a filter.
 * @param leaf reads one condition
 * @throws MethodError invalidArguments, unsupportedFilter
 */
export function readFilter<C>(
  filter: Record<string, unknown> | null | undefined,
  leaf: (condition: Record<string, unknown>) => C,
): FilterTree<C> | undefined {
  if (filter === null || filter === undefined) return undefined;
  let count = 0;
  const read = (f: unknown): FilterTree<C> => {
    if (typeof f !== "object" || f === null || Array.isArray(f)) {
      throw new MethodError("invalidArguments", "filter: a condition is not an object");
    }
    if (++count > maxConditions) {
      throw new MethodError("unsupportedFilter", `more than ${maxConditions} conditions`);
    }
    if (!("operator" in f)) return { condition: leaf(f as Record<string, unknown>) };
    const { operator, conditions, ...more } = f as Record<string, unknown>;
    if (operator !== "AND" && operator !== "OR" && operator !== "NOT") {
      throw new MethodError("invalidArguments", "filter: operator must be AND, OR or NOT");
    }
    if (!Array.isArray(conditions)) {
      throw new MethodError("invalidArguments", "filter: conditions must be an array");
    }
    for (const name of Object.keys(more)) {
      throw new MethodError("invalidArguments", `filter: there is no ${name.slice(0, 200)} here`);
    }
    return { operator, conditions: conditions.map(read) };
  };
  return read(filter);
}

/** Whether something matches a filter. */
export function meets<C>(
  tree: FilterTree<C> | undefined,
  leaf: (condition: C) => boolean,
): boolean {
  if (tree === undefined) return true;
  if ("condition" in tree) return leaf(tree.condition);
  switch (tree.operator) {
    case "AND":
      return tree.conditions.every((c) => meets(c, leaf));
    case "OR":
      return tree.conditions.some((c) => meets(c, leaf));
    case "NOT":
      return !tree.conditions.some((c) => meets(c, leaf));
  }
}

/** Most results per response, and the default if the client sets no limit. */
export const mostResults = 100_000;

/** Ids of results, in order. */
export interface Results {
  readonly length: number;
  indexOf(id: string): number;
  slice(from: number, to: number): string[];
}

/** The requested part of the results. @throws MethodError anchorNotFound */
export function queryWindow(
  all: Results,
  args: {
    position?: number | null;
    anchor?: string | null;
    anchorOffset?: number | null;
    limit?: number | null;
    calculateTotal?: boolean | null;
  },
): Record<string, unknown> {
  let position = args.position ?? 0;
  if (args.anchor !== null && args.anchor !== undefined) {
    const at = all.indexOf(args.anchor);
    if (at < 0) throw new MethodError("anchorNotFound", "the anchor is not in the results");
    position = Math.max(0, at + (args.anchorOffset ?? 0));
  } else if (position < 0) position = Math.max(0, all.length + position);
  const limit = Math.min(args.limit ?? mostResults, mostResults);
  const ids = all.slice(position, position + limit);
  return {
    position,
    ids,
    ...args.calculateTotal ? { total: all.length } : {},
    ...limit < (args.limit ?? Infinity) && position + ids.length < all.length ? { limit } : {},
  };
}

/**
 * The differences between results before and now (RFC 8620 §5.6): everything that may have moved is removed and
 * added again.
 * @param touched ids that may have been in the results before, at any position or not at all
 * @param isTouched whether a current result, given by its index, was not there before, or may have moved
 */
export function queryDifference(
  now: Results,
  touched: Iterable<string>,
  isTouched: (index: number) => boolean,
  args: { maxChanges?: number | null; upToId?: string | null },
): { removed: string[]; added: { id: string; index: number }[] } {
  const end = args.upToId ? now.indexOf(args.upToId) : -1;
  const added: { id: string; index: number }[] = [];
  for (let index = 0; index < now.length; index++) {
    if (!isTouched(index)) continue;
    // Results after the last one known to the client aren't reported.
    if (end >= 0 && index > end) break;
    added.push({ id: now.slice(index, index + 1)[0], index });
  }
  const removed = [...new Set(touched)];
  if (removed.length + added.length > (args.maxChanges ?? Infinity)) {
    throw new MethodError("tooManyChanges", "there are more changes than that");
  }
  return { removed, added };
}
