/**
 * Blocks, `if` and `require`: the commands that the grammar itself knows.
 *
 * @module
 */
import type { SyntaxNode } from "../language/syntax.ts";
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

/** The first branch whose test is true. */
export function ifCommand(
  branches: readonly { test: TestFn; block: readonly PlacedCommand[] }[],
): CommandFn {
  return (run) => {
    for (const { test, block } of branches) {
      if (!test(run)) continue;
      if (run.context.trace) run.trace("the test is true: its block is run");
      return runBlock(run, block);
    }
    return undefined;
  };
}

/** Names in a `require`. */
export function requireNames(
  node: SyntaxNode,
  error: (at: number, message: string) => void,
): { at: number; value: string }[] {
  const [first, second] = node.args;
  if (!first) {
    error(node.at, "require needs a string or a list of strings");
    return [];
  }
  if (second) error(second.at, "require takes one argument");
  switch (first.kind) {
    case "string":
      return [{ at: first.at, value: first.value }];
    case "list":
      return first.items;
    default:
      error(first.at, "require needs a string or a list of strings");
      return [];
  }
}
