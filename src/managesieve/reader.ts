/**
 * Commands as they arrive: words, strings and numbers, with literals read as a whole (RFC 5804 §4).
 *
 * @module
 */
import { type Connection, ConnectionError } from "../net/mod.ts";
import { Bye, No } from "./answers.ts";

/** A piece of a command. The text of literals is checked where it is used. */
export type Token =
  | { kind: "word"; text: string }
  | { kind: "string"; bytes: Uint8Array }
  | { kind: "number"; value: number };

/** Bytes of a line. */
const maxLine = 8 * 1024;
/** RFC 5804 §4: octets of a quoted string. */
const maxQuoted = 1024;
/** Bytes of a command's literals that are too large and dropped; for more the connection is closed. */
const maxDropped = 64 * 1024 * 1024;
/** Words, strings and numbers of a command; more are refused. */
const maxTokens = 16;
/** Literals of a command; for more the connection is closed, as its end may never come. */
const maxLiterals = 32;

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** Text of a string. @throws No if it isn't UTF-8, or has a NUL */
export function textOf(bytes: Uint8Array, what: string): string {
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    throw new No(`the ${what} isn't in UTF-8`);
  }
  if (text.includes("\0")) throw new No(`the ${what} has a NUL character in it`);
  return text;
}

/**
 * Reads one command.
 * @param maxLiteral bytes of a literal, and of all literals of a command together, not counting a name
 * @throws No after reading the command to its end; Bye; ConnectionError
 */
export async function readCommand(conn: Connection, maxLiteral: number): Promise<Token[]> {
  const tokens: Token[] = [];
  let refusal: No | undefined;
  let all = 0;
  for (let literals = 1;; literals++) {
    const line = await readLine(conn);
    // Nothing is kept of a refused command.
    const r: Scanned = line.tooLong
      ? { error: "the line is too long" }
      : scanLine(line.bytes, refusal === undefined ? tokens : []);
    if (r.error !== undefined) {
      refusal ??= new No(r.error);
      // What follows a line that can't be read is part of the same command, not a new one.
      r.literal = literalAtEnd(line.bytes);
    }
    if (tokens.length > maxTokens) refusal ??= new No("too many arguments");
    if (r.literal === undefined) break;
    if (literals > maxLiterals) throw new Bye("too many literals in one command");
    all += r.literal;
    if (all > maxLiteral + maxQuoted || r.literal > maxLiteral) {
      if (all > maxDropped) throw new Bye("the literal is much too large", "QUOTA/MAXSIZE");
      refusal ??= new No(`a string has ${maxLiteral} bytes at most here`, "QUOTA/MAXSIZE");
    }
    const keep = refusal === undefined;
    const bytes = new Uint8Array(keep ? r.literal : 0);
    for (let n = 0; n < r.literal;) {
      const piece = await conn.readSome(Math.min(r.literal - n, 64 * 1024));
      if (keep) bytes.set(piece, n);
      n += piece.length;
    }
    if (keep) tokens.push({ kind: "string", bytes });
  }
  if (refusal) throw refusal;
  return tokens;
}

/** A line; if it is too long, its end. */
async function readLine(conn: Connection): Promise<{ bytes: Uint8Array; tooLong: boolean }> {
  try {
    return { bytes: (await conn.readLine(maxLine)).slice(), tooLong: false };
  } catch (err) {
    if (!(err instanceof ConnectionError) || err.end === undefined) throw err;
    return { bytes: err.end, tooLong: true };
  }
}

/** Bytes of the literal that a line announces, whatever precedes it. */
function literalAtEnd(line: Uint8Array): number | undefined {
  const m = /\{(\d{1,15})\+\}$/.exec(new TextDecoder("latin1").decode(line));
  return m ? Number(m[1]) : undefined;
}

interface Scanned {
  /** Bytes of a literal that follows. */
  literal?: number;
  error?: string;
}

/** Tokens of a line; a literal at its end is still to be read. */
function scanLine(line: Uint8Array, tokens: Token[]): Scanned {
  const latin = new TextDecoder("latin1").decode(line);
  let at = 0;
  while (at < line.length) {
    const c = line[at];
    if (c === 32 || c === 9) {
      at++;
    } else if (c === 34) {
      const bytes: number[] = [];
      for (at++; at < line.length && line[at] !== 34; at++) {
        if (line[at] === 92) at++;
        bytes.push(line[at]);
      }
      if (at >= line.length) return { error: "a quoted string has no end" };
      at++;
      if (bytes.length > maxQuoted) {
        return { error: `a quoted string has ${maxQuoted} bytes at most: send a literal` };
      }
      tokens.push({ kind: "string", bytes: Uint8Array.from(bytes) });
    } else if (c === 123) {
      const m = /^\{(\d{1,15})\+?\}$/.exec(latin.slice(at));
      if (!m) return { error: "a literal is {size+} at the end of a line" };
      return { literal: Number(m[1]) };
    } else {
      const m = /^[^\s"{]+/.exec(latin.slice(at))!;
      at += m[0].length;
      if (/^\d{1,15}$/.test(m[0])) tokens.push({ kind: "number", value: Number(m[0]) });
      else if (/^[A-Za-z][A-Za-z0-9-]*$/.test(m[0])) {
        tokens.push({ kind: "word", text: m[0].toUpperCase() });
      } else return { error: "unexpected characters in the command" };
    }
  }
  return {};
}
