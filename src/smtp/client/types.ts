/** The types of what is sent, to whom, and the result. @module */
import type { SmtpClientError } from "./errors.ts";
import type { Reply } from "./reply.ts";

/** A recipient of a transaction. */
export interface EnvelopeRecipient {
  /** localpart@domain, quoted where needed; the domain may be in Unicode. */
  address: string;
  /** Passed on if the server supports DSN (RFC 3461 §4.1, §4.2). */
  notify?: readonly ("never" | "success" | "failure" | "delay")[];
  originalRecipient?: { type: string; address: string };
}

/** A transaction. */
export interface Envelope {
  /** "" for the null reverse path. */
  mailFrom: string;
  recipients: readonly EnvelopeRecipient[];
  /** Bytes of the message. */
  size: number;
  /** The kind of the message's bytes; "binary" for lines that are too long or don't end in CRLF. */
  body: "7bit" | "8bit" | "binary";
  /** The message itself needs SMTPUTF8, whatever the addresses. */
  smtpUtf8: boolean;
  /** REQUIRETLS (RFC 8689) for all further hops. */
  requireTls?: boolean;
  ret?: "full" | "hdrs";
  envelopeId?: string;
  /**
   * Deliver-by time (RFC 2852); passed on if the server supports DELIVERBY; mode "return" is sent only to such
   * servers.
   */
  deliverBy?: { seconds: number; mode: "notify" | "return"; trace: boolean };
}

/** The result for a recipient: the answer that accepted the message, or the reason why not. */
export type RecipientOutcome = Reply | SmtpClientError;

/** The bytes of a message; called once per attempt to send it. */
export type MessageSource = () => AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/** Milliseconds that the server may take to answer (RFC 5321 §4.5.3.2). */
export interface Timeouts {
  greeting: number;
  /** EHLO, STARTTLS, AUTH. */
  hello: number;
  mail: number;
  rcpt: number;
  /** For the answer to DATA. */
  data: number;
  /** For each piece of the message to be accepted. */
  block: number;
  /** For the answer to the whole message. */
  message: number;
  quit: number;
}

export const defaultTimeouts: Timeouts = {
  greeting: 300_000,
  hello: 300_000,
  mail: 300_000,
  rcpt: 300_000,
  data: 120_000,
  block: 180_000,
  message: 600_000,
  quit: 5_000,
};
