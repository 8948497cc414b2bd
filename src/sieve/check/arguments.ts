/**
 * Checks the arguments of a command or test against its definition.
 *
 * @module
 */
import type { Argument, SyntaxNode } from "../language/syntax.ts";
import type { Args, ArgumentKind, Definition, PlacedText, Tags, TagSpec } from "./definition.ts";
import type { Text } from "../language/text.ts";

/** What reading arguments needs from the checker. */
export interface ArgumentsOf {
  error(at: number, message: string): void;
  /** Why a tag can't be used; undefined if it can. */
  tagRefused(tag: string, spec: TagSpec): string | undefined;
  text(at: number, value: string): Text;
}

const kindNames: Record<ArgumentKind, string> = {
  string: "a string",
  strings: "a string or a list of strings",
  number: "a number",
};

function shown(argument: Argument): string {
  switch (argument.kind) {
    case "tag":
      return `the tag :${argument.name}`;
    case "list":
      return "a list of strings";
    case "string":
      return "a string";
    case "number":
      return "a number";
  }
}

function fits(argument: Argument, kind: ArgumentKind): boolean {
  return argument.kind === kind ||
    kind === "strings" && (argument.kind === "string" || argument.kind === "list");
}

type Value = Exclude<Argument, { kind: "tag" }>;
interface Tagged {
  at: number;
  value: Value | undefined;
}
const none: never[] = [];
const noSpecs: Tags = {};
const noTags: ReadonlyMap<string, Tagged> = new Map();

/** Reads the arguments; undefined if errors were found. */
export function readArguments(
  node: SyntaxNode,
  what: "command" | "test",
  definition: Definition,
  o: ArgumentsOf,
): Args | undefined {
  const known = definition.tags ?? noSpecs;
  const wanted = definition.positional ?? none;
  let tags: Map<string, Tagged> | undefined;
  const positional: Value[] = [];
  let ok = true;
  const fail = (at: number, message: string) => {
    ok = false;
    o.error(at, message);
  };
  for (let i = 0; i < node.args.length; i++) {
    const a = node.args[i];
    if (a.kind !== "tag") {
      positional.push(a);
      continue;
    }
    const spec = Object.hasOwn(known, a.name) ? known[a.name] : undefined;
    if (!spec) {
      fail(a.at, `the ${what} ${node.name} has no tag :${a.name}`);
      continue;
    }
    const refusal = o.tagRefused(a.name, spec);
    if (refusal !== undefined) fail(a.at, refusal);
    if (positional.length > 0) {
      fail(
        a.at,
        `the tag :${a.name} must stand before the other arguments of the ${what} ${node.name}`,
      );
    }
    if (tags?.has(a.name)) fail(a.at, `the tag :${a.name} is given twice`);
    let value: Value | undefined;
    if (spec.takes) {
      const next = node.args[i + 1];
      if (!next || next.kind === "tag" || !fits(next, spec.takes)) {
        fail(
          next?.at ?? a.at,
          `the tag :${a.name} needs ${kindNames[spec.takes]} after it${
            next ? `, not ${shown(next)}` : ""
          }`,
        );
        if (next && next.kind !== "tag") i++;
        continue;
      }
      value = next;
      i++;
    }
    (tags ??= new Map()).set(a.name, { at: a.at, value });
  }
  const missing = wanted.length - positional.length;
  const shift = definition.optionalFirst && missing === 1 ? 1 : 0;
  positional.forEach((value, i) => {
    const kind = wanted[i + shift];
    if (kind === undefined) {
      if (i === wanted.length - shift) {
        fail(
          value.at,
          `the ${what} ${node.name} takes no more arguments, but has ${shown(value)} here`,
        );
      }
    } else if (!fits(value, kind)) {
      fail(value.at, `the ${what} ${node.name} needs ${kindNames[kind]} here, not ${shown(value)}`);
    }
  });
  if (missing > (definition.optionalLast ? 1 : shift)) {
    const at = Math.max(positional.length + shift, 0);
    fail(
      node.at,
      `the ${what} ${node.name} lacks ${kindNames[wanted[at]]} (its ${ordinal(at + 1)} argument)`,
    );
  }
  if (!ok) return undefined;
  const all: (Value | undefined)[] = shift ? [undefined, ...positional] : positional;
  return new ReadArgs(node.at, o, tags ?? noTags, all);
}

function ordinal(n: number): string {
  return ["first", "second", "third", "fourth", "fifth"][n - 1] ?? `${n}th`;
}

/** Valid arguments. */
class ReadArgs implements Args {
  readonly at: number;
  readonly #o: ArgumentsOf;
  readonly #tags: ReadonlyMap<string, Tagged>;
  readonly #positional: readonly (Value | undefined)[];
  tests: Args["tests"] = none;
  block: Args["block"] = none;

  constructor(
    at: number,
    o: ArgumentsOf,
    tags: ReadonlyMap<string, Tagged>,
    positional: readonly (Value | undefined)[],
  ) {
    this.at = at;
    this.#o = o;
    this.#tags = tags;
    this.#positional = positional;
  }

  #text(value: Value | undefined): Text | undefined {
    return value?.kind === "string" ? this.#o.text(value.at, value.value) : undefined;
  }

  #placed(value: Value | undefined): PlacedText[] {
    switch (value?.kind) {
      case "list":
        return value.items.map((s) => ({ at: s.at, text: this.#o.text(s.at, s.value) }));
      case "string":
        return [{ at: value.at, text: this.#o.text(value.at, value.value) }];
      default:
        return [];
    }
  }

  get tagged(): boolean {
    return this.#tags.size > 0;
  }
  has(tag: string): boolean {
    return this.#tags.has(tag);
  }
  tagAt(tag: string): number {
    return this.#tags.get(tag)?.at ?? this.at;
  }
  text(tag: string): Text | undefined {
    return this.#text(this.#tags.get(tag)?.value);
  }
  texts(tag: string): PlacedText[] | undefined {
    const value = this.#tags.get(tag)?.value;
    return value && this.#placed(value);
  }
  number(tag: string): number | undefined {
    const value = this.#tags.get(tag)?.value;
    return value?.kind === "number" ? value.value : undefined;
  }
  given(i: number): boolean {
    return this.#positional[i] !== undefined;
  }
  string(i: number): Text {
    return this.#text(this.#positional[i]) ?? "";
  }
  strings(i: number): PlacedText[] {
    return this.#placed(this.#positional[i]);
  }
  numberAt(i: number): number {
    const value = this.#positional[i];
    return value?.kind === "number" ? value.value : 0;
  }
  positionalAt(i: number): number {
    return this.#positional[i]?.at ?? this.at;
  }
}
