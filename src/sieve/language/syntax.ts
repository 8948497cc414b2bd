/**
 * The grammar of Sieve: commands, tests and arguments with any names (RFC 5228 §8.2).
 *
 * @module
 */
import { Lexer, type TokenKind } from "./lexer.ts";
import type { Problems } from "./problems.ts";

/** Arguments as written; `at` is an offset into the script. */
export type Argument =
  | { kind: "number"; at: number; value: number }
  | { kind: "string"; at: number; value: string }
  | { kind: "list"; at: number; items: { at: number; value: string }[] }
  | { kind: "tag"; at: number; name: string };

/** A command or test. */
export interface SyntaxNode {
  /** Lower case. */
  name: string;
  at: number;
  /** Its end: after its semicolon or block; for a test after its last argument. */
  end: number;
  args: Argument[];
  tests: SyntaxNode[];
  /** Whether the tests are in parentheses. */
  testList: boolean;
  /** The block of a command that has one. */
  block: SyntaxNode[] | undefined;
}

/** Deepest nesting of blocks and tests; RFC 5228 §2.10.5 requires at least 15. */
export const maxNesting = 64;

/** Most tests in one list, and most strings in one: no command takes long to check. */
const maxTests = 5_000;
const maxStrings = 50_000;

/**
 * Parses a script, yielding each of its commands, and undefined after each command in a block; faults are added
 * to `problems`, and parsing continues after them.
 */
export function parseSyntax(
  text: string,
  problems: Problems,
): Generator<SyntaxNode | undefined, void> {
  return new Parser(text, problems).script();
}

/** The rest of a command is unreadable. */
class Skip extends Error {}

class Parser {
  readonly #lexer: Lexer;
  readonly #problems: Problems;

  constructor(text: string, problems: Problems) {
    this.#problems = problems;
    this.#lexer = new Lexer(text, problems);
  }

  *script(): Generator<SyntaxNode | undefined, void> {
    for (;;) {
      while (this.#goesOn()) yield yield* this.#tried(0);
      if (this.#lexer.kind === "end") return;
      this.#problems.error(this.#lexer.start, "this } closes no block");
      this.#lexer.next();
    }
  }

  /** The commands of a block. */
  *#commands(depth: number): Generator<undefined, SyntaxNode[]> {
    const list: SyntaxNode[] = [];
    while (this.#goesOn()) {
      const node = yield* this.#tried(depth);
      if (node !== undefined) list.push(node);
      yield;
    }
    return list;
  }

  /** Whether another command may follow here. */
  #goesOn(): boolean {
    if (this.#problems.full) this.#lexer.giveUp();
    return this.#lexer.kind !== "end" && this.#lexer.kind !== "}";
  }

  /** A command; undefined for an unreadable one, which is skipped. */
  *#tried(depth: number): Generator<undefined, SyntaxNode | undefined> {
    try {
      return yield* this.#command(depth);
    } catch (err) {
      if (!(err instanceof Skip)) throw err;
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

  *#command(depth: number): Generator<undefined, SyntaxNode> {
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
    const open = l.start;
    l.next();
    node.block = yield* this.#commands(depth + 1);
    if (this.#is("}")) l.next();
    else if (!this.#problems.full) {
      this.#problems.error(open, "the block that starts here has no end (})");
    }
    node.end = this.#lexer.endBefore;
    return node;
  }

  /** A name with its arguments and tests. */
  #named(depth: number): SyntaxNode {
    const l = this.#lexer;
    const node: SyntaxNode = {
      name: l.value,
      at: l.start,
      end: l.start,
      args: [],
      tests: [],
      testList: false,
      block: undefined,
    };
    l.next();
    for (;;) {
      const at = l.start;
      if (this.#is("tag")) node.args.push({ kind: "tag", at, name: l.value });
      else if (this.#is("number")) node.args.push({ kind: "number", at, value: l.number });
      else if (this.#is("string")) node.args.push({ kind: "string", at, value: l.value });
      else if (this.#is("[")) {
        node.args.push({ kind: "list", at, items: this.#list() });
        continue;
      } else break;
      l.next();
    }
    if (this.#is("identifier")) {
      this.#nest(depth);
      node.tests.push(this.#named(depth + 1));
    } else if (this.#is("(")) {
      this.#nest(depth);
      node.testList = true;
      l.next();
      for (;;) {
        if (!this.#is("identifier")) {
          this.#fail(`expected a test, found ${this.#found()}`);
        }
        node.tests.push(this.#named(depth + 1));
        if (node.tests.length > maxTests) this.#fail(`more than ${maxTests} tests in one list`);
        if (this.#is(")")) break;
        if (!this.#is(",")) {
          this.#fail(`expected , or ) between tests, found ${this.#found()}`);
        }
        l.next();
      }
      l.next();
    }
    return node;
  }

  #nest(depth: number): void {
    if (depth >= maxNesting) this.#fail(`tests nest deeper than ${maxNesting}`);
  }

  #list(): { at: number; value: string }[] {
    const l = this.#lexer;
    const items: { at: number; value: string }[] = [];
    for (;;) {
      l.next();
      if (!this.#is("string")) this.#fail(`expected a string in the list, found ${this.#found()}`);
      items.push({ at: l.start, value: l.value });
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
