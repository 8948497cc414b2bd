/** Answers of the server (RFC 5804 §1.2, §4). @module */

const encoder = new TextEncoder();

/** Refuses a command. The code is one of RFC 5804 §1.3, such as `QUOTA/MAXSIZE`. */
export class No extends Error {
  readonly code: string | undefined;
  constructor(text: string, code?: string, options?: ErrorOptions) {
    super(text, options);
    this.code = code;
  }
}

/** Refuses a command and ends the connection. */
export class Bye extends Error {
  readonly code: string | undefined;
  constructor(text: string, code?: string) {
    super(text);
    this.code = code;
  }
}

/** What is sent with OK. */
export interface Done {
  code?: string;
  text?: string;
}

/** A string: quoted where it can be, else as a literal. */
export function stringText(s: string): string {
  // deno-lint-ignore no-control-regex -- what a quoted string can't hold
  const quotable = s.length <= 1000 && !/[\x00\r\n]/.test(s);
  return quotable ? `"${s.replace(/["\\]/g, "\\$&")}"` : `{${encoder.encode(s).length}}\r\n${s}`;
}

/** One line of answer, with its line end. */
export function answerLine(word: "OK" | "NO" | "BYE", done: Done): string {
  const code = done.code === undefined ? "" : ` (${done.code})`;
  const text = done.text === undefined ? "" : ` ${stringText(done.text)}`;
  return `${word}${code}${text}\r\n`;
}
