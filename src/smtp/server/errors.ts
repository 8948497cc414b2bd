/**
 * Refusals of SMTP commands.
 *
 * @module
 */

/** A refusal: becomes the answer to the command, and nothing more. */
export class SmtpError extends Error {
  /** 4xx or 5xx. */
  readonly code: number;
  /** Enhanced status code without its class, e.g. "5.1" (RFC 3463); the class comes from the code. */
  readonly enhanced: string;
  /** End the connection after the answer. */
  readonly close: boolean;
  /** Not the peer's fault: it is neither slowed down nor disconnected for it. */
  readonly harmless: boolean;

  constructor(
    code: number,
    enhanced: string,
    text: string,
    options: ErrorOptions & { close?: boolean; harmless?: boolean } = {},
  ) {
    super(text, options);
    this.name = "SmtpError";
    this.code = code;
    this.enhanced = enhanced;
    this.close = options.close === true;
    this.harmless = options.harmless === true;
  }

  /** True if trying again later may help. */
  get temporary(): boolean {
    return this.code < 500;
  }

  /** The complete enhanced status code. */
  get status(): string {
    return `${Math.floor(this.code / 100)}.${this.enhanced}`;
  }
}

/** 501: arguments that can't be parsed. */
export function syntaxError(text: string): SmtpError {
  return new SmtpError(501, "5.2", text);
}

/** 503: a command that is not allowed now. */
export function sequenceError(text: string): SmtpError {
  return new SmtpError(503, "5.1", text);
}

/** An answer's lines: the text may have several. */
export function formatReply(code: number, enhanced: string | undefined, text: string): string {
  // Nothing from outside may add a line.
  // deno-lint-ignore no-control-regex -- exactly those that would break the answer
  const controls = /[\u0000-\u001f\u007f]/g;
  const lines = text.split("\n").map((l) => l.replaceAll(controls, " ").slice(0, 400));
  const status = enhanced === undefined ? "" : `${enhanced} `;
  let out = "";
  lines.forEach((line, i) => {
    out += `${code}${i < lines.length - 1 ? "-" : " "}${status}${line}\r\n`;
  });
  return out;
}
