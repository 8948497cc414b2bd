/**
 * APPEND (RFC 9051 §6.3.12) of one or more messages (RFC 3502), and REPLACE (RFC 8508).
 *
 * Messages go straight to files; no message is held in memory.
 *
 * @module
 */
import { join } from "node:path";
import { isStorageError } from "../../../platform/storage_errors.ts";
import type { Message, NewMessage } from "../../../store/types.ts";
import { Cursor } from "../../parse/cursor.ts";
import { formatNumSet, type NumSet, parseNumSet } from "../../parse/numset.ts";
import { type Answer, ImapBad, ImapNo } from "../answer.ts";
import { deliverChanges } from "../changes.ts";
import { type Command, loggedIn } from "../command.ts";
import {
  discardLiteral,
  type LiteralHeader,
  literalHeader,
  maxLineAfter,
  readBytes,
  requestLiteral,
  Unrecoverable,
} from "../reader.ts";
import { readUrl } from "../message_url.ts";
import { permittedFlags, place, requireRight } from "../places.ts";
import { resolveUids } from "../resolve.ts";
import { type Session, State } from "../session.ts";
import { splitFlags } from "./store.ts";

/** Messages in one APPEND. */
const maxMessages = 1000;
/** Bytes of a mailbox name sent as a literal. */
const maxNameLiteral = 8 * 1024;

/** The input of a command as it comes: lines, and between them literals. */
class Input {
  readonly s: Session;
  c: Cursor;
  constructor(s: Session, c: Cursor) {
    this.s = s;
    this.c = c;
  }

  /** The literal that begins here and ends the line. */
  header(): LiteralHeader | undefined {
    const h = literalHeader(this.c.bytes);
    return h && h.offset === this.c.pos ? h : undefined;
  }

  /** Goes on with the line after a literal. */
  async nextLine(): Promise<void> {
    const line = (await this.s.conn.readLine(maxLineAfter)).slice();
    const utf8Names = this.c.utf8Names;
    this.c = new Cursor(line);
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
    // The name is read as the quoted string would be.
    const head = new TextEncoder().encode(`{${h.size}}\r\n`);
    const text = new Uint8Array(head.length + bytes.length);
    text.set(head);
    text.set(bytes, head.length);
    const c = new Cursor(text);
    c.utf8Names = this.c.utf8Names;
    return c.mailbox();
  }

  /**
   * Reads past what is left of a command that is refused, as far as the client sends it without being
   * asked to.
   */
  async skip(): Promise<void> {
    for (let h = literalHeader(this.c.bytes); h; h = literalHeader(this.c.bytes)) {
      if (!h.nonSync) return;
      if (!await discardLiteral(this.s.conn, h)) throw new Unrecoverable("literal too large");
      await this.nextLine();
    }
  }
}

/** Writes a literal to a new file, and goes on to the line after it. */
async function literalToFile(input: Input, h: LiteralHeader, path: string): Promise<void> {
  const { s } = input;
  await requestLiteral(s.conn, h);
  let file: Deno.FsFile | undefined;
  let failure: unknown;
  try {
    file = await Deno.open(path, { write: true, createNew: true, mode: 0o600 });
  } catch (err) {
    failure = err;
  }
  try {
    await readBytes(s.conn, h.size, (b) => {
      // When the disk is full the rest of the literal is read all the same.
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
}

function cannotStore(cause: unknown): ImapNo {
  return new ImapNo("message can't be stored now", "UNAVAILABLE", { cause });
}

/** Stores what has been read; trouble of the disk is answered, and the connection goes on. */
async function storing<T>(s: Session, stored: Promise<T>): Promise<T> {
  try {
    return await stored;
  } catch (err) {
    if (!isStorageError(err)) throw err;
    s.log.error("storing message", { err: err as Error });
    throw cannotStore(err);
  }
}

/** One message of APPEND: flags, date, and the message itself, into a file. */
async function readMessage(input: Input, file: string): Promise<NewMessage> {
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
  await literalToFile(input, h, file);
  if (utf8) input.c.expect(")");
  return { file, prefix: new Uint8Array(0), fileSize: h.size, flags, keywords, received };
}

/** RFC 4469: a message put together from texts and from parts of other messages. Returns its size. */
async function catenate(input: Input, path: string): Promise<number> {
  const { s } = input;
  const max = s.backend.maxMessageSize;
  const file = Deno.openSync(path, { write: true, createNew: true, mode: 0o600 });
  let size = 0;
  let failure: unknown;
  const add = (b: Uint8Array) => {
    try {
      for (let n = 0; failure === undefined && n < b.length;) n += file.writeSync(b.subarray(n));
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

/** A URL as it can stand between quotes in an answer. */
function quotable(url: string): string {
  return url.replace(/[^\x21-\x7e]|["\\]/g, "").slice(0, 1000);
}

/** Names for the files of messages under way. */
let nextFile = 0;

/** Runs with file names, whose files are removed at the end. */
async function withFiles<T>(s: Session, fn: (next: () => string) => Promise<T>): Promise<T> {
  const files: string[] = [];
  try {
    return await fn(() => {
      const f = join(s.backend.tempDir, `imap-${s.conn.cid}-${++nextFile}`);
      files.push(f);
      return f;
    });
  } finally {
    for (const f of files) {
      await Deno.remove(f).catch(() => {
        // It was not made.
      });
    }
  }
}

async function refusing<T>(input: Input, fn: () => Promise<T>): Promise<T> {
  try {
    return await fn();
  } catch (err) {
    await input.skip();
    throw err;
  }
}

export const append: Command = {
  name: "APPEND",
  states: loggedIn,
  capabilities: ["MULTIAPPEND", "APPENDLIMIT", "CATENATE"],
  parse: (c) => c.fail("message"),
  stream(c, s) {
    const input = new Input(s, c);
    return withFiles(s, async (next): Promise<Answer> => {
      const { account, mailbox, list } = await refusing(input, async () => {
        input.c.sp();
        const name = await input.mailbox();
        const list: NewMessage[] = [];
        // RFC 3502 §6.3.11: a mailbox that doesn't exist is told before the message is sent.
        const found = await place(s, name, "i", "TRYCREATE");
        do {
          input.c.sp();
          if (list.length >= maxMessages) throw new ImapNo("too many messages", "LIMIT");
          list.push(permittedFlags(found.rights, await readMessage(input, next())));
        } while (!input.c.atEnd);
        return { ...found, list };
      });
      const messages = await storing(s, account.append(mailbox.id, list));
      const uids = formatNumSet(messages.map((m) => m.uid));
      return { code: `APPENDUID ${mailbox.uidValidity} ${uids}`, text: "appended" };
    });
  },
};

function replaceCommand(uid: boolean): Command {
  return {
    name: uid ? "UID REPLACE" : "REPLACE",
    states: State.Selected,
    capabilities: ["REPLACE"],
    parse: (c) => c.fail("message"),
    stream(c, s) {
      const input = new Input(s, c);
      return withFiles(s, async (next): Promise<Answer> => {
        const r = await refusing(input, async () => {
          input.c.sp();
          const set: NumSet = parseOne(input.c);
          input.c.sp();
          const name = await input.mailbox();
          if (!uid) s.requireSequenceNumbers();
          const v = s.writable();
          // RFC 8508 §3.3 with RFC 4314.
          requireRight(v.rights, "t");
          requireRight(v.rights, "e");
          const uids = resolveUids(s, set, uid);
          if (uids.length !== 1) throw new ImapNo("no such message", "NONEXISTENT");
          const to = await place(s, name, "i", "TRYCREATE");
          input.c.sp();
          const message = permittedFlags(to.rights, await readMessage(input, next()));
          input.c.end();
          return { v, old: uids[0], to, message };
        });
        const { account, mailbox } = r.to;
        if (account !== r.v.account) {
          // The new one first: should the server end in between, there are both.
          const [made] = await storing(s, account.append(mailbox.id, [r.message]));
          await r.v.account.expunge(r.v.mailboxId, [r.old], undefined, { force: true });
          return await replaced(s, mailbox.uidValidity, made);
        }
        const done = await storing(
          s,
          account.replace(r.v.mailboxId, r.old, mailbox.id, r.message),
        );
        return await replaced(s, mailbox.uidValidity, done.message);
      });
    },
  };
}

/** RFC 8508 §3.1: APPENDUID is untagged and comes before the expunge. */
async function replaced(s: Session, uidValidity: number, m: Message): Promise<Answer> {
  s.untagged(`OK [APPENDUID ${uidValidity} ${m.uid}] replacement is there`);
  await deliverChanges(s, true);
  return { text: "replaced" };
}

/** A single number, or "*". */
function parseOne(c: Cursor): NumSet {
  const start = c.pos;
  const set = parseNumSet(c, "message number", false);
  if (set.ranges.length !== 1 || set.ranges[0][0] !== set.ranges[0][1]) c.fail("one number", start);
  return set;
}

export const replaceBySeq = replaceCommand(false);
export const replaceByUid = replaceCommand(true);
