/**
 * The input of an import: messages with what is known about them, one after the other.
 *
 * @module
 */
import { parseDate } from "../../mail/header/date.ts";
import { type HeaderField, headerField, splitHeader } from "../../mail/header/header.ts";
import { flagNames } from "../types.ts";

/** A message to import. */
export interface SourceMessage {
  /** Where it is, for warnings: a file name, or the number in a mailbox file. */
  place: string;
  /** Levels below the mailbox that is imported into; "" for that mailbox itself. */
  below: string;
  /** Bit of SpecialUse: at the top it means the mailbox of that use, whatever its name. */
  use?: number;
  /** Its bytes, which must not change: they may be written later. */
  content: Uint8Array;
  /** Bits of Flag. */
  flags: number;
  keywords: string[];
  /** Milliseconds. */
  received: number;
  /** Its origin on another server, by which later changes there are recognised. */
  origin?: Origin;
}

/** Where a message was on another server. */
export interface Origin {
  mailbox: string;
  /** UIDVALIDITY of the mailbox. */
  validity: string;
  uid: number;
  flags: readonly string[];
}

/** Yielded in place of a message: why there is none. */
export interface SourceProblem {
  place: string;
  problem: string;
}

/** A mailbox that is created even without messages. */
export interface SourceMailbox {
  below: string;
  use?: number;
  /** Its user subscribed to mailboxes, but not to this one. */
  unsubscribed?: boolean;
}

/** Messages, one after the other. */
export type Source = AsyncGenerator<SourceMessage | SourceProblem | SourceMailbox>;

/** Most bytes of a message. */
export const maxMessage = 256 * 1024 * 1024;

export const tooLarge = `is larger than ${maxMessage} bytes`;

const systemFlags = new Map(
  flagNames.map(([bit, name]) => [name.replace(/^[\\$]/, "").toLowerCase(), bit]),
);
// As written by Thunderbird and others.
systemFlags.set("nonjunk", systemFlags.get("notjunk")!);

/** Bits of flags that have one, and the other names as keywords. */
export function flagsOf(names: readonly string[]): { flags: number; keywords: string[] } {
  let flags = 0;
  const keywords: string[] = [];
  for (const name of names) {
    const bit = systemFlags.get(name.replace(/^[\\$]/, "").toLowerCase());
    if (bit !== undefined) flags |= bit;
    else if (/^[\x21\x23\x24\x26\x27\x2b-\x5b\x5e-\x7a\x7c-\x7e]{1,100}$/.test(name)) {
      keywords.push(name.toLowerCase());
    }
  }
  return { flags, keywords: [...new Set(keywords)] };
}

/** Bytes of a header that are read. */
const maxHeader = 256 * 1024;

/** The end of the header, after the line end of its last line. */
export function headerEnd(content: Uint8Array): number {
  const head = content.subarray(0, maxHeader);
  if (head[0] === 13 && head[1] === 10) return 0;
  for (let at = head.indexOf(10); at >= 0; at = head.indexOf(10, at + 1)) {
    if (head[at + 1] === 13 && head[at + 2] === 10) return at + 1;
  }
  return head.length;
}

/** The fields of a message's header. */
export function headerOf(content: Uint8Array): HeaderField[] {
  return splitHeader(content.subarray(0, headerEnd(content)));
}

/** When a message arrived, from its topmost Received, or else its Date; undefined without either. */
export function receivedOf(header: readonly HeaderField[]): number | undefined {
  const received = headerField(header, "received");
  const after = received === undefined
    ? undefined
    : parseDate(received.slice(received.lastIndexOf(";") + 1));
  return (after ?? parseDate(headerField(header, "date") ?? ""))?.getTime();
}

/** The same with CRLF at the end of each line. */
export function withCrlf(bytes: Uint8Array): Uint8Array {
  let bare = 0;
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) {
    if (bytes[at - 1] !== 13) bare++;
  }
  if (bare === 0) return bytes;
  const out = new Uint8Array(bytes.length + bare);
  let to = 0;
  let from = 0;
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) {
    if (bytes[at - 1] === 13) continue;
    out.set(bytes.subarray(from, at), to);
    to += at - from;
    out[to++] = 13;
    from = at;
  }
  out.set(bytes.subarray(from), to);
  return out;
}
