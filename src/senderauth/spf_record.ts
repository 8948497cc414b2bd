/** SPF records as values (RFC 7208 §4.6, §5, §6, §12). @module */
import { decimal, parseIpv4, parseIpv6 } from "../dns/mod.ts";
import { SPF_MAX_RECORD } from "./limits.ts";
import { type MacroString, parseDomainSpec, parseMacroString } from "./spf_macro.ts";
import { SpfSyntaxError } from "./spf_error.ts";

export type SpfQualifier = "+" | "-" | "~" | "?";

/** What a directive matches. Prefix lengths are those of the network that must be equal. */
export type SpfMechanism =
  | { name: "all" }
  | { name: "include" | "exists"; domain: MacroString }
  | { name: "a" | "mx"; domain?: MacroString; ip4Bits: number; ip6Bits: number }
  | { name: "ptr"; domain?: MacroString }
  | { name: "ip4" | "ip6"; network: Uint8Array; bits: number };

export interface SpfDirective {
  qualifier: SpfQualifier;
  mechanism: SpfMechanism;
  /** As in the record. */
  text: string;
}

export interface SpfRecord {
  directives: SpfDirective[];
  redirect?: MacroString;
  explanation?: MacroString;
  /** Other modifiers, which must be ignored (RFC 7208 §6). */
  other: { name: string; value: string }[];
}

/** True for a TXT record that is an SPF record, well formed or not (RFC 7208 §4.5). */
export function isSpfRecord(text: string): boolean {
  return text.slice(0, 6).toLowerCase() === "v=spf1" &&
    (text.length === 6 || text.charCodeAt(6) === 0x20);
}

/** Parses a record. Throws {@link SpfSyntaxError}: RFC 7208 §4.6 requires checking the whole record. */
export function parseSpfRecord(text: string): SpfRecord {
  if (!isSpfRecord(text)) throw new SpfSyntaxError("does not start with v=spf1");
  if (text.length > SPF_MAX_RECORD) throw new SpfSyntaxError("record too long");
  const record: SpfRecord = { directives: [], other: [] };
  for (const term of text.slice(6).split(" ")) {
    if (term !== "") parseTerm(term, record);
  }
  return record;
}

function parseTerm(term: string, record: SpfRecord): void {
  const c = term[0];
  const qualified = c === "+" || c === "-" || c === "~" || c === "?";
  const start = qualified ? 1 : 0;
  let end = start;
  while (end < term.length && isNameChar(term.charCodeAt(end))) end++;
  const name = term.slice(start, end).toLowerCase();
  if (name === "" || !isAlpha(name.charCodeAt(0))) {
    throw new SpfSyntaxError(`"${term}" has no name`);
  }
  const rest = term.slice(end);
  if (rest.startsWith("=")) {
    if (qualified) throw new SpfSyntaxError(`qualifier before modifier "${term}"`);
    parseModifier(name, rest.slice(1), record);
  } else {
    record.directives.push({
      qualifier: qualified ? c : "+",
      mechanism: parseMechanism(name, rest, term),
      text: term,
    });
  }
}

function parseModifier(name: string, value: string, record: SpfRecord): void {
  if (name === "redirect" || name === "exp") {
    const key = name === "exp" ? "explanation" : "redirect";
    // RFC 7208 §6: they must not appear more than once.
    if (record[key]) throw new SpfSyntaxError(`second ${name}`);
    record[key] = parseDomainSpec(value);
  } else {
    parseMacroString(value, false);
    record.other.push({ name, value });
  }
}

function parseMechanism(name: string, rest: string, term: string): SpfMechanism {
  const argument = rest.startsWith(":") ? rest.slice(1) : undefined;
  switch (name) {
    case "all":
      if (rest !== "") throw new SpfSyntaxError(`"${term}" takes no argument`);
      return { name };
    case "include":
    case "exists":
      if (argument === undefined) throw new SpfSyntaxError(`"${term}" lacks its domain`);
      return { name, domain: parseDomainSpec(argument) };
    case "ptr":
      if (rest === "") return { name };
      if (argument === undefined) throw new SpfSyntaxError(`"${term}" is malformed`);
      return { name, domain: parseDomainSpec(argument) };
    case "a":
    case "mx": {
      const { domainText, ip4Bits, ip6Bits } = splitDualCidr(rest);
      if (domainText === "") return { name, ip4Bits, ip6Bits };
      if (!domainText.startsWith(":")) throw new SpfSyntaxError(`"${term}" is malformed`);
      return { name, domain: parseDomainSpec(domainText.slice(1)), ip4Bits, ip6Bits };
    }
    case "ip4":
    case "ip6": {
      if (argument === undefined) throw new SpfSyntaxError(`"${term}" lacks its network`);
      const max = name === "ip4" ? 32 : 128;
      const slash = argument.indexOf("/");
      const address = slash < 0 ? argument : argument.slice(0, slash);
      const bits = slash < 0 ? max : prefixLength(argument.slice(slash + 1), max);
      const network = name === "ip4" ? parseIpv4(address) : parseIpv6(address);
      if (!network) throw new SpfSyntaxError(`"${term}" has no valid address`);
      return { name, network, bits };
    }
    default:
      throw new SpfSyntaxError(`unknown mechanism "${term}"`);
  }
}

/** Splits "/24", "//64" or "/24//64" off the end. */
function splitDualCidr(text: string): { domainText: string; ip4Bits: number; ip6Bits: number } {
  let domainText = text;
  let ip4Bits = 32;
  let ip6Bits = 128;
  let slash = trailingLength(domainText);
  if (slash > 0 && domainText[slash - 1] === "/") {
    ip6Bits = prefixLength(domainText.slice(slash + 1), 128);
    domainText = domainText.slice(0, slash - 1);
    slash = trailingLength(domainText);
  }
  if (slash >= 0) {
    ip4Bits = prefixLength(domainText.slice(slash + 1), 32);
    domainText = domainText.slice(0, slash);
  }
  return { domainText, ip4Bits, ip6Bits };
}

/** Position of a final slash followed only by digits, otherwise -1. */
function trailingLength(text: string): number {
  let i = text.length;
  while (i > 0 && isDigit(text.charCodeAt(i - 1))) i--;
  return i > 0 && text[i - 1] === "/" ? i - 1 : -1;
}

function prefixLength(text: string, max: number): number {
  const n = decimal(text, 3);
  if (n === undefined || n > max) throw new SpfSyntaxError(`"/${text}" is no prefix length`);
  return n;
}

function isDigit(c: number): boolean {
  return c >= 0x30 && c <= 0x39;
}

function isAlpha(c: number): boolean {
  const lower = c | 0x20;
  return lower >= 0x61 && lower <= 0x7a;
}

function isNameChar(c: number): boolean {
  return isAlpha(c) || isDigit(c) || c === 0x2d || c === 0x2e || c === 0x5f;
}
