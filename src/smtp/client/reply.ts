/**
 * Answers of SMTP servers (RFC 5321 §4.2, RFC 2034, RFC 3463).
 *
 * @module
 */

/** A complete answer. */
export interface Reply {
  /** 200 to 599. */
  code: number;
  /** Enhanced status code, such as "2.1.5"; "" if there is none or its class isn't the code's. */
  enhanced: string;
  /** The text of each line, without codes, without control characters. */
  lines: string[];
}

/** The server sent something that is not an answer. */
export class ReplyError extends Error {
  override name = "ReplyError";
}

/** Most bytes of a line: four times what RFC 5321 §4.5.3.1.5 allows. */
export const maxReplyLine = 2048;
/** Most lines of an answer. */
export const maxReplyLines = 200;
/** Most characters kept of all lines. */
const maxReplyText = 16 * 1024;

const decoder = new TextDecoder();
const digit = (b: number | undefined) => b !== undefined && b >= 0x30 && b <= 0x39;

/** Assembles an answer from its lines; bounded, whatever the server sends. */
export class ReplyParser {
  #code = 0;
  #enhanced = "";
  #lines: string[] = [];
  #count = 0;
  #size = 0;

  /**
   * Takes a line without its end.
   * @returns the answer with its last line; then the parser is ready for the next one.
   * @throws ReplyError; the connection is unusable then.
   */
  push(line: Uint8Array): Reply | undefined {
    // RFC 5321 §4.2: the first digit is 2 to 5.
    if (!digit(line[0]) || !digit(line[1]) || !digit(line[2]) || line[0] < 0x32 || line[0] > 0x35) {
      throw new ReplyError(`not an SMTP answer: ${JSON.stringify(shown(line, 80))}`);
    }
    const code = (line[0] - 0x30) * 100 + (line[1] - 0x30) * 10 + line[2] - 0x30;
    const separator = line[3];
    const last = separator !== 0x2d;
    if (separator !== undefined && separator !== 0x20 && separator !== 0x2d) {
      throw new ReplyError(`not an SMTP answer: ${JSON.stringify(shown(line, 80))}`);
    }
    if (this.#count > 0 && code !== this.#code) {
      throw new ReplyError(`codes ${this.#code} and ${code} in one SMTP answer`);
    }
    if (++this.#count > maxReplyLines) throw new ReplyError("SMTP answer with too many lines");
    this.#code = code;
    let text = shown(line.subarray(4), maxReplyLine);
    const enhanced = enhancedCode(text);
    if (enhanced !== "" && enhanced[0] === String(code)[0]) {
      if (this.#enhanced === "") this.#enhanced = enhanced;
      text = text.slice(enhanced.length).trimStart();
    }
    if (this.#size + text.length <= maxReplyText) this.#lines.push(text);
    this.#size += text.length;
    if (!last) return undefined;
    const reply = { code, enhanced: this.#enhanced, lines: this.#lines };
    this.#code = 0;
    this.#enhanced = "";
    this.#lines = [];
    this.#count = 0;
    this.#size = 0;
    return reply;
  }
}

/** The lines as one. */
export function replyText(reply: Reply): string {
  return reply.lines.filter((l) => l !== "").join(" ").slice(0, 2000);
}

/** Bytes as text that is safe to log and quote. */
function shown(line: Uint8Array, max: number): string {
  // deno-lint-ignore no-control-regex -- exactly those that must not get into logs and reports
  return decoder.decode(line.subarray(0, max)).replace(/[\x00-\x1f\x7f]/g, " ").trimEnd();
}

/** The enhanced status code that a text starts with, or "" (RFC 2034 §4). */
function enhancedCode(text: string): string {
  let at = 0;
  const number = (max: number): boolean => {
    const from = at;
    while (at - from < max && digit(text.charCodeAt(at))) at++;
    return at > from;
  };
  if (!"245".includes(text[0] ?? "x")) return "";
  if (!number(1) || text[at++] !== ".") return "";
  if (!number(3) || text[at++] !== "." || !number(3)) return "";
  return at === text.length || text[at] === " " ? text.slice(0, at) : "";
}
