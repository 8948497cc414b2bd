/**
 * Regular expressions in time linear in the text, for expressions that users configure and that are
 * tried on what comes from the network: JavaScript's own backtrack, so that one expression like
 * `(a+)+$` and one message would hold up the server.
 *
 * Syntax is the common part of RE2's and JavaScript's: literals, `.`, classes with ranges and
 * `\d \w \s \D \W \S`, `^ $ \b \B`, groups `( )`, `(?: )`, `(?i)` at the start, `|`, `* + ? {m,n}` with
 * or without `?`. No backreferences and no look-around. The text is matched anywhere in.
 *
 * The expression becomes a program for a Pike machine: all threads advance together, one character at
 * a time, each instruction at most once per character.
 *
 * @module
 */

/** A wrong expression; the text says what and where. */
export class RegexpError extends Error {
  override name = "RegexpError";
}

/** Instructions of a program; more are refused, as time is their number times the text's length. */
const maxProgram = 2000;
const maxDepth = 50;

type Test = (code: number) => boolean;
/** An instruction: consume a character, fork, go on, assert, or accept. */
type Op =
  | { op: "char"; test: Test }
  | { op: "split"; a: number; b: number }
  | { op: "jump"; to: number }
  | { op: "assert"; what: "start" | "end" | "word" | "notWord" }
  | { op: "match" };

type Node =
  | { kind: "char"; test: Test }
  | { kind: "assert"; what: "start" | "end" | "word" | "notWord" }
  | { kind: "sequence" | "choice"; of: Node[] }
  | { kind: "repeat"; of: Node; min: number; max: number };

const isDigit: Test = (c) => c >= 0x30 && c <= 0x39;
const isWord: Test = (c) =>
  isDigit(c) || c >= 0x41 && c <= 0x5a || c >= 0x61 && c <= 0x7a || c === 0x5f;
const isSpace: Test = (c) => c === 0x20 || c >= 9 && c <= 13;
const classes: Record<string, Test> = {
  d: isDigit,
  D: (c) => !isDigit(c),
  w: isWord,
  W: (c) => !isWord(c),
  s: isSpace,
  S: (c) => !isSpace(c),
};
const controls: Record<string, number> = { n: 10, r: 13, t: 9, f: 12, v: 11, a: 7 };

class Parser {
  readonly #s: number[];
  #i = 0;
  #depth = 0;
  #fold = false;

  constructor(source: string) {
    this.#s = Array.from(source, (c) => c.codePointAt(0)!);
    if (source.startsWith("(?i)")) {
      this.#fold = true;
      this.#i = 4;
    }
  }

  parse(): Node {
    const n = this.#choice();
    if (this.#i < this.#s.length) throw this.#error("unexpected )");
    return n;
  }

  #error(what: string): RegexpError {
    return new RegexpError(`${what} (at character ${this.#i + 1})`);
  }
  #peek(): string {
    return this.#i < this.#s.length ? String.fromCodePoint(this.#s[this.#i]) : "";
  }

  #choice(): Node {
    if (++this.#depth > maxDepth) throw this.#error(`groups deeper than ${maxDepth}`);
    const of = [this.#sequence()];
    while (this.#peek() === "|") {
      this.#i++;
      of.push(this.#sequence());
    }
    this.#depth--;
    return of.length === 1 ? of[0] : { kind: "choice", of };
  }

  #sequence(): Node {
    const of: Node[] = [];
    for (let c = this.#peek(); c !== "" && c !== "|" && c !== ")"; c = this.#peek()) {
      of.push(this.#repeated());
    }
    return of.length === 1 ? of[0] : { kind: "sequence", of };
  }

  #repeated(): Node {
    let n = this.#atom();
    for (;;) {
      const bounds = this.#quantifier();
      if (!bounds) return n;
      // Lazy or greedy: it matches all the same.
      if (this.#peek() === "?") this.#i++;
      n = { kind: "repeat", of: n, min: bounds[0], max: bounds[1] };
    }
  }

  #quantifier(): [number, number] | undefined {
    const simple: Record<string, [number, number]> = {
      "*": [0, Infinity],
      "+": [1, Infinity],
      "?": [0, 1],
    };
    const c = this.#peek();
    if (Object.hasOwn(simple, c)) {
      this.#i++;
      return simple[c];
    }
    if (c !== "{") return undefined;
    const end = this.#s.indexOf(0x7d, this.#i);
    const text = end < 0
      ? ""
      : String.fromCodePoint(...this.#s.slice(this.#i + 1, Math.min(end, this.#i + 12)));
    const m = /^([0-9]{1,4})(,([0-9]{0,4}))?$/.exec(text);
    if (!m) throw this.#error("{ that is no count; write \\{");
    this.#i = end + 1;
    const min = Number(m[1]);
    const max = m[2] === undefined ? min : m[3] === "" ? Infinity : Number(m[3]);
    if (max < min) throw this.#error("count of the wrong order");
    return [min, max];
  }

  #atom(): Node {
    const c = this.#peek();
    const code = this.#s[this.#i++];
    switch (c) {
      case "(": {
        if (this.#peek() === "?") {
          if (this.#s[this.#i + 1] !== 0x3a) {
            throw this.#error("group of this kind is not supported");
          }
          this.#i += 2;
        }
        const n = this.#choice();
        if (this.#peek() !== ")") throw this.#error("missing )");
        this.#i++;
        return n;
      }
      case "*":
      case "+":
      case "?":
      case "{":
        throw this.#error(`nothing to repeat before ${c}`);
      case "^":
        return { kind: "assert", what: "start" };
      case "$":
        return { kind: "assert", what: "end" };
      case ".":
        return { kind: "char", test: (x) => x !== 10 };
      case "[":
        return { kind: "char", test: this.#class() };
      case "\\": {
        const e = this.#peek();
        if (e === "b" || e === "B") {
          this.#i++;
          return { kind: "assert", what: e === "b" ? "word" : "notWord" };
        }
        const escaped = this.#escape();
        return {
          kind: "char",
          test: typeof escaped === "number" ? this.#literal(escaped) : escaped,
        };
      }
      default:
        return { kind: "char", test: this.#literal(code) };
    }
  }

  #literal(code: number): Test {
    if (!this.#fold) return (x) => x === code;
    const folded = fold(code);
    return (x) => fold(x) === folded;
  }

  /** After a backslash: a class, or the code of a character. */
  #escape(): Test | number {
    const c = this.#peek();
    if (c === "") throw this.#error("\\ at the end");
    const code = this.#s[this.#i++];
    if (Object.hasOwn(classes, c)) return classes[c];
    if (Object.hasOwn(controls, c)) return controls[c];
    if (c === "x" || c === "u") {
      const length = c === "x" ? 2 : 4;
      const hex = String.fromCodePoint(...this.#s.slice(this.#i, this.#i + length));
      if (hex.length !== length || !/^[0-9a-fA-F]+$/.test(hex)) throw this.#error(`wrong \\${c}`);
      this.#i += length;
      return parseInt(hex, 16);
    }
    if (isWord(code)) throw this.#error(`\\${c} is not supported`);
    return code;
  }

  #class(): Test {
    const negated = this.#peek() === "^";
    if (negated) this.#i++;
    const tests: Test[] = [];
    for (let first = true;; first = false) {
      const c = this.#peek();
      if (c === "") throw this.#error("missing ]");
      const code = this.#s[this.#i++];
      if (c === "]" && !first) break;
      const low = c === "\\" ? this.#classEscape() : code;
      if (typeof low !== "number") {
        tests.push(low);
        continue;
      }
      let high = low;
      if (this.#peek() === "-" && this.#s[this.#i + 1] !== 0x5d && this.#i + 1 < this.#s.length) {
        this.#i++;
        const d = this.#peek();
        const end = this.#s[this.#i++];
        const to = d === "\\" ? this.#classEscape() : end;
        if (typeof to !== "number" || to < low) throw this.#error("wrong range in class");
        high = to;
      }
      if (this.#fold) {
        // Simple folding is of letters in rows: both cases of the range are tried.
        tests.push((x) =>
          x >= low && x <= high || within(upper(x), low, high) || within(fold(x), low, high)
        );
      } else tests.push((x) => x >= low && x <= high);
    }
    return (x) => tests.some((t) => t(x)) !== negated;
  }

  #classEscape(): Test | number {
    if (this.#peek() === "b") throw this.#error("\\b in class");
    return this.#escape();
  }
}

function within(x: number, low: number, high: number): boolean {
  return x >= low && x <= high;
}
function fold(code: number): number {
  return String.fromCodePoint(code).toLowerCase().codePointAt(0)!;
}
function upper(code: number): number {
  return String.fromCodePoint(code).toUpperCase().codePointAt(0)!;
}

function compile(root: Node): Op[] {
  const program: Op[] = [];
  const add = (op: Op): number => {
    if (program.length >= maxProgram) throw new RegexpError("expression is too large");
    return program.push(op) - 1;
  };
  // Counts of nothing, like ((){999}){999}, add no instruction but take time.
  let steps = 0;
  const emit = (n: Node): void => {
    if (++steps > 20 * maxProgram) throw new RegexpError("expression is too large");
    switch (n.kind) {
      case "char":
        add({ op: "char", test: n.test });
        return;
      case "assert":
        add({ op: "assert", what: n.what });
        return;
      case "sequence":
        for (const x of n.of) emit(x);
        return;
      case "choice": {
        const jumps: { op: "jump"; to: number }[] = [];
        n.of.forEach((x, i) => {
          if (i === n.of.length - 1) return emit(x);
          const split = { op: "split" as const, a: 0, b: 0 };
          split.a = add(split) + 1;
          emit(x);
          const jump = { op: "jump" as const, to: 0 };
          jumps.push(jump);
          split.b = add(jump) + 1;
        });
        for (const j of jumps) j.to = program.length;
        return;
      }
      case "repeat": {
        for (let i = 0; i < n.min; i++) emit(n.of);
        if (n.max === Infinity) {
          const split = { op: "split" as const, a: 0, b: 0 };
          const at = add(split);
          split.a = at + 1;
          emit(n.of);
          split.b = add({ op: "jump", to: at }) + 1;
          return;
        }
        const splits: { op: "split"; a: number; b: number }[] = [];
        for (let i = n.min; i < n.max; i++) {
          const split = { op: "split" as const, a: 0, b: 0 };
          split.a = add(split) + 1;
          splits.push(split);
          emit(n.of);
        }
        for (const s of splits) s.b = program.length;
      }
    }
  };
  emit(root);
  add({ op: "match" });
  return program;
}

/** A compiled expression. */
export interface LinearRegexp {
  /** Whether the text has a match in it. */
  test(text: string): boolean;
}

/**
 * Compiles an expression.
 * @throws RegexpError
 */
export function linearRegexp(source: string): LinearRegexp {
  if (source.length > 1000) throw new RegexpError("expression is longer than 1000 characters");
  const program = compile(new Parser(source).parse());
  return { test: (text) => run(program, text) };
}

function run(program: readonly Op[], text: string): boolean {
  const codes = Array.from(text, (c) => c.codePointAt(0)!);
  // Which step an instruction was last put on the list in.
  const seen = new Int32Array(program.length).fill(-1);
  let threads: number[] = [], next: number[] = [];
  const stack: number[] = [];
  const follow = (list: number[], start: number, at: number): boolean => {
    stack.push(start);
    while (stack.length > 0) {
      const pc = stack.pop()!;
      if (seen[pc] === at) continue;
      seen[pc] = at;
      const op = program[pc];
      if (op.op === "match") {
        stack.length = 0;
        return true;
      }
      if (op.op === "char") list.push(pc);
      else if (op.op === "jump") stack.push(op.to);
      else if (op.op === "split") stack.push(op.b, op.a);
      else if (holds(op.what, codes, at)) stack.push(pc + 1);
    }
    return false;
  };
  for (let at = 0; at <= codes.length; at++) {
    // A match may start anywhere. What the last character led to is on the list already.
    if (follow(threads, 0, at)) return true;
    if (at === codes.length) break;
    next = [];
    for (const pc of threads) {
      if ((program[pc] as { test: Test }).test(codes[at]) && follow(next, pc + 1, at + 1)) {
        return true;
      }
    }
    threads = next;
  }
  return false;
}

function holds(
  what: "start" | "end" | "word" | "notWord",
  codes: readonly number[],
  at: number,
): boolean {
  if (what === "start") return at === 0;
  if (what === "end") return at === codes.length;
  const before = at > 0 && isWord(codes[at - 1]), after = at < codes.length && isWord(codes[at]);
  return (before !== after) === (what === "word");
}
