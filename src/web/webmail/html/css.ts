/**
 * CSS of a message made harmless: it can't load anything but what the caller allows, and only has rules
 * and functions that are known to be of use in mail.
 *
 * @module
 */
import { colorFunctions, colorProperty, darkened, isColorName } from "./colors.ts";
import { type CssToken, cssTokens, tokenText } from "./css_tokens.ts";

/** Characters of CSS that are looked at; more is dropped. */
const maxCss = 500_000;

/** Functions that don't load anything. */
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

/** Decides on an address: returns its replacement, or undefined if it must not be loaded. */
export type CssUrl = (url: string) => string | undefined;

/** Names of the classes that stand for the elements of a page, which a message's rules may name. */
const pageClasses: Record<string, string> = { html: ".mail-html", body: ".mail-body" };

/** The page that a message is shown on. */
export interface CssPage {
  /** It is dark: rules for dark pages count, and only then. */
  dark: boolean;
  /** Colours with inverted lightness. */
  turned: boolean;
}

const paper: CssPage = { dark: false, turned: false };

class Parser {
  readonly #tokens: CssToken[];
  readonly #url: CssUrl;
  readonly #page: CssPage;
  #at = 0;

  constructor(css: string, url: CssUrl, page: CssPage) {
    this.#tokens = css.length > maxCss ? [] : [...cssTokens(css)];
    this.#url = url;
    this.#page = page;
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
      // Whatever ends with a block ends there, with brackets still open or not.
      if (t.text === "}" && marks.includes("}")) break;
      if (t.text === "(" || t.text === "[") depth++;
      else if ((t.text === ")" || t.text === "]") && depth > 0) depth--;
    }
    return this.#tokens.slice(from, this.#at);
  }

  /** Skips a block from its "{" to the matching "}". */
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
    // The page's theme may differ from the system's.
    const known = text.replace(
      /\(\s*prefers-color-scheme\s*:\s*(dark|light)\s*\)/gi,
      (_, scheme: string) =>
        (scheme.toLowerCase() === "dark") === this.#page.dark ? "(min-width:0)" : "(max-width:0)",
    );
    return rules === "" ? "" : `@media ${known}{${rules}}\n`;
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
    const dark = this.#page.turned && colorProperty.test(name);
    // A background that isn't loaded leaves its colour.
    const instead = name === "background" || name === "background-image" ? "none" : undefined;
    let value = "";
    let open = 0;
    /** Where a colour's function begins in the value, and at which depth. */
    let color: { at: number; open: number } | undefined;
    for (let i = tokens.indexOf(colon) + 1; i < tokens.length; i++) {
      const t = tokens[i];
      if (t.kind === "at") return undefined;
      if (t.kind === "url") {
        const url = this.#url(t.text);
        if (url === undefined && instead === undefined) return undefined;
        value += url === undefined ? instead : tokenText({ kind: "url", text: url });
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
          if (url === undefined && instead === undefined) return undefined;
          value += url === undefined ? instead : tokenText({ kind: "url", text: url });
          i = tokens.indexOf(close, i);
          continue;
        }
        if (!functions.has(t.text.toLowerCase())) return undefined;
        if (dark && color === undefined && colorFunctions.has(t.text.toLowerCase())) {
          color = { at: value.length, open };
        }
        open++;
      }
      if (dark && color === undefined) {
        const whole = t.kind === "hash" &&
          /^(?:[0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})$/i.test(t.text);
        if (whole || t.kind === "ident" && !name.startsWith("--") && isColorName(t.text)) {
          value += darkened(tokenText(t));
          continue;
        }
      }
      if (t.kind === "mark") {
        if (t.text === "(" || t.text === "[") open++;
        if ((t.text === ")" || t.text === "]") && --open < 0) return undefined;
        // Outside of functions, brackets have no meaning.
        if (t.text === "(" && open === 1) return undefined;
        if (!"()[],/+-*!".includes(t.text)) return undefined;
      }
      value += tokenText(t);
      if (color !== undefined && open === color.open) {
        value = value.slice(0, color.at) + darkened(value.slice(color.at));
        color = undefined;
      }
    }
    if (open > 0) return undefined;
    value = value.trim();
    // Over what stands beside the message.
    if (name === "position" && /fixed|sticky/i.test(value)) return undefined;
    return value === "" ? undefined : `${name}:${value}`;
  }
}

/** A selector or condition; undefined if it contains anything that neither may contain. */
function selectorText(tokens: CssToken[]): string | undefined {
  let out = "";
  let open = 0;
  for (const [i, t] of tokens.entries()) {
    if (t.kind === "url" || t.kind === "at") return undefined;
    if (t.kind === "ident" && open === 0 && isType(tokens, i)) {
      const page = pageClasses[t.text.toLowerCase()];
      if (page !== undefined) {
        out += page;
        continue;
      }
    }
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

/** Whether a name in a selector is that of an element: nothing that makes it another stands before it. */
function isType(tokens: CssToken[], at: number): boolean {
  const before = tokens[at - 1];
  return before === undefined || before.kind === "space" ||
    before.kind === "mark" && /[,>+~]/.test(before.text);
}

/** A style sheet. */
export function safeStyleSheet(css: string, url: CssUrl, page = paper): string {
  return new Parser(css, url, page).rules();
}

/** The value of a style attribute. */
export function safeStyle(css: string, url: CssUrl, page = paper): string {
  return new Parser(css, url, page).declarations();
}
