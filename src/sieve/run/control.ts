/**
 * Blocks, `if` and `require`: the commands that the grammar itself knows.
 *
 * @module
 */
import type { SyntaxNode, SyntaxText } from "../language/syntax.ts";
import type { CommandFn, PlacedCommand, Run, Signal, TestFn } from "./run.ts";

/** Runs commands one after the other, giving others a turn from time to time. */
export function* runBlock(
  run: Run,
  commands: readonly PlacedCommand[],
): Generator<void, Signal | undefined> {
  for (const command of commands) {
    run.spend(1);
    if ((++run.sinceTurn & 15) === 0 && run.turnIsOver()) yield;
    run.offset = command.at;
    const r = command.run(run);
    const signal = typeof r === "object" && "next" in r ? yield* r : r;
    if (signal !== undefined) return signal;
  }
  return undefined;
}

/** Compiles parts of a script that is known to have no errors. */
export interface LateCompiler {
  /** The test of an `if` or `elsif`, which starts at an offset. */
  test(at: number): TestFn;
  /** A block, from one offset up to another. Gives others turns. */
  block(from: number, end: number): Generator<void, readonly PlacedCommand[]>;
}

/** A branch of an `if`. */
export interface Branch {
  test: TestFn;
  block: readonly PlacedCommand[];
}

/** The first branch whose test is true. */
export function ifCommand(branches: readonly Branch[]): CommandFn {
  return (run) => {
    for (const { test, block } of branches) {
      if (!test(run)) continue;
      traceTrue(run);
      return runBlock(run, block);
    }
    return undefined;
  };
}

function traceTrue(run: Run): void {
  if (run.context.trace) run.trace("the test is true: its block is run");
}

/**
 * An `if` without errors: the test of each branch is compiled when it is first asked, and its block when that first runs. A
 * long script has ten thousands of them, few blocks ever run, and compiled they take ten times the memory.
 */
export class LateIf implements PlacedCommand {
  readonly at: number;
  readonly #compiler: LateCompiler;
  readonly #from: number;
  readonly #end: number;
  /** The `elsif` or `else` after it. */
  readonly #next: LateIf | undefined;
  #test: TestFn | undefined;
  #block: readonly PlacedCommand[] | undefined;

  /**
   * @param from where its block starts, after the brace
   * @param end where its block ends, after the brace
   * @param test undefined if it is compiled later
   */
  constructor(
    compiler: LateCompiler,
    at: number,
    from: number,
    end: number,
    test: TestFn | undefined,
    next: LateIf | undefined,
  ) {
    this.at = at;
    this.#compiler = compiler;
    this.#from = from;
    this.#end = end;
    this.#test = test;
    this.#next = next;
  }

  run(run: Run): ReturnType<CommandFn> {
    const test = this.#test ??= this.#compiler.test(this.at);
    if (!test(run)) return this.#next?.run(run);
    traceTrue(run);
    return this.#block ? runBlock(run, this.#block) : this.#runFirst(run);
  }

  *#runFirst(run: Run): Generator<void, Signal | undefined> {
    this.#block = yield* this.#compiler.block(this.#from, this.#end);
    return yield* runBlock(run, this.#block);
  }
}

/** Names in a `require`. */
export function requireNames(
  node: SyntaxNode,
  error: (at: number, message: string) => void,
): readonly SyntaxText[] {
  const [first, second] = node.args;
  if (!first) {
    error(node.at, "require needs a string or a list of strings");
    return [];
  }
  if (second) error(second.at, "require takes one argument");
  switch (first.kind) {
    case "string":
      return [first];
    case "list":
      return first.items;
    default:
      error(first.at, "require needs a string or a list of strings");
      return [];
  }
}
