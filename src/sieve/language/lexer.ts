/**
 * Tokens of a Sieve script (RFC 5228 §8.1).
 *
 * @module
 */
import type { Problems } from "./problems.ts";

export type TokenKind =
  | "identifier"
  | "tag"
  | "number"
  | "string"
  | "{"
  | "}"
  | "("
  | ")"
  | "["
  | "]"
  | ","
  | ";"
  | "end"
  | "bad";

/** Reads tokens one by one; the fields describe the current one. */
export class Lexer {
  readonly #text: string;
  readonly #problems: Problems;
  #at = 0;
  kind: TokenKind = "end";
  /** An identifier or tag in lower case, a tag without its colon; the value of a string. */
  value = "";
  number = 0;
  /** Where the token starts. */
  start = 0;
  /** End of the previous token. */
  endBefore = 0;

  constructor(text: string, problems: Problems, from = 0) {
    this.#text = text;
    this.#problems = problems;
    this.#at = from;
    // A byte order mark is not part of the script.
    if (from === 0 && text.charCodeAt(0) === 0xfeff) this.#at = 1;
    this.next();
  }

  next(): void {
    this.endBefore = this.#at;
    this.#skipBlanks();
    const text = this.#text;
    this.start = this.#at;
    if (this.#at >= text.length) {
      this.kind = "end";
      return;
    }
    const c = text.charCodeAt(this.#at);
    if (isLetter(c)) {
      this.#identifier("identifier");
      if (this.value === "text" && text[this.#at] === ":") this.#multiLine();
      return;
    }
    if (isDigit(c)) return this.#number();
    switch (c) {
      case 34:
        return this.#quoted();
      case 58:
        this.#at++;
        if (isLetter(text.charCodeAt(this.#at))) return this.#identifier("tag");
        return this.#bad("a tag needs a name after its colon");
      case 123:
      case 125:
      case 40:
      case 41:
      case 91:
      case 93:
      case 44:
      case 59:
        this.#at++;
        this.kind = text[this.start] as TokenKind;
        return;
    }
    const code = text.codePointAt(this.#at)!;
    this.#at += code > 0xffff ? 2 : 1;
    const shown = code < 32 || code === 127
      ? `control character ${code}`
      : JSON.stringify(String.fromCodePoint(code));
    this.#bad(`unexpected ${shown}`);
  }

  /** Skips the rest. */
  giveUp(): void {
    this.#at = this.#text.length;
    this.kind = "end";
  }

  #bad(message: string): void {
    this.#problems.error(this.start, message);
    this.kind = "bad";
  }

  #skipBlanks(): void {
    const text = this.#text;
    for (;;) {
      const c = text.charCodeAt(this.#at);
      if (c === 32 || c === 10 || c === 13 || c === 9) {
        this.#at++;
      } else if (c === 35) {
        const end = text.indexOf("\n", this.#at);
        this.#at = end < 0 ? text.length : end + 1;
      } else if (c === 47 && text.charCodeAt(this.#at + 1) === 42) {
        const end = text.indexOf("*/", this.#at + 2);
        if (end < 0) {
          this.#problems.error(this.#at, "the comment that starts here has no end (*/)");
          this.#at = text.length;
        } else {
          this.#at = end + 2;
        }
      } else {
        return;
      }
    }
  }

  #identifier(kind: "identifier" | "tag"): void {
    const from = this.#at;
    while (isWord(this.#text.charCodeAt(this.#at))) this.#at++;
    this.kind = kind;
    this.value = this.#text.slice(from, this.#at).toLowerCase();
  }

  #number(): void {
    const from = this.#at;
    while (isDigit(this.#text.charCodeAt(this.#at))) this.#at++;
    let n = Number(this.#text.slice(from, this.#at));
    const shift = "kmg".indexOf((this.#text[this.#at] ?? " ").toLowerCase());
    if (shift >= 0) {
      n *= 1024 ** (shift + 1);
      this.#at++;
    }
    if (isWord(this.#text.charCodeAt(this.#at))) {
      while (isWord(this.#text.charCodeAt(this.#at))) this.#at++;
      return this.#bad("a number may only be followed by K, M or G");
    }
    if (n > Number.MAX_SAFE_INTEGER) return this.#bad("the number is too large");
    this.kind = "number";
    this.number = n;
  }

  #quoted(): void {
    const text = this.#text;
    let value = "";
    let from = ++this.#at;
    for (;; this.#at++) {
      const c = text.charCodeAt(this.#at);
      if (c === 34) break;
      if (c === 92) {
        value += text.slice(from, this.#at);
        from = ++this.#at;
      }
      if (this.#at >= text.length) return this.#bad("the string that starts here has no end");
    }
    value += text.slice(from, this.#at);
    this.#at++;
    this.#string(value);
  }

  /** The text after `text:` (RFC 5228 §2.4.2.1). */
  #multiLine(): void {
    const text = this.#text;
    let at = this.#at + 1;
    while (text[at] === " " || text[at] === "\t") at++;
    if (text[at] === "#") {
      while (at < text.length && text[at] !== "\n") at++;
    }
    if (text[at] === "\r") at++;
    if (text[at] !== "\n") {
      this.#at = at;
      return this.#bad("the rest of the line after text: must be empty");
    }
    at++;
    const lines: string[] = [];
    for (;;) {
      if (at >= text.length) {
        this.#at = text.length;
        return this.#bad("the text that starts here has no end (a line with a dot alone)");
      }
      let end = text.indexOf("\n", at);
      if (end < 0) end = text.length;
      const stop = end > at && text.charCodeAt(end - 1) === 13 ? end - 1 : end;
      if (stop === at + 1 && text[at] === ".") {
        this.#at = Math.min(end + 1, text.length);
        break;
      }
      lines.push(
        text[at] === "." && text[at + 1] === "." ? text.slice(at + 1, stop) : text.slice(at, stop),
      );
      at = end + 1;
    }
    this.#string(lines.length === 0 ? "" : `${lines.join("\r\n")}\r\n`);
  }

  #string(value: string): void {
    if (value.includes("\0")) return this.#bad("a string can't hold a NUL character");
    this.kind = "string";
    // Lines in strings end in CRLF as in messages, whatever editor wrote the script.
    this.value = value.includes("\n") ? value.replace(/\r?\n/g, "\r\n") : value;
  }
}

function isDigit(c: number): boolean {
  return c >= 48 && c <= 57;
}

function isLetter(c: number): boolean {
  return c >= 97 && c <= 122 || c >= 65 && c <= 90 || c === 95;
}

function isWord(c: number): boolean {
  return isLetter(c) || isDigit(c);
}
