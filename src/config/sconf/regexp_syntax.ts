/**
 * Syntax of the regular expressions in configuration files: that of RE2 and Go, so without
 * backreferences and look-around, and with `(?i)`, `(?P<name>…)`, `\Q…\E`, `\z` and `[[:alpha:]]`.
 *
 * @module
 */

/** A set of characters. */
export interface CharSet {
  /** Pairs of first and last code points. */
  ranges: number[];
  /** Further characters that belong to it, by Unicode property. */
  properties: RegExp[];
  negated: boolean;
  foldCase: boolean;
}

/** Positions that match without a character. */
export type Assertion = "textStart" | "textEnd" | "lineStart" | "lineEnd" | "word" | "notWord";

export type Ast =
  | { kind: "empty" }
  | { kind: "set"; set: CharSet }
  | { kind: "assert"; what: Assertion }
  | { kind: "concat"; parts: Ast[] }
  | { kind: "either"; parts: Ast[] }
  | { kind: "repeat"; part: Ast; min: number; max: number; greedy: boolean }
  | { kind: "group"; part: Ast; index: number };

/** An invalid pattern; the message says why, without the pattern. */
export class RegExpSyntaxError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "RegExpSyntaxError";
  }
}

/** The highest code point of Unicode. */
export const maxCodePoint = 0x10ffff;
/** The highest count in `{n,m}`, as in RE2. */
const maxRepeat = 1000;
/** Deepest nesting of groups. */
const maxNesting = 100;
/** Most characters of an expression. */
const maxPattern = 4096;

const digits = [0x30, 0x39];
const wordChars = [0x30, 0x39, 0x41, 0x5a, 0x5f, 0x5f, 0x61, 0x7a];
const spaces = [0x09, 0x0a, 0x0c, 0x0d, 0x20, 0x20];

/** Named classes of ASCII characters, as in `[[:alpha:]]`. */
const posixClasses: Record<string, number[]> = {
  alnum: [0x30, 0x39, 0x41, 0x5a, 0x61, 0x7a],
  alpha: [0x41, 0x5a, 0x61, 0x7a],
  ascii: [0, 0x7f],
  blank: [0x09, 0x09, 0x20, 0x20],
  cntrl: [0, 0x1f, 0x7f, 0x7f],
  digit: digits,
  graph: [0x21, 0x7e],
  lower: [0x61, 0x7a],
  print: [0x20, 0x7e],
  punct: [0x21, 0x2f, 0x3a, 0x40, 0x5b, 0x60, 0x7b, 0x7e],
  space: [0x09, 0x0d, 0x20, 0x20],
  upper: [0x41, 0x5a],
  word: wordChars,
  xdigit: [0x30, 0x39, 0x41, 0x46, 0x61, 0x66],
};

const simpleEscapes: Record<string, number> = {
  a: 7,
  f: 12,
  n: 10,
  r: 13,
  t: 9,
  v: 11,
};

interface Flags {
  foldCase: boolean;
  multiLine: boolean;
  dotAll: boolean;
  ungreedy: boolean;
}

/** A parsed pattern. Group 0 is the whole match; `names` are the groups' names. */
export interface Parsed {
  ast: Ast;
  groups: number;
  names: Map<string, number>;
}

/** Parses a pattern. @throws RegExpSyntaxError */
export function parsePattern(pattern: string): Parsed {
  if (pattern.length > maxPattern) {
    throw new RegExpSyntaxError(`is longer than ${maxPattern} characters`);
  }
  return new Parser(pattern).parse();
}

class Parser {
  readonly #chars: string[];
  #at = 0;
  #groups = 1;
  #depth = 0;
  readonly #names = new Map<string, number>();
  #flags: Flags = { foldCase: false, multiLine: false, dotAll: false, ungreedy: false };

  constructor(pattern: string) {
    this.#chars = [...pattern];
  }

  parse(): Parsed {
    const ast = this.#either();
    if (this.#at < this.#chars.length) throw new RegExpSyntaxError("has a ) without a (");
    return { ast, groups: this.#groups, names: this.#names };
  }

  #peek(text: string): boolean {
    for (let i = 0; i < text.length; i++) {
      if (this.#chars[this.#at + i] !== text[i]) return false;
    }
    return true;
  }

  #take(text: string): boolean {
    if (!this.#peek(text)) return false;
    this.#at += text.length;
    return true;
  }

  #either(): Ast {
    if (++this.#depth > maxNesting) throw new RegExpSyntaxError("is nested too deep");
    const parts = [this.#concat()];
    while (this.#take("|")) parts.push(this.#concat());
    this.#depth--;
    return parts.length === 1 ? parts[0] : { kind: "either", parts };
  }

  #concat(): Ast {
    const parts: Ast[] = [];
    while (this.#at < this.#chars.length && !this.#peek("|") && !this.#peek(")")) {
      if (this.#take("\\Q")) {
        while (this.#at < this.#chars.length && !this.#take("\\E")) {
          parts.push(this.#literal(this.#chars[this.#at++].codePointAt(0)!));
        }
        continue;
      }
      const atom = this.#atom();
      if (atom) parts.push(this.#quantified(atom));
    }
    return parts.length === 1
      ? parts[0]
      : parts.length === 0
      ? { kind: "empty" }
      : { kind: "concat", parts };
  }

  #literal(codePoint: number): Ast {
    return this.#set([codePoint, codePoint]);
  }

  #set(ranges: number[], negated = false): Ast {
    return {
      kind: "set",
      set: { ranges, properties: [], negated, foldCase: this.#flags.foldCase },
    };
  }

  /** One atom; undefined for a group that only sets flags. */
  #atom(): Ast | undefined {
    const c = this.#chars[this.#at++];
    switch (c) {
      case "(":
        return this.#group();
      case "[":
        return this.#charClass();
      case ".":
        return this.#flags.dotAll ? this.#set([0, maxCodePoint]) : this.#set([10, 10], true);
      case "^":
        return { kind: "assert", what: this.#flags.multiLine ? "lineStart" : "textStart" };
      case "$":
        return { kind: "assert", what: this.#flags.multiLine ? "lineEnd" : "textEnd" };
      case "*":
      case "+":
      case "?":
        throw new RegExpSyntaxError(`has nothing before a ${c}`);
      case "\\":
        return this.#escape();
      default:
        return this.#literal(c.codePointAt(0)!);
    }
  }

  #quantified(atom: Ast): Ast {
    const quantifier = this.#quantifier();
    if (!quantifier) return atom;
    const greedy = this.#take("?") === this.#flags.ungreedy;
    if (this.#quantifier()) throw new RegExpSyntaxError("has two quantifiers in a row");
    return { kind: "repeat", part: atom, ...quantifier, greedy };
  }

  #quantifier(): { min: number; max: number } | undefined {
    if (this.#take("*")) return { min: 0, max: Infinity };
    if (this.#take("+")) return { min: 1, max: Infinity };
    if (this.#take("?")) return { min: 0, max: 1 };
    // A brace that doesn't start a count is literal.
    const m = /^\{([0-9]{1,5})(,?)([0-9]{0,5})\}/.exec(
      this.#peek("{") ? this.#chars.slice(this.#at, this.#at + 13).join("") : "",
    );
    if (!m || (m[2] === "" && m[3] !== "")) return undefined;
    this.#at += m[0].length;
    const min = Number(m[1]);
    const max = m[2] === "" ? min : m[3] === "" ? Infinity : Number(m[3]);
    if (min > maxRepeat || (max > maxRepeat && max !== Infinity)) {
      throw new RegExpSyntaxError(`repeats more than ${maxRepeat} times`);
    }
    if (max < min) throw new RegExpSyntaxError("has a count whose maximum is below its minimum");
    return { min, max };
  }

  #group(): Ast | undefined {
    const outer = this.#flags;
    let index: number | undefined;
    if (!this.#take("?")) {
      index = this.#groups++;
    } else if (this.#take("P<") || (this.#peek("<") && !this.#peek("<=") && !this.#peek("<!"))) {
      this.#take("<");
      const end = this.#chars.indexOf(">", this.#at);
      const name = end < 0 ? "" : this.#chars.slice(this.#at, end).join("");
      if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
        throw new RegExpSyntaxError("has a group whose name is not one");
      }
      if (this.#names.has(name)) throw new RegExpSyntaxError(`has two groups named ${name}`);
      this.#at = end + 1;
      index = this.#groups++;
      this.#names.set(name, index);
    } else {
      const flags = { ...outer };
      let on = true;
      for (;;) {
        const c = this.#chars[this.#at++];
        if (c === ":") {
          this.#flags = flags;
          break;
        } else if (c === ")") {
          this.#flags = flags;
          return undefined;
        } else if (c === "-" && on) on = false;
        else if (c === "i") flags.foldCase = on;
        else if (c === "m") flags.multiLine = on;
        else if (c === "s") flags.dotAll = on;
        else if (c === "U") flags.ungreedy = on;
        else {
          throw new RegExpSyntaxError(
            `has a group (?${c ?? ""}, of a kind that there is not (look-around is not)`,
          );
        }
      }
    }
    const part = this.#either();
    if (!this.#take(")")) throw new RegExpSyntaxError("has a ( without a )");
    this.#flags = outer;
    return index === undefined ? part : { kind: "group", part, index };
  }

  #escape(): Ast {
    if (this.#take("A")) return { kind: "assert", what: "textStart" };
    if (this.#take("z")) return { kind: "assert", what: "textEnd" };
    if (this.#take("b")) return { kind: "assert", what: "word" };
    if (this.#take("B")) return { kind: "assert", what: "notWord" };
    const set: CharSet = {
      ranges: [],
      properties: [],
      negated: false,
      foldCase: this.#flags.foldCase,
    };
    const codePoint = this.#classEscape(set);
    if (codePoint !== undefined) return this.#literal(codePoint);
    return { kind: "set", set };
  }

  /** The escape after a backslash: a code point, or undefined after adding a class to the set. */
  #classEscape(set: CharSet): number | undefined {
    const c = this.#chars[this.#at++];
    if (c === undefined) throw new RegExpSyntaxError("ends with a backslash");
    const lower = c.toLowerCase();
    const shorthand = lower === "d"
      ? digits
      : lower === "w"
      ? wordChars
      : lower === "s"
      ? spaces
      : undefined;
    if (shorthand) {
      set.ranges.push(...(c === lower ? shorthand : complement(shorthand)));
      return undefined;
    }
    if (lower === "p") {
      set.properties.push(this.#property(c === "P"));
      return undefined;
    }
    if (c in simpleEscapes) return simpleEscapes[c];
    if (c === "x") return this.#hex();
    if (/[0-7]/.test(c)) {
      // Octal after a 0, or of three digits; anything else would be a backreference.
      const m = /^(?:0[0-7]{0,2}|[1-7][0-7]{2})/.exec(
        this.#chars.slice(this.#at - 1, this.#at + 2).join(""),
      );
      if (!m) throw new RegExpSyntaxError("has a backreference, which can't be had");
      this.#at += m[0].length - 1;
      return parseInt(m[0], 8);
    }
    if (/[A-Za-z0-9]/.test(c)) throw new RegExpSyntaxError(`has \\${c}, which means nothing`);
    return c.codePointAt(0)!;
  }

  #hex(): number {
    const m = /^(?:\{([0-9a-fA-F]{1,6})\}|([0-9a-fA-F]{2}))/.exec(
      this.#chars.slice(this.#at, this.#at + 8).join(""),
    );
    const n = m ? parseInt(m[1] ?? m[2], 16) : NaN;
    if (!m || n > maxCodePoint) {
      throw new RegExpSyntaxError("has a \\x without a character's number");
    }
    this.#at += m[0].length;
    return n;
  }

  #property(negated: boolean): RegExp {
    let name = this.#chars[this.#at++] ?? "";
    if (name === "{") {
      const end = this.#chars.indexOf("}", this.#at);
      name = end < 0 ? "" : this.#chars.slice(this.#at, end).join("");
      this.#at = end + 1;
    }
    if (name.startsWith("^")) {
      name = name.slice(1);
      negated = !negated;
    }
    for (const property of [name, `Script=${name}`]) {
      try {
        if (/^[A-Za-z_=]+$/.test(property)) {
          return new RegExp(`^\\${negated ? "P" : "p"}{${property}}$`, "u");
        }
      } catch {
        continue;
      }
    }
    throw new RegExpSyntaxError(`names the unknown class ${JSON.stringify(name)}`);
  }

  #charClass(): Ast {
    const set: CharSet = {
      ranges: [],
      properties: [],
      negated: this.#take("^"),
      foldCase: this.#flags.foldCase,
    };
    for (let first = true;; first = false) {
      if (this.#at >= this.#chars.length) throw new RegExpSyntaxError("has a [ without a ]");
      if (!first && this.#take("]")) return { kind: "set", set };
      if (this.#take("[:")) {
        this.#posixClass(set);
        continue;
      }
      const lo = this.#classChar(set);
      if (lo === undefined) continue;
      let hi: number | undefined = lo;
      if (
        this.#peek("-") && this.#chars[this.#at + 1] !== "]" && this.#at + 1 < this.#chars.length
      ) {
        this.#at++;
        hi = this.#classChar(set);
        if (hi === undefined || hi < lo) {
          throw new RegExpSyntaxError("has a character range that goes backwards");
        }
      }
      set.ranges.push(lo, hi);
    }
  }

  #classChar(set: CharSet): number | undefined {
    if (this.#take("\\")) return this.#classEscape(set);
    return this.#chars[this.#at++].codePointAt(0)!;
  }

  #posixClass(set: CharSet): void {
    const m = /^(\^?)([a-z]{1,6}):\]/.exec(this.#chars.slice(this.#at, this.#at + 9).join(""));
    const ranges = m && Object.hasOwn(posixClasses, m[2]) ? posixClasses[m[2]] : undefined;
    if (!m || !ranges) throw new RegExpSyntaxError("has an unknown class of the form [:name:]");
    this.#at += m[0].length;
    set.ranges.push(...(m[1] === "" ? ranges : complement(ranges)));
  }
}

function complement(ranges: number[]): number[] {
  const result: number[] = [];
  let next = 0;
  for (let i = 0; i < ranges.length; i += 2) {
    if (ranges[i] > next) result.push(next, ranges[i] - 1);
    next = ranges[i + 1] + 1;
  }
  result.push(next, maxCodePoint);
  return result;
}
