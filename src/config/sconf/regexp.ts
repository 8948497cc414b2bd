/**
 * Regular expressions that take time linear in the text, whatever the pattern: those in configuration files are
 * matched against strangers' input, and JavaScript's own could be made to run for hours. The pattern is
 * compiled to a small program whose alternatives are all followed at the same time (a Pike machine).
 *
 * @module
 */
import {
  type Assertion,
  type Ast,
  type CharSet,
  parsePattern,
  RegExpSyntaxError,
} from "./regexp_syntax.ts";

export { RegExpSyntaxError } from "./regexp_syntax.ts";

export type Instruction =
  | { op: "set"; matches: (codePoint: number) => boolean }
  | { op: "split"; first: number; second: number }
  | { op: "jump"; to: number }
  | { op: "save"; slot: number }
  | { op: "assert"; what: Assertion }
  | { op: "match" };

/** Most instructions of a program: limits counts like {1000} of long parts. */
const maxProgram = 10_000;

/** Where a pattern matched. */
export interface Match {
  /** Offsets in UTF-16 units: of the first character, and after the last one. */
  start: number;
  end: number;
  /** Text of each group, undefined for those that did not participate; 0 is the whole match. */
  groups: (string | undefined)[];
}

/** Steps that matching may still take; several expressions and texts may share one. */
export interface StepBudget {
  /** Below 0 once it is used up: the current match then fails. */
  left: number;
}

/** A compiled regular expression. */
export interface LinearRegExp {
  readonly pattern: string;
  /** Number of instructions: a character of the text costs at most this many steps. */
  readonly size: number;
  /** Number of groups, including the whole match. */
  readonly groups: number;
  /**
   * True if it matches anywhere in the text, within the budget.
   * @param to only matches that end there or before count; the text goes on all the same, so that `$` does not hold there
   */
  test(text: string, budget?: StepBudget, to?: number): boolean;
  /** The leftmost match at or after an offset, within the budget; `to` is as in {@link test}. */
  exec(text: string, from?: number, budget?: StepBudget, to?: number): Match | undefined;
  /**
   * Replaces all matches; `$1`, `${1}` and `${name}` in the template are groups, `$$` is a dollar. Once the
   * budget is used up, no more are replaced.
   */
  replace(text: string, template: string, budget?: StepBudget): string;
}

const cache = new Map<string, LinearRegExp>();
/** Most compiled expressions cached; the oldest is dropped first. */
const maxCached = 500;

/** Compiles a pattern, or takes it from the cache. @throws RegExpSyntaxError */
export function compileRegExp(pattern: string): LinearRegExp {
  const known = cache.get(pattern);
  if (known) return known;
  const compiled = compile(pattern);
  if (cache.size >= maxCached) cache.delete(cache.keys().next().value!);
  cache.set(pattern, compiled);
  return compiled;
}

/** The program of a part of a pattern, without an end. @throws RegExpSyntaxError if it is too large */
export function programOf(ast: Ast): Instruction[] {
  const program: Instruction[] = [];
  emit(ast, program);
  return program;
}

const unbounded = (): StepBudget => ({ left: Infinity });

function compile(pattern: string): LinearRegExp {
  const { ast, groups, names } = parsePattern(pattern);
  const program = programOf(ast);
  program.push({ op: "match" });
  const exec = (text: string, from = 0, budget = unbounded(), to = text.length) =>
    run(program, groups, text, from, to, true, budget);
  return {
    pattern,
    size: program.length,
    groups,
    test: (text, budget = unbounded(), to = text.length) =>
      run(program, groups, text, 0, to, false, budget) !== undefined,
    exec,
    replace(text, template, budget = unbounded()) {
      const parts = parseTemplate(template, names);
      let result = "";
      let at = 0;
      while (at <= text.length) {
        const m = exec(text, at, budget);
        if (!m) break;
        result += text.slice(at, m.start);
        for (const part of parts) {
          result += typeof part === "string" ? part : m.groups[part] ?? "";
        }
        at = m.end;
        if (m.end === m.start) {
          const width = (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
          result += text.slice(at, at + width);
          at += width;
        }
      }
      return result + text.slice(at);
    },
  };
}

function add(program: Instruction[], instruction: Instruction): number {
  if (program.length >= maxProgram) throw new RegExpSyntaxError("is too large");
  return program.push(instruction) - 1;
}

function emit(ast: Ast, program: Instruction[]): void {
  switch (ast.kind) {
    case "empty":
      return;
    case "set":
      add(program, { op: "set", matches: matcher(ast.set) });
      return;
    case "assert":
      add(program, { op: "assert", what: ast.what });
      return;
    case "concat":
      for (const part of ast.parts) emit(part, program);
      return;
    case "group":
      add(program, { op: "save", slot: ast.index * 2 });
      emit(ast.part, program);
      add(program, { op: "save", slot: ast.index * 2 + 1 });
      return;
    case "either":
      return emitEither(ast.parts, program);
    case "repeat":
      return emitRepeat(ast, program);
  }
}

function emitEither(parts: Ast[], program: Instruction[]): void {
  const ends: { op: "jump"; to: number }[] = [];
  parts.forEach((part, i) => {
    if (i === parts.length - 1) return emit(part, program);
    const split = { op: "split" as const, first: program.length + 1, second: 0 };
    add(program, split);
    emit(part, program);
    const end = { op: "jump" as const, to: 0 };
    add(program, end);
    ends.push(end);
    split.second = program.length;
  });
  for (const end of ends) end.to = program.length;
}

function emitRepeat(ast: Extract<Ast, { kind: "repeat" }>, program: Instruction[]): void {
  for (let i = 0; i < ast.min; i++) {
    const before = program.length;
    emit(ast.part, program);
    // Repeating an empty program is the same as one: otherwise nested counts of nothing take time without
    // growing.
    if (program.length === before) break;
  }
  const aim = (split: { first: number; second: number }, into: number, past: number) => {
    split.first = ast.greedy ? into : past;
    split.second = ast.greedy ? past : into;
  };
  if (ast.max === Infinity) {
    const split = { op: "split" as const, first: 0, second: 0 };
    const start = add(program, split);
    emit(ast.part, program);
    add(program, { op: "jump", to: start });
    aim(split, start + 1, program.length);
    return;
  }
  const splits: { split: { first: number; second: number }; into: number }[] = [];
  for (let i = ast.min; i < ast.max; i++) {
    const split = { op: "split" as const, first: 0, second: 0 };
    splits.push({ split, into: add(program, split) + 1 });
    emit(ast.part, program);
  }
  for (const s of splits) aim(s.split, s.into, program.length);
}

function matcher(set: CharSet): (codePoint: number) => boolean {
  const { ranges, properties, negated } = set;
  const within = (c: number): boolean => {
    for (let i = 0; i < ranges.length; i += 2) {
      if (c >= ranges[i] && c <= ranges[i + 1]) return true;
    }
    return properties.some((p) => p.test(String.fromCodePoint(c)));
  };
  if (!set.foldCase) return negated ? (c) => !within(c) : within;
  return (c) => {
    const s = String.fromCodePoint(c);
    const folded = within(c) || within(s.toLowerCase().codePointAt(0)!) ||
      within(s.toUpperCase().codePointAt(0)!);
    return folded !== negated;
  };
}

/** Whether a match can only begin at the start of the text. */
function anchored(program: readonly Instruction[]): boolean {
  const first = program.find((i) => i.op !== "save");
  return first?.op === "assert" && first.what === "textStart";
}

/** Threads of one step, in order of preference, each at another instruction. */
interface Threads {
  pcs: number[];
  slots: (number[])[];
  /** Step in which an instruction was last added. */
  seen: Int32Array;
}

function run(
  program: Instruction[],
  groups: number,
  text: string,
  from: number,
  to: number,
  wantGroups: boolean,
  budget: StepBudget,
): Match | undefined {
  let current: Threads = { pcs: [], slots: [], seen: new Int32Array(program.length).fill(-1) };
  let next: Threads = { pcs: [], slots: [], seen: new Int32Array(program.length).fill(-1) };
  let found: number[] | undefined;
  const noSlots: number[] = [];
  const onlyAtStart = anchored(program);
  for (let at = from, step = 0;; step++) {
    if (budget.left < 0) return undefined;
    if (!found && !(onlyAtStart && at > 0)) {
      follow(program, current, 0, at, text, step, wantGroups ? [at, -1] : noSlots, budget);
    }
    if (current.pcs.length === 0 && (found || onlyAtStart)) break;
    const c = at < to ? text.codePointAt(at)! : -1;
    const width = c > 0xffff ? 2 : 1;
    for (let i = 0; i < current.pcs.length; i++) {
      const pc = current.pcs[i];
      const instruction = program[pc];
      budget.left--;
      if (instruction.op === "match") {
        found = wantGroups ? [...current.slots[i]] : [from, at];
        found[1] = at;
        if (!wantGroups) return { start: from, end: at, groups: [] };
        // Threads after this one are less preferred.
        break;
      }
      if (instruction.op === "set" && c >= 0 && instruction.matches(c)) {
        follow(program, next, pc + 1, at + width, text, step + 1, current.slots[i], budget);
      }
    }
    if (at >= to) break;
    at += width;
    [current, next] = [next, current];
    next.pcs.length = 0;
    next.slots.length = 0;
  }
  if (!found) return undefined;
  const slots = found;
  const group = (i: number) =>
    slots[i * 2] >= 0 && slots[i * 2 + 1] >= 0
      ? text.slice(slots[i * 2], slots[i * 2 + 1])
      : undefined;
  return {
    start: slots[0],
    end: slots[1],
    groups: Array.from({ length: groups }, (_, i) => group(i)),
  };
}

/** Adds the thread at an instruction, and those reachable from it without a character. */
function follow(
  program: Instruction[],
  threads: Threads,
  start: number,
  at: number,
  text: string,
  step: number,
  slots: number[],
  budget: StepBudget,
): void {
  const work: { pc: number; slots: number[] }[] = [{ pc: start, slots }];
  while (work.length > 0) {
    let { pc, slots } = work.pop()!;
    for (;;) {
      budget.left--;
      if (threads.seen[pc] === step) break;
      threads.seen[pc] = step;
      const instruction = program[pc];
      if (instruction.op === "jump") {
        pc = instruction.to;
      } else if (instruction.op === "split") {
        work.push({ pc: instruction.second, slots });
        pc = instruction.first;
      } else if (instruction.op === "save") {
        if (slots.length > 0) {
          slots = [...slots];
          budget.left -= slots.length >> 3;
          while (slots.length <= instruction.slot) slots.push(-1);
          slots[instruction.slot] = at;
        }
        pc++;
      } else if (instruction.op === "assert") {
        if (!holds(instruction.what, text, at)) break;
        pc++;
      } else {
        threads.pcs.push(pc);
        threads.slots.push(slots);
        break;
      }
    }
  }
}

/** Whether an assertion holds at an offset. */
export function holds(what: Assertion, text: string, at: number): boolean {
  switch (what) {
    case "textStart":
      return at === 0;
    case "textEnd":
      return at === text.length;
    case "lineStart":
      return at === 0 || text[at - 1] === "\n";
    case "lineEnd":
      return at === text.length || text[at] === "\n";
    default: {
      const boundary = isWord(text.charCodeAt(at - 1)) !== isWord(text.charCodeAt(at));
      return boundary === (what === "word");
    }
  }
}

function isWord(c: number): boolean {
  return (c >= 48 && c <= 57) || (c >= 65 && c <= 90) || c === 95 || (c >= 97 && c <= 122);
}

function parseTemplate(template: string, names: Map<string, number>): (string | number)[] {
  const parts: (string | number)[] = [];
  // As in Go, a name after a $ without braces is as long as it can be: $1x is the group named "1x".
  const pattern = /\$(?:\$|\{([A-Za-z0-9_]+)\}|([A-Za-z0-9_]+))/g;
  let at = 0;
  for (const m of template.matchAll(pattern)) {
    parts.push(template.slice(at, m.index));
    at = m.index + m[0].length;
    const name = m[1] ?? m[2];
    if (name === undefined) parts.push("$");
    else parts.push(/^[0-9]{1,4}$/.test(name) ? Number(name) : names.get(name) ?? -1);
  }
  parts.push(template.slice(at));
  return parts;
}
