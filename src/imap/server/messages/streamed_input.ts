/**
 * The input of a command, read from the connection piece by piece as its literals arrive.
 *
 * @module
 */
import { Cursor } from "../../parse/cursor.ts";
import { ImapBad } from "../session/answer.ts";
import {
  discardLiteral,
  isSentAnyway,
  type LiteralHeader,
  literalHeader,
  maxLineAfter,
  readBytes,
  requestLiteral,
  Unrecoverable,
} from "../session/reader.ts";
import type { Session } from "../session/session.ts";

/** Bytes of a mailbox name sent as a literal. */
const maxNameLiteral = 8 * 1024;

/** The input of a command as it arrives: lines, with literals between them. */
export class StreamedInput {
  readonly s: Session;
  c: Cursor;
  constructor(session: Session, cursor: Cursor) {
    this.s = session;
    this.c = cursor;
  }

  /** The literal that begins here and ends the line. */
  header(): LiteralHeader | undefined {
    const h = literalHeader(this.c.bytes);
    return h && h.offset === this.c.pos ? h : undefined;
  }

  /** Continues with the line after a literal. */
  async nextLine(): Promise<void> {
    const line = (await this.s.conn.readLine(maxLineAfter)).slice();
    const utf8Names = this.c.utf8Names;
    const { lenient } = this.c;
    this.c = new Cursor(line);
    this.c.lenient = lenient;
    this.c.utf8Names = utf8Names;
  }

  async mailbox(): Promise<string> {
    const h = this.header();
    if (!h) return this.c.mailbox();
    if (h.size > maxNameLiteral) throw new ImapBad("mailbox name is too long", "TOOBIG");
    await requestLiteral(this.s.conn, h);
    const bytes = new Uint8Array(h.size);
    let n = 0;
    await readBytes(this.s.conn, h.size, (b) => {
      bytes.set(b, n);
      n += b.length;
    });
    await this.nextLine();
    // The name is read like a quoted string.
    const head = new TextEncoder().encode(`{${h.size}}\r\n`);
    const text = new Uint8Array(head.length + bytes.length);
    text.set(head);
    text.set(bytes, head.length);
    const c = new Cursor(text);
    c.utf8Names = this.c.utf8Names;
    return c.mailbox();
  }

  /** Skips the rest of a refused command, as far as the client sends it without waiting for an answer. */
  async skip(): Promise<void> {
    for (let h = literalHeader(this.c.bytes); h; h = literalHeader(this.c.bytes)) {
      if (!isSentAnyway(this.s.conn, h)) return;
      if (!await discardLiteral(this.s.conn, h)) throw new Unrecoverable("literal too large");
      await this.nextLine();
    }
  }
}

/** Calls the function; if it fails, skips the rest of the command. @throws as fn does */
export async function refusing<T>(input: StreamedInput, fn: () => Promise<T>): Promise<T> {
  try {
    return await fn();
  } catch (err) {
    await input.skip();
    throw err;
  }
}
