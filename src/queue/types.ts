/** The types of the queue: messages, their delivery, and notifications. @module */
import type { Log } from "../log/mod.ts";
import type { Progress } from "../smtp/client/mod.ts";

/** When a sender wants to be notified about a recipient (RFC 3461 §4.1). */
export type Notify = "never" | "success" | "failure" | "delay";

/** The order of sending if not everything can be sent immediately: 1 before 0 before -1. */
export type Priority = -1 | 0 | 1;
export const priorities: readonly Priority[] = [1, 0, -1];

/** A time by which a message must be delivered (RFC 2852). */
export interface DeliverBy {
  /** Milliseconds since the epoch; may be in the past for "notify". */
  until: number;
  /** After that the sender is notified and delivery continues, or the message bounces. */
  mode: "notify" | "return";
  /** The sender is notified of each server that it is relayed to. */
  trace: boolean;
}

export interface NewQueueRecipient {
  /** localpart@domain */
  address: string;
  /** Undefined if the sender didn't say: then failures and delays are reported. */
  notify?: readonly Notify[];
  originalRecipient?: { type: string; address: string };
  /** Unique id in the sender's address, by which replies are recognised (FromIDLoginAddresses). */
  fromId?: string;
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
  /** The message itself, or one of its header fields, needs SMTPUTF8. Addresses are checked separately. */
  smtputf8: boolean;
  has8bit: boolean;
  /** BODY=BINARYMIME. */
  binary?: boolean;
  /** REQUIRETLS (RFC 8689). */
  requireTls: boolean;
  /** "TLS-Required: No" (RFC 8689 §5): rather in plain text than not at all. */
  tlsOptional?: boolean;
  /** RET and ENVID (RFC 3461). */
  ret?: "full" | "hdrs";
  envelopeId?: string;
  deliverBy?: DeliverBy;
  /** Milliseconds since the epoch before which it isn't sent (RFC 4865). */
  notBefore?: number;
  /** How that was asked for, as DSNs tell it (RFC 4865 §5.1.2): "for;SECONDS" or "until;DATE". */
  holdRequest?: string;
  messageId?: string;
  subject?: string;
  /**
   * The sender's key, to ask later whether it was accepted (Queue.wasSubmitted). An account may use each key
   * once: reuse is an error.
   */
  key?: string;
  /** Never answered by a DSN. */
  isDsn?: boolean;
  /** 0 if not given. */
  priority?: Priority;
  /** On hold from the start, until an administrator releases it. */
  hold?: boolean;
  /** Passed on to webhooks. */
  extra?: Record<string, string>;
  /** Called when it is in the queue's database, before delivery. Must not fail. */
  onAdded?: () => void;
  /** Counts the message against the account's limits; `add` throws {@link QueueLimitError} beyond them. */
  limits?: SendingLimits;
}

/** Limits of an account, for 24 hours unless stated otherwise. */
export interface SendingLimits {
  /** Recipients of messages. */
  messages: number;
  /** The same within an hour; undefined for no such limit. */
  messagesPerHour?: number;
  /** Recipients that it has never written to before. */
  firstTimeRecipients: number;
  /** Whether an address counts: this server's own don't. */
  counts(address: string): boolean;
}

/** An account has reached its sending limit. */
export class QueueLimitError extends Error {
  override name = "QueueLimitError";
  readonly limit: "messages" | "messagesPerHour" | "firstTimeRecipients";
  readonly max: number;
  constructor(limit: QueueLimitError["limit"], max: number) {
    super(
      limit === "messages"
        ? `more than ${max} messages in 24 hours`
        : limit === "messagesPerHour"
        ? `more than ${max} messages in an hour`
        : `more than ${max} new recipients in 24 hours`,
    );
    this.limit = limit;
    this.max = max;
  }
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
  binary: boolean;
  requireTls: boolean;
  tlsOptional: boolean;
  ret: "full" | "hdrs" | undefined;
  envelopeId: string | undefined;
  deliverBy: DeliverBy | undefined;
  /** "for;SECONDS" or "until;DATE" (RFC 4865 §5.1.2). */
  holdRequest: string | undefined;
  messageId: string;
  subject: string;
  isDsn: boolean;
  queued: number;
  extra: Record<string, string>;
}

/** A completed attempt. */
export interface Attempt {
  time: number;
  kind: "delivered" | "temporary" | "permanent";
  /** SMTP code, 0 without one. */
  code: number;
  /** Enhanced code such as "4.3.0". */
  enhanced: string;
  text: string;
  /** Host that answered. */
  remoteMta?: string;
}

/** A recipient in the queue. */
export interface QueueItem {
  id: number;
  messageId: number;
  address: string;
  domain: string;
  notify: readonly Notify[] | undefined;
  originalRecipient: { type: string; address: string } | undefined;
  fromId: string;
  attempts: number;
  /** Milliseconds since the epoch. */
  nextAttempt: number;
  hold: boolean;
  priority: Priority;
  /** Set by an administrator. */
  transport: string | undefined;
  requireTls: "yes" | "no" | undefined;
  /** Has failed permanently; how often creating its DSN has failed. */
  dsnOwed: number;
  /** The last attempts, oldest first. */
  results: Attempt[];
}

/** The result for one recipient. */
export type Result =
  | {
    kind: "delivered";
    code?: number;
    enhanced?: string;
    text?: string;
    remoteMta?: string;
    /**
     * Another server has it: `told` if that server notifies the sender (DSN), `untold` if it can't. Undefined
     * if it is in its mailbox.
     */
    relayed?: "told" | "untold";
    /** Its deliver-by time is not enforced from here on, or it is traced (RFC 2852): the sender is notified. */
    unwatched?: boolean;
  }
  | {
    kind: "temporary" | "permanent";
    code: number;
    enhanced: string;
    text: string;
    remoteMta?: string;
    /** No server could be reached: this concerns the whole destination. */
    unreachable?: boolean;
  };

/** The result for a recipient that was not delivered to. */
export type Failure = Extract<Result, { kind: "temporary" | "permanent" }>;

/** Delivers a message to recipients of one domain. */
export interface Deliverer {
  /**
   * Asks whether the server of a transport accepts mail for an address, without sending any.
   * @returns undefined if it does
   */
  ask?(transport: string, address: string, signal: AbortSignal): Promise<Failure | undefined>;
  /**
   * Results in the order of the items. Throwing counts as a temporary failure of all. `progress` is called
   * whenever the server makes progress: a waiting delivery costs little, and others may start alongside it.
   * When the signal is aborted the delivery ends soon, with the results so far.
   */
  deliver(
    message: QueueMessage,
    items: readonly QueueItem[],
    signal: AbortSignal,
    progress?: (step: Progress) => void,
  ): Promise<readonly Result[]>;
  /** Ends connections that are kept open for later deliveries. */
  stop?(): Promise<void>;
}

/** A notification for the sender (RFC 3464). */
export interface DsnEvent {
  action: "failed" | "delayed" | "delivered" | "relayed";
  message: QueueMessage;
  recipients: { item: QueueItem; result: Attempt; retryUntil: number | undefined }[];
}

/** An event of a recipient, for webhooks. */
export interface OutgoingEvent {
  kind: "delivered" | "relayed" | "delayed" | "failed" | "suppressed" | "canceled";
  message: QueueMessage;
  item: QueueItem;
  attempt: Attempt;
  /** Time of the next attempt, milliseconds since the epoch. */
  nextAttempt: number | undefined;
}

/** Time, replaceable so that tests need not wait. */
export interface Clock {
  now(): number;
  /** Calls back after `ms` milliseconds; the returned function cancels it. */
  after(ms: number, fn: () => void): () => void;
  /** From 0 to below 1, for jitter. */
  random(): number;
}

export interface QueueOptions {
  log: Log;
  deliverer: Deliverer;
  /** Notifies the sender. The item stays in the queue until it resolves. */
  onDsn(event: DsnEvent): Promise<void>;
  /** Reports each event; again after a crash. What it throws is logged. */
  onEvent?(event: OutgoingEvent): Promise<void>;
  /** Called when an account has reached its limit, in addition to the refusal. Must not fail. */
  onLimit?(account: string, err: QueueLimitError): Promise<void>;
  /** Milliseconds that messages of an account are kept after leaving the queue; 0 to keep none. */
  retiredPeriod?(account: string): number;
  clock?: Clock;
}
