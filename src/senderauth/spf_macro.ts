/** Macros of SPF records: parsing and expanding them (RFC 7208 §7). @module */
import { SpfSyntaxError } from "./spf_error.ts";

/** One "%{…}". */
export interface Macro {
  /** Lower case: s l o d i p v h, in explanations also c r t. */
  letter: string;
  /** Right-hand parts to keep; all if undefined. */
  keep?: number;
  reverse: boolean;
  /** Characters that the value is split at. */
  delimiters: string;
  /** The letter was in upper case: the value is escaped as in a URL. */
  escape: boolean;
}

/** Literal text and macros in order. */
export type MacroString = (string | Macro)[];

const recordLetters = "slodipvh";
const explanationLetters = recordLetters + "crt";
const delimiterCharacters = ".-+,/_=";

/** Returns the value of a macro letter. */
export type MacroValues = (letter: string) => string | Promise<string>;

/** Parses a macro-string; an explanation may have spaces and the letters c, r and t. */
export function parseMacroString(text: string, inExplanation: boolean): MacroString {
  const parts: MacroString = [];
  let literal = "";
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c !== 0x25) {
      // RFC 7208 §7.1: macro-literal is visible ASCII; §6.2 adds the space.
      if (c > 0x7e || c < (inExplanation ? 0x20 : 0x21)) {
        throw new SpfSyntaxError("character not allowed");
      }
      literal += text[i];
      continue;
    }
    const next = text[++i];
    if (next === "%") literal += "%";
    else if (next === "_") literal += " ";
    else if (next === "-") literal += "%20";
    else if (next === "{") {
      const end = text.indexOf("}", i);
      if (end < 0) throw new SpfSyntaxError("macro without end");
      if (literal !== "") parts.push(literal);
      literal = "";
      parts.push(parseMacro(text.slice(i + 1, end), inExplanation));
      i = end;
    } else throw new SpfSyntaxError('"%" without macro');
  }
  if (literal !== "") parts.push(literal);
  return parts;
}

function parseMacro(text: string, inExplanation: boolean): Macro {
  const letter = text.slice(0, 1).toLowerCase();
  if (letter === "" || !(inExplanation ? explanationLetters : recordLetters).includes(letter)) {
    throw new SpfSyntaxError(`unknown macro "%{${text}}"`);
  }
  let i = 1;
  while (i < text.length && text.charCodeAt(i) >= 0x30 && text.charCodeAt(i) <= 0x39) i++;
  let keep: number | undefined;
  if (i > 1) {
    // RFC 7208 §7.3: the number of parts is not zero; 128 parts is more than any name has.
    keep = Number(text.slice(1, Math.min(i, 12)));
    if (keep === 0) throw new SpfSyntaxError(`"%{${text}}" keeps nothing`);
  }
  const reverse = text[i] === "r" || text[i] === "R";
  if (reverse) i++;
  const delimiters = text.slice(i);
  for (const d of delimiters) {
    if (!delimiterCharacters.includes(d)) throw new SpfSyntaxError(`bad macro "%{${text}}"`);
  }
  return { letter, keep, reverse, delimiters: delimiters || ".", escape: text[0] !== letter };
}

/** Parses a domain-spec: a macro-string that ends in a top label or a macro. */
export function parseDomainSpec(text: string): MacroString {
  const parts = parseMacroString(text, false);
  const last = parts.at(-1);
  if (last === undefined) throw new SpfSyntaxError("empty domain");
  if (typeof last !== "string") return parts;
  // "%%", "%_" and "%-" are macro-expand too, and may end it.
  if (text.endsWith("%%") || text.endsWith("%_") || text.endsWith("%-")) return parts;
  const name = last.endsWith(".") ? last.slice(0, -1) : last;
  const dot = name.lastIndexOf(".");
  if (dot < 0 || !isTopLabel(name.slice(dot + 1))) {
    throw new SpfSyntaxError(`"${text}" does not end in a domain`);
  }
  return parts;
}

/** RFC 7208 §7.1: letters, digits and inner hyphens, not only digits. */
function isTopLabel(label: string): boolean {
  let onlyDigits = true;
  for (let i = 0; i < label.length; i++) {
    const c = label.charCodeAt(i);
    const lower = c | 0x20;
    if (c >= 0x30 && c <= 0x39) continue;
    if (c === 0x2d ? i === 0 || i === label.length - 1 : lower < 0x61 || lower > 0x7a) return false;
    onlyDigits = false;
  }
  return label !== "" && !onlyDigits;
}

/** Expands the macros. `maxLength` bounds the result: a longer one is cut on the left. */
export async function expandMacros(
  parts: MacroString,
  values: MacroValues,
  maxLength = 2000,
): Promise<string> {
  let out = "";
  for (const part of parts) {
    out += typeof part === "string" ? part : transform(await values(part.letter), part);
    if (out.length > 4 * maxLength) out = out.slice(-maxLength);
  }
  return out;
}

function transform(value: string, macro: Macro): string {
  let result = value;
  if (macro.keep !== undefined || macro.reverse || macro.delimiters !== ".") {
    const pieces: string[] = [];
    let piece = "";
    for (const c of value) {
      if (macro.delimiters.includes(c)) {
        pieces.push(piece);
        piece = "";
      } else piece += c;
    }
    pieces.push(piece);
    if (macro.reverse) pieces.reverse();
    result = (macro.keep === undefined ? pieces : pieces.slice(-macro.keep)).join(".");
  }
  return macro.escape ? urlEscape(result) : result;
}

/** RFC 7208 §7.3: all but the unreserved characters of RFC 3986 as %XX. */
function urlEscape(s: string): string {
  let out = "";
  for (const byte of new TextEncoder().encode(s)) {
    const c = String.fromCharCode(byte);
    out += byte < 0x80 && /[A-Za-z0-9\-._~]/.test(c)
      ? c
      : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return out;
}
