/** Calls of webhooks that wait, and that were made. @module */
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
  /** Of the outgoing message, 0 for incoming ones. */
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

/** A call that waits. */
export interface Hook extends NewHook {
  id: number;
  host: string;
  /** When it was queued. */
  submitted: number;
  attempts: number;
  nextAttempt: number;
  /** The last ones, oldest first. */
  results: HookAttempt[];
}

/** A call that is done, kept for a while. */
export interface RetiredHook extends Omit<Hook, "nextAttempt" | "host" | "authorization"> {
  outcome: "done" | "failed" | "canceled";
  left: number;
  keepUntil: number;
}

/** Which calls a command is about; all that is given must fit. */
export interface HookFilter {
  ids?: readonly number[];
  account?: string;
  event?: string;
}

export interface HookOptions {
  log: Log;
  /** The way out for calls. */
  outbound: Outbound;
  /** Milliseconds that calls of an account are kept after they are done; 0 for not at all. */
  retiredPeriod(account: string): number;
  clock?: Clock;
  /** Milliseconds for a call; 30 s if not given. */
  timeout?: number;
}
