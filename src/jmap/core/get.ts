/** What all /get methods have in common (RFC 8620 §5.1). @module */
import * as v from "valibot";
import { MethodError } from "./errors.ts";
import { maxObjectsInGet } from "./limits.ts";
import { id } from "./types.ts";

/** Arguments of a /get method. */
export const getEntries = {
  accountId: id,
  // An invalid id counts as not found.
  ids: v.optional(v.nullable(v.array(v.string()))),
  properties: v.optional(v.nullable(v.array(v.string()))),
};
export const getArgs = v.strictObject(getEntries);

/** Each id once. @throws MethodError requestTooLarge */
export function askedIds(ids: readonly string[] | null | undefined): string[] | null {
  if (ids === null || ids === undefined) return null;
  const unique = [...new Set(ids)];
  checkCount(unique.length);
  return unique;
}

/** @throws MethodError requestTooLarge */
export function checkCount(count: number): void {
  if (count > maxObjectsInGet) {
    throw new MethodError("requestTooLarge", `more than ${maxObjectsInGet} objects`);
  }
}

/**
 * The properties to return: the requested ones and `id`, or all.
 * @throws MethodError invalidArguments for one that doesn't exist
 */
export function askedProperties(
  asked: readonly string[] | null | undefined,
  all: readonly string[],
  preset: readonly string[] = all,
): ReadonlySet<string> {
  if (asked === null || asked === undefined) return new Set(preset);
  for (const p of asked) {
    if (!all.includes(p)) {
      throw new MethodError(
        "invalidArguments",
        `properties: there is no property ${p.slice(0, 200)}`,
      );
    }
  }
  return new Set(["id", ...asked]);
}

/** The object with only those properties. */
export function pick(
  o: Record<string, unknown>,
  properties: ReadonlySet<string>,
): Record<string, unknown> {
  return Object.fromEntries(Object.entries(o).filter(([k]) => properties.has(k)));
}

/** A response when all objects are available. */
export function getResponse(
  accountId: string,
  state: string,
  ids: readonly string[] | null,
  objects: ReadonlyMap<string, Record<string, unknown>>,
  properties: ReadonlySet<string>,
): Record<string, unknown> {
  if (ids === null) checkCount(objects.size);
  const found = ids === null ? [...objects.keys()] : ids.filter((i) => objects.has(i));
  return {
    accountId,
    state,
    list: found.map((i) => pick(objects.get(i)!, properties)),
    notFound: ids === null ? [] : ids.filter((i) => !objects.has(i)),
  };
}
