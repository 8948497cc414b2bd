/** What scanners are given, and what they report. @module */

/** The transaction that a message came in, as far as scanners are told about it. */
export interface ScanEnvelope {
  /** Name of this server, as its listener is called. */
  hostname: string;
  /** "" for mail that arrived without a connection (local programs). */
  remoteIp: string;
  remotePort: number;
  /** Verified name of the address; undefined without one. */
  remoteName?: string;
  /** Argument of EHLO. */
  hello: string;
  tls?: { version: string; cipher: string };
  /** Who is logged in. */
  username?: string;
  /** Without brackets; "" for the null reverse path. */
  mailFrom: string;
  /** Without brackets. */
  recipients: readonly string[];
  /** Identifies this message in logs. */
  id: string;
}

/** A message as it can be read, usually from a file. */
export interface ScanMessage {
  /** Bytes. */
  size: number;
  /** Bytes of the header with its empty line. */
  headerSize: number;
  read(from: number, to: number): Uint8Array;
}

/** An answer of SMTP that a scanner asks for. */
export interface ScanReply {
  code: number;
  /** Without its class, such as "7.1". */
  enhanced: string;
  text: string;
}

/** A change of the message's header. Names and values are checked: they are valid in a header. */
export type HeaderChange =
  /** At the end of the header. */
  | { kind: "add"; name: string; value: string }
  /** Before the field at `index` of the header, 0 being its top. */
  | { kind: "insert"; index: number; name: string; value: string }
  /** The n-th field of the name, from 1; an empty value removes it. */
  | { kind: "change"; occurrence: number; name: string; value: string }
  /** All fields of the name. */
  | { kind: "remove"; name: string };

/** What a scanner found and wants. */
export interface ScanResult {
  /** What happens to the message as a whole. */
  action: "accept" | "junk" | "reject" | "tempfail" | "discard";
  /** With "reject" and "tempfail": the answer; a general one if not given. */
  reply?: ScanReply;
  /** Why to set it aside: in the Junk mailbox, or on hold in the queue. */
  quarantine?: string;
  /** From 0 (good) to 1 (junk). */
  spamScore?: number;
  /** Name of what was found, or "" where nothing was; undefined if it wasn't looked for. */
  virus?: string;
  headers: HeaderChange[];
  /** File with the new body, which the caller removes. */
  body?: string;
  /** New sender, without brackets. */
  mailFrom?: string;
  addRecipients: string[];
  removeRecipients: string[];
  /** Recipients that are refused, by their place in the envelope. */
  refusedRecipients: Map<number, ScanReply>;
  /** For people: what the scanner reported, in one line. */
  text: string;
}

/** A result with nothing in it. */
export function emptyResult(): ScanResult {
  return {
    action: "accept",
    headers: [],
    addRecipients: [],
    removeRecipients: [],
    refusedRecipients: new Map(),
    text: "",
  };
}

/** A scanner did not answer, or broke its protocol. */
export class ScanError extends Error {
  override name = "ScanError";
}

/** Limits of what a scanner may ask for. */
export const scanLimits = {
  /** Header fields that are changed. */
  headerChanges: 1000,
  /** Bytes of all their values. */
  headerBytes: 512 * 1024,
  /** Recipients that are added. */
  recipients: 1000,
} as const;
