/** Types of values that contain others: lists, keys of the user's choice, and given keys. @module */
import {
  absentValue,
  equal,
  type Field,
  type Report,
  sameValue,
  type TextCheck,
  type Type,
} from "./schema.ts";
import { type Entry, type MapNode, type Node, quoted } from "./sconf.ts";

/** A list of values. */
export function list<T>(item: Type<T>): Type<T[]> {
  return {
    expected: `a list of lines starting with "- "`,
    shape: { kind: "list", item: item as Type<unknown> },
    read(node, line, report) {
      if (node.kind === "text" && node.text === "") return [];
      if (node.kind !== "list") {
        report(line, `expected ${this.expected} below, got ${describeNode(node)}`);
        return [];
      }
      return node.entries.map((e) => item.read(e.value, e.line, report));
    },
    zero: () => [],
    toNode: (values) =>
      values.length === 0 ? { kind: "text", text: "" } : {
        kind: "list",
        entries: values.map((v) => newEntry("", item.toNode(v))),
        trailing: [],
      },
    update(old, values) {
      if (old.kind !== "list" || values.length === 0) return this.toNode(values);
      return {
        kind: "list",
        entries: updateItems(item, old.entries, values),
        trailing: old.trailing,
      };
    },
  };
}

/** Old items keep their comments: the same value anywhere, or the item at the same position. */
function updateItems<T>(item: Type<T>, old: Entry[], values: T[]): Entry[] {
  const taken = new Set<Entry>();
  const entries: (Entry | undefined)[] = values.map((value) => {
    const same = old.find((e) => !taken.has(e) && sameValue(item, e.value, value));
    if (same) taken.add(same);
    return same;
  });
  return entries.map((entry, i) => {
    if (entry) return entry;
    const before = old[i];
    if (before && !taken.has(before)) {
      taken.add(before);
      return { ...before, value: item.update(before.value, values[i]) };
    }
    return newEntry("", item.toNode(values[i]));
  });
}

function newEntry(key: string, value: Node): Entry {
  return { leading: [], key, line: 0, value };
}

function describeNode(node: Node): string {
  if (node.kind === "text") return node.text === "" ? "nothing" : quoted(node.text);
  return node.kind === "list" ? "a list" : "keys";
}

/** Values under keys of the user's choice. Order is kept. */
export function map<T>(item: Type<T>, checkKey?: TextCheck): Type<Map<string, T>> {
  return {
    expected: "a block of indented keys",
    shape: { kind: "map", item: item as Type<unknown> },
    read(node, line, report) {
      const values = new Map<string, T>();
      if (node.kind === "text" && node.text === "") return values;
      if (node.kind !== "map") {
        report(line, `expected ${this.expected} below, got ${describeNode(node)}`);
        return values;
      }
      for (const e of node.entries) {
        const problem = checkKey?.(e.key);
        if (problem) report(e.line, `${quoted(e.key)} ${problem}`);
        const within: Report = (l, message, w) => report(l, `${e.key}: ${message}`, w);
        // "nil" means a value with all fields absent.
        values.set(
          e.key,
          isNil(e.value) ? item.zero() : item.read(e.value, e.line, within),
        );
      }
      return values;
    },
    zero: () => new Map(),
    toNode(values) {
      if (values.size === 0) return { kind: "text", text: "" };
      const entries = [...values].map(([key, v]) => newEntry(key, mapItem(item, v)));
      return { kind: "map", entries, trailing: [] };
    },
    update(old, values) {
      if (old.kind !== "map" || values.size === 0) return this.toNode(values);
      const entries: Entry[] = [];
      for (const e of old.entries) {
        const value = values.get(e.key);
        if (value === undefined) continue;
        entries.push({ ...e, value: mapItem(item, value, e.value) });
      }
      const known = new Set(old.entries.map((e) => e.key));
      for (const [key, value] of values) {
        if (!known.has(key)) entries.push(newEntry(key, mapItem(item, value)));
      }
      return { kind: "map", entries, trailing: old.trailing };
    },
  };
}

function isNil(node: Node): boolean {
  return node.kind === "text" && node.text === "nil";
}

/** The tree of a value in a map; "nil" for one with all fields absent. */
function mapItem<T>(item: Type<T>, value: T, old?: Node): Node {
  const nil: Node = { kind: "text", text: "nil" };
  if (item.shape.kind !== "scalar" && equal(value, item.zero())) {
    // A longer block with the same meaning may stay.
    return old && !isNil(old) && sameValue(item, old, value) ? old : nil;
  }
  const node = old && !isNil(old) ? item.update(old, value) : item.toNode(value);
  return node.kind === "text" && node.text === "" ? nil : node;
}

// deno-lint-ignore no-explicit-any -- a record of fields of any types, told apart by inference
type Fields = Record<string, Field<any>>;
type StructValue<F extends Fields> = { [K in keyof F]: F[K] extends Field<infer T> ? T : never };

/**
 * Values under given keys. An unknown key that resembles a known one is a mistake; others may belong to a newer
 * version of the original, so they give a warning and stay in the file.
 * @param elsewhere where a key of another file belongs; undefined for other keys.
 */
export function struct<F extends Fields>(
  fields: F,
  elsewhere?: (key: string) => string | undefined,
): Type<StructValue<F>> {
  const names = Object.keys(fields);
  const type: Type<StructValue<F>> = {
    expected: "a block of indented keys",
    shape: { kind: "struct", fields },
    read(node, line, report) {
      const value: Record<string, unknown> = {};
      const empty = node.kind === "text" && node.text === "";
      if (node.kind !== "map" && !empty) {
        report(line, `expected ${type.expected} below, got ${describeNode(node)}`);
        return type.zero();
      }
      const entries = node.kind === "map" ? node.entries : [];
      const byKey = new Map(entries.map((e) => [e.key, e]));
      for (const name of names) {
        const field = fields[name];
        const e = byKey.get(name);
        if (!e) {
          if (field.presence === "required" && !node.incomplete) {
            report(line, `the key ${name} is missing`);
          }
          value[name] = absentValue(field);
          continue;
        }
        const within: Report = (l, message, w) => report(l, `${name}: ${message}`, w);
        let v: unknown = isNil(e.value) && field.type.shape.kind !== "scalar"
          ? field.type.zero()
          : field.type.read(e.value, e.line, within);
        if (field.presence === "required" && v === "" && !field.mayBeEmpty) {
          within(e.line, "must not be empty");
        }
        if (field.fallback !== undefined && equal(v, field.type.zero())) v = absentValue(field);
        value[name] = v;
      }
      for (const e of entries) {
        if (!Object.hasOwn(fields, e.key)) reportUnknown(e, names, elsewhere?.(e.key), report);
      }
      return value as StructValue<F>;
    },
    zero() {
      const value: Record<string, unknown> = {};
      for (const name of names) value[name] = absentValue(fields[name]);
      return value as StructValue<F>;
    },
    toNode(value) {
      const entries = names.filter((n) => isWritten(fields[n], value[n])).map((n) =>
        newEntry(n, fields[n].type.toNode(value[n]))
      );
      return entries.length === 0
        ? { kind: "text", text: "" }
        : { kind: "map", entries, trailing: [] };
    },
    update(old, value) {
      if (old.kind !== "map") return type.toNode(value);
      return updateStruct(fields, names, old, value);
    },
  };
  return type;
}

function isWritten(field: Field<unknown>, value: unknown): boolean {
  if (field.presence === "required") return true;
  if (value === undefined) return false;
  return field.presence === "nullable" || !equal(value, absentValue(field));
}

function updateStruct(
  fields: Fields,
  names: string[],
  old: MapNode,
  value: Record<string, unknown>,
): Node {
  const entries: Entry[] = [];
  for (const e of old.entries) {
    if (!Object.hasOwn(fields, e.key)) {
      entries.push(e);
      continue;
    }
    const field = fields[e.key];
    const v = value[e.key];
    // An optional field that is in the file with its default value may stay.
    if (sameField(field, e.value, v)) entries.push(e);
    else if (isWritten(field, v)) entries.push({ ...e, value: field.type.update(e.value, v) });
  }
  names.forEach((name, i) => {
    if (entries.some((e) => e.key === name) || !isWritten(fields[name], value[name])) return;
    // After the nearest key that precedes it in the schema.
    let at = 0;
    for (let j = i - 1; j >= 0 && at === 0; j--) {
      at = entries.findIndex((e) => e.key === names[j]) + 1;
    }
    entries.splice(at, 0, newEntry(name, fields[name].type.toNode(value[name])));
  });
  return { kind: "map", entries, trailing: old.trailing };
}

function sameField(field: Field<unknown>, old: Node, value: unknown): boolean {
  if (value === undefined) return false;
  if (isNil(old) && field.type.shape.kind !== "scalar") return equal(field.type.zero(), value);
  if (sameValue(field.type, old, value)) return true;
  return field.fallback !== undefined && equal(value, field.fallback) &&
    sameValue(field.type, old, field.type.zero());
}

function reportUnknown(
  entry: Entry,
  names: string[],
  elsewhere: string | undefined,
  report: Report,
): void {
  const unknown = `unknown key ${quoted(entry.key)}`;
  if (elsewhere !== undefined) {
    return report(entry.line, `${unknown}: it belongs into ${elsewhere}`);
  }
  const lower = entry.key.toLowerCase();
  const [near] = names
    .map((name) => ({ name, d: distance(lower, name.toLowerCase()) }))
    .sort((a, b) => a.d - b.d);
  if (near && near.d <= (near.name.length < 8 ? 1 : 2)) {
    return report(entry.line, `${unknown}: did you mean ${near.name}?`);
  }
  // It has the form of a field name; other keys can't belong to a newer version and are mistakes.
  if (/^[A-Z][A-Za-z0-9]{2,}$/.test(entry.key)) {
    return report(entry.line, `${unknown} is passed over: no field of this version`, "warning");
  }
  const expected = names.length > 12 ? "one of the documented keys" : names.join(", ");
  report(entry.line, `${unknown}: expected ${expected}`);
}

/** Levenshtein distance, of texts cut to 40 characters. */
function distance(a: string, b: string): number {
  a = a.slice(0, 40);
  b = b.slice(0, 40);
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, row[j] + 1, next[j - 1] + 1));
    }
    row = next;
  }
  return row[b.length];
}
