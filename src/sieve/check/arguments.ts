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
  /** Whether strings stand for themselves: no extension gives them another meaning. */
  readonly literal: boolean;
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
const none: never[] = [];
const noSpecs: Tags = {};

/**
 * Where the positional arguments start, after tags and their values; -1 if there are errors about tags.
 * Arguments without errors are used as they were parsed: nothing is copied.
 */
function readTags(
  node: SyntaxNode,
  what: "command" | "test",
  known: Tags,
  o: ArgumentsOf,
): number {
  const { args } = node;
  let first = args.length;
  let ok = true;
  for (let i = 0; i < args.length; i++) {
    const a = args[i];
    if (a.kind !== "tag") {
      if (i < first) first = i;
      continue;
    }
    const spec = Object.hasOwn(known, a.name) ? known[a.name] : undefined;
    if (!spec) {
      ok = false;
      o.error(a.at, `the ${what} ${node.name} has no tag :${a.name}`);
      continue;
    }
    const refusal = o.tagRefused(a.name, spec);
    if (refusal !== undefined) {
      ok = false;
      o.error(a.at, refusal);
    }
    if (first < i) {
      ok = false;
      o.error(
        a.at,
        `the tag :${a.name} must stand before the other arguments of the ${what} ${node.name}`,
      );
    }
    if (tagIn(args, i, a.name) >= 0) {
      ok = false;
      o.error(a.at, `the tag :${a.name} is given twice`);
    }
    if (!spec.takes) continue;
    const next = args[i + 1];
    if (!next || next.kind === "tag" || !fits(next, spec.takes)) {
      ok = false;
      o.error(
        next?.at ?? a.at,
        `the tag :${a.name} needs ${kindNames[spec.takes]} after it${
          next ? `, not ${shown(next)}` : ""
        }`,
      );
      if (!next || next.kind === "tag") continue;
    }
    // The value of the tag.
    i++;
  }
  return ok ? first : -1;
}

/** The arguments by position of a command whose tags have errors. */
function withoutTags(args: readonly Argument[], known: Tags): Argument[] {
  const takes = (a: Argument | undefined) =>
    a?.kind === "tag" && Object.hasOwn(known, a.name) && known[a.name].takes !== undefined;
  return args.filter((a, i) => a.kind !== "tag" && !takes(args[i - 1]));
}

/** The index of a tag in the first so many arguments; -1 if it is not there. */
function tagIn(args: readonly Argument[], end: number, name: string): number {
  for (let i = 0; i < end; i++) {
    const a = args[i];
    if (a.kind === "tag" && a.name === name) return i;
  }
  return -1;
}

/** Reads the arguments; undefined if errors were found. */
export function readArguments(
  node: SyntaxNode,
  what: "command" | "test",
  definition: Definition,
  o: ArgumentsOf,
): Args | undefined {
  const wanted = definition.positional ?? none;
  const known = definition.tags ?? noSpecs;
  const first = readTags(node, what, known, o);
  let ok = first >= 0;
  const values = ok ? node.args : withoutTags(node.args, known);
  const start = Math.max(first, 0);
  const given = values.length - start;
  const missing = wanted.length - given;
  const shift = definition.optionalFirst && missing === 1 ? 1 : 0;
  for (let i = 0; i < given; i++) {
    const value = values[start + i];
    const kind = i + shift < wanted.length ? wanted[i + shift] : undefined;
    if (kind === undefined) {
      ok = false;
      o.error(
        value.at,
        `the ${what} ${node.name} takes no more arguments, but has ${shown(value)} here`,
      );
      break;
    }
    if (!fits(value, kind)) {
      ok = false;
      o.error(
        value.at,
        `the ${what} ${node.name} needs ${kindNames[kind]} here, not ${shown(value)}`,
      );
    }
  }
  if (missing > (definition.optionalLast ? 1 : shift)) {
    ok = false;
    const at = given + shift;
    o.error(
      node.at,
      `the ${what} ${node.name} lacks ${kindNames[wanted[at]]} (its ${ordinal(at + 1)} argument)`,
    );
  }
  return ok ? new ReadArgs(node, first, shift, o) : undefined;
}

function ordinal(n: number): string {
  return ["first", "second", "third", "fourth", "fifth"][n - 1] ?? `${n}th`;
}

/** Valid arguments: tags with their values, then those by position. */
class ReadArgs implements Args {
  readonly #node: SyntaxNode;
  /** Index of the first one by position. */
  readonly #first: number;
  /** 1 if the optional one before it is left out. */
  readonly #shift: number;
  readonly #o: ArgumentsOf;
  tests: Args["tests"] = none;
  block: Args["block"] = none;

  constructor(node: SyntaxNode, first: number, shift: number, o: ArgumentsOf) {
    this.#node = node;
    this.#first = first;
    this.#shift = shift;
    this.#o = o;
  }

  get at(): number {
    return this.#node.at;
  }

  #tag(tag: string): number {
    return tagIn(this.#node.args, this.#first, tag);
  }

  #after(tag: string): Value | undefined {
    const i = this.#tag(tag);
    return i < 0 ? undefined : this.#value(i + 1, this.#first);
  }

  #positional(i: number): Value | undefined {
    return i < this.#shift
      ? undefined
      : this.#value(this.#first + i - this.#shift, this.#node.args.length);
  }

  #value(i: number, end: number): Value | undefined {
    const value = i < end ? this.#node.args[i] : undefined;
    return value?.kind === "tag" ? undefined : value;
  }

  #text(value: Value | undefined): Text | undefined {
    return value?.kind === "string" ? this.#o.text(value.at, value.text) : undefined;
  }

  #placed(value: Value | undefined): readonly PlacedText[] {
    const list = value?.kind === "list" ? value.items : value?.kind === "string" ? [value] : none;
    if (this.#o.literal) return list;
    return list.map((s) => ({ at: s.at, text: this.#o.text(s.at, s.text) }));
  }

  get tagged(): boolean {
    return this.#first > 0;
  }
  has(tag: string): boolean {
    return this.#tag(tag) >= 0;
  }
  tagAt(tag: string): number {
    const i = this.#tag(tag);
    return i < 0 ? this.at : this.#node.args[i].at;
  }
  text(tag: string): Text | undefined {
    return this.#text(this.#after(tag));
  }
  texts(tag: string): readonly PlacedText[] | undefined {
    const value = this.#after(tag);
    return value && this.#placed(value);
  }
  number(tag: string): number | undefined {
    const value = this.#after(tag);
    return value?.kind === "number" ? value.value : undefined;
  }
  given(i: number): boolean {
    return this.#positional(i) !== undefined;
  }
  string(i: number): Text {
    return this.#text(this.#positional(i)) ?? "";
  }
  strings(i: number): readonly PlacedText[] {
    return this.#placed(this.#positional(i));
  }
  numberAt(i: number): number {
    const value = this.#positional(i);
    return value?.kind === "number" ? value.value : 0;
  }
  positionalAt(i: number): number {
    return this.#positional(i)?.at ?? this.at;
  }
}
