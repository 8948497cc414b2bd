/**
 * Content lines (RFC 5545 §3.1, RFC 6350 §3.2): the syntax of iCalendar and vCard. Components are parsed into a
 * tree that keeps each line as written, so that unknown content is preserved unchanged.
 *
 * @module
 */

import { giveWay } from "../../platform/turns.ts";

/** A parameter of a property. */
export interface Parameter {
  /** Upper case. */
  name: string;
  /** Without quotes. */
  values: string[];
}

/** A property: one content line. */
export interface Property {
  /** Its group (vCard), as written; "" for none. */
  group: string;
  /** Upper case. */
  name: string;
  params: Parameter[];
  /** Unfolded, with escapes. */
  value: string;
  /** The line as written, folded, without its end; undefined if it was made here. */
  raw: string | undefined;
}

/** BEGIN to END. */
export interface Component {
  /** Upper case. */
  name: string;
  properties: Property[];
  components: Component[];
}

/** The text is invalid. */
export class FormatError extends Error {
  override name = "FormatError";
  /** Number of the line, starting at 1; 0 if no line is concerned. */
  readonly line: number;
  constructor(message: string, line = 0) {
    super(line > 0 ? `line ${line}: ${message}` : message);
    this.line = line;
  }
}

/** Deepest nesting of components. */
const maxDepth = 8;
/** Most properties and components of one object, and of a file with many. */
const maxParts = 10_000;
const maxPartsOfFile = 5_000_000;
/**
 * Most folded lines of one object or property, including empty ones: text folded after each character would
 * cost far more work than its size suggests. Properly folded, ten megabytes have 140,000 lines.
 */
const maxFolded = 250_000;
/** Most values of all parameters of one object, and of one property. */
const maxValues = 60_000;
/** Lines, folded or not, that are read without checking the clock. */
const linesAtOnce = 100;

const code = (c: string) => c.charCodeAt(0);
const [CR, LF, SPACE, TAB] = [code("\r"), code("\n"), code(" "), code("\t")];
const [BACKSLASH, SMALL_N, LARGE_N] = [code("\\"), code("n"), code("N")];

/**
 * Skips letters, digits, "-" and "_" (which some programs use) from a position on; returns the position after
 * them.
 */
function nameEnd(s: string, at: number): number {
  for (; at < s.length; at++) {
    const c = s.charCodeAt(at);
    const lower = c | 0x20;
    const plain = c >= 0x30 && c <= 0x39 || lower >= 0x61 && lower <= 0x7a || c === 0x2d ||
      c === 0x5f;
    if (!plain) break;
  }
  return at;
}

/** RFC 6868: ^n, ^^ and ^' in values of parameters. */
function decodeCarets(s: string): string {
  if (!s.includes("^")) return s;
  return s.replace(/\^([n^'])/g, (_m, c) => c === "n" ? "\n" : c === "'" ? '"' : "^");
}

function encodeCarets(s: string): string {
  return s.replace(/\^/g, "^^").replace(/\r?\n/g, "^n").replace(/"/g, "^'");
}

function parseParams(s: string, at: number, line: number): { params: Parameter[]; at: number } {
  const params: Parameter[] = [];
  let count = 0;
  while (s[at] === ";") {
    const end = nameEnd(s, ++at);
    const name = s.slice(at, end).toUpperCase();
    at = end;
    // vCard 2.1, and programs that write in its style: a value without a name is a type.
    if (s[at] !== "=") {
      if (name === "") throw new FormatError("a parameter without a name", line);
      if (++count > maxValues) throw new FormatError(`more than ${maxValues} parameters`, line);
      params.push({ name: "TYPE", values: [name] });
      continue;
    }
    const values: string[] = [];
    do {
      at++;
      if (++count > maxValues) throw new FormatError(`more than ${maxValues} parameters`, line);
      if (s[at] === '"') {
        const close = s.indexOf('"', at + 1);
        if (close < 0) throw new FormatError(`the parameter ${name} has no closing quote`, line);
        values.push(decodeCarets(s.slice(at + 1, close)));
        at = close + 1;
      } else {
        let to = at;
        while (to < s.length && s[to] !== "," && s[to] !== ";" && s[to] !== ":") to++;
        values.push(decodeCarets(s.slice(at, to)));
        at = to;
      }
    } while (s[at] === ",");
    params.push({ name, values });
  }
  return { params, at };
}

/** Parses one unfolded line. */
function parseLine(s: string, raw: string, line: number): Property {
  let start = 0;
  let end = nameEnd(s, 0);
  let group = "";
  if (s[end] === ".") {
    group = s.slice(0, end);
    start = end + 1;
    end = nameEnd(s, start);
  }
  const name = s.slice(start, end).toUpperCase();
  if (name === "") throw new FormatError("no property begins like this", line);
  const { params, at } = parseParams(s, end, line);
  if (s[at] !== ":") throw new FormatError(`":" is missing after ${name}`, line);
  return { group, name, params, value: s.slice(at + 1), raw };
}

/** Unfolded lines (RFC 5545 §3.1), each with its number; yields nothing from time to time within a long one. */
function* unfolded(text: string): Generator<{ s: string; raw: string; line: number } | undefined> {
  let at = 0;
  let line = 1;
  while (at < text.length) {
    const first = line;
    const start = at;
    const pieces: string[] = [];
    let rawEnd = at;
    for (let from = at;;) {
      let lf = text.indexOf("\n", from);
      if (lf < 0) lf = text.length;
      rawEnd = lf > from && text.charCodeAt(lf - 1) === CR ? lf - 1 : lf;
      pieces.push(text.slice(from, rawEnd));
      at = lf + 1;
      line++;
      if (pieces.length % linesAtOnce === 0) {
        if (pieces.length > maxFolded) {
          throw new FormatError(`folded into more than ${maxFolded} lines`, first);
        }
        yield undefined;
      }
      const next = at < text.length ? text.charCodeAt(at) : 0;
      if (next !== SPACE && next !== TAB) break;
      from = at + 1;
    }
    yield {
      s: pieces.length === 1 ? pieces[0] : pieces.join(""),
      raw: text.slice(start, rawEnd),
      line: first,
    };
  }
}

/** Remaining limits while parsing a text. */
interface Limits {
  parts: number;
  /** Lines before unfolding. */
  lines: number;
  /** Values of parameters. */
  values: number;
}
const limitsOfObject: Limits = { parts: maxParts, lines: maxFolded, values: maxValues };
const limitsOfFile: Limits = { parts: maxPartsOfFile, lines: Infinity, values: Infinity };

/** Parses all components of a text, some lines at each step. */
function* parsing(text: string, limits: Limits): Generator<void, Component[]> {
  const roots: Component[] = [];
  const open: Component[] = [];
  let parts = 0;
  let blank = 0;
  let values = 0;
  if (text.charCodeAt(0) === 0xfeff) text = text.slice(1);
  for (const next of unfolded(text)) {
    if (next === undefined) {
      yield;
      continue;
    }
    const { s, raw, line } = next;
    if (line > limits.lines) throw new FormatError(`more than ${limits.lines} lines`, line);
    if (s.trim() === "") {
      if (++blank % linesAtOnce === 0) yield;
      continue;
    }
    if (++parts > limits.parts) throw new FormatError(`more than ${limits.parts} lines`, line);
    if (parts % linesAtOnce === 0) yield;
    const p = parseLine(s, raw, line);
    for (const x of p.params) values += x.values.length;
    if (values > limits.values) {
      throw new FormatError(`more than ${limits.values} parameters`, line);
    }
    // deno-lint-ignore no-control-regex -- none of these is allowed in a value (RFC 5545 §3.1)
    if (/[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\r]/.test(s)) {
      throw new FormatError(`${p.name} has a control character`, line);
    }
    if (p.name === "BEGIN") {
      if (open.length >= maxDepth) throw new FormatError(`more than ${maxDepth} levels`, line);
      const c: Component = { name: p.value.trim().toUpperCase(), properties: [], components: [] };
      (open.at(-1)?.components ?? roots).push(c);
      open.push(c);
    } else if (p.name === "END") {
      const c = open.pop();
      if (c === undefined || c.name !== p.value.trim().toUpperCase()) {
        throw new FormatError(`END:${p.value} ends ${c ? c.name : "nothing"}`, line);
      }
    } else if (open.length === 0) {
      throw new FormatError(`${p.name} is in no component`, line);
    } else {
      open.at(-1)!.properties.push(p);
    }
  }
  if (open.length > 0) throw new FormatError(`END:${open.at(-1)!.name} is missing`);
  return roots;
}

/** Parses all components of an object's text. Empty lines are skipped. @throws FormatError */
export function parseComponents(text: string): Component[] {
  const steps = parsing(text, limitsOfObject);
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

async function inTurns(steps: Generator<void, Component[]>): Promise<Component[]> {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    await giveWay();
  }
}

/** The same in turns with other work. @throws FormatError */
export function parseInTurns(text: string): Promise<Component[]> {
  return inTurns(parsing(text, limitsOfObject));
}

/** The same for a file of many objects. @throws FormatError */
export function parseFile(text: string): Promise<Component[]> {
  return inTurns(parsing(text, limitsOfFile));
}

/** Decodes bytes as UTF-8. @throws FormatError */
export function decodeText(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new FormatError("the text is not UTF-8");
  }
}

/** A line of at most 75 bytes each (RFC 5545 §3.1), split between characters. */
export function foldLine(s: string): string {
  if (s.length <= 75 / 4) return s;
  let out = "";
  let bytes = 0;
  for (const c of s) {
    const cp = c.codePointAt(0)!;
    const size = cp < 0x80 ? 1 : cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
    if (bytes + size > 75) {
      out += "\r\n ";
      bytes = 1;
    }
    out += c;
    bytes += size;
  }
  return out;
}

/** A property as its line, without the line's end. */
export function writeProperty(p: Property): string {
  if (p.raw !== undefined) return p.raw;
  let s = p.group === "" ? p.name : `${p.group}.${p.name}`;
  for (const { name, values } of p.params) {
    const list = values.map((v) => {
      const e = encodeCarets(v);
      return /[,;:]/.test(e) ? `"${e}"` : e;
    });
    s += `;${name}=${list.join(",")}`;
  }
  return foldLine(`${s}:${p.value}`);
}

/** A component as text; each line ends with CRLF. */
export function writeComponent(component: Component): string {
  const lines: string[] = [];
  const write = (x: Component) => {
    lines.push(`BEGIN:${x.name}`);
    for (const p of x.properties) lines.push(writeProperty(p));
    for (const below of x.components) write(below);
    lines.push(`END:${x.name}`);
  };
  write(component);
  return `${lines.join("\r\n")}\r\n`;
}

/** The first property of a name. */
export function property(component: Component, name: string): Property | undefined {
  return component.properties.find((p) => p.name === name);
}

/** Value of the first property of a name. */
export function valueOf(component: Component, name: string): string | undefined {
  return property(component, name)?.value;
}

/** First value of a parameter. */
export function param(p: Property, name: string): string | undefined {
  return p.params.find((x) => x.name === name)?.values[0];
}

/** A property made here. */
export function newProperty(
  name: string,
  value: string,
  params: Record<string, string> = {},
): Property {
  return {
    group: "",
    name,
    params: Object.entries(params).map(([n, v]) => ({ name: n, values: [v] })),
    value,
    raw: undefined,
  };
}

/** A property with other parameters or another value. */
export function changedProperty(
  p: Property,
  value: string,
  params: Record<string, string | undefined> = {},
): Property {
  const kept = p.params.filter((x) => !(x.name in params));
  for (const [name, v] of Object.entries(params)) {
    if (v !== undefined) kept.push({ name, values: [v] });
  }
  return { ...p, params: kept, value, raw: undefined };
}

const utf16 = new TextDecoder("utf-16le", { ignoreBOM: true });

/** Text of a value (RFC 5545 §3.3.11), unescaped. */
export function unescapeText(s: string): string {
  const first = s.indexOf("\\");
  if (first < 0) return s;
  // By character codes, as megabytes may consist only of escapes.
  const out = new Uint16Array(s.length - first);
  let n = 0;
  for (let at = first; at < s.length; at++) {
    let c = s.charCodeAt(at);
    if (c === BACKSLASH && at + 1 < s.length) {
      c = s.charCodeAt(++at);
      if (c === SMALL_N || c === LARGE_N) c = LF;
    }
    out[n++] = c;
  }
  return s.slice(0, first) + utf16.decode(out.subarray(0, n));
}

/** The first UTF-16 units of a text, without half a character at the end. */
function firstUnits(s: string, length: number): string {
  if (s.length <= length) return s;
  const last = s.charCodeAt(length - 1);
  return s.slice(0, last >= 0xd800 && last < 0xdc00 ? length - 1 : length);
}

/** The first UTF-16 units of a value's text, without half a character at the end. */
export function textStart(s: string, length: number): string {
  // An escape takes two units; one that the first cut damages lies after the returned ones.
  return firstUnits(unescapeText(firstUnits(s, 2 * length + 2)), length);
}

/** Most characters of one value that a query reads, and of all values of a name in one object. */
export const maxSearched = 100_000;
const maxSearchedInAll = 1_000_000;

/** The part of a value that a query reads: its first characters, unescaped. */
export function searchedText(value: string): string {
  return textStart(value, maxSearched);
}

/** The properties of a name that a query reads: those after the first million characters are left out. */
export function searchedProperties(list: readonly Property[]): readonly Property[] {
  let sum = 0;
  const end = list.findIndex((p) =>
    (sum += Math.min(p.value.length, maxSearched)) > maxSearchedInAll
  );
  return end < 0 ? list : list.slice(0, end);
}

/** A text as a value, escaped. */
export function escapeText(s: string): string {
  return s.replace(/[\\;,]/g, "\\$&").replace(/\r?\n/g, "\\n");
}

/** Splits at a character that isn't escaped. */
export function splitUnescaped(s: string, at: string): string[] {
  const list: string[] = [];
  let from = 0;
  for (let i = 0; i < s.length; i++) {
    if (s[i] === "\\") i++;
    else if (s[i] === at) {
      list.push(s.slice(from, i));
      from = i + 1;
    }
  }
  list.push(s.slice(from));
  return list;
}
