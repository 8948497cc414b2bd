/**
 * How commands and tests are defined: their arguments and how they run.
 *
 * @module
 */
import type { CommandFn, PlacedCommand, TestFn } from "../run/run.ts";
import type { Text } from "../language/text.ts";

/** What an argument must be; "strings" is a string or a list of them. */
export type ArgumentKind = "string" | "strings" | "number";

export interface TagSpec {
  /** The value after the tag. */
  takes?: ArgumentKind;
  /** The extension that it needs: one of these. */
  extension?: string | readonly string[];
}
export type Tags = Readonly<Record<string, TagSpec>>;

/** The definition of a command or test. */
export interface Definition {
  /** Lower case. */
  name: string;
  /** The extension that it needs: one of these. */
  extension?: string | readonly string[];
  tags?: Tags;
  positional?: readonly ArgumentKind[];
  /** The first positional argument may be left out. */
  optionalFirst?: boolean;
  /** The last positional argument may be left out. */
  optionalLast?: boolean;
  /** Tests as arguments. */
  tests?: "one" | "some";
}

export interface TestDefinition extends Definition {
  compile(checker: Checker, args: Args): TestFn;
}
export interface CommandDefinition extends Definition {
  /** Has a block, which is mandatory. */
  block?: boolean;
  compile(checker: Checker, args: Args): CommandFn;
}

/** A string of the script with its position. */
export interface PlacedText {
  at: number;
  text: Text;
}

/** Arguments of one command or test, checked against its definition. */
export interface Args {
  /** Offset of the name. */
  readonly at: number;
  /** Whether it has any tag. */
  readonly tagged: boolean;
  has(tag: string): boolean;
  /** Offset of a tag, or of the name. */
  tagAt(tag: string): number;
  /** The value after a tag, if present. */
  text(tag: string): Text | undefined;
  texts(tag: string): readonly PlacedText[] | undefined;
  number(tag: string): number | undefined;
  /** Positional arguments; {@link given} says whether an optional one is present. */
  given(i: number): boolean;
  string(i: number): Text;
  strings(i: number): readonly PlacedText[];
  numberAt(i: number): number;
  /** Offset of a positional argument. */
  positionalAt(i: number): number;
  tests: readonly TestFn[];
  block: readonly PlacedCommand[];
}

/** The checker as definitions see it. */
export interface Checker {
  error(at: number, message: string): void;
  warn(at: number, message: string): void;
  /** Whether the script requires an extension. */
  requires(extension: string): boolean;
  /** Names of the loops around the command ("" for one without a name). */
  loops: string[];
  /** Notes that an extension may be used from here on (RFC 5463). */
  allow(extension: string): void;
}
