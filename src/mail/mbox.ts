/**
 * Mailboxes in one file: mboxrd and mboxo, read and written as a stream (RFC 4155 and practice).
 *
 * Each message follows a line "From sender date" and ends with an empty line. Lines of a message that
 * look like that have ">" before them: in mboxrd those too that have one already, so that only mboxrd
 * comes back unchanged. Messages have CRLF here and LF in files that are written; files may have either.
 *
 * @module
 */
import { parseDate } from "./date.ts";
import { type HeaderField, headerField } from "./header.ts";

export type MboxFormat = "mboxrd" | "mboxo";

/** A file that is no mbox, or a message in it that is too large. */
export class MboxError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "MboxError";
  }
}

/** What is read, in order: start, data any number of times, end; then the next message. */
export type MboxEvent =
  | { kind: "start"; sender: string; date: Date | undefined }
  | { kind: "data"; bytes: Uint8Array }
  | { kind: "end" };

/** Bytes of a line that are held at once; of a longer one, the rest follows as it comes. */
const maxHeld = 64 * 1024;
/** Bytes of a line that starts a message. */
const maxFromLine = 1000;
/** Bytes of messages gathered before they are handed on. */
const batch = 64 * 1024;

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const from = encoder.encode("From ");
const crlf = encoder.encode("\r\n");
const lf = encoder.encode("\n");
const gt = 62;

/**
 * Called for each line, or piece of a long line, without its end.
 * @param first it starts a line
 * @param last the line's end follows
 */
type OnLine = (piece: Uint8Array, first: boolean, last: boolean) => void;

/** Cuts a stream into lines, ended by CRLF or LF; long ones into pieces. */
class Lines {
  readonly #held = new Uint8Array(maxHeld);
  #length = 0;
  #first = true;
  readonly #onLine: OnLine;

  constructor(onLine: OnLine) {
    this.#onLine = onLine;
  }

  write(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length;) {
      const end = chunk.indexOf(10, at);
      const stop = end < 0 ? chunk.length : end;
      if (this.#length === 0 && end >= 0 && stop - at <= maxHeld) {
        this.#line(chunk.subarray(at, stop));
      } else {
        this.#hold(chunk.subarray(at, stop));
        if (end >= 0) {
          const line = this.#held.slice(0, this.#length);
          this.#length = 0;
          this.#line(line);
        }
      }
      at = stop + 1;
    }
  }

  #hold(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      if (this.#length === maxHeld) {
        // A CR waits for what follows: it may belong to the line's end.
        const cr = this.#held[maxHeld - 1] === 13 ? 1 : 0;
        this.#onLine(this.#held.slice(0, maxHeld - cr), this.#first, false);
        this.#first = false;
        this.#held[0] = 13;
        this.#length = cr;
      }
      const n = Math.min(bytes.length - at, maxHeld - this.#length);
      this.#held.set(bytes.subarray(at, at + n), this.#length);
      this.#length += n;
      at += n;
    }
  }

  #line(line: Uint8Array): void {
    const cr = line[line.length - 1] === 13 ? 1 : 0;
    this.#onLine(line.subarray(0, line.length - cr), this.#first, true);
    this.#first = true;
  }

  /** A last line without an end. */
  finish(): void {
    if (this.#length > 0 || !this.#first) {
      this.#onLine(this.#held.slice(0, this.#length), this.#first, false);
    }
    this.#length = 0;
    this.#first = true;
  }
}

function startsWith(line: Uint8Array, at: number): boolean {
  for (let i = 0; i < from.length; i++) if (line[at + i] !== from[i]) return false;
  return true;
}

/** Count of ">" at the start of a line if "From " follows them; otherwise undefined. */
function quotes(line: Uint8Array): number | undefined {
  let n = 0;
  while (line[n] === gt) n++;
  return startsWith(line, n) ? n : undefined;
}

/** Gathers pieces of a message. */
class Output {
  #list: Uint8Array[] = [];
  #size = 0;

  /** Bytes are copied when taken, not before. */
  add(bytes: Uint8Array): void {
    this.#list.push(bytes);
    this.#size += bytes.length;
  }

  get size(): number {
    return this.#size;
  }

  take(): Uint8Array {
    const all = new Uint8Array(this.#size);
    let at = 0;
    for (const b of this.#list) {
      all.set(b, at);
      at += b.length;
    }
    this.#list = [];
    this.#size = 0;
    return all;
  }
}

/**
 * The "From " line of a message: its sender and date; undefined if it is more likely a sentence that a
 * program forgot to quote. A line has a date with time, or after an empty line a sender alone.
 */
function fromLine(
  line: Uint8Array,
  afterEmpty: boolean,
): { sender: string; date: Date | undefined } | undefined {
  if (line.length > maxFromLine || !startsWith(line, 0)) return undefined;
  const text = decoder.decode(line.subarray(from.length)).trim();
  const blank = text.search(/[ \t]/);
  const sender = blank < 0 ? text : text.slice(0, blank);
  const rest = blank < 0 ? "" : text.slice(blank);
  if (rest === "") return afterEmpty && sender !== "" ? { sender, date: undefined } : undefined;
  const date = /\d:\d\d/.test(rest) ? parseDate(rest) : undefined;
  return date && { sender, date };
}

/**
 * Reads a mailbox file. Data has CRLF line ends and is never held as a whole.
 * @throws MboxError if the file has something in it but doesn't start with a "From " line
 */
export async function* readMbox(
  chunks: AsyncIterable<Uint8Array>,
  options: { format?: MboxFormat } = {},
): AsyncGenerator<MboxEvent> {
  const mboxo = options.format === "mboxo";
  let events: MboxEvent[] = [];
  const out = new Output();
  let open = false;
  // The empty line before the next message isn't part of this one, so each is held until it's known.
  let pendingEmpty = false;
  const flush = () => {
    if (out.size > 0) events.push({ kind: "data", bytes: out.take() });
  };
  const lines = new Lines((piece, first, last) => {
    if (first && last) {
      if (piece.length === 0) {
        if (pendingEmpty) out.add(crlf);
        pendingEmpty = open;
        return;
      }
      const start = fromLine(piece, pendingEmpty || !open);
      if (start) {
        flush();
        if (open) events.push({ kind: "end" });
        events.push({ kind: "start", ...start });
        open = true;
        pendingEmpty = false;
        return;
      }
    }
    if (!open) throw new MboxError('the file is not an mbox: it doesn\'t start with "From "');
    if (pendingEmpty) out.add(crlf);
    pendingEmpty = false;
    const n = first ? quotes(piece) : undefined;
    out.add(n !== undefined && (mboxo ? n === 1 : n > 0) ? piece.subarray(1) : piece);
    if (last) out.add(crlf);
    if (out.size >= batch) flush();
  });
  for await (const chunk of chunks) {
    lines.write(chunk);
    // What is gathered refers to the chunk, which its owner may reuse.
    flush();
    yield* events;
    events = [];
  }
  lines.finish();
  flush();
  if (open) events.push({ kind: "end" });
  yield* events;
}

/** A message of a mailbox file. */
export interface MboxMessage {
  sender: string;
  date: Date | undefined;
  message: Uint8Array;
}

/**
 * The messages of a mailbox file, each whole in memory.
 * @throws MboxError as of {@link readMbox}, and for a message of more than `maxSize` bytes
 */
export async function* mboxMessages(
  chunks: AsyncIterable<Uint8Array>,
  options: { format?: MboxFormat; maxSize: number },
): AsyncGenerator<MboxMessage> {
  const out = new Output();
  let start = { sender: "", date: undefined as Date | undefined };
  for await (const e of readMbox(chunks, options)) {
    if (e.kind === "start") {
      start = { sender: e.sender, date: e.date };
    } else if (e.kind === "data") {
      if (out.size + e.bytes.length > options.maxSize) {
        throw new MboxError(`a message is larger than ${options.maxSize} bytes`);
      }
      out.add(e.bytes);
    } else {
      yield { ...start, message: out.take() };
    }
  }
}

const weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** RFC 4155: the date as C's asctime has it, in UTC. */
function asctime(d: Date): string {
  const two = (n: number, fill = "0") => String(n).padStart(2, fill);
  return `${weekdays[d.getUTCDay()]} ${months[d.getUTCMonth()]} ${two(d.getUTCDate(), " ")} ${
    two(d.getUTCHours())
  }:${two(d.getUTCMinutes())}:${two(d.getUTCSeconds())} ${
    String(d.getUTCFullYear()).padStart(4, "0")
  }`;
}

/**
 * A message as it stands in a mailbox file, from its "From " line to the empty line after it. To have
 * the whole file, write one after the other.
 * @param entry.sender of the envelope; without one, MAILER-DAEMON stands for it
 * @param entry.fields further header fields with line ends, such as of {@link statusFields}
 */
export async function* writeMboxMessage(
  entry: { sender: string; date: Date; format?: MboxFormat; fields?: string },
  message: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const mboxo = entry.format === "mboxo";
  const out = new Output();
  // deno-lint-ignore no-control-regex
  const sender = entry.sender.replace(/[\x00-\x20\x7f]+/g, "-") || "MAILER-DAEMON";
  out.add(encoder.encode(
    `From ${sender} ${asctime(entry.date)}\n${(entry.fields ?? "").replaceAll("\r\n", "\n")}`,
  ));
  let ended = true;
  const lines = new Lines((piece, first, last) => {
    const n = first ? quotes(piece) : undefined;
    if (n !== undefined && (!mboxo || n === 0)) out.add(new Uint8Array([gt]));
    out.add(piece);
    if (last) out.add(lf);
    ended = last;
  });
  for await (const chunk of message) {
    lines.write(chunk);
    if (out.size > 0) yield out.take();
  }
  lines.finish();
  out.add(encoder.encode(ended ? "\n" : "\n\n"));
  yield out.take();
}

/** Letters of Status and X-Status and the flags they stand for, without backslash. */
const statusFlags: [string, string][] = [
  ["R", "Seen"],
  ["A", "Answered"],
  ["F", "Flagged"],
  ["T", "Draft"],
  ["D", "Deleted"],
];

/**
 * Flags in the header of a message from a mailbox file: Status, X-Status, X-Keywords. System flags
 * without backslash; keywords as written, at most 100.
 */
export function statusFlagsOf(
  fields: readonly HeaderField[],
): { flags: string[]; keywords: string[] } {
  const letters = (headerField(fields, "status") ?? "") + (headerField(fields, "x-status") ?? "");
  return {
    flags: statusFlags.filter(([letter]) => letters.includes(letter)).map(([, flag]) => flag),
    keywords: (headerField(fields, "x-keywords") ?? "").split(/[\s,]+/)
      .filter((k) => k !== "").slice(0, 100),
  };
}

/** Header fields that keep a message's flags, for {@link writeMboxMessage}. Lines end in CRLF. */
export function statusFields(flags: readonly string[], keywords: readonly string[]): string {
  const letters = statusFlags.filter(([, flag]) => flags.includes(flag)).map(([l]) => l);
  const seen = letters.includes("R");
  const others = letters.filter((l) => l !== "R").join("");
  return (seen ? "Status: RO\r\n" : "") + (others === "" ? "" : `X-Status: ${others}\r\n`) +
    (keywords.length === 0 ? "" : `X-Keywords: ${keywords.join(" ")}\r\n`);
}
