/**
 * Regular expressions with POSIX matching (IEEE 1003.1 §9.1, required by the regex draft): the longest of the
 * leftmost matches, and in it each subexpression, from left to right, as long as possible.
 *
 * It takes time linear in the text for any pattern. One pass over the text from its end (with all states of the
 * pattern at the same time) finds for each position the farthest end of a match that begins there. The groups
 * are then found from the outside in, by the same pass over the text that a part matched: for two parts in a
 * row, the positions from which the second can match to the end limit the first.
 *
 * @module
 */
import { holds, type Instruction, programOf } from "../../config/sconf/regexp.ts";
import { type Ast, parsePattern } from "../../config/sconf/regexp_syntax.ts";

/** A part of a pattern. */
interface Node {
  ast: Ast;
  program: Instruction[];
  /** Depth of nested loops: how often a position of the text is visited again. */
  depth: number;
  /** Parts, for a node that contains groups; others need no further parts. */
  parts: Node[];
  grouped: boolean;
}

function nodeOf(ast: Ast): Node {
  const inner = ast.kind === "concat" || ast.kind === "either"
    ? ast.parts
    : ast.kind === "repeat" || ast.kind === "group"
    ? [ast.part]
    : [];
  const parts = inner.map(nodeOf);
  const grouped = ast.kind === "group" || parts.some((p) => p.grouped);
  const depth = Math.max(0, ...parts.map((p) => p.depth)) +
    (ast.kind === "repeat" && ast.max === Infinity ? 1 : 0);
  return { ast, program: programOf(ast), depth, parts: grouped ? parts : [], grouped };
}

const weight = (node: Node) => node.program.length * (1 + node.depth) + 1;

/** Steps per character for finding the groups. */
function work(node: Node): number {
  if (!node.grouped) return 0;
  const { ast, parts } = node;
  const inside = Math.max(...parts.map(work));
  switch (ast.kind) {
    case "group":
      return inside;
    case "repeat":
      return inside + weight(node) +
        weight(parts[0]) * ((ast.max === Infinity ? ast.min : ast.max) + 1);
    default:
      return inside + parts.reduce((sum, p) => sum + weight(p), 0);
  }
}

/** Text by code points. */
interface Characters {
  codes: number[];
  /** UTF-16 offset of each, and of the end. */
  offsets: number[];
  text: string;
}

/** Those of a text up to an offset. */
function charactersOf(text: string, to: number): Characters {
  const codes: number[] = [];
  const offsets: number[] = [];
  for (let at = 0; at < to;) {
    const c = text.codePointAt(at)!;
    codes.push(c);
    offsets.push(at);
    at += c > 0xffff ? 2 : 1;
  }
  offsets.push(to);
  return { codes, offsets, text };
}

/** No match. */
const none = -1;

/**
 * For each position from `from` to `to`, the largest value of a position where a match can end that begins
 * there and ends by `to`; values are given and returned for positions relative to `from`.
 */
function farthest(
  program: readonly Instruction[],
  c: Characters,
  from: number,
  to: number,
  values: Int32Array,
): Int32Array {
  const size = program.length;
  const result = new Int32Array(to - from + 1);
  let here = new Int32Array(size + 1);
  let next = new Int32Array(size + 1).fill(none);
  const loops: number[] = [];
  program.forEach((i, pc) => {
    if (i.op === "jump" && i.to <= pc) loops.push(pc);
  });
  for (let at = to; at >= from; at--) {
    here[size] = values[at - from];
    // The result of a loop that goes round is unknown until its start is done; at first it is the result of
    // ending the loop.
    for (const pc of loops) here[pc] = none;
    for (let again = true; again;) {
      for (let pc = size - 1; pc >= 0; pc--) {
        const i = program[pc];
        switch (i.op) {
          case "set":
            here[pc] = at < to && next[pc + 1] !== none && i.matches(c.codes[at])
              ? next[pc + 1]
              : none;
            break;
          case "split":
            here[pc] = Math.max(here[i.first], here[i.second]);
            break;
          case "jump":
            here[pc] = i.to > pc ? here[i.to] : Math.max(here[pc], here[pc + 1]);
            break;
          case "assert":
            here[pc] = holds(i.what, c.text, c.offsets[at]) ? here[pc + 1] : none;
            break;
          default:
            here[pc] = here[pc + 1];
        }
      }
      again = false;
      for (const pc of loops) {
        const { to: start } = program[pc] as { to: number };
        if (here[start] <= here[pc]) continue;
        here[pc] = here[start];
        again = true;
      }
    }
    result[at - from] = here[0];
    [here, next] = [next, here];
  }
  return result;
}

/** Positions as values, where a match can continue. */
function ends(from: number, good: Int32Array): Int32Array {
  return good.map((v, i) => v === none ? none : from + i);
}

/** Only one position. */
function only(from: number, to: number): Int32Array {
  const values = new Int32Array(to - from + 1).fill(none);
  values[to - from] = to;
  return values;
}

/** Start and end of each group. */
type Groups = ([number, number] | undefined)[];

/** Finds the groups of a part that matches from one position to another. */
function place(node: Node, c: Characters, from: number, to: number, groups: Groups): void {
  if (!node.grouped) return;
  const { ast, parts } = node;
  switch (ast.kind) {
    case "group":
      groups[ast.index] = [from, to];
      return place(parts[0], c, from, to, groups);
    case "either": {
      const end = only(from, to);
      const part = parts.find((p) => farthest(p.program, c, from, to, end)[0] === to);
      return part && place(part, c, from, to, groups);
    }
    case "concat": {
      const reach: Int32Array[] = [];
      let good = only(from, to);
      for (let i = parts.length - 1; i >= 0; i--) {
        reach[i] = farthest(parts[i].program, c, from, to, good);
        good = ends(from, reach[i]);
      }
      let at = from;
      parts.forEach((part, i) => {
        const end = reach[i][at - from];
        place(part, c, at, end, groups);
        at = end;
      });
      return;
    }
    case "repeat":
      return placeRepeat(node, ast, c, from, to, groups);
  }
}

/** The groups of a repetition are those of its last round. */
function placeRepeat(
  node: Node,
  ast: Extract<Ast, { kind: "repeat" }>,
  c: Characters,
  from: number,
  to: number,
  groups: Groups,
): void {
  const [part] = node.parts;
  const counted = ast.max === Infinity ? ast.min : ast.max;
  // For each round, numbered from 0, how far it may reach; those after the counted ones are all the same.
  const reach: Int32Array[] = [];
  let good = only(from, to);
  if (ast.max === Infinity) {
    const more = programOf({ ...ast, min: 0 });
    good = ends(from, farthest(more, c, from, to, good));
    reach[counted] = farthest(part.program, c, from, to, good);
  }
  for (let i = counted - 1; i >= 0; i--) {
    reach[i] = farthest(part.program, c, from, to, good);
    good = ends(from, reach[i]);
    if (i >= ast.min) good[to - from] = to;
  }
  let last: [number, number] | undefined;
  for (let at = from, i = 0; i < ast.max; i++) {
    // An empty match is repeated only if it is the only one, or required (IEEE 1003.1 §9.4.6).
    if (at === to && i >= ast.min && last) break;
    const end = reach[Math.min(i, counted)]?.[at - from] ?? none;
    if (end === none) break;
    last = [at, end];
    at = end;
  }
  if (last) place(part, c, ...last, groups);
}

/** A pattern whose groups are found by the rules of POSIX. */
export class PosixRegExp {
  readonly #node: Node;
  readonly #groups: number;
  /** Steps that a character costs. */
  readonly cost: number;

  /** @throws RegExpSyntaxError */
  constructor(pattern: string) {
    const { ast, groups } = parsePattern(pattern);
    this.#node = nodeOf(ast);
    this.#groups = groups;
    this.cost = weight(this.#node) + work(this.#node);
  }

  /**
   * The text of the match and of each group, undefined for those that did not participate; undefined if there
   * is no match.
   * @param to only matches that end there or before count; the text goes on all the same
   */
  exec(text: string, to = text.length): (string | undefined)[] | undefined {
    const c = charactersOf(text, to);
    const length = c.codes.length;
    const all = Int32Array.from({ length: length + 1 }, (_, i) => i);
    const reach = farthest(this.#node.program, c, 0, length, all);
    const start = reach.findIndex((end) => end !== none);
    if (start < 0) return undefined;
    const groups: Groups = Array.from({ length: this.#groups }, () => undefined);
    groups[0] = [start, reach[start]];
    place(this.#node, c, start, reach[start], groups);
    return groups.map((g) => g && text.slice(c.offsets[g[0]], c.offsets[g[1]]));
  }
}
