/** Failures to reach a server, as results of delivery. @module */
import { SmtpClientError } from "../smtp/client/mod.ts";
import type { Failure } from "./types.ts";

export type { Failure } from "./types.ts";

/** A destination that can't be delivered to, temporarily or permanently. */
export class DestinationError extends Error {
  override name = "DestinationError";
  readonly failure: Failure;
  constructor(failure: Failure, options?: ErrorOptions) {
    super(failure.text, options);
    this.failure = failure;
  }
}

/** A failure that may go away. */
export function temporary(enhanced: string, text: string, code = 451): Failure {
  return { kind: "temporary", code, enhanced, text };
}

/** A failure that stays. */
export function permanent(enhanced: string, text: string, code = 550): Failure {
  return { kind: "permanent", code, enhanced, text };
}

/** The client's error as a result. */
export function failureOf(err: SmtpClientError, remoteMta: string): Failure {
  return {
    kind: err.permanent ? "permanent" : "temporary",
    code: err.code,
    enhanced: err.enhanced,
    text: err.text,
    remoteMta,
  };
}
