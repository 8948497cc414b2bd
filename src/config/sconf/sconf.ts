/**
 * The sconf text format: `Key: value` lines, indented with tabs, lists of `- value` lines, comments on their
 * own lines. A text is read into a tree that keeps comments, order and line numbers, so that a program can
 * change a value and write everything else back unchanged. The schema defines valid keys and the meaning of
 * values.
 *
 * @module
 */

/**
 * A value in the tree. A key without a value has the text "", and so can stand for an empty block. `incomplete`
 * is set if some lines could not be parsed, so that missing keys aren't reported.
 */
export type Node =
  | { kind: "text"; text: string; incomplete?: true }
  | { kind: "map"; entries: Entry[]; trailing: string[]; incomplete?: true }
  | { kind: "list"; entries: Entry[]; trailing: string[]; incomplete?: true };

/** A key or list item with its value. */
export interface Entry {
  /** Comment and empty lines before it, as in the file. */
  leading: string[];
  /** "" for a list item. */
  key: string;
  /** Line in the file, from 1; 0 if it was not read from one. */
  line: number;
  value: Node;
}

/** The block at the top. */
export type MapNode = Extract<Node, { kind: "map" }>;
export type BlockNode = Exclude<Node, { kind: "text" }>;

/** Something wrong in a text. */
export interface Problem {
  /** From 1; 0 if it concerns no line. */
  line: number;
  message: string;
}

/** Blocks deeper than this are refused. */
const maxDepth = 32;
/** After this many problems the rest of a text is not read. */
export const maxProblems = 200;

interface OpenBlock {
  block: BlockNode;
  depth: number;
  keys: Set<string>;
}

/** Parses a text. Returns a tree for any input; invalid lines are only in `problems`. */
export function parseSconf(text: string): { root: MapNode; problems: Problem[] } {
  const problems: Problem[] = [];
  const root: MapNode = { kind: "map", entries: [], trailing: [] };
  const stack: OpenBlock[] = [{ block: root, depth: 0, keys: new Set() }];
  let pending: string[] = [];
  // Lines deeper than this belong to a block that was refused, and are not reported again.
  let skipDeeperThan = Infinity;

  const lines = text.replace(/^\ufeff+/, "").split("\n");
  if (lines.at(-1) === "") lines.pop();
  for (let i = 0; i < lines.length && problems.length < maxProblems; i++) {
    const line = lines[i].endsWith("\r") ? lines[i].slice(0, -1) : lines[i];
    const number = i + 1;
    const report = (message: string) => {
      problems.push({ line: number, message });
      const { block } = stack[stack.length - 1];
      block.incomplete = true;
      const last = block.entries.at(-1);
      if (last) last.value.incomplete = true;
    };
    const trimmed = trimSpace(line);
    if (trimmed === "" || trimmed.startsWith("#")) {
      pending.push(line);
      continue;
    }
    const indent = indentOf(line);
    const { depth } = indent;
    if (depth > skipDeeperThan) continue;
    skipDeeperThan = Infinity;
    const rest = trimSpaceEnd(line.slice(indent.width));
    if (rest.startsWith(" ")) {
      report("indented with spaces: use tabs only, one for each level (or four spaces)");
      skipDeeperThan = depth;
      continue;
    }

    // Editors show it as a line end, which it is not here.
    if (rest.includes("\r")) {
      report("a carriage return in the middle of the line");
      skipDeeperThan = depth;
      continue;
    }

    let top = stack[stack.length - 1];
    if (depth > top.depth) {
      const last = top.block.entries.at(-1);
      const problem = depth > maxDepth
        ? `nested deeper than ${maxDepth} levels`
        : !last
        ? "indented without a key above it"
        : last.value.kind !== "text" || last.value.text !== ""
        ? `indented below ${describeEntry(last)}, which has a value already`
        : undefined;
      if (problem) {
        report(problem);
        skipDeeperThan = depth - 1;
        continue;
      }
      const kind = isItem(rest) || /^-[^:]*$/.test(rest) ? "list" : "map";
      const block: BlockNode = { kind, entries: [], trailing: [] };
      if (last!.value.incomplete) block.incomplete = true;
      last!.value = block;
      top = { block, depth, keys: new Set() };
      stack.push(top);
    } else if (depth < top.depth) {
      const between = stack.find((open) => open.depth >= depth)!;
      if (between.depth > depth) {
        report(`indented by ${depth} tabs where ${between.depth} were expected`);
        // Reported once: the following lines most likely have the same depth.
        between.depth = depth;
      }
      // Comments stay with the block of the same indentation.
      for (; top.depth > depth; top = stack[stack.length - 1]) {
        const of = top.depth;
        const end = pending.findLastIndex((line) => tabs(line) >= of) + 1;
        top.block.trailing.push(...pending.splice(0, end));
        stack.pop();
      }
    }

    const entry = top.block.kind === "list" ? readItem(rest, report) : readKey(rest, report);
    if (entry && top.block.kind === "map" && top.keys.has(entry.key)) {
      report(`${entry.key} is there twice`);
      skipDeeperThan = depth;
      continue;
    }
    if (!entry) {
      skipDeeperThan = depth;
      continue;
    }
    top.keys.add(entry.key);
    top.block.entries.push({
      leading: pending,
      key: entry.key,
      line: number,
      value: { kind: "text", text: entry.text },
    });
    pending = [];
  }
  if (problems.length >= maxProblems) {
    problems.push({ line: 0, message: "too many mistakes: the rest was not looked at" });
  }
  root.trailing.push(...pending);
  return { root, problems };
}

/** Without spaces and tabs at the end. Other white space of Unicode is text. */
function trimSpaceEnd(s: string): string {
  let end = s.length;
  while (end > 0 && isSpace(s.charCodeAt(end - 1))) end--;
  return s.slice(0, end);
}

function trimSpace(s: string): string {
  let start = 0;
  while (start < s.length && isSpace(s.charCodeAt(start))) start++;
  return trimSpaceEnd(s.slice(start));
}

function isSpace(code: number): boolean {
  return code === 32 || code === 9 || code === 13;
}

/**
 * A line's indentation in levels, and in characters. As in the original, four spaces are a tab, and the first
 * line of a block sets the block's depth: deeper than its key.
 */
function indentOf(line: string): { depth: number; width: number } {
  let depth = 0;
  let width = 0;
  for (;; depth++) {
    if (line.charCodeAt(width) === 9) width++;
    else if (line.startsWith("    ", width)) width += 4;
    else return { depth, width };
  }
}

function tabs(line: string): number {
  // An empty line belongs to the next line.
  return trimSpace(line) === "" ? 0 : indentOf(line).depth;
}

function describeEntry(entry: Entry): string {
  return entry.key === "" ? "a list item" : entry.key;
}

function isItem(rest: string): boolean {
  return rest === "-" || rest.startsWith("- ");
}

type Report = (message: string) => void;

function readItem(rest: string, report: Report): { key: string; text: string } | undefined {
  if (isItem(rest)) return { key: "", text: rest.slice(2) };
  report(
    rest.startsWith("-")
      ? 'a space is missing after "-"'
      : `expected a list item starting with "-", got ${quoted(rest)}`,
  );
  return undefined;
}

function readKey(rest: string, report: Report): { key: string; text: string } | undefined {
  const colon = rest.indexOf(":");
  if (isItem(rest) || rest.startsWith("-:")) {
    report("a list item where keys were expected");
    return undefined;
  }
  if (colon < 0) {
    report(`expected "Key: value", got ${quoted(rest)}: the colon is missing`);
    return undefined;
  }
  const key = rest.slice(0, colon);
  if (key === "") {
    report("the key before the colon is missing");
    return undefined;
  }
  if (key !== trimSpace(key)) {
    report(`white space between ${quoted(trimSpace(key))} and the colon`);
    return undefined;
  }
  const value = rest.slice(colon + 1);
  if (value !== "" && !value.startsWith(" ")) {
    report(`a space is missing after the colon of ${quoted(key)}`);
    return undefined;
  }
  return { key, text: value.slice(1) };
}

/** Text in quotes for a message, shortened. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 77)}...` : text);
}

/** A value that the format can't express: a key with a colon, a text with a line end. */
export class SconfWriteError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "SconfWriteError";
  }
}

/**
 * Writes a tree. A text that {@link parseSconf} has parsed without problems is reproduced, except for line ends
 * and white space at the ends of lines.
 * @throws SconfWriteError
 */
export function printSconf(root: MapNode): string {
  const lines: string[] = [];
  printBlock(root, 0, lines);
  return lines.length === 0 ? "" : lines.join("\n") + "\n";
}

function printBlock(block: BlockNode, depth: number, lines: string[]): void {
  const indent = "\t".repeat(depth);
  for (const entry of block.entries) {
    for (const line of entry.leading) lines.push(line);
    const head = block.kind === "list" ? "-" : `${checkedKey(entry.key)}:`;
    if (entry.value.kind !== "text") {
      lines.push(indent + head);
      printBlock(entry.value, depth + 1, lines);
    } else if (entry.value.text === "") {
      lines.push(indent + head);
    } else {
      lines.push(`${indent}${head} ${checkedText(entry.value.text)}`);
    }
  }
  for (const line of block.trailing) lines.push(line);
}

function checkedKey(key: string): string {
  if (key === "" || key !== trimSpace(key) || /[:\r\n]/.test(key) || /^(?:#|-(?: |$))/.test(key)) {
    throw new SconfWriteError(`${quoted(key)} can't be a key in a configuration file`);
  }
  return key;
}

function checkedText(text: string): string {
  if (/[\r\n]/.test(text) || text !== trimSpaceEnd(text)) {
    throw new SconfWriteError(
      `${
        quoted(text)
      } can't be a value in a configuration file: it must be one line without white space at its end`,
    );
  }
  return text;
}

/** Line of the value at a path of keys and indexes, or of the last part of the path that exists. */
export function lineOf(root: MapNode, path: readonly (string | number)[]): number {
  let node: Node = root;
  let line = 0;
  for (const part of path) {
    if (node.kind === "text") return line;
    const entry: Entry | undefined = typeof part === "number"
      ? node.entries[part]
      : node.entries.find((e) => e.key === part);
    if (!entry) return line;
    line = entry.line;
    node = entry.value;
  }
  return line;
}
