/**
 * Mapping between JSContact and JSCalendar on one side and vCard and iCalendar on the other (RFC 9555): an
 * object has parts ("title", "emails/e1"), each part comes from some lines, and changing one part leaves the
 * lines of all others unchanged. What lines can't express goes into JSPROP lines.
 *
 * @module
 */
import {
  escapeText,
  newProperty,
  param,
  type Parameter,
  type Property,
  unescapeText,
} from "../contentline/component.ts";

/** A JSON object. */
type JsonObject = Record<string, unknown>;

/** Values of parameters by name; those without a value are left out. */
export type Params = Record<string, string | readonly string[] | undefined>;

/** A line made here. */
export function line(name: string, value: string, params: Params = {}, group = ""): Property {
  const list: Parameter[] = Object.entries(params).flatMap(([n, v]) =>
    v === undefined || v.length === 0
      ? []
      : [{ name: n, values: typeof v === "string" ? [v] : [...v] }]
  );
  return { ...newProperty(name, value), params: list, group };
}

const obj = (x: unknown): JsonObject =>
  typeof x === "object" && x !== null && !Array.isArray(x) ? x as JsonObject : {};

/** Whether two JSON values are the same. */
export const same = (a: unknown, b: unknown): boolean => {
  if (a === b) return true;
  if (Array.isArray(a) || Array.isArray(b)) {
    return Array.isArray(a) && Array.isArray(b) && a.length === b.length &&
      a.every((x, i) => same(x, b[i]));
  }
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length &&
    keys.every((k) => Object.hasOwn(b, k) && same((a as JsonObject)[k], (b as JsonObject)[k]));
};

const step = (s: string) => s.replaceAll("~", "~0").replaceAll("/", "~1");

/** A value without the types of its objects, which are implied. */
function untyped(x: unknown): unknown {
  if (Array.isArray(x)) return x.map(untyped);
  if (typeof x !== "object" || x === null) return x;
  return Object.fromEntries(
    Object.entries(x).filter(([k]) => k !== "@type").map(([k, y]) => [k, untyped(y)]),
  );
}

/** JSPROP lines for what the other lines of a part don't express. */
export function jspropLines(pointer: string, wanted: unknown, said: unknown): Property[] {
  if (same(untyped(wanted), untyped(said))) return [];
  const both = [wanted, said].every((x) =>
    typeof x === "object" && x !== null && !Array.isArray(x)
  );
  if (both) {
    const [w, s] = [obj(wanted), obj(said)];
    // Surplus values are cancelled by null. Writing everything in one line would hide later changes by others,
    // such as the answer of an attendee.
    const extra = Object.keys(s).filter((k) =>
      !Object.hasOwn(w, k) && k !== "@type" && k !== "vCardName" && k !== "kind"
    );
    return [
      ...Object.keys(w).filter((k) => k !== "@type").flatMap((k) =>
        jspropLines(`${pointer}/${step(k)}`, w[k], Object.hasOwn(s, k) ? s[k] : undefined)
      ),
      ...extra.map((k) => line("JSPROP", "null", { JSPTR: `${pointer}/${step(k)}` })),
    ];
  }
  return [line("JSPROP", escapeText(JSON.stringify(wanted)), { JSPTR: pointer })];
}

/** The parts of an object: those of maps by entry. Null counts as missing. */
export function partsOf(
  object: JsonObject,
  mapNames: readonly string[],
  without: ReadonlySet<string>,
): Map<string, unknown> {
  const parts = new Map<string, unknown>();
  for (const [name, value] of Object.entries(object)) {
    if (without.has(name) || value === null || value === undefined) continue;
    if (!mapNames.includes(name)) parts.set(name, value);
    else for (const [id, v] of Object.entries(obj(value))) parts.set(`${name}/${id}`, v);
  }
  return parts;
}

/** The existing object, by parts. */
export interface Before<T> {
  /** All lines, in order. */
  lines: readonly T[];
  /** The lines of each part. */
  origins: ReadonlyMap<string, readonly T[]>;
  parts: ReadonlyMap<string, unknown>;
}

/** Lines of the new object: those of unchanged parts stay. */
export function mergedLines<T>(
  now: ReadonlyMap<string, unknown>,
  before: Before<T> | undefined,
  linesOf: (key: string, value: unknown) => T[],
): T[] {
  const { lines, origins, parts: was } = before ??
    { lines: [], origins: new Map<string, T[]>(), parts: new Map() };
  const changed = new Set<string>();
  for (const key of new Set([...now.keys(), ...was.keys()])) {
    if (!same(now.get(key), was.get(key))) changed.add(key);
  }
  // A line that makes several parts is dropped if any of them is.
  const dropped = new Set<T>();
  for (let grown = true; grown;) {
    grown = false;
    for (const key of changed) for (const p of origins.get(key) ?? []) dropped.add(p);
    for (const [key, list] of origins) {
      if (!changed.has(key) && list.some((p) => dropped.has(p))) {
        changed.add(key);
        grown = true;
      }
    }
  }
  const made = new Map(
    [...changed].filter((k) => now.has(k)).map((k) => [k, linesOf(k, now.get(k))]),
  );
  const placed = new Set<string>();
  const result: T[] = [];
  for (const p of lines) {
    if (!dropped.has(p)) {
      result.push(p);
      continue;
    }
    // New lines take the position of their part's first old line.
    const key = [...made.keys()].find((k) => !placed.has(k) && origins.get(k)?.includes(p));
    if (key === undefined) continue;
    placed.add(key);
    result.push(...made.get(key)!);
  }
  for (const [key, list] of made) if (!placed.has(key)) result.push(...list);
  return result;
}

const noValue = Object.freeze({});

/** Puts a value at a pointer of a card, or removes it for null; false if there is no parent to hold it. */
function putAt(card: JsonObject, pointer: string, value: unknown): boolean {
  const path = pointer.split("/").map((s) => s.replaceAll("~1", "/").replaceAll("~0", "~"));
  let at: unknown = card;
  for (const step of path.slice(0, -1)) {
    at = typeof at === "object" && at !== null && Object.hasOwn(at, step)
      ? (at as JsonObject)[step]
      : undefined;
  }
  if (typeof at !== "object" || at === null || Array.isArray(at)) return false;
  if (value === null) return delete (at as JsonObject)[path.at(-1)!];
  Object.defineProperty(at, path.at(-1)!, {
    value,
    enumerable: true,
    configurable: true,
    writable: true,
  });
  return true;
}

/** JSPROP lines (RFC 9555 §3.2.1): parts that a vCard can't express. */
export function addJsprops(
  lines: readonly Property[],
  card: JsonObject,
  to: Map<string, Property[]>,
  mapNames: readonly string[],
): void {
  for (const p of lines) {
    const pointer = param(p, "JSPTR") ?? "";
    let value: unknown = noValue;
    try {
      value = JSON.parse(unescapeText(p.value));
    } catch {
      // A line that another program has damaged is ignored.
    }
    const [top, id, ...below] = pointer.split("/");
    const inMap = id !== undefined && mapNames.includes(top);
    const key = inMap ? `${top}/${id}` : top;
    if (inMap && below.length === 0 && card[top] === undefined) card[top] = {};
    if (value !== noValue && pointer !== "") putAt(card, pointer, value);
    to.set(key, [...to.get(key) ?? [], p]);
  }
}
