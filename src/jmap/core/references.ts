/**
 * References to results of earlier method calls (RFC 8620 §3.7): JSON Pointer, with "*" for all items of an array.
 *
 * @module
 */
import * as v from "valibot";
import { MethodError } from "./errors.ts";
import { maxReferenced } from "./limits.ts";
import type { Invocation } from "./request.ts";
import { complaint } from "./types.ts";

const resultReference = v.strictObject({
  resultOf: v.string(),
  name: v.string(),
  path: v.string(),
});

function unresolved(why: string): MethodError {
  return new MethodError("invalidResultReference", why);
}

/** Steps of a pointer (RFC 6901 §3). @throws MethodError */
function steps(path: string): string[] {
  if (path === "") return [];
  if (!path.startsWith("/")) throw unresolved(`path ${JSON.stringify(path)} has no "/" in front`);
  return path.slice(1).split("/").map((s) => s.replaceAll("~1", "/").replaceAll("~0", "~"));
}

/** The value at a path. @throws MethodError invalidResultReference */
export function resolvePath(value: unknown, path: string): unknown {
  const budget = { left: maxReferenced };
  return follow(value, steps(path), 0, budget, path);
}

function follow(
  value: unknown,
  path: readonly string[],
  at: number,
  budget: { left: number },
  whole: string,
): unknown {
  for (; at < path.length; at++) {
    const step = path[at];
    if (Array.isArray(value)) {
      if (step === "*") {
        const all: unknown[] = [];
        for (const item of value) {
          const r = follow(item, path, at + 1, budget, whole);
          // RFC 8620 §3.7: items that are arrays are flattened.
          const items = Array.isArray(r) ? r : [r];
          budget.left -= items.length;
          if (budget.left < 0) {
            throw unresolved(`${whole} leads to more than ${maxReferenced} values`);
          }
          for (const i of items) all.push(i);
        }
        return all;
      }
      if (!/^(?:0|[1-9]\d{0,9})$/.test(step) || Number(step) >= value.length) {
        throw unresolved(`${whole}: there is no item ${JSON.stringify(step)}`);
      }
      value = value[Number(step)];
    } else if (typeof value === "object" && value !== null && Object.hasOwn(value, step)) {
      value = (value as Record<string, unknown>)[step];
    } else {
      throw unresolved(`${whole}: there is no ${JSON.stringify(step)}`);
    }
  }
  return value;
}

/**
 * The arguments with their references resolved.
 * @param responses those so far
 * @throws MethodError invalidResultReference, invalidArguments
 */
export function resolveReferences(
  args: Record<string, unknown>,
  responses: readonly Invocation[],
): Record<string, unknown> {
  const names = Object.keys(args).filter((n) => n.startsWith("#"));
  if (names.length === 0) return args;
  const resolved: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(args)) {
    if (!name.startsWith("#")) put(resolved, name, value);
  }
  for (const name of names) {
    const plain = name.slice(1);
    if (Object.hasOwn(args, plain)) {
      throw new MethodError("invalidArguments", `both ${plain} and ${name} are given`);
    }
    const parsed = v.safeParse(resultReference, args[name]);
    if (!parsed.success) throw unresolved(`${name}: ${complaint(parsed.issues[0])}`);
    const { resultOf, name: wanted, path } = parsed.output;
    const found = responses.find(([, , id]) => id === resultOf);
    if (found === undefined) throw unresolved(`${name}: there is no response ${resultOf}`);
    if (found[0] !== wanted) {
      throw unresolved(`${name}: the response ${resultOf} is ${found[0]}, not ${wanted}`);
    }
    put(resolved, plain, resolvePath(found[1], path));
  }
  return resolved;
}

/** Sets a property, even one named "__proto__". */
function put(o: Record<string, unknown>, name: string, value: unknown): void {
  Object.defineProperty(o, name, { value, enumerable: true, configurable: true, writable: true });
}
