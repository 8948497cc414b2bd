/**
 * Content-Type and Content-Disposition with their parameters (RFC 2045 §5.1, 2183, 2231), as found in
 * the wild: missing quotes, encoded words in values, stray semicolons.
 *
 * @module
 */
import { decodeCharset } from "../text/charset.ts";
import { decodeWords } from "./words.ts";

export interface ContentType {
  /** Lower case. */
  type: string;
  subtype: string;
  /** Names in lower case. */
  params: Record<string, string>;
}

/** Parameters of a field that are looked at. */
const maxParams = 100;
/** Characters of a value that are kept. */
const maxValue = 4000;

/** Undefined if the value is no content type: the default applies (RFC 2045 §5.2). */
export function parseContentType(value: string | undefined): ContentType | undefined {
  if (value === undefined) return undefined;
  const s = new Scanner(value);
  const type = s.token().toLowerCase();
  if (type === "" || !s.skip("/")) return undefined;
  const subtype = s.token().toLowerCase();
  if (subtype === "") return undefined;
  return { type: type.slice(0, 127), subtype: subtype.slice(0, 127), params: s.params() };
}

/** Undefined without a disposition. */
export function parseDisposition(
  value: string | undefined,
): { type: string; params: Record<string, string> } | undefined {
  if (value === undefined) return undefined;
  const s = new Scanner(value);
  const type = s.token().toLowerCase().slice(0, 127);
  if (type === "") return undefined;
  return { type, params: s.params() };
}

/** Tags of Content-Language. */
export function parseLanguages(value: string | undefined): string[] {
  if (!value) return [];
  return value.split(",", 20).map((v) => v.trim().slice(0, 50)).filter((v) => v !== "");
}

// deno-lint-ignore no-control-regex -- RFC 2045 names them
const tokenEnd = /[\x00-\x20()<>@,;:\\"/[\]?=\x7f]/g;

class Scanner {
  readonly s: string;
  at = 0;

  constructor(s: string) {
    this.s = s;
  }

  blanks(): void {
    for (;;) {
      while (this.at < this.s.length && this.s.charCodeAt(this.at) <= 32) this.at++;
      if (this.s[this.at] !== "(") return;
      // A comment; they nest.
      let depth = 0;
      for (; this.at < this.s.length; this.at++) {
        const c = this.s[this.at];
        if (c === "\\") this.at++;
        else if (c === "(") depth++;
        else if (c === ")" && --depth === 0) {
          this.at++;
          break;
        }
      }
    }
  }

  token(): string {
    this.blanks();
    tokenEnd.lastIndex = this.at;
    const end = tokenEnd.exec(this.s)?.index ?? this.s.length;
    const r = this.s.slice(this.at, end);
    this.at = end;
    return r;
  }

  skip(c: string): boolean {
    this.blanks();
    if (this.s[this.at] !== c) return false;
    this.at++;
    return true;
  }

  value(): string {
    this.blanks();
    if (this.s[this.at] !== '"') {
      // Unquoted values with characters that should be quoted are common: up to the next semicolon.
      let end = this.s.indexOf(";", this.at);
      if (end < 0) end = this.s.length;
      const r = this.s.slice(this.at, end).trim();
      this.at = end;
      return r.slice(0, maxValue);
    }
    let r = "";
    let from = ++this.at;
    for (; this.at < this.s.length; this.at++) {
      const c = this.s.charCodeAt(this.at);
      if (c === 92) {
        r += this.s.slice(from, this.at);
        from = ++this.at;
      } else if (c === 34) {
        break;
      }
    }
    r += this.s.slice(from, this.at);
    this.at++;
    return r.slice(0, maxValue);
  }

  params(): Record<string, string> {
    const plain = new Map<string, string>();
    const extended = new Map<string, Map<number, { value: string; encoded: boolean }>>();
    for (let n = 0; n < maxParams && this.at < this.s.length; n++) {
      const semicolon = this.s.indexOf(";", this.at);
      if (semicolon < 0) break;
      this.at = semicolon + 1;
      const name = this.token().toLowerCase().slice(0, 100);
      if (name === "" || !this.skip("=")) continue;
      const value = this.value();
      const star = name.indexOf("*");
      if (star <= 0) {
        if (!plain.has(name)) plain.set(name, value);
        continue;
      }
      // RFC 2231: name*, name*0, name*0*
      const base = name.slice(0, star);
      const rest = name.slice(star + 1);
      const encoded = rest === "" || rest.endsWith("*");
      const index = rest === "" || rest === "*" ? 0 : parseInt(rest, 10);
      if (Number.isNaN(index)) continue;
      let pieces = extended.get(base);
      if (!pieces) extended.set(base, pieces = new Map());
      pieces.set(index, { value, encoded });
    }
    const r: Record<string, string> = Object.create(null);
    for (const [name, value] of plain) r[name] = value.includes("=?") ? decodeWords(value) : value;
    for (const [name, pieces] of extended) r[name] = joinExtended(pieces);
    return { ...r };
  }
}

function joinExtended(pieces: Map<number, { value: string; encoded: boolean }>): string {
  let charset = "utf-8";
  const bytes: number[] = [];
  let first = true;
  for (let i = 0; pieces.has(i); i++) {
    let { value, encoded } = pieces.get(i)!;
    if (first && encoded) {
      const [cs, , ...rest] = value.split("'");
      if (rest.length > 0) {
        charset = cs || "utf-8";
        value = rest.join("'");
      }
    }
    first = false;
    if (!encoded) {
      bytes.push(...new TextEncoder().encode(value));
      continue;
    }
    for (let k = 0; k < value.length; k++) {
      const hex = value[k] === "%" ? parseInt(value.slice(k + 1, k + 3), 16) : NaN;
      if (!Number.isNaN(hex) && /^[0-9a-f]{2}$/i.test(value.slice(k + 1, k + 3))) {
        bytes.push(hex);
        k += 2;
      } else {
        bytes.push(...new TextEncoder().encode(value[k]));
      }
    }
  }
  return decodeCharset(new Uint8Array(bytes), charset).slice(0, maxValue);
}
