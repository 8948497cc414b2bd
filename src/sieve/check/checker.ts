/**
 * Compiles syntax: checks names, arguments, places of commands, requirements.
 *
 * @module
 */
import { commandsOfTurn, parseHead, parseSyntax, type SyntaxNode } from "../language/syntax.ts";
import { Problems } from "../language/problems.ts";
import type { CommandFn, PlacedCommand, TestFn } from "../run/run.ts";
import { readArguments } from "./arguments.ts";
import type { Args, Checker, CommandDefinition, TagSpec, TestDefinition } from "./definition.ts";
import { extensions, ihaveMayEnable, withImplied } from "./extensions.ts";
import { type Branch, ifCommand, type LateCompiler, LateIf, requireNames } from "../run/control.ts";
import { decodeEncodedCharacters, parseVariables, type Text, TextError } from "../language/text.ts";

/** All commands and tests. */
export interface Tables {
  commands: ReadonlyMap<string, CommandDefinition>;
  tests: ReadonlyMap<string, TestDefinition>;
}

const never: TestFn = () => false;
const always: TestFn = () => true;
const noTests: TestFn[] = [];

function isBranch({ name }: SyntaxNode): boolean {
  return name === "if" || name === "elsif" || name === "else";
}

/** Checks one script. */
export class ScriptChecker implements Checker {
  readonly #problems: Problems;
  readonly #tables: Tables;
  readonly #available: ReadonlySet<string>;
  readonly required = new Set<string>();
  readonly loops: string[] = [];
  readonly #text: string;

  /**
   * @param text of the script
   * @param available extensions that may be required
   */
  constructor(text: string, problems: Problems, tables: Tables, available: ReadonlySet<string>) {
    this.#text = text;
    this.#problems = problems;
    this.#tables = tables;
    this.#available = available;
  }

  error(at: number, message: string): void {
    this.#problems.error(at, message);
  }

  warn(at: number, message: string): void {
    this.#problems.warn(at, message);
  }

  get literal(): boolean {
    return !this.required.has("encoded-character") && !this.required.has("variables");
  }

  requires(extension: string): boolean {
    return this.required.has(extension);
  }

  allow(extension: string): void {
    for (const name of withImplied(extension)) this.required.add(name);
  }

  /**
   * Commands of a script or block; yields from time to time.
   * @param requiring whether `require` may stand before them
   * @param outermost whether they are in no block
   */
  *commands(
    nodes: readonly SyntaxNode[],
    requiring: boolean,
    outermost = false,
  ): Generator<void, PlacedCommand[]> {
    const list = new Array<PlacedCommand>(nodes.length);
    let length = 0;
    for (let i = 0; i < nodes.length; i++) {
      if (i % commandsOfTurn === commandsOfTurn - 1) yield;
      const node = nodes[i];
      if (node.name === "require") {
        if (!requiring) {
          this.error(node.at, "require must stand before all other commands of the script");
        }
        this.#require(node);
        continue;
      }
      requiring = false;
      if (node.name === "if") {
        let end = i + 1;
        while (end < nodes.length && (nodes[end].name === "elsif" || nodes[end].name === "else")) {
          end++;
          if (nodes[end - 1].name === "else") break;
        }
        list[length++] = yield* this.#if(nodes, i, end, outermost);
        i = end - 1;
        continue;
      }
      if (node.name === "elsif" || node.name === "else") {
        this.error(node.at, `${node.name} must follow the block of an if or elsif`);
        yield* this.commands(node.block ?? [], false);
        continue;
      }
      const fn = node.block ? yield* this.#withBlock(node, node.block) : this.#command(node);
      if (fn) list[length++] = { at: node.at, run: fn };
    }
    return length === nodes.length ? list : list.slice(0, length);
  }

  /** A block of a few commands without blocks, which needs no turns; undefined for any other. */
  #short(nodes: readonly SyntaxNode[]): PlacedCommand[] | undefined {
    if (nodes.length > commandsOfTurn) return undefined;
    for (const node of nodes) {
      if (node.block || node.name === "require" || isBranch(node)) return undefined;
    }
    const list = new Array<PlacedCommand>(nodes.length);
    let length = 0;
    for (const node of nodes) {
      const fn = this.#command(node);
      if (fn) list[length++] = { at: node.at, run: fn };
    }
    return length === nodes.length ? list : list.slice(0, length);
  }

  #require(node: SyntaxNode): void {
    if (node.tests.length > 0 || node.testList) this.error(node.at, "require takes no test");
    if (node.block) this.error(node.at, "require takes no block");
    for (const { at, text } of requireNames(node, (a, m) => this.error(a, m))) {
      // RFC 5228 §2.10.5 requires an error for an unknown extension.
      if (this.#available.has(text)) this.allow(text);
      else if (extensions.includes(text)) {
        this.error(
          at,
          `the extension ${JSON.stringify(text)} can't be used in scripts of this kind`,
        );
      } else this.error(at, `there is no extension ${JSON.stringify(text.slice(0, 100))}`);
    }
  }

  /** An `if` with its branches: the nodes from one index up to another. */
  *#if(
    nodes: readonly SyntaxNode[],
    from: number,
    to: number,
    outermost: boolean,
  ): Generator<void, PlacedCommand> {
    const branches: Branch[] = [];
    // RFC 5463 §4: unreachable commands aren't checked, as they may need unsupported extensions.
    let reachable = true;
    for (let i = from; i < to; i++) {
      const node = nodes[i];
      if (node.args.length > 0) this.error(node.args[0].at, `${node.name} takes no arguments`);
      if (node.block === undefined) this.error(node.at, `${node.name} needs a block`);
      const block = node.block ?? [];
      if (node.name === "else") {
        if (node.tests.length > 0) this.error(node.tests[0].at, "else takes no test");
        if (reachable) {
          branches.push({
            test: always,
            block: this.#short(block) ?? (yield* this.commands(block, false)),
          });
        }
        continue;
      }
      if (node.tests.length !== 1 || node.testList) {
        this.error(node.at, `${node.name} needs one test; allof (…) and anyof (…) join several`);
        yield* this.commands(block, false);
        continue;
      }
      if (!reachable) continue;
      const known = this.#known(node.tests[0]);
      const test = this.test(node.tests[0]);
      if (known !== false) {
        branches.push({ test, block: this.#short(block) ?? (yield* this.commands(block, false)) });
      }
      if (known === true) reachable = false;
    }
    // What `ihave` enables depends on the place in the script.
    return outermost && !this.requires("ihave")
      ? this.#late(nodes, from, to)
      : { at: nodes[from].at, run: ifCommand(branches) };
  }

  /** The branches, which have been compiled to find their errors, are dropped, and compiled again when they are reached. */
  #late(nodes: readonly SyntaxNode[], from: number, to: number): LateIf {
    let next: LateIf | undefined;
    for (let i = to - 1; i >= from; i--) {
      const { name, at, blockAt, end } = nodes[i];
      const test = name === "else" ? always : undefined;
      next = new LateIf(this.#lateCompiler, at, blockAt, end, test, next);
    }
    return next!;
  }

  /** For tests; a block, which gives turns to others, has one of its own. */
  #testing: ScriptChecker | undefined;
  readonly #lateCompiler: LateCompiler = {
    test: (at) => (this.#testing ??= this.#again()).test(parseHead(this.#text, at).tests[0]),
    block: (from, end) => this.#again().#block(this.#text.slice(0, end - 1), from),
  };

  /** One that compiles parts of the same script, and drops what it has to say about them. */
  #again(): ScriptChecker {
    const problems = new Problems(this.#text);
    const checker = new ScriptChecker(this.#text, problems, this.#tables, this.#available);
    for (const name of this.required) checker.required.add(name);
    return checker;
  }

  *#block(text: string, from: number): Generator<void, PlacedCommand[]> {
    const nodes: SyntaxNode[] = [];
    for (const node of parseSyntax(text, this.#problems, from)) {
      if (node === undefined) yield;
      else nodes.push(node);
    }
    return yield* this.commands(nodes, false);
  }

  /** The result of a test with ihave in it, if already known. */
  #known(node: SyntaxNode): boolean | undefined {
    if (!this.requires("ihave")) return undefined;
    switch (node.name) {
      case "ihave": {
        const names = node.args.flatMap((a) =>
          a.kind === "list" ? a.items.map((s) => s.text) : a.kind === "string" ? [a.text] : []
        );
        return names.every((n) => ihaveMayEnable(n, this.#available));
      }
      case "not": {
        const inner = node.tests.length === 1 ? this.#known(node.tests[0]) : undefined;
        return inner === undefined ? undefined : !inner;
      }
      case "allof":
      case "anyof": {
        const all = node.tests.map((t) => this.#known(t));
        const decides = node.name === "anyof";
        if (all.includes(decides)) return decides;
        return all.every((k) => k === !decides) ? !decides : undefined;
      }
      default:
        return undefined;
    }
  }

  #needs(extension: string | readonly string[] | undefined): string | undefined {
    if (extension === undefined) return undefined;
    if (typeof extension === "string") {
      return this.required.has(extension)
        ? undefined
        : `needs require ${JSON.stringify(extension)}`;
    }
    return extension.some((e) => this.required.has(e))
      ? undefined
      : `needs require ${JSON.stringify(extension[0])}`;
  }

  tagRefused(tag: string, spec: TagSpec): string | undefined {
    const missing = this.#needs(spec.extension);
    return missing && `the tag :${tag} ${missing}`;
  }

  /** A string, interpreted by extensions. */
  text(at: number, value: string): Text {
    try {
      const decoded = this.required.has("encoded-character")
        ? decodeEncodedCharacters(value)
        : value;
      if (!this.required.has("variables")) return decoded;
      const text = parseVariables(decoded);
      if (typeof text !== "string") {
        for (const p of text.parts) {
          if (typeof p === "string" || "match" in p || !p.name.includes(".")) continue;
          if (
            !p.name.startsWith("global.") || !this.required.has("include") ||
            p.name.split(".").length > 2
          ) {
            this.error(at, `there are no variables such as \${${p.name}} here`);
          }
        }
      }
      return text;
    } catch (err) {
      if (!(err instanceof TextError)) throw err;
      this.error(at, err.message);
      return "";
    }
  }

  #command(node: SyntaxNode): CommandFn | undefined {
    const d = this.#tables.commands.get(node.name);
    const args = this.#arguments(node, d);
    return d && args && d.compile(this, args);
  }

  /**
   * Like {@link #command}, for a command with a block, which is checked even if the command itself is wrong.
   */
  *#withBlock(
    node: SyntaxNode,
    block: readonly SyntaxNode[],
  ): Generator<void, CommandFn | undefined> {
    const d = this.#tables.commands.get(node.name);
    const args = this.#arguments(node, d);
    if (d && (!d.block || this.#needs(d.extension))) return args && d.compile(this, args);
    if (args) this.loops.push(String(args.text("name") ?? ""));
    const commands = yield* this.commands(block, false);
    if (!d || !args) return undefined;
    this.loops.pop();
    args.block = commands;
    return d.compile(this, args);
  }

  /** Arguments of a command; undefined if something is wrong with it. */
  #arguments(node: SyntaxNode, d: CommandDefinition | undefined): Args | undefined {
    if (!d) {
      const isTest = this.#tables.tests.has(node.name);
      this.error(
        node.at,
        isTest ? `${node.name} is a test, not a command` : `there is no command ${node.name}`,
      );
      return undefined;
    }
    const missing = this.#needs(d.extension);
    if (missing) {
      this.error(node.at, `the command ${node.name} ${missing}`);
      return undefined;
    }
    const args = readArguments(node, "command", d, this);
    this.#checkTests(node, "command", d.tests);
    if (node.block && !d.block) this.error(node.at, `the command ${node.name} takes no block`);
    if (!node.block && d.block) this.error(node.at, `the command ${node.name} needs a block`);
    return args;
  }

  #checkTests(node: SyntaxNode, what: string, tests: "one" | "some" | undefined): void {
    const { length } = node.tests;
    if (tests === undefined && (length > 0 || node.testList)) {
      this.error(node.tests[0]?.at ?? node.at, `the ${what} ${node.name} takes no test`);
    } else if (tests === "one" && (length !== 1 || node.testList)) {
      this.error(node.at, `the ${what} ${node.name} needs one test after it`);
    } else if (tests === "some" && !node.testList) {
      this.error(node.at, `the ${what} ${node.name} needs tests in parentheses`);
    }
  }

  test(node: SyntaxNode): TestFn {
    const d = this.#tables.tests.get(node.name);
    if (!d) {
      const isCommand = this.#tables.commands.has(node.name) ||
        ["if", "elsif", "else", "require"].includes(node.name);
      this.error(
        node.at,
        isCommand ? `${node.name} is a command, not a test` : `there is no test ${node.name}`,
      );
      return never;
    }
    const missing = this.#needs(d.extension);
    if (missing) {
      this.error(node.at, `the test ${node.name} ${missing}`);
      return never;
    }
    const args = readArguments(node, "test", d, this);
    this.#checkTests(node, "test", d.tests);
    // In a combined test, those after a deciding one are never run (RFC 5463 §4).
    const decides = node.name === "allof" ? false : node.name === "anyof" ? true : undefined;
    let tests = node.tests.length === 0 ? noTests : new Array<TestFn>(node.tests.length);
    for (let i = 0; i < node.tests.length; i++) {
      const known = this.#known(node.tests[i]);
      tests[i] = this.test(node.tests[i]);
      if (known !== undefined && known === decides) {
        tests = tests.slice(0, i + 1);
        break;
      }
    }
    if (!args) return never;
    args.tests = tests;
    return d.compile(this, args);
  }
}
