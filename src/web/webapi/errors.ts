/** Refusals of the web API. @module */

/** Codes that tell programs what was wrong. */
export const apiErrorCodes = [
  "user",
  "server",
  "protocol",
  "badAddress",
  "missingBody",
  "multipleFrom",
  "badFrom",
  "noRecipients",
  "recipientAddressBlocked",
  "messageLimitReached",
  "recipientLimitReached",
  "messageTooLarge",
  "malformedMessageID",
  "missingField",
  "sentOverQuota",
  "messageNotFound",
  "partNotFound",
  "mailboxNotFound",
  "alreadyPresent",
  "notFound",
  "requestIDReused",
  "requestInterrupted",
] as const;
export type ApiErrorCode = (typeof apiErrorCodes)[number];

/** A refused call, with the reason; answered as `{"Code": …, "Message": …}`. */
export class ApiError extends Error {
  readonly code: ApiErrorCode;
  /** HTTP status. */
  readonly status: number;
  /** Part of the work was done before it failed: repeating the call would do it twice. */
  readonly partial: boolean;
  /** Seconds after which the call may be made again; undefined if that isn't known. */
  readonly retryAfter: number | undefined;
  constructor(
    code: ApiErrorCode,
    message: string,
    options: ErrorOptions & { status?: number; partial?: boolean; retryAfter?: number } = {},
  ) {
    super(message, options);
    this.name = "ApiError";
    this.code = code;
    this.status = options.status ?? 400;
    this.partial = options.partial ?? false;
    this.retryAfter = options.retryAfter;
  }
}
