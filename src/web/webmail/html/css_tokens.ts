/**
 * CSS as tokens (CSS Syntax Level 3 §4), and tokens as CSS. Escapes are undone when reading and made
 * anew when writing, so that what was looked at is what a browser sees.
 *
 * Total and linear.
 *
 * @module
 */

export type CssToken =
  | { kind: "ident" | "function" | "at" | "hash" | "string" | "url"; text: string }
  /** With its unit, or "%". */
  | { kind: "number"; text: string; unit: string }
  | { kind: "space" }
  /** Any other character, including brackets. */
  | { kind: "mark"; text: string };

const nameStart = /[a-z_\u0080-\uffff]/i;
const nameChar = /[a-z0-9_\u0080-\uffff-]/i;
const nameRun = /[a-z0-9_\u0080-\uffff-]*/iy;
const hexDigit = /[0-9a-f]/i;
const space = /[ \t\n\r\f]/;
const number = /[+-]?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:e[+-]?[0-9]{1,3})?/iy;

class Reader {
  readonly s: string;
  at = 0;
  constructor(s: string) {
    this.s = s;
  }

  /** True if an escape starts at the position. */
  isEscape(at: number): boolean {
    return this.s[at] === "\\" && at + 1 < this.s.length && !/[\n\r\f]/.test(this.s[at + 1]);
  }

  /** True if a name starts at the position. */
  isName(at: number): boolean {
    const c = this.s[at];
    if (c === undefined) return false;
    if (c === "-") {
      const d = this.s[at + 1];
      return d !== undefined && (nameStart.test(d) || d === "-" || this.isEscape(at + 1));
    }
    return nameStart.test(c) || this.isEscape(at);
  }

  escape(): string {
    this.at++;
    let hex = "";
    while (hex.length < 6 && hexDigit.test(this.s[this.at] ?? "")) hex += this.s[this.at++];
    if (hex === "") {
      const c = String.fromCodePoint(this.s.codePointAt(this.at)!);
      this.at += c.length;
      return c;
    }
    if (this.s.startsWith("\r\n", this.at)) this.at += 2;
    else if (space.test(this.s[this.at] ?? "")) this.at++;
    const code = parseInt(hex, 16);
    return code === 0 || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)
      ? "\ufffd"
      : String.fromCodePoint(code);
  }

  name(): string {
    let out = "";
    for (;;) {
      nameRun.lastIndex = this.at;
      const run = nameRun.exec(this.s)![0];
      this.at += run.length;
      out += run;
      if (!this.isEscape(this.at)) return out;
      out += this.escape();
    }
  }

  string(quote: string): string {
    let out = "";
    this.at++;
    while (this.at < this.s.length) {
      const c = this.s[this.at];
      if (c === quote) {
        this.at++;
        break;
      }
      // A line break ends an unclosed string.
      if (/[\n\r\f]/.test(c)) break;
      if (c === "\\") {
        if (this.at + 1 >= this.s.length) {
          this.at++;
          break;
        }
        if (this.isEscape(this.at)) out += this.escape();
        else this.at += this.s.startsWith("\r\n", this.at + 1) ? 3 : 2;
        continue;
      }
      out += c;
      this.at++;
    }
    return out;
  }

  /** After "url(": the address if it isn't quoted; undefined if it is. */
  url(): string | undefined {
    let at = this.at;
    while (space.test(this.s[at] ?? "")) at++;
    if (this.s[at] === '"' || this.s[at] === "'") return undefined;
    this.at = at;
    let out = "";
    while (this.at < this.s.length) {
      const c = this.s[this.at];
      if (c === ")") {
        this.at++;
        break;
      }
      if (this.isEscape(this.at)) out += this.escape();
      else {
        out += c;
        this.at++;
      }
    }
    return out.trim();
  }
}

/** Reads CSS; a comment becomes a space. */
export function* cssTokens(css: string): Generator<CssToken> {
  const r = new Reader(css.replaceAll("\0", "\ufffd"));
  const { s } = r;
  while (r.at < s.length) {
    const c = s[r.at];
    if (c === "/" && s[r.at + 1] === "*") {
      const end = s.indexOf("*/", r.at + 2);
      r.at = end < 0 ? s.length : end + 2;
      // Tokens separated by a comment must stay separate: `url/**/(x)` is not a url().
      yield { kind: "space" };
    } else if (space.test(c)) {
      while (r.at < s.length && space.test(s[r.at])) r.at++;
      yield { kind: "space" };
    } else if (c === '"' || c === "'") {
      yield { kind: "string", text: r.string(c) };
    } else if (c === "#" && (nameChar.test(s[r.at + 1] ?? "") || r.isEscape(r.at + 1))) {
      r.at++;
      yield { kind: "hash", text: r.name() };
    } else if (c === "@" && r.isName(r.at + 1)) {
      r.at++;
      yield { kind: "at", text: r.name() };
    } else if (s.startsWith("<!--", r.at) || s.startsWith("-->", r.at)) {
      r.at += c === "<" ? 4 : 3;
      yield { kind: "space" };
    } else {
      number.lastIndex = r.at;
      const n = number.exec(s)?.[0];
      if (n !== undefined) {
        r.at += n.length;
        let unit = "";
        if (s[r.at] === "%") {
          unit = "%";
          r.at++;
        } else if (r.isName(r.at)) unit = r.name();
        yield { kind: "number", text: n, unit };
      } else if (r.isName(r.at)) {
        const text = r.name();
        if (s[r.at] !== "(") {
          yield { kind: "ident", text };
          continue;
        }
        r.at++;
        const url = text.toLowerCase() === "url" ? r.url() : undefined;
        yield url === undefined ? { kind: "function", text } : { kind: "url", text: url };
      } else {
        r.at++;
        yield { kind: "mark", text: c };
      }
    }
  }
}

function escaped(s: string, plain: RegExp): string {
  let out = "";
  for (const c of s) out += plain.test(c) ? c : `\\${c.codePointAt(0)!.toString(16)} `;
  return out;
}

function nameText(s: string): string {
  if (/^-?[a-z_][a-z0-9_-]*$/i.test(s)) return s;
  const text = escaped(s, /[a-z0-9_\u0080-\u{10ffff}-]/iu);
  // A name can't begin with a digit.
  return /^-?[0-9]/.test(text)
    ? text.replace(/^(-?)([0-9])/, (_, dash, digit) => `${dash}\\3${digit} `)
    : text === "-"
    ? "\\2d "
    : text;
}

// deno-lint-ignore no-control-regex
const quoted = (s: string) => `"${escaped(s, /[^"\\<>&\u0000-\u001f\u007f]/u)}"`;

/** A token as CSS that reads as the same token, and ends no HTML element. */
export function tokenText(token: CssToken): string {
  switch (token.kind) {
    case "space":
      return " ";
    case "ident":
      return nameText(token.text);
    case "function":
      return `${nameText(token.text)}(`;
    case "at":
      return `@${nameText(token.text)}`;
    case "hash":
      return `#${escaped(token.text, /[a-z0-9_\u0080-\u{10ffff}-]/iu)}`;
    case "string":
      return quoted(token.text);
    case "url":
      return `url(${quoted(token.text)})`;
    case "number":
      return token.text +
        (token.unit === "%" || token.unit === "" ? token.unit : nameText(token.unit));
    case "mark":
      return token.text === "<" || token.text === "\\" ? "" : token.text;
  }
}
