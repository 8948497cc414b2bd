/**
 * Reading commands: lines and the literals within them, bounded.
 *
 * @module
 */
import { giveBack } from "../../../platform/bytes.ts";
import type { Connection } from "../../../net/types.ts";
import { ImapBad, ImapNo } from "./answer.ts";

/**
 * Bytes of a line before and after login (RFC 7162 §4 asks for at least 8192). Before it the largest legal ID fits
 * (RFC 2971 §3.3: 30 pairs of 30 and 1024 bytes, each of which may be escaped).
 */
export const maxLineBefore = 72 * 1024;
export const maxLineAfter = 1024 * 1024;
/** Bytes of a command with its literals, before and after login. Messages don't count. */
const maxCommandBefore = 96 * 1024;
const maxCommandAfter = 2 * 1024 * 1024;
/** Literals in one command. */
const maxLiterals = 1000;
/** Bytes of a refused LITERAL+ literal that are read and dropped; beyond that the connection is closed. */
export const maxDiscard = 128 * 1024 * 1024;

/** The literal that a line ends with. */
export interface LiteralHeader {
  size: number;
  /** Sent without waiting for the continuation request (RFC 7888). */
  nonSync: boolean;
  /** "~{": literal8. */
  binary: boolean;
  /** Offset of "{" or "~{" in the line. */
  offset: number;
}

/** The literal header at the end of a line, if there is one. */
export function literalHeader(line: Uint8Array): LiteralHeader | undefined {
  let i = line.length - 1;
  if (line[i] !== 0x7d) return undefined;
  i--;
  const nonSync = line[i] === 0x2b || line[i] === 0x2d;
  if (nonSync) i--;
  let size = 0;
  let scale = 1;
  let digits = 0;
  while (i >= 0 && line[i] >= 0x30 && line[i] <= 0x39) {
    // 2^63 and the like stay large enough to be refused, even if digits are lost.
    size = Math.min(Number.MAX_SAFE_INTEGER, size + (line[i] - 0x30) * scale);
    scale = Math.min(Number.MAX_SAFE_INTEGER, scale * 10);
    digits++;
    i--;
  }
  if (digits === 0 || line[i] !== 0x7b) return undefined;
  const binary = i > 0 && line[i - 1] === 0x7e;
  return { size, nonSync, binary, offset: binary ? i - 1 : i };
}

const crlf = new Uint8Array([13, 10]);

/** Reads exactly this many bytes, in pieces that are valid until the next one. */
export async function readBytes(
  conn: Connection,
  count: number,
  each: (bytes: Uint8Array) => void | Promise<void>,
): Promise<void> {
  while (count > 0) {
    const b = await conn.readSome(Math.min(count, 64 * 1024));
    count -= b.length;
    await each(b);
    giveBack(b);
  }
}

/**
 * Whether the bytes of a refused literal come all the same: it is sent without waiting, or the client waits for no
 * continuation request though it has to (RFC 9051 §4.3). What is there before it has an answer can only be the
 * literal. Read as commands, a stranger's message would act in the user's name.
 */
export function isSentAnyway(conn: Connection, header: LiteralHeader): boolean {
  return header.nonSync || conn.buffered > 0;
}

/**
 * Drops a refused literal that is sent anyway.
 * @returns false if it is too large: then the connection can't continue.
 */
export async function discardLiteral(conn: Connection, header: LiteralHeader): Promise<boolean> {
  if (header.size > maxDiscard) return false;
  await readBytes(conn, header.size, () => {});
  return true;
}

/**
 * Drops the rest of a command that is refused by its first line: literals that are sent anyway, and
 * the line after each (RFC 7888 §3). Otherwise they would be read as commands.
 * @throws Unrecoverable if there is more than a connection may continue after
 */
export async function discardRest(
  conn: Connection,
  first: Uint8Array,
  loggedIn: boolean,
): Promise<void> {
  let left = loggedIn ? maxDiscard : maxCommandBefore;
  for (let h = literalHeader(first); h && isSentAnyway(conn, h);) {
    left -= h.size;
    if (left < 0) throw new Unrecoverable("literal too large");
    await readBytes(conn, h.size, () => {});
    const line = await conn.readLine(loggedIn ? maxLineAfter : maxLineBefore);
    left -= line.length;
    h = literalHeader(line);
  }
}

/** Asks for a literal. */
export async function requestLiteral(conn: Connection, header: LiteralHeader): Promise<void> {
  if (header.nonSync) return;
  conn.write("+ send it\r\n");
  await conn.flush();
}

/** Thrown when the client keeps sending what was refused. */
export class Unrecoverable extends Error {
  constructor(text: string) {
    super(text);
    this.name = "Unrecoverable";
  }
}

/**
 * Reads the rest of a command whose first line is given: its literals and what follows each.
 * @throws ImapNo, ImapBad with the whole of it read; Unrecoverable.
 */
export async function readRest(
  conn: Connection,
  first: Uint8Array,
  loggedIn: boolean,
): Promise<Uint8Array> {
  let header = literalHeader(first);
  if (!header) return first;
  const limit = loggedIn ? maxCommandAfter : maxCommandBefore;
  const maxLine = loggedIn ? maxLineAfter : maxLineBefore;
  const parts: Uint8Array[] = [first.slice()];
  let total = first.length;
  let literals = 0;
  let refusal: ImapNo | ImapBad | undefined;
  while (header) {
    if (!refusal && total + header.size > limit) {
      refusal = new ImapBad(`literal makes the command longer than ${limit} bytes`, "TOOBIG");
    }
    if (!refusal && ++literals > maxLiterals) {
      refusal = new ImapBad(`more than ${maxLiterals} literals`, "LIMIT");
    }
    if (refusal) {
      // If the client waits for an answer to the literal, the command ends there.
      if (!isSentAnyway(conn, header)) throw refusal;
      if (!await discardLiteral(conn, header)) throw new Unrecoverable("literal too large");
    } else {
      await requestLiteral(conn, header);
      const bytes = new Uint8Array(header.size);
      let n = 0;
      await readBytes(conn, header.size, (b) => {
        bytes.set(b, n);
        n += b.length;
      });
      parts.push(crlf, bytes);
      total += 2 + bytes.length;
    }
    const line = await conn.readLine(maxLine);
    header = literalHeader(line);
    if (!refusal) {
      parts.push(line.slice());
      total += line.length;
      if (total > limit) refusal = new ImapBad(`command longer than ${limit} bytes`, "TOOBIG");
    }
  }
  if (refusal) throw refusal;
  const out = new Uint8Array(total);
  let n = 0;
  for (const p of parts) {
    out.set(p, n);
    n += p.length;
  }
  return out;
}
