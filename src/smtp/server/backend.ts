/**
 * The interface behind the SMTP server: it decides about senders, recipients and messages. The server itself
 * knows nothing of accounts or queues, and no files except the one that it writes a message to.
 *
 * @module
 */
import type { Log } from "../../log/mod.ts";
import type { TlsInfo } from "../../net/mod.ts";
import type { SaslBackend } from "../../sasl/mod.ts";
import type { SmtpError } from "./errors.ts";
import type { Address } from "./path.ts";

/** A connection as seen by a backend. */
export interface SmtpSession {
  readonly cid: number;
  readonly log: Log;
  readonly remoteIp: string;
  readonly remotePort: number;
  readonly localIp: string;
  readonly localPort: number;
  /** Submission by a user's mail program (587, 465), in contrast to receiving from other servers (25). */
  readonly submission: boolean;
  /** LMTP (RFC 2033): each recipient gets its own answer. */
  readonly lmtp: boolean;
  readonly tls: TlsInfo | undefined;
  /** The name in EHLO or HELO: a domain, an address literal, or any other word without spaces. */
  readonly hello: { readonly name: string; readonly extended: boolean };
  /** Login name, once authenticated. */
  readonly username: string | undefined;
  /** Data that the backend keeps with the connection, e.g. the open account. */
  state: unknown;
  /** Set for peers that seem to send spam: they are answered slowly from then on. */
  suspicious: boolean;
  /**
   * Ends the session: if it waits for a command it is answered 421; a running command has half a second to
   * finish. Nothing more is accepted from it.
   */
  end(reason: string): void;
  /** Waits the given number of milliseconds, but no longer than the peer does. */
  pause(ms: number): Promise<void>;
  /** Ends the connection without an answer. */
  drop(): void;
}

/** The notifications that a sender requests for a recipient (RFC 3461 §4.1). */
export type Notify = "never" | "success" | "failure" | "delay";

/** An accepted recipient. */
export interface Recipient {
  readonly address: Address;
  /** NOTIFY; undefined if not given. */
  readonly notify?: readonly Notify[];
  /** ORCPT, decoded; `type` in lower case, e.g. "rfc822" or "utf-8". */
  readonly originalRecipient?: { readonly type: string; readonly address: string };
  /** The result of checkRecipient. */
  readonly handle: unknown;
}

/** All data from MAIL and RCPT. */
export interface Transaction {
  /** Undefined for the null reverse path. */
  readonly mailFrom: Address | undefined;
  readonly body: "7bit" | "8bitmime" | "binarymime";
  readonly smtpUtf8: boolean;
  readonly requireTls: boolean;
  /** SIZE; not checked against the message. */
  readonly declaredSize?: number;
  /** RET (RFC 3461 §4.3). */
  readonly ret?: "full" | "hdrs";
  /** ENVID, decoded (RFC 3461 §4.4). */
  readonly envelopeId?: string;
  /** HOLDFOR or HOLDUNTIL (RFC 4865): milliseconds since the epoch before which not to send. */
  readonly holdUntil?: number;
  /** The parameter itself, as DSNs tell it (RFC 4865 §5.1.2): "for;SECONDS" or "until;DATE". */
  readonly holdRequest?: string;
  readonly recipients: readonly Recipient[];
  /** The result of checkMailFrom. */
  readonly handle: unknown;
}

/** Gets the bytes of a message while it arrives; the result is up to the backend. */
export interface MessageObserver {
  /** The next bytes; only valid during the call. Must not throw. */
  push(bytes: Uint8Array): void;
  /** The message is complete. */
  finish(): void;
}

/** A message that has arrived completely. */
export interface IncomingMessage {
  /** Path of the file; the server closes and removes it after deliver. Link it or copy it. */
  readonly file: string;
  /**
   * Resolves when the file's content is durable; rejects if that fails. Nothing durable may name the file
   * before.
   */
  readonly synced: Promise<void>;
  /** Bytes in the file. */
  readonly size: number;
  /** Bytes of the header including the empty line after it; the whole size if there is none. */
  readonly headerSize: number;
  /** Some byte has its highest bit set. */
  readonly has8bit: boolean;
  /** Line ends were not CRLF and have been repaired, which only localserve does. */
  readonly repairedLineEnds: boolean;
  /** The header has bytes beyond ASCII, so the message can only be relayed with SMTPUTF8. */
  readonly headerHas8bit: boolean;
  /** The result of startMessage. */
  readonly observer: MessageObserver | undefined;
  /** When its last byte arrived, milliseconds since the epoch. */
  readonly received: number;
  /** The Received header field (RFC 5321 §4.4) of this hop, for one recipient or without naming any. */
  receivedHeader(recipient?: Address): string;
  /** The Return-Path header field, for final delivery. */
  returnPathHeader(): string;
}

/** The result of a message for one recipient: undefined if accepted. */
export type Outcome = SmtpError | undefined;

/** The result of deliver. */
export interface Delivered {
  /** In the order of the transaction's recipients. */
  outcomes: readonly Outcome[];
  /** Text of the answer if at least one was accepted, e.g. with the ids in the queue. */
  text?: string;
}

/**
 * Decides about senders, recipients and messages. Each method refuses by throwing an
 * {@link SmtpError}; any other error ends the connection with 421, is logged and counted.
 */
export interface SmtpBackend {
  /** For AUTH; without it AUTH is not offered. */
  readonly sasl?: SaslBackend;
  /** Called before the greeting, e.g. to reject blocked networks. */
  connected?(session: SmtpSession): Promise<void>;
  /**
   * Called after each login, with the name of the credential (see ServerStep of sasl); may refuse it, e.g. for
   * disabled accounts.
   */
  authenticated?(session: SmtpSession, username: string, credential: string): Promise<void>;
  /** Called for MAIL; what it returns becomes the transaction's handle. */
  checkMailFrom?(session: SmtpSession, transaction: Transaction): Promise<unknown>;
  /** Called for RCPT with the ones accepted so far; what it returns becomes the recipient's handle. */
  checkRecipient(
    session: SmtpSession,
    transaction: Transaction,
    recipient: Omit<Recipient, "handle">,
  ): Promise<unknown>;
  /** Called before message bytes are taken; the returned observer gets them. */
  startMessage?(session: SmtpSession, transaction: Transaction): MessageObserver | undefined;
  /**
   * Accepts the message for all recipients. Whatever it doesn't refuse is accepted, and durable when it
   * resolves, since the sender is then told so. Throwing refuses for all.
   */
  deliver(
    session: SmtpSession,
    transaction: Transaction,
    message: IncomingMessage,
  ): Promise<Delivered>;
  /**
   * Called if some recipients were accepted and others not, as SMTP has only one answer: sends the failures
   * back to the sender (DSN). If it throws, the sender is told to try everything again.
   */
  failed?(
    session: SmtpSession,
    transaction: Transaction,
    message: IncomingMessage,
    failures: readonly { recipient: Recipient; error: SmtpError }[],
  ): Promise<void>;
  /** Called once after the connection has ended. */
  disconnected?(session: SmtpSession): Promise<void>;
}
