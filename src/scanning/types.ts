/** Input and results of scanners. @module */

/** The SMTP transaction of a message, as far as passed to scanners. */
export interface ScanEnvelope {
  /** Name of this server, from the listener. */
  hostname: string;
  /** "" for mail without a connection (local programs). */
  remoteIp: string;
  remotePort: number;
  /** Verified name of the address; undefined without one. */
  remoteName?: string;
  /** Argument of EHLO. */
  hello: string;
  tls?: { version: string; cipher: string };
  /** The login name. */
  username?: string;
  /** Without brackets; "" for the null reverse path. */
  mailFrom: string;
  /** Without brackets. */
  recipients: readonly string[];
  /** Identifies the message in logs. */
  id: string;
}

/** A readable message, usually a file. */
export interface ScanMessage {
  /** Bytes. */
  size: number;
  /** Bytes of the header with its empty line. */
  headerSize: number;
  read(from: number, to: number): Uint8Array;
}

/** An SMTP answer requested by a scanner. */
export interface ScanReply {
  code: number;
  /** Without its class, such as "7.1". */
  enhanced: string;
  text: string;
}

/** A change of the message's header. Names and values are validated for use in a header. */
export type HeaderChange =
  /** At the end of the header. */
  | { kind: "add"; name: string; value: string }
  /** Before the field at `index` of the header, 0 being its top. */
  | { kind: "insert"; index: number; name: string; value: string }
  /** The n-th field of the name, from 1; an empty value removes it. */
  | { kind: "change"; occurrence: number; name: string; value: string }
  /** All fields of the name. */
  | { kind: "remove"; name: string };

/** A scanner's findings and requests. */
export interface ScanResult {
  /** The action for the message as a whole. */
  action: "accept" | "junk" | "reject" | "tempfail" | "discard";
  /** With "reject" and "tempfail": the answer; a generic one if not given. */
  reply?: ScanReply;
  /** Why it is set aside: in the Junk mailbox, or on hold in the queue. */
  quarantine?: string;
  /** From 0 (good) to 1 (junk). */
  spamScore?: number;
  /** Name of the virus, or "" if none was found; undefined if the scanner doesn't look for viruses. */
  virus?: string;
  headers: HeaderChange[];
  /** File with the new body, which the caller removes. */
  body?: string;
  /** New sender, without brackets. */
  mailFrom?: string;
  addRecipients: string[];
  removeRecipients: string[];
  /** Refused recipients, by their index in the envelope. */
  refusedRecipients: Map<number, ScanReply>;
  /** Its result in one line, for display. */
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

/** A scanner did not answer, or not in its protocol. */
export class ScanError extends Error {
  override name = "ScanError";
}

/** Limits for requests of a scanner. */
export const scanLimits = {
  /** Changed header fields. */
  headerChanges: 1000,
  /** Bytes of all their values. */
  headerBytes: 512 * 1024,
  /** Added recipients. */
  recipients: 1000,
} as const;
