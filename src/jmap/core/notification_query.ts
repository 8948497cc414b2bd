/**
 * What queries of notifications have in common (RFC 9670 §3.2, jmap-calendars §7.6): they can only be sorted by
 * creation time. @module
 */
import * as v from "valibot";
import { MethodError } from "./errors.ts";
import type { Comparator } from "./query.ts";
import { dateMs, utcDate } from "./types.ts";

/** Conditions on a notification's creation time. */
export const createdEntries = {
  after: v.optional(v.nullable(utcDate)),
  before: v.optional(v.nullable(utcDate)),
};

/** Whether a time meets the conditions. */
export function isWithin(
  created: string,
  c: { after?: string | null; before?: string | null },
): boolean {
  return (!c.after || dateMs(created)! >= dateMs(c.after)!) &&
    (!c.before || dateMs(created)! < dateMs(c.before)!);
}

/** Reads a condition of a filter. The function throws MethodError unsupportedFilter, invalidArguments. */
export function conditionReader<E extends v.ObjectEntries>(
  schema: v.StrictObjectSchema<E, undefined>,
): (condition: Record<string, unknown>) => v.InferOutput<v.StrictObjectSchema<E, undefined>> {
  return (condition) => {
    const parsed = v.safeParse(schema, condition);
    if (parsed.success) return parsed.output;
    const unknown = Object.keys(condition).some((k) => !Object.hasOwn(schema.entries, k));
    throw new MethodError(
      unknown ? "unsupportedFilter" : "invalidArguments",
      `filter: ${parsed.issues[0].message}`,
    );
  };
}

/** Whether the latest comes first. @throws MethodError unsupportedSort for properties other than `created` */
export function latestFirst(sort: readonly Comparator[] | null | undefined): boolean {
  for (const { property } of sort ?? []) {
    if (property !== "created") {
      throw new MethodError("unsupportedSort", `can't be sorted by ${property.slice(0, 100)}`);
    }
  }
  return sort?.[0]?.isAscending === false;
}
