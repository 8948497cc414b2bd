/** Messages of mailbox files, with the flags and dates that mail programs leave in them. @module */
import { type HeaderField, headerField } from "../../mail/header/header.ts";
import { statusFlagsOf } from "../../mail/mbox/mbox.ts";
import { type MboxMessage, mboxMessages } from "../../mail/mbox/read.ts";
import { gmailLabels } from "./gmail.ts";
import {
  flagsOf,
  headerEnd,
  headerOf,
  maxMessage,
  receivedOf,
  type Source,
  type SourceMessage,
  tooLarge,
} from "./sources.ts";

/** Why a message of a mailbox file is skipped. */
const deletedThere = "was deleted, though not yet removed from its file: left out";

/**
 * A mailbox file. Flags come from fields that programs add to headers; dates come from the "From " lines, or
 * else from the headers.
 * @param byLabels Gmail labels choose each message's mailbox: its single file has all of them
 * @throws MboxError if it is not one
 */
export async function* mboxSource(
  name: string,
  bytes: AsyncIterable<Uint8Array>,
  below: string,
  byLabels: boolean,
  use?: number,
): Source {
  let number = 0;
  for await (const m of mboxMessages(bytes, { maxSize: maxMessage })) {
    const place = `${name}, message ${++number}`;
    if (m.message === undefined) yield { place, problem: tooLarge };
    else {
      const found = mboxMessage(place, m, m.message, byLabels);
      if (typeof found === "string") yield { place, problem: found };
      else if (found !== undefined) yield { below, ...use ? { use } : {}, ...found };
    }
  }
}

/**
 * A message without its mailbox, unless labels give it; a reason to skip it; undefined if it is not a message.
 */
function mboxMessage(
  place: string,
  m: MboxMessage,
  message: Uint8Array,
  byLabels: boolean,
): Omit<SourceMessage, "below"> & { below?: string } | string | undefined {
  const header = headerOf(message);
  if (isInternalData(header)) return undefined;
  const value = (name: string) => headerField(header, name) ?? "";
  const mozilla = mozillaNames(header);
  if (mozilla === undefined) return deletedThere;
  const status = statusFlagsOf(header);
  const labels = gmailLabels(value("x-gmail-labels"));
  return {
    place,
    ...byLabels ? labels.mailbox : {},
    content: withoutStatus(message),
    ...flagsOf([
      ...status.flags,
      ...status.keywords,
      ...labels.flags,
      ...byLabels ? [] : labels.mailboxKeywords,
      ...mozilla,
    ]),
    received: m.date?.getTime() ?? receivedOf(header) ?? Date.now(),
  };
}

/** The beginning of Thunderbird's files of single messages. */
const mozillaStart = /^(?:>*From [^:\r\n][^\r\n]*\r?\n)?X-Mozilla-Status:/i;
const startLength = 512;

/**
 * A message in a separate file, with the fields that Thunderbird puts before its header: in its Maildirs, whose
 * file names have no flags, and in .eml files. A reason to skip it if it is marked as removed; undefined for a
 * message of another program.
 * @param content with CRLF
 */
export function mozillaMessage(
  content: Uint8Array,
): { content: Uint8Array; flags: number; keywords: string[] } | string | undefined {
  const start = new TextDecoder("latin1").decode(content.subarray(0, startLength));
  if (!mozillaStart.test(start)) return undefined;
  // A "From " line is not a field, and would hide the fields after it.
  const header = headerOf(content.subarray(/^>*From /.test(start) ? content.indexOf(10) + 1 : 0));
  const flags = mozillaNames(header);
  if (flags === undefined) return deletedThere;
  return { content: withoutStatus(content), ...flagsOf(flags) };
}

/** Flags and tags in the fields of Thunderbird; undefined if the message waits for its folder to be compacted. */
function mozillaNames(header: readonly HeaderField[]): string[] | undefined {
  const value = (name: string) => headerField(header, name) ?? "";
  const flags = mozillaFlags(value("x-mozilla-status"), value("x-mozilla-status2"));
  return flags?.concat(value("x-mozilla-keys").split(/\s+/).filter((k) => k !== ""));
}

/**
 * The first "message" of a mailbox file by Alpine, UW IMAP and others, which holds their data about the file.
 */
function isInternalData(header: readonly HeaderField[]): boolean {
  return (headerField(header, "x-imap") !== undefined ||
    headerField(header, "x-imapbase") !== undefined) &&
    /^DON'T DELETE THIS MESSAGE/.test(headerField(header, "subject") ?? "");
}

/** Thunderbird's bits of a message, in hexadecimal; undefined if it waits for its folder to be compacted. */
function mozillaFlags(status: string, status2: string): string[] | undefined {
  const bits = /^[0-9a-f]{4}$/i.test(status) ? parseInt(status, 16) : 0;
  const bits2 = /^[0-9a-f]{8}$/i.test(status2) ? parseInt(status2, 16) : 0;
  if (bits & 0x8) return undefined;
  const names: [boolean, string][] = [
    [(bits & 0x1) !== 0, "Seen"],
    [(bits & 0x2) !== 0, "Answered"],
    [(bits & 0x4) !== 0, "Flagged"],
    [(bits & 0x1000) !== 0, "Forwarded"],
    [(bits2 & 0x200000) !== 0, "Deleted"],
    [(bits2 & 0x800000) !== 0, "MDNSent"],
  ];
  return names.filter(([is]) => is).map(([, name]) => name);
}

/** Fields that hold flags of a message in its file, and are not part of the message. */
const atStart =
  /^(?:X-IMAPbase|Status|X-Status|X-Keywords|X-Mozilla-Status2?|X-Mozilla-Keys|X-GM-THRID|X-Gmail-Labels):/i;
const atEnd =
  /^(?:Status|X-Status|X-Keywords|X-UID|X-IMAP|X-IMAPbase|X-Mozilla-Status2?|X-Mozilla-Keys|Content-Length|Lines):/i;
/** A separator line between messages of another file, quoted when it was written into this one. */
const lineBetween = /^>*From [^:]/;
/** Programs that put these before the header add none at its end. */
const allAtStart = /^(?:Status|X-Mozilla-Status|X-GM-THRID|X-Gmail-Labels):/i;

/**
 * The message without the fields that were added before its own header (or at its end, as by mutt and Dovecot)
 * when it was put into its file. If they are among its own fields, it is left unchanged.
 */
function withoutStatus(content: Uint8Array): Uint8Array {
  const end = headerEnd(content);
  const text = new TextDecoder("latin1").decode(content.subarray(0, end));
  // Fields with their continuation lines.
  const fields = text.split(/(?<=\n)(?![ \t])/);
  let first = 0;
  let from = 0;
  let complete = false;
  while (
    first < fields.length && (atStart.test(fields[first]) || lineBetween.test(fields[first]))
  ) {
    complete ||= allAtStart.test(fields[first]);
    from += fields[first++].length;
  }
  let last = fields.length;
  let to = end;
  while (!complete && last > first && atEnd.test(fields[last - 1])) to -= fields[--last].length;
  if (to === end) return content.subarray(from);
  const out = new Uint8Array(content.length - from - (end - to));
  out.set(content.subarray(from, to));
  out.set(content.subarray(end), to - from);
  return out;
}
