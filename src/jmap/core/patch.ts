/** PatchObject (RFC 8620 §5.3). @module */
import { SetError } from "./errors.ts";

/** A change of one place: steps of the pointer, and the new value. */
export interface PatchStep {
  path: string[];
  value: unknown;
}

function invalid(why: string): SetError {
  return new SetError("invalidPatch", why);
}

/** The steps of a patch. @throws SetError invalidPatch if one pointer is part of another */
export function patchSteps(patch: Record<string, unknown>): PatchStep[] {
  const names = Object.keys(patch);
  for (const a of names) {
    if (names.some((b) => b !== a && b.startsWith(`${a}/`))) {
      throw invalid(`${a.slice(0, 200)} is changed as a whole, and in part`);
    }
  }
  return names.map((name) => ({
    path: name.split("/").map((s) => s.replaceAll("~1", "/").replaceAll("~0", "~")),
    value: patch[name],
  }));
}

/**
 * A copy of an object with a patch applied.
 * @throws SetError invalidPatch for a pointer into an array, or below a missing value
 */
export function applyPatch(
  object: Record<string, unknown>,
  patch: Record<string, unknown>,
): Record<string, unknown> {
  const result = structuredClone(object);
  for (const { path, value } of patchSteps(patch)) {
    let at: unknown = result;
    for (const step of path.slice(0, -1)) {
      at = isObject(at) && Object.hasOwn(at, step) ? at[step] : undefined;
      if (!isObject(at)) throw invalid(`there is nothing at ${path.join("/").slice(0, 200)}`);
    }
    const last = path[path.length - 1];
    const target = at as Record<string, unknown>;
    // For a top-level property null is a value, or means the default.
    if (value === null && path.length > 1) delete target[last];
    else {
      Object.defineProperty(target, last, {
        value,
        enumerable: true,
        configurable: true,
        writable: true,
      });
    }
  }
  return result;
}

/** The patch that turns one object into another: for nested objects only the differences. */
export function differencePatch(
  before: Record<string, unknown>,
  after: Record<string, unknown>,
  path = "",
): Record<string, unknown> {
  const patch: Record<string, unknown> = {};
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const [was, is] = [before[name], after[name]];
    if (sameJson(was, is)) continue;
    const at = path + name.replaceAll("~", "~0").replaceAll("/", "~1");
    if (isObject(was) && isObject(is)) Object.assign(patch, differencePatch(was, is, `${at}/`));
    else patch[at] = is ?? null;
  }
  return patch;
}

function isObject(x: unknown): x is Record<string, unknown> {
  return typeof x === "object" && x !== null && !Array.isArray(x);
}

/** True if two JSON values are the same. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (Array.isArray(a) || Array.isArray(b)) {
    return Array.isArray(a) && Array.isArray(b) && a.length === b.length &&
      a.every((x, i) => sameJson(x, b[i]));
  }
  if (!isObject(a) || !isObject(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length &&
    keys.every((k) => Object.hasOwn(b, k) && sameJson(a[k], b[k]));
}
