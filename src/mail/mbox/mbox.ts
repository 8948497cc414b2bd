/**
 * Mailboxes in one file, written as a stream (RFC 4155 and practice); read.ts reads them.
 *
 * Each message follows a line "From sender date" and ends with an empty line. Lines of a message that look like
 * that are prefixed with ">": in mboxrd also those that have one already, so that only mboxrd can be restored
 * exactly. Messages have CRLF here and LF in written files.
 *
 * @module
 */
import { giveWay } from "../../platform/turns.ts";
import { type HeaderField, headerField } from "../header/header.ts";
import { Lines, type MboxFormat, quotes } from "./lines.ts";

const encoder = new TextEncoder();
const lf = encoder.encode("\n");
const mark = encoder.encode(">");

/** Collects pieces of a message. */
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

const weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** RFC 4155: the date in the form of C's asctime, in UTC. */
function asctime(date: Date): string {
  const two = (n: number, fill = "0") => String(n).padStart(2, fill);
  return `${weekdays[date.getUTCDay()]} ${months[date.getUTCMonth()]} ${
    two(date.getUTCDate(), " ")
  } ${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())} ${
    String(date.getUTCFullYear()).padStart(4, "0")
  }`;
}

/**
 * A message in mailbox file format, from its "From " line to the empty line after it. A whole file is a
 * sequence of these.
 * @param entry.sender of the envelope; MAILER-DAEMON if there is none
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
    if (n !== undefined && (!mboxo || n === 0)) out.add(mark);
    out.add(piece);
    if (last) out.add(lf);
    ended = last;
  });
  for await (const chunk of message) {
    lines.write(chunk);
    if (out.size > 0) yield out.take();
    // A message may have millions of lines, and the reader may consume them without ever pausing.
    await giveWay();
  }
  lines.finish();
  out.add(encoder.encode(ended ? "\n" : "\n\n"));
  yield out.take();
}

/** Letters of Status and X-Status and their flags, without backslash. */
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

/**
 * Header fields with a message's flags, for {@link writeMboxMessage}; Status is always present, so that an
 * import knows where the message's own header begins. Lines end in CRLF.
 */
export function statusFields(flags: readonly string[], keywords: readonly string[]): string {
  const letters = statusFlags.filter(([, flag]) => flags.includes(flag)).map(([l]) => l);
  const others = letters.filter((l) => l !== "R").join("");
  return `Status: ${letters.includes("R") ? "RO" : "O"}\r\n` +
    (others === "" ? "" : `X-Status: ${others}\r\n`) +
    (keywords.length === 0 ? "" : `X-Keywords: ${keywords.join(" ")}\r\n`);
}
