/**
 * Compiles the text of a script, or reports everything that is wrong with it.
 *
 * @module
 */
import { ScriptChecker, type Tables } from "./check/checker.ts";
import { extensions } from "./check/extensions.ts";
import { tablesFor } from "./extensions/tables.ts";
import { byPlace, Problems, problemText, type SieveProblem } from "./language/problems.ts";
import { parseSyntax, type SyntaxNode } from "./language/syntax.ts";
import type { PlacedCommand, SieveScript } from "./run/run.ts";

/** Most bytes of a script. */
export const maxScriptSize = 2 * 1024 * 1024;

/** A script has errors; the message lists them, one a line. */
export class SieveSyntaxError extends Error {
  override name = "SieveSyntaxError";
  readonly problems: readonly SieveProblem[];

  constructor(problems: readonly SieveProblem[], script = "") {
    super(problems.map((p) => problemText(p, script)).join("\n"));
    this.problems = problems;
  }
}

const everything: ReadonlySet<string> = new Set(extensions);
const tables = new WeakMap<ReadonlySet<string>, Tables>();
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function tablesOf(available: ReadonlySet<string>): Tables {
  let t = tables.get(available);
  if (!t) tables.set(available, t = tablesFor(available));
  return t;
}

/** The text of a script. @throws SieveSyntaxError for one that is too large or isn't UTF-8 */
export function scriptText(bytes: Uint8Array, name = ""): string {
  if (bytes.length > maxScriptSize) {
    throw new SieveSyntaxError([{
      line: 1,
      column: 1,
      message: `a script has ${maxScriptSize} bytes at most`,
    }], name);
  }
  try {
    return utf8.decode(bytes);
  } catch {
    // Up to the first invalid byte.
    const before =
      new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes).split("\ufffd", 1)[0];
    const { line, column } = new Problems(before).place(before.length);
    throw new SieveSyntaxError(
      [{ line, column, message: "the script is not in UTF-8 here" }],
      name,
    );
  }
}

/** Options for compiling a script. */
export interface CompileOptions {
  /** The name used in messages about it. */
  name?: string;
  /** Supported extensions; all if not given. */
  available?: ReadonlySet<string>;
}

/** Whether a command belongs to the `if` or `elsif` before it. */
function goesOn(node: SyntaxNode, before: SyntaxNode): boolean {
  return (node.name === "elsif" || node.name === "else") &&
    (before.name === "if" || before.name === "elsif");
}

function* compileSteps(
  source: string | Uint8Array,
  options: CompileOptions,
): Generator<void, SieveScript> {
  const name = options.name ?? "";
  const text = typeof source === "string" ? source : scriptText(source, name);
  if (text.length > maxScriptSize) {
    const message = `a script has ${maxScriptSize} bytes at most`;
    throw new SieveSyntaxError([{ line: 1, column: 1, message }], name);
  }
  const available = options.available ?? everything;
  const problems = new Problems(text);
  const checker = new ScriptChecker(text, problems, tablesOf(available), available);
  const commands: PlacedCommand[] = [];
  let requiring = true;
  // The syntax of checked commands is dropped: a long script is never completely in memory.
  let chain: SyntaxNode[] = [];
  const syntax = parseSyntax(text, problems);
  for (let done = false; !done;) {
    const step = syntax.next();
    yield;
    done = step.done === true;
    const node = step.value as SyntaxNode | undefined;
    if (node === undefined && !done) continue;
    if (chain.length > 0 && !(node && goesOn(node, chain[chain.length - 1]))) {
      for (const command of yield* checker.commands(chain, requiring, true)) commands.push(command);
      requiring &&= chain[0].name === "require";
      chain = [];
    }
    if (node) chain.push(node);
  }
  if (problems.errors.length > 0) throw new SieveSyntaxError(byPlace(problems.errors), name);
  const place = (offset: number) => problems.place(offset);
  return {
    name,
    commands,
    requires: checker.required,
    warnings: byPlace(problems.warnings),
    place,
  };
}

function drained<T>(steps: Generator<void, T>): T {
  for (;;) {
    const r = steps.next();
    if (r.done) return r.value;
  }
}

/**
 * Compiles a script.
 * @throws SieveSyntaxError with all problems, in line order
 */
export function compileSieve(
  source: string | Uint8Array,
  options: CompileOptions = {},
): SieveScript {
  return drained(compileSteps(source, options));
}

/** Milliseconds after which others get a turn. */
const turn = 5;

/** As {@link compileSieve}, giving way to other work every few milliseconds: for scripts from strangers. */
export async function compileSieveAsync(
  source: string | Uint8Array,
  options: CompileOptions = {},
): Promise<SieveScript> {
  const steps = compileSteps(source, options);
  for (let since = performance.now();;) {
    const r = steps.next();
    if (r.done) return r.value;
    if (performance.now() - since < turn) continue;
    await new Promise((resolve) => setTimeout(resolve, 0));
    since = performance.now();
  }
}

/** The syntax of a script's commands; undefined if its grammar is wrong. */
export function syntaxOf(text: string): SyntaxNode[] | undefined {
  const problems = new Problems(text);
  const nodes = [...parseSyntax(text, problems)].filter((node) => node !== undefined);
  return problems.errors.length > 0 ? undefined : nodes;
}
