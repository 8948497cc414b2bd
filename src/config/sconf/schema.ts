/**
 * Schemas of configuration files: one definition gives the TypeScript type, the check, the defaults, the
 * documentation, and the conversion back to text, keeping the old file's comments. Types and fields are defined
 * here; schema_scalars.ts has the types of single values, schema_blocks.ts those of lists and blocks.
 *
 * A value that is absent has its field's default. Values equal to the default are not written. As in files of
 * the original, an explicit zero (0, false, an empty text) means the default too.
 *
 * @module
 */
import { lineOf, type MapNode, type Node } from "./sconf.ts";

/** Called with each problem and its line; with `warning`, for things that are only ignored. */
export type Report = (line: number, message: string, warning?: "warning") => void;

/** A kind of value. */
export interface Type<T> {
  /** What is expected, for messages: "a number". */
  readonly expected: string;
  readonly shape:
    | { kind: "scalar" }
    | { kind: "list"; item: Type<unknown> }
    | { kind: "map"; item: Type<unknown> }
    | { kind: "struct"; fields: Record<string, Field<unknown>> };
  /** The value in a tree. Never throws: problems are reported, and zero is used instead. */
  read(node: Node, line: number, report: Report): T;
  /** The value of an absent field without its own default: a new one each time. */
  zero(): T;
  toNode(value: T): Node;
  /** The tree of a new value, which keeps unchanged parts of an old tree. */
  update(old: Node, value: T): Node;
}

/** The TypeScript type of a schema's values. */
export type Infer<S> = S extends Type<infer T> ? T : never;

/** A named value in a struct. */
export interface Field<T> {
  readonly type: Type<T>;
  readonly doc: string;
  /**
   * Required fields must be present; absent optional ones get the default; absent nullable ones are undefined.
   */
  readonly presence: "required" | "optional" | "nullable";
  readonly fallback?: T;
  /** The key must be present, but may have no value. */
  readonly mayBeEmpty?: boolean;
}

/** A field that must be present. */
export function required<T>(type: Type<T>, doc: string): Field<T> {
  return { type, doc, presence: "required" };
}

/** A field that must be present, but may be empty. */
export function present(type: Type<string>, doc: string): Field<string> {
  return { type, doc, presence: "required", mayBeEmpty: true };
}

/** A field that may be absent, and then has a default: by default its type's zero. */
export function optional<T>(type: Type<T>, doc: string, fallback?: NoInfer<T>): Field<T> {
  return { type, doc, presence: "optional", fallback };
}

/** A field that may be absent, which differs from its zero. */
export function nullable<T>(type: Type<T>, doc: string): Field<T | undefined> {
  return { type: type as Type<T | undefined>, doc, presence: "nullable" };
}

/** The value of an absent field. */
export function absentValue<T>(field: Field<T>): T | undefined {
  if (field.presence === "nullable") return undefined;
  return field.fallback === undefined ? field.type.zero() : structuredClone(field.fallback);
}

/** Whether the old tree represents the value, without problems. */
export function sameValue<T>(type: Type<T>, old: Node, value: T): boolean {
  let problems = 0;
  const was = type.read(old, 0, (_line, _message, warning) => {
    if (!warning) problems++;
  });
  return problems === 0 && equal(was, value);
}

/** Checks a text: undefined if valid, otherwise the reason why not. */
export type TextCheck = (text: string) => string | undefined;

/** Deep equality of configuration values: texts, numbers, lists, Maps (in any order) and structs. */
export function equal(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((x, i) => equal(x, b[i]));
  }
  if (a instanceof Map) {
    return b instanceof Map && a.size === b.size &&
      [...a].every(([k, v]) => b.has(k) && equal(v, b.get(k)));
  }
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(b) || b instanceof Map) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length &&
    keys.every((k) =>
      Object.hasOwn(b, k) &&
      equal((a as Record<string, unknown>)[k], (b as Record<string, unknown>)[k])
    );
}

/** Reports problems (and warnings) about a value by its path, for checks of whole files. */
export type PathReport = (
  path: readonly (string | number)[],
  message: string,
  warning?: "warning",
) => void;

/** Converts paths to lines of a tree. */
export function reportAt(root: MapNode, report: Report): PathReport {
  return (path, message, warning) => report(lineOf(root, path), message, warning);
}
