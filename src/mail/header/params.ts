/**
 * Content-Type, Content-Disposition and Content-Transfer-Encoding (RFC 2045 §5.1, §6.1, RFC 2183, 2231), as found
 * in the wild: comments anywhere, missing quotes and semicolons, encoded words in values, misspelt encodings.
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

/** Most parameters of a field that are read. */
const maxParams = 100;
/** Most characters of a value that are kept. */
const maxValue = 4000;
/** Most characters of a field that are read. */
const maxField = 64 * 1024;

/** Undefined if the value is not a content type: the default applies (RFC 2045 §5.2). */
export function parseContentType(value: string | undefined): ContentType | undefined {
  if (value === undefined) return undefined;
  const s = new Scanner(plainWord(value));
  const type = s.word().toLowerCase();
  if (type === "" && s.s[s.at] === ";") {
    // No type, but the name of a file: it is a file of unknown kind.
    const params = s.params();
    return params.name ? { type: "application", subtype: "octet-stream", params } : undefined;
  }
  if (type === "" || !s.skip("/")) return undefined;
  const subtype = s.word().toLowerCase();
  if (subtype === "") return undefined;
  s.endQuote();
  return { type: type.slice(0, 127), subtype: subtype.slice(0, 127), params: s.params() };
}

/** Undefined if there is no disposition. */
export function parseDisposition(
  value: string | undefined,
): { type: string; params: Record<string, string> } | undefined {
  if (value === undefined) return undefined;
  const s = new Scanner(plainWord(value));
  const start = s.at;
  let type = s.word().toLowerCase().slice(0, 127);
  s.endQuote();
  if (s.s[s.at] === "=") {
    // A parameter without a type before it: RFC 2183 §2.8 treats unknown dispositions as attachment.
    s.at = start;
    type = "attachment";
  }
  if (type === "") return undefined;
  return { type, params: s.params() };
}

/** Decodes a value that begins with an encoded word where none is allowed (RFC 2047 §5). */
function plainWord(value: string): string {
  return value.startsWith("=?") ? decodeWords(value) : value;
}

/** The tags of Content-Language. */
export function parseLanguages(value: string | undefined): string[] {
  if (!value) return [];
  return withoutComments(value).split(",", 20).map((v) => v.trim().slice(0, 50)).filter((v) =>
    v !== ""
  );
}

/** Encodings by their names without punctuation. */
const encodings: Record<string, string> = {
  "7bit": "7bit",
  "7bits": "7bit",
  "bit7": "7bit",
  "8bit": "8bit",
  "8bits": "8bit",
  "bit8": "8bit",
  "binary": "binary",
  "bin": "binary",
  "base64": "base64",
  "b64": "base64",
  "quotedprintable": "quoted-printable",
  "quotedprintible": "quoted-printable",
  "quoteprintable": "quoted-printable",
  "qp": "quoted-printable",
  "xuuencode": "x-uuencode",
  "xuue": "x-uuencode",
  "uuencode": "x-uuencode",
  "uue": "x-uuencode",
};

/**
 * A transfer encoding in lower case: its proper name even if misspelt, quoted or with a comment; an unknown one
 * unchanged. "7bit" if there is none.
 */
export function parseEncoding(value: string | undefined): string {
  if (value === undefined) return "7bit";
  const plain = withoutComments(plainWord(value)).trim().toLowerCase();
  const known = encodings[plain.slice(0, 100).split(/[;,]/, 1)[0].replace(/[^a-z0-9]/g, "")];
  return known ?? (plain.split(/[;,\s]/, 1)[0].replace(/"/g, "").slice(0, 100) || "7bit");
}

/** A field's value without comments (RFC 5322 §3.2.2), keeping those in quotes. */
export function withoutComments(value: string): string {
  if (!value.includes("(")) return value;
  let out = "";
  let from = 0;
  const s = new Scanner(value);
  for (; s.at < s.s.length; s.at++) {
    const c = s.s[s.at];
    if (c === '"') {
      s.quoted();
      s.at--;
    } else if (c === "(") {
      out += s.s.slice(from, s.at);
      s.comment();
      from = s.at--;
      out += " ";
    }
  }
  return out + s.s.slice(from);
}

// deno-lint-ignore no-control-regex -- RFC 2045 names them
const tokenEnd = /[\x00-\x20()<>@,;:\\"/[\]?=\x7f]/g;
/** What may follow a real comment, as opposed to a part of a value. */
const afterComment = /[\s;,(]|$/y;
/** A space and the name of another parameter. */
const nextParam = /\s([a-z0-9*_-]{1,40})\s{0,9}=(?![=?])/gi;
/** Parameters for which a missing semicolon is assumed, as values may contain spaces and "=". */
const commonParams: ReadonlySet<string> = new Set([
  ..."charset name filename size boundary format delsp type creation-date".split(" "),
  ..."modification-date read-date x-unix-mode x-mac-type x-mac-creator protocol micalg".split(" "),
]);

class Scanner {
  readonly s: string;
  at = 0;

  constructor(s: string) {
    this.s = s.length > maxField ? s.slice(0, maxField) : s;
  }

  /** Skips a comment that begins here; comments nest. An unterminated one takes the rest. */
  comment(): void {
    let depth = 0;
    for (; this.at < this.s.length; this.at++) {
      const c = this.s[this.at];
      if (c === "\\") this.at++;
      else if (c === "(") depth++;
      else if (c === ")" && --depth === 0) {
        this.at++;
        return;
      }
    }
    this.at = this.s.length;
  }

  blanks(): void {
    for (;;) {
      while (this.at < this.s.length && this.s.charCodeAt(this.at) <= 32) this.at++;
      if (this.s[this.at] !== "(") return;
      this.comment();
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

  /** A token, perhaps after a stray quote. */
  word(): string {
    this.blanks();
    if (this.s[this.at] === '"' || this.s[this.at] === "'") this.at++;
    return this.token();
  }

  /** Skips the quote at the end of quoted words. */
  endQuote(): void {
    this.blanks();
    if (this.s[this.at] === '"' || this.s[this.at] === "'") this.at++;
    this.blanks();
  }

  skip(c: string): boolean {
    this.blanks();
    if (this.s[this.at] !== c) return false;
    this.at++;
    return true;
  }

  /** The content of a quoted string that begins here; undefined if it is unterminated. */
  quoted(): string | undefined {
    let r = "";
    let from = ++this.at;
    for (; this.at < this.s.length; this.at++) {
      const c = this.s.charCodeAt(this.at);
      if (c === 92) {
        r += this.s.slice(from, this.at);
        from = ++this.at;
      } else if (c === 34) {
        r += this.s.slice(from, this.at++);
        return r;
      }
    }
    return undefined;
  }

  value(name: string): string {
    this.blanks();
    const start = this.at;
    if (this.s[start] === '"') {
      const r = this.quoted();
      if (r !== undefined) return r.slice(0, maxValue);
      // The closing quote is missing: the value ends where the next parameter begins.
      this.at = start + 1;
    }
    return this.unquoted(name).slice(0, maxValue);
  }

  /**
   * An unquoted value. Values with spaces and other characters that should be quoted are common, so it extends
   * to the next semicolon, except for comments, and for parameters that follow without one.
   */
  unquoted(name: string): string {
    const start = this.at;
    let end = this.s.indexOf(";", start);
    if (end < 0) end = this.s.length;
    for (let open = this.s.indexOf("(", start); open >= 0 && open < end;) {
      this.at = open;
      this.comment();
      const closed = this.s[this.at - 1] === ")";
      afterComment.lastIndex = this.at;
      // "Invoice (1).pdf" is a name.
      if (closed && afterComment.test(this.s)) {
        const r = this.s.slice(start, open);
        this.blanks();
        return this.split(name, r, start);
      }
      open = this.s.indexOf("(", Math.max(open + 1, closed ? this.at : end));
    }
    this.at = end;
    return this.split(name, this.s.slice(start, end), start);
  }

  /** Cuts a value off before a parameter that it contains, and continues there. */
  split(name: string, value: string, start: number): string {
    const isName = name.startsWith("name") || name.startsWith("filename");
    nextParam.lastIndex = 0;
    for (let m = nextParam.exec(value); m; m = nextParam.exec(value)) {
      if (isName && !commonParams.has(m[1].toLowerCase().replace(/\*.*$/, ""))) continue;
      this.at = start + m.index;
      value = value.slice(0, m.index);
      break;
    }
    // A comma instead of the semicolon: no charset has one in its name.
    if (name === "charset") value = value.split(",", 1)[0];
    return value.trim().replace(/[,"]+$/, "").trim();
  }

  params(): Record<string, string> {
    const plain = new Map<string, string>();
    const extended = new Map<string, Map<number, { value: string; encoded: boolean }>>();
    for (let n = 0; n < maxParams && this.at < this.s.length; n++) {
      this.blanks();
      while (this.s[this.at] === ";" || this.s[this.at] === ",") {
        this.at++;
        this.blanks();
      }
      const name = this.token().toLowerCase().slice(0, 100);
      if (name === "" || !this.skip("=")) {
        // Not a parameter: the text up to the next semicolon is ignored.
        if (name !== "" && this.at < this.s.length && this.startsParam()) continue;
        const semicolon = this.s.indexOf(";", this.at);
        if (semicolon < 0) break;
        this.at = semicolon;
        continue;
      }
      const value = this.value(name);
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
      if (!pieces.has(index)) pieces.set(index, { value, encoded });
    }
    const r: Record<string, string> = Object.create(null);
    // A boundary is compared unchanged, even if it looks like an encoded word.
    for (const [name, value] of plain) r[name] = name === "boundary" ? value : words(value);
    for (const [name, pieces] of extended) r[name] = joinExtended(pieces, name);
    return { ...r };
  }

  /** Whether a token and "=" come next. */
  startsParam(): boolean {
    const at = this.at;
    const found = this.token() !== "" && this.skip("=");
    this.at = at;
    return found;
  }
}

function words(value: string): string {
  return value.includes("=?") ? decodeWords(value) : value;
}

const encoder = new TextEncoder();

function joinExtended(
  pieces: Map<number, { value: string; encoded: boolean }>,
  name: string,
): string {
  let charset: string | undefined;
  const bytes: number[] = [];
  let first = true;
  let anyEncoded = false;
  // Numbering from 1 is wrong, but occurs.
  for (let i = pieces.has(0) ? 0 : 1; pieces.has(i); i++) {
    let { value, encoded } = pieces.get(i)!;
    anyEncoded ||= encoded;
    if (first && encoded) {
      const [cs, , ...rest] = value.split("'");
      if (rest.length > 0) {
        charset = cs || undefined;
        value = rest.join("'");
      }
    }
    first = false;
    if (!encoded) {
      for (const b of encoder.encode(value)) bytes.push(b);
      continue;
    }
    for (let k = 0; k < value.length; k++) {
      const digits = value[k] === "%" ? value.slice(k + 1, k + 3) : "";
      if (/^[0-9a-f]{2}$/i.test(digits)) {
        bytes.push(parseInt(digits, 16));
        k += 2;
      } else {
        for (const b of encoder.encode(value[k])) bytes.push(b);
      }
    }
  }
  const text = decodeCharset(new Uint8Array(bytes), charset).slice(0, maxValue);
  // Encoded words cut into numbered pieces.
  return anyEncoded || name === "boundary" ? text : words(text);
}
