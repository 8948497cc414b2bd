/**
 * The grammar of Sieve: commands, tests and arguments with any names (RFC 5228 §8.2).
 *
 * @module
 */
import { Lexer, type TokenKind } from "./lexer.ts";
import { Problems } from "./problems.ts";

/** Arguments as written; `at` is an offset into the script. */
export type Argument =
  | { kind: "number"; at: number; value: number }
  | { kind: "string"; at: number; text: string }
  | { kind: "list"; at: number; items: readonly SyntaxText[] }
  | { kind: "tag"; at: number; name: string };

/** A string of a list. */
export interface SyntaxText {
  at: number;
  text: string;
}

/** A command or test. */
export interface SyntaxNode {
  /** Lower case. */
  name: string;
  at: number;
  /** Its end: after its semicolon or block; for a test after its last argument. */
  end: number;
  args: readonly Argument[];
  tests: readonly SyntaxNode[];
  /** Whether the tests are in parentheses. */
  testList: boolean;
  /** The block of a command that has one, and where it starts: after its opening brace. */
  block: readonly SyntaxNode[] | undefined;
  blockAt: number;
}

/** Deepest nesting of blocks and tests; RFC 5228 §2.10.5 requires at least 15. */
export const maxNesting = 64;

/** Commands of a block after which others may get a turn. */
export const commandsOfTurn = 16;

/** Shared by all nodes without items: a long script has tens of thousands. */
const none: readonly never[] = [];

/** Most tests in one list, and most strings in one: no command takes long to check. */
const maxTests = 5_000;
const maxStrings = 50_000;

/**
 * Parses a script, yielding each of its commands, and undefined from time to time within a block; faults are
 * added to `problems`, and parsing continues after them.
 * @param from where to start in the text: after the opening brace of a block, for its commands alone
 */
export function parseSyntax(
  text: string,
  problems: Problems,
  from = 0,
): Generator<SyntaxNode | undefined, void> {
  return new Parser(text, problems, from).script();
}

/** A command without errors at an offset, without its block. */
export function parseHead(text: string, at: number): SyntaxNode {
  return new Parser(text, new Problems(text), at).head();
}

/** The rest of a command is unreadable. */
class Skip extends Error {}

/**
 * What lists under way have so far, the innermost at the end: each gets an array of its exact length. One that grows by
 * itself has room for 17, and a long script has a hundred thousand lists.
 */
class Stack<T> {
  readonly #list: T[] = [];
  length = 0;

  push(value: T): void {
    this.#list[this.length++] = value;
  }

  /** Takes what was pushed since there were so many. */
  since(from: number): readonly T[] {
    if (from === this.length) return none;
    const list = this.#list.slice(from, this.length);
    this.length = from;
    return list;
  }
}

class Parser {
  readonly #lexer: Lexer;
  readonly #problems: Problems;
  readonly #commands = new Stack<SyntaxNode>();
  readonly #tests = new Stack<SyntaxNode>();
  readonly #arguments = new Stack<Argument>();

  constructor(text: string, problems: Problems, from: number) {
    this.#problems = problems;
    this.#lexer = new Lexer(text, problems, from);
  }

  head(): SyntaxNode {
    return this.#named(0);
  }

  *script(): Generator<SyntaxNode | undefined, void> {
    for (;;) {
      while (this.#goesOn()) {
        const node = this.#tried(0);
        if (node?.block) yield* this.#fill(node, 0);
        yield node;
      }
      if (this.#lexer.kind === "end") return;
      this.#problems.error(this.#lexer.start, "this } closes no block");
      this.#lexer.next();
    }
  }

  /** Parses the commands of a block, up to its closing brace. The lexer is after the opening brace. */
  *#fill(node: SyntaxNode, depth: number): Generator<undefined, void> {
    const open = this.#lexer.endBefore - 1;
    const from = this.#commands.length;
    for (let n = 1; this.#goesOn(); n++) {
      const inner = this.#tried(depth + 1);
      if (inner?.block) yield* this.#fill(inner, depth + 1);
      if (inner !== undefined) this.#commands.push(inner);
      if (n % commandsOfTurn === 0) yield;
    }
    node.block = this.#commands.since(from);
    if (this.#is("}")) this.#lexer.next();
    else if (!this.#problems.full) {
      this.#problems.error(open, "the block that starts here has no end (})");
    }
    node.end = this.#lexer.endBefore;
  }

  /** Whether another command may follow here. */
  #goesOn(): boolean {
    if (this.#problems.full) this.#lexer.giveUp();
    return this.#lexer.kind !== "end" && this.#lexer.kind !== "}";
  }

  /** A command, its block still empty; undefined for an unreadable one, which is skipped. */
  #tried(depth: number): SyntaxNode | undefined {
    const tests = this.#tests.length;
    const args = this.#arguments.length;
    try {
      return this.#command(depth);
    } catch (err) {
      if (!(err instanceof Skip)) throw err;
      this.#tests.length = tests;
      this.#arguments.length = args;
      this.#skip();
      return undefined;
    }
  }

  #is(kind: TokenKind): boolean {
    return this.#lexer.kind === kind;
  }

  #fail(message: string, at = this.#lexer.start): never {
    // The lexer has already reported it.
    if (this.#lexer.kind !== "bad") this.#problems.error(at, message);
    throw new Skip();
  }

  /** Skips to the end of a command: its semicolon, or its complete block. */
  #skip(): void {
    let depth = 0;
    for (;; this.#lexer.next()) {
      const { kind } = this.#lexer;
      if (kind === "end") return;
      if (this.#problems.full) return this.#lexer.giveUp();
      if (kind === "{") depth++;
      if (kind === "}" && depth-- === 0) return;
      if (depth === 0 && (kind === ";" || kind === "}")) break;
    }
    this.#lexer.next();
  }

  #command(depth: number): SyntaxNode {
    const l = this.#lexer;
    if (!this.#is("identifier")) this.#fail(`expected a command, found ${this.#found()}`);
    const node = this.#named(depth);
    if (this.#is(";")) {
      l.next();
      node.end = l.endBefore;
      return node;
    }
    if (!this.#is("{")) {
      const at = l.endBefore;
      this.#fail(`expected ; or { after the command ${node.name}, found ${this.#found()}`, at);
    }
    if (depth >= maxNesting) this.#fail(`blocks nest deeper than ${maxNesting}`);
    node.blockAt = l.start + 1;
    l.next();
    node.block = none;
    return node;
  }

  /** A name with its arguments and tests. */
  #named(depth: number): SyntaxNode {
    const l = this.#lexer;
    const node: SyntaxNode = {
      name: l.value,
      at: l.start,
      end: l.start,
      args: none,
      tests: none,
      testList: false,
      block: undefined,
      blockAt: 0,
    };
    l.next();
    const args = this.#arguments.length;
    for (;;) {
      const argument = this.#argument();
      if (argument === undefined) break;
      this.#arguments.push(argument);
    }
    node.args = this.#arguments.since(args);
    if (this.#is("identifier")) {
      this.#nest(depth);
      node.tests = [this.#named(depth + 1)];
    } else if (this.#is("(")) {
      this.#nest(depth);
      node.testList = true;
      const from = this.#tests.length;
      l.next();
      for (;;) {
        if (!this.#is("identifier")) {
          this.#fail(`expected a test, found ${this.#found()}`);
        }
        this.#tests.push(this.#named(depth + 1));
        if (this.#tests.length - from > maxTests) {
          this.#fail(`more than ${maxTests} tests in one list`);
        }
        if (this.#is(")")) break;
        if (!this.#is(",")) {
          this.#fail(`expected , or ) between tests, found ${this.#found()}`);
        }
        l.next();
      }
      node.tests = this.#tests.since(from);
      l.next();
    }
    return node;
  }

  /** An argument, if there is one here. */
  #argument(): Argument | undefined {
    const l = this.#lexer;
    const at = l.start;
    let argument: Argument;
    switch (l.kind) {
      case "tag":
        argument = { kind: "tag", at, name: l.value };
        break;
      case "number":
        argument = { kind: "number", at, value: l.number };
        break;
      case "string":
        argument = { kind: "string", at, text: l.value };
        break;
      case "[":
        return { kind: "list", at, items: this.#list() };
      default:
        return undefined;
    }
    l.next();
    return argument;
  }

  #nest(depth: number): void {
    if (depth >= maxNesting) this.#fail(`tests nest deeper than ${maxNesting}`);
  }

  #list(): readonly SyntaxText[] {
    const l = this.#lexer;
    const items: SyntaxText[] = [];
    for (;;) {
      l.next();
      if (!this.#is("string")) this.#fail(`expected a string in the list, found ${this.#found()}`);
      items.push({ at: l.start, text: l.value });
      if (items.length > maxStrings) this.#fail(`more than ${maxStrings} strings in one list`);
      l.next();
      if (this.#is("]")) break;
      if (!this.#is(",")) {
        this.#fail(`expected , or ] in the list, found ${this.#found()}`);
      }
    }
    l.next();
    return items;
  }

  #found(): string {
    const l = this.#lexer;
    switch (l.kind) {
      case "end":
        return "the end of the script";
      case "identifier":
        return l.value;
      case "tag":
        return `:${l.value}`;
      case "number":
        return `the number ${l.number}`;
      case "string":
        return "a string";
      default:
        return l.kind;
    }
  }
}
