/**
 * Messages that APPEND and REPLACE bring (RFC 9051 §6.3.12, RFC 4469, RFC 6855 §4).
 *
 * They go straight to files; no message is held in memory.
 *
 * @module
 */
import { join } from "node:path";
import { isStorageError, isStorageFull } from "../../../platform/storage_errors.ts";
import type { NewMessage } from "../../../store/types.ts";
import { diskFull, ImapBad, ImapNo } from "../session/answer.ts";
import { splitFlags } from "./flag_bits.ts";
import { readUrl } from "./url.ts";
import { type LiteralHeader, readBytes, requestLiteral } from "../session/reader.ts";
import type { Session } from "../session/session.ts";
import type { StreamedInput } from "./streamed_input.ts";

/** One message: flags, date, and the message itself, into a file. */
export async function receiveMessage(input: StreamedInput, file: string): Promise<NewMessage> {
  const { s } = input;
  let names: string[] = [];
  let received: number | undefined;
  if (input.c.at("(")) {
    names = input.c.flagList();
    input.c.sp();
  }
  if (input.c.at('"')) {
    received = input.c.dateTime();
    input.c.sp();
  }
  const { flags, keywords } = splitFlags(names);
  if (input.c.takeText("CATENATE (")) {
    const fileSize = await catenate(input, file);
    return { file, prefix: new Uint8Array(0), fileSize, flags, keywords, received };
  }
  // RFC 6855 §4: UTF8 (~{n}...)
  const utf8 = input.c.takeText("UTF8 (");
  if (utf8 && !s.utf8) throw new ImapBad("ENABLE UTF8=ACCEPT first");
  const h = input.header();
  if (!h) input.c.fail("literal with the message");
  if (utf8 && !h.binary) input.c.fail("literal8 with the message");
  const max = s.backend.maxMessageSize;
  if (h.size > max) throw new ImapNo(`message is larger than ${max} bytes`, "TOOBIG");
  if (h.size === 0) throw new ImapNo("message is empty", "CANNOT");
  const fileSize = await literalToFile(input, h, file);
  if (utf8) input.c.expect(")");
  return { file, prefix: new Uint8Array(0), fileSize, flags, keywords, received };
}

/** RFC 4469: a message put together from texts and from parts of other messages. Returns its size. */
async function catenate(input: StreamedInput, path: string): Promise<number> {
  const { s } = input;
  const max = s.backend.maxMessageSize;
  const file = Deno.openSync(path, { write: true, createNew: true, mode: 0o600 });
  let size = 0;
  let failure: unknown;
  const add = (bytes: Uint8Array) => {
    try {
      for (let n = 0; failure === undefined && n < bytes.length;) {
        n += file.writeSync(bytes.subarray(n));
      }
    } catch (err) {
      failure = err;
    }
  };
  try {
    do {
      if (input.c.takeText("URL ")) {
        const url = input.c.astring("URL");
        const n = await readUrl(s, url, max - size, add);
        if (n === undefined) {
          throw new ImapNo("URL names nothing here", `BADURL "${quotable(url)}"`);
        }
        size += n;
      } else {
        if (!input.c.takeText("TEXT ")) input.c.fail("URL or TEXT");
        const h = input.header();
        if (!h) input.c.fail("literal with text");
        if (size + h.size > max) {
          throw new ImapNo(`message is larger than ${max} bytes`, "TOOBIG");
        }
        await requestLiteral(s.conn, h);
        await readBytes(s.conn, h.size, add);
        size += h.size;
        await input.nextLine();
      }
      if (failure !== undefined) throw cannotStore(failure);
      if (size > max) throw new ImapNo(`message is larger than ${max} bytes`, "TOOBIG");
    } while (input.c.take(" "));
    input.c.expect(")");
  } finally {
    file.close();
  }
  if (size === 0) throw new ImapNo("message is empty", "CANNOT");
  return size;
}

/** A URL escaped for a quoted string in an answer. */
function quotable(url: string): string {
  return url.replace(/[^\x21-\x7e]|["\\]/g, "").slice(0, 1000);
}

/**
 * Writes a literal to a new file, and moves on to the line after it. Lines that end in LF alone get a CR, except in a
 * literal8, which may hold anything. Returns the file's size.
 */
async function literalToFile(
  input: StreamedInput,
  header: LiteralHeader,
  path: string,
): Promise<number> {
  let size = 0;
  const lines = header.binary ? (b: Uint8Array) => b : crlfLines();
  const { s } = input;
  await requestLiteral(s.conn, header);
  let file: Deno.FsFile | undefined;
  let failure: unknown;
  try {
    file = await Deno.open(path, { write: true, createNew: true, mode: 0o600 });
  } catch (err) {
    failure = err;
  }
  try {
    await readBytes(s.conn, header.size, (piece) => {
      const b = lines(piece);
      size += b.length;
      // If the disk is full, the rest of the literal is still read.
      for (let n = 0; failure === undefined && n < b.length;) {
        try {
          n += file!.writeSync(b.subarray(n));
        } catch (err) {
          failure = err;
        }
      }
    });
  } finally {
    file?.close();
  }
  await input.nextLine();
  if (failure !== undefined) throw cannotStore(failure);
  return size;
}

/** Yields a text in pieces, with CRLF in place of bare LF. */
export function crlfLines(): (bytes: Uint8Array) => Uint8Array {
  let last = 0;
  return (b) => {
    let bare = 0;
    for (let at = b.indexOf(10); at >= 0; at = b.indexOf(10, at + 1)) {
      if ((at === 0 ? last : b[at - 1]) !== 13) bare++;
    }
    const before = last;
    if (b.length > 0) last = b[b.length - 1];
    if (bare === 0) return b;
    const out = new Uint8Array(b.length + bare);
    let n = 0;
    for (let i = 0; i < b.length; i++) {
      if (b[i] === 10 && (i === 0 ? before : b[i - 1]) !== 13) out[n++] = 13;
      out[n++] = b[i];
    }
    return out;
  };
}

function cannotStore(cause: unknown): ImapNo {
  const why = isStorageFull(cause) ? diskFull : "message can't be stored now";
  return new ImapNo(why, "UNAVAILABLE", { cause });
}

/**
 * Waits until what was read is stored; disk errors become the answer, and the connection continues.
 * @throws ImapNo UNAVAILABLE
 */
export async function storing<T>(session: Session, stored: Promise<T>): Promise<T> {
  try {
    return await stored;
  } catch (err) {
    if (!isStorageError(err)) throw err;
    session.log.error("storing message", { err: err as Error });
    throw cannotStore(err);
  }
}

/** Names for the files of messages under way. */
let nextFile = 0;

/** Calls the function with file names, and removes their files at the end. */
export async function withFiles<T>(
  session: Session,
  fn: (next: () => string) => Promise<T>,
): Promise<T> {
  const files: string[] = [];
  try {
    return await fn(() => {
      const f = join(session.backend.tempDir, `imap-${session.conn.cid}-${++nextFile}`);
      files.push(f);
      return f;
    });
  } finally {
    for (const f of files) {
      await Deno.remove(f).catch(() => {
        // It was never created.
      });
    }
  }
}
