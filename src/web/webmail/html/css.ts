/**
 * CSS of a message made harmless: it can't load anything but what the caller allows, and only has rules
 * and functions that are known to be of use in mail.
 *
 * @module
 */
import { type CssToken, cssTokens, tokenText } from "./css_tokens.ts";

/** Characters of CSS that are looked at; more is dropped. */
const maxCss = 500_000;

/** Functions that load nothing. */
const functions = new Set(
  ("rgb rgba hsl hsla hwb lab lch oklab oklch color color-mix light-dark calc min max clamp round var env " +
    "linear-gradient radial-gradient conic-gradient repeating-linear-gradient repeating-radial-gradient " +
    "repeating-conic-gradient rotate scale scalex scaley translate translatex translatey skew skewx skewy " +
    "matrix cubic-bezier steps rect counter counters format local minmax repeat fit-content").split(
      " ",
    ),
);
/** Pseudo-classes with arguments, and conditions. */
const selectorFunctions = new Set(
  "not is where has lang nth-child nth-of-type nth-last-child nth-last-of-type dir".split(" "),
);
/** Properties that run code in some program, or leave the message's frame. */
const badProperties = new Set(["behavior", "-moz-binding", "-ms-behavior", "src"]);

/** Decides on an address: what stands for it, or undefined if it must not be loaded. */
export type CssUrl = (url: string) => string | undefined;

class Parser {
  readonly #tokens: CssToken[];
  readonly #url: CssUrl;
  #at = 0;

  constructor(css: string, url: CssUrl) {
    this.#tokens = css.length > maxCss ? [] : [...cssTokens(css)];
    this.#url = url;
  }

  #isMark(text: string, at = this.#at): boolean {
    const t = this.#tokens[at];
    return t?.kind === "mark" && t.text === text;
  }

  get #ended(): boolean {
    return this.#at >= this.#tokens.length;
  }

  /** Tokens up to one of the marks outside of brackets, which is not taken. */
  #until(...marks: string[]): CssToken[] {
    const from = this.#at;
    let depth = 0;
    for (; !this.#ended; this.#at++) {
      const t = this.#tokens[this.#at];
      if (t.kind === "function") depth++;
      if (t.kind !== "mark") continue;
      if (depth === 0 && marks.includes(t.text)) break;
      // What a block ends ends with it, brackets open or not.
      if (t.text === "}" && marks.includes("}")) break;
      if (t.text === "(" || t.text === "[") depth++;
      else if ((t.text === ")" || t.text === "]") && depth > 0) depth--;
    }
    return this.#tokens.slice(from, this.#at);
  }

  /** Skips a block from its "{" to the "}" that belongs to it. */
  #skipBlock(): void {
    let depth = 0;
    for (; !this.#ended; this.#at++) {
      if (this.#isMark("{")) depth++;
      else if (this.#isMark("}") && --depth === 0) {
        this.#at++;
        return;
      }
    }
  }

  /** Rules up to the end, or to the "}" of the block that they are in. */
  rules(level = 0): string {
    let out = "";
    while (!this.#ended) {
      const t = this.#tokens[this.#at];
      if (t.kind === "space" || this.#isMark(";")) {
        this.#at++;
      } else if (this.#isMark("}")) {
        this.#at++;
        if (level > 0) return out;
      } else if (t.kind === "at") {
        out += this.#atRule(t.text.toLowerCase(), level);
      } else {
        const selector = this.#until("{", "}");
        if (!this.#isMark("{")) continue;
        this.#at++;
        const declarations = this.declarations();
        const text = selectorText(selector);
        if (text !== undefined && declarations !== "") out += `${text}{${declarations}}\n`;
      }
    }
    return out;
  }

  #atRule(name: string, level: number): string {
    this.#at++;
    const prelude = this.#until("{", ";", "}");
    if (!this.#isMark("{")) {
      if (this.#isMark(";")) this.#at++;
      return "";
    }
    // The others load (@import, @font-face) or are of no use in mail.
    const text = name === "media" && level < 5 ? selectorText(prelude) : undefined;
    if (text === undefined) {
      this.#skipBlock();
      return "";
    }
    this.#at++;
    const rules = this.rules(level + 1);
    return rules === "" ? "" : `@media ${text}{${rules}}\n`;
  }

  /** Declarations up to the end or a "}", which is taken. */
  declarations(): string {
    const out: string[] = [];
    while (!this.#ended) {
      const tokens = this.#until(";", "{", "}");
      if (this.#isMark("{")) {
        this.#skipBlock();
        continue;
      }
      const text = this.#declaration(tokens);
      if (text !== undefined) out.push(text);
      const end = this.#isMark("}");
      this.#at++;
      if (end) break;
    }
    return out.join(";");
  }

  #declaration(tokens: CssToken[]): string | undefined {
    const words = tokens.filter((t) => t.kind !== "space");
    const [property, colon] = words;
    if (property?.kind !== "ident" || colon?.kind !== "mark" || colon.text !== ":") {
      return undefined;
    }
    const name = property.text.toLowerCase();
    if (badProperties.has(name) || !/^-{0,2}[a-z][a-z0-9_-]*$/.test(name)) return undefined;
    let value = "";
    let open = 0;
    for (let i = tokens.indexOf(colon) + 1; i < tokens.length; i++) {
      const t = tokens[i];
      if (t.kind === "at") return undefined;
      if (t.kind === "url") {
        const url = this.#url(t.text);
        if (url === undefined) return undefined;
        value += tokenText({ kind: "url", text: url });
        continue;
      }
      if (t.kind === "function") {
        if (t.text.toLowerCase() === "url") {
          // With its string in quotes: judged and written as one.
          const rest = tokens.slice(i + 1, i + 5).filter((e) => e.kind !== "space");
          const [text, close] = rest;
          if (text?.kind !== "string" || close?.kind !== "mark" || close.text !== ")") {
            return undefined;
          }
          const url = this.#url(text.text);
          if (url === undefined) return undefined;
          value += tokenText({ kind: "url", text: url });
          i = tokens.indexOf(close, i);
          continue;
        }
        if (!functions.has(t.text.toLowerCase())) return undefined;
        open++;
      }
      if (t.kind === "mark") {
        if (t.text === "(" || t.text === "[") open++;
        if ((t.text === ")" || t.text === "]") && --open < 0) return undefined;
        // Outside of functions brackets mean nothing.
        if (t.text === "(" && open === 1) return undefined;
        if (!"()[],/+-*!".includes(t.text)) return undefined;
      }
      value += tokenText(t);
    }
    if (open > 0) return undefined;
    value = value.trim();
    // Over what stands beside the message.
    if (name === "position" && /fixed|sticky/i.test(value)) return undefined;
    return value === "" ? undefined : `${name}:${value}`;
  }
}

/** A selector or condition; undefined if it has what neither has. */
function selectorText(tokens: CssToken[]): string | undefined {
  let out = "";
  let open = 0;
  for (const t of tokens) {
    if (t.kind === "url" || t.kind === "at") return undefined;
    if (t.kind === "function") {
      if (!selectorFunctions.has(t.text.toLowerCase())) return undefined;
      open++;
    }
    if (t.kind === "mark") {
      if (!"()[],.>+~*=|^$:-/".includes(t.text)) return undefined;
      if (t.text === "(" || t.text === "[") open++;
      if ((t.text === ")" || t.text === "]") && --open < 0) return undefined;
    }
    out += tokenText(t);
  }
  out = out.trim();
  return open !== 0 || out === "" ? undefined : out;
}

/** A style sheet. */
export function safeStyleSheet(css: string, url: CssUrl): string {
  return new Parser(css, url).rules();
}

/** The value of a style attribute. */
export function safeStyle(css: string, url: CssUrl): string {
  return new Parser(css, url).declarations();
}
