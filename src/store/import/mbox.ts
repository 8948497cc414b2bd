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

/** Why a message of a mailbox file is left out. */
const deletedThere = "was deleted, though not yet removed from its file: left out";

/**
 * A mailbox file. Flags come from the fields that programs put into headers; dates from the "From " lines, else
 * from the headers.
 * @param byLabels labels of Gmail say which mailbox a message is of: its single file has all
 * @throws MboxError if it is none
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

/** A message without its mailbox, unless labels tell it; a reason to leave it out; undefined for what is none. */
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

/** What Thunderbird's files of single messages begin with. */
const mozillaStart = /^(?:>*From [^:\r\n][^\r\n]*\r?\n)?X-Mozilla-Status:/i;
const startLength = 512;

/**
 * A message in a file of its own, with what Thunderbird has put before its header there: in its Maildirs, whose files'
 * names say nothing of flags, and in .eml files. A reason to leave it out if it waits to be removed; undefined for a
 * message of another program.
 * @param content with CRLF
 */
export function mozillaMessage(
  content: Uint8Array,
): { content: Uint8Array; flags: number; keywords: string[] } | string | undefined {
  const start = new TextDecoder("latin1").decode(content.subarray(0, startLength));
  if (!mozillaStart.test(start)) return undefined;
  // A line "From " is no field, and nothing behind it would be one.
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

/** The first "message" of a file of Alpine, UW IMAP and others, which holds what they remember of it. */
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

/** Fields that stand for flags of a message in its file, and belong to that. */
const atStart =
  /^(?:X-IMAPbase|Status|X-Status|X-Keywords|X-Mozilla-Status2?|X-Mozilla-Keys|X-GM-THRID|X-Gmail-Labels):/i;
const atEnd =
  /^(?:Status|X-Status|X-Keywords|X-UID|X-IMAP|X-IMAPbase|X-Mozilla-Status2?|X-Mozilla-Keys|Content-Length|Lines):/i;
/** What was a line between messages in another file, quoted by who wrote it into this one. */
const lineBetween = /^>*From [^:]/;
/** Programs that put these before the header put none at its end. */
const allAtStart = /^(?:Status|X-Mozilla-Status|X-GM-THRID|X-Gmail-Labels):/i;

/**
 * The message without the fields that were put before its own header, or at its end as mutt and Dovecot do, when it
 * was put into its file. Where they stand among its own fields it is left as it is.
 */
function withoutStatus(content: Uint8Array): Uint8Array {
  const end = headerEnd(content);
  const text = new TextDecoder("latin1").decode(content.subarray(0, end));
  // Fields with the lines that continue them.
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
