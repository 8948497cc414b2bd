/**
 * How commands and tests are described: what they take, and what becomes of them.
 *
 * @module
 */
import type { CommandFn, PlacedCommand, TestFn } from "../run/run.ts";
import type { Text } from "../language/text.ts";

/** What an argument must be; "strings" is a string or a list of them. */
export type ArgumentKind = "string" | "strings" | "number";

export interface TagSpec {
  /** What follows the tag. */
  takes?: ArgumentKind;
  /** Must be required for it: one of these. */
  extension?: string | readonly string[];
}
export type Tags = Readonly<Record<string, TagSpec>>;

/** What a command or test takes. */
export interface Definition {
  /** Lower case. */
  name: string;
  /** Must be required: one of these. */
  extension?: string | readonly string[];
  tags?: Tags;
  positional?: readonly ArgumentKind[];
  /** The first positional argument may be left out. */
  optionalFirst?: boolean;
  /** The last one may. */
  optionalLast?: boolean;
  /** Tests that it takes. */
  tests?: "one" | "some";
}

export interface TestDefinition extends Definition {
  compile(checker: Checker, args: Args): TestFn;
}
export interface CommandDefinition extends Definition {
  /** Has a block, which it needs. */
  block?: boolean;
  compile(checker: Checker, args: Args): CommandFn;
}

/** A string of the script with its place. */
export interface PlacedText {
  at: number;
  text: Text;
}

/** Arguments of one command or test, checked against its definition. */
export interface Args {
  /** Offset of the name. */
  at: number;
  /** Whether it has any tag. */
  readonly tagged: boolean;
  has(tag: string): boolean;
  /** Offset of a tag, or of the name. */
  tagAt(tag: string): number;
  /** What follows a tag, if it is there. */
  text(tag: string): Text | undefined;
  texts(tag: string): PlacedText[] | undefined;
  number(tag: string): number | undefined;
  /** Positional arguments; {@link given} tells whether an optional one is there. */
  given(i: number): boolean;
  string(i: number): Text;
  strings(i: number): PlacedText[];
  numberAt(i: number): number;
  /** Offset of a positional argument. */
  positionalAt(i: number): number;
  tests: readonly TestFn[];
  block: readonly PlacedCommand[];
}

/** What definitions ask while a script is checked. */
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
