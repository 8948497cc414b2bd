/** Webhook calls, waiting and made. @module */
import type { Log } from "../../log/mod.ts";
import type { Outbound } from "../../net/mod.ts";
import type { Clock } from "../types.ts";

/** A call to make. */
export interface NewHook {
  account: string;
  url: string;
  /** Value of the header field Authorization; "" for none. */
  authorization: string;
  /** "incoming", or an event of an outgoing message. */
  event: string;
  /** Queue id of the outgoing message, 0 for incoming ones. */
  queueMsgId: number;
  fromId: string;
  messageId: string;
  subject: string;
  /** JSON. */
  payload: string;
}

/** An attempt of a call. */
export interface HookAttempt {
  /** Milliseconds since the epoch. */
  time: number;
  /** Milliseconds. */
  took: number;
  success: boolean;
  /** HTTP status, 0 without an answer. */
  code: number;
  error: string;
  /** The first bytes of the answer. */
  response: string;
}

/** A waiting call. */
export interface Hook extends NewHook {
  id: number;
  host: string;
  /** When it was queued. */
  submitted: number;
  attempts: number;
  nextAttempt: number;
  /** The last attempts, oldest first. */
  results: HookAttempt[];
}

/** A finished call, kept for a while. */
export interface RetiredHook extends Omit<Hook, "nextAttempt" | "host" | "authorization"> {
  outcome: "done" | "failed" | "canceled";
  left: number;
  keepUntil: number;
}

/** Selects calls for a command; everything given must match. */
export interface HookFilter {
  ids?: readonly number[];
  account?: string;
  event?: string;
}

export interface HookOptions {
  log: Log;
  /** How calls leave the server. */
  outbound: Outbound;
  /** Milliseconds that finished calls of an account are kept; 0 to keep none. */
  retiredPeriod(account: string): number;
  clock?: Clock;
  /** Milliseconds for a call; 30 s if not given. */
  timeout?: number;
}
