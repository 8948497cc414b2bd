/** What goes into the queue, what delivers it, and what is told of it. @module */
import type { Log } from "../log/mod.ts";

/** When a sender wants to be told of a recipient's fate (RFC 3461 §4.1). */
export type Notify = "never" | "success" | "failure" | "delay";

export interface NewQueueRecipient {
  /** localpart@domain */
  address: string;
  /** Undefined if the sender didn't say: then failures and delays are told. */
  notify?: readonly Notify[];
  originalRecipient?: { type: string; address: string };
}

/** A message to send. */
export interface NewQueueMessage {
  senderAccount: string;
  /** "" for the null reverse path. */
  mailFrom: string;
  recipients: readonly NewQueueRecipient[];
  /** Complete, synced file; it is linked or copied, the caller removes its own. */
  file: string;
  fileSize: number;
  /** Bytes in front of the file's. */
  prefix: Uint8Array;
  smtputf8: boolean;
  has8bit: boolean;
  requireTls: boolean;
  /** RET and ENVID (RFC 3461). */
  ret?: "full" | "hdrs";
  envelopeId?: string;
  /** Milliseconds since the epoch before which it isn't sent (RFC 4865). */
  notBefore?: number;
  messageId?: string;
  subject?: string;
  /** Never answered by a DSN. */
  isDsn?: boolean;
}

/** A queued message, without its recipients. */
export interface QueueMessage {
  id: number;
  senderAccount: string;
  mailFrom: string;
  /** Path of the message after the prefix. */
  path: string;
  fileSize: number;
  prefix: Uint8Array;
  smtputf8: boolean;
  has8bit: boolean;
  requireTls: boolean;
  ret: "full" | "hdrs" | undefined;
  envelopeId: string | undefined;
  messageId: string;
  subject: string;
  isDsn: boolean;
  queued: number;
}

/** An attempt that was made. */
export interface Attempt {
  time: number;
  kind: "delivered" | "temporary" | "permanent";
  /** SMTP code, 0 without one. */
  code: number;
  /** Enhanced code such as "4.3.0". */
  enhanced: string;
  text: string;
}

/** A recipient in the queue. */
export interface QueueItem {
  id: number;
  messageId: number;
  address: string;
  domain: string;
  notify: readonly Notify[] | undefined;
  originalRecipient: { type: string; address: string } | undefined;
  attempts: number;
  /** Milliseconds since the epoch. */
  nextAttempt: number;
  hold: boolean;
  /** Has failed for good; how often making its DSN has failed. */
  dsnOwed: number;
  /** The last attempts, oldest first. */
  results: Attempt[];
}

/** What became of one recipient. */
export type Result =
  | { kind: "delivered" }
  | { kind: "temporary" | "permanent"; code: number; enhanced: string; text: string };

/** Delivers a message to recipients of one domain. */
export interface Deliverer {
  /** Results in the order of the items. Throwing counts as a temporary failure of all. */
  deliver(
    message: QueueMessage,
    items: readonly QueueItem[],
    signal: AbortSignal,
  ): Promise<readonly Result[]>;
}

/** Something the sender is to be told (RFC 3464). */
export interface DsnEvent {
  action: "failed" | "delayed" | "delivered";
  message: QueueMessage;
  recipients: { item: QueueItem; result: Attempt; retryUntil: number | undefined }[];
}

/** Time, so that tests need not wait for it. */
export interface Clock {
  now(): number;
  /** Calls back after so many milliseconds; the returned function prevents it. */
  after(ms: number, fn: () => void): () => void;
  /** From 0 to below 1, for jitter. */
  random(): number;
}

export interface QueueOptions {
  log: Log;
  deliverer: Deliverer;
  /** Tells the sender. The item stays in the queue until it resolves. */
  onDsn(event: DsnEvent): Promise<void>;
  clock?: Clock;
}
