/**
 * JMAP's error answers: errors of a request, of a method and of an object in /set (RFC 8620 §3.6, §5.3).
 *
 * @module
 */

/** An error of the whole request (RFC 8620 §3.6.1), answered as a problem document (RFC 7807). */
export class RequestError extends Error {
  /** Last part of the problem's type. */
  readonly type: "unknownCapability" | "notJSON" | "notRequest" | "limit";
  readonly status: number;
  /** Name of the limit, with type "limit". */
  readonly limit: string | undefined;
  constructor(
    type: RequestError["type"],
    detail: string,
    o: { status?: number; limit?: string; cause?: unknown } = {},
  ) {
    super(detail, { cause: o.cause });
    this.name = "RequestError";
    this.type = type;
    this.status = o.status ?? 400;
    this.limit = o.limit;
  }

  /** The problem document. */
  problem(): Record<string, unknown> {
    return {
      type: `urn:ietf:params:jmap:error:${this.type}`,
      status: this.status,
      detail: this.message,
      ...this.limit === undefined ? {} : { limit: this.limit },
    };
  }
}

/** Errors of a method call (RFC 8620 §3.6.2, and those of /get, /changes, /set, /copy and /query). */
export type MethodErrorType =
  | "serverUnavailable"
  | "serverFail"
  | "serverPartialFail"
  | "unknownMethod"
  | "invalidArguments"
  | "invalidResultReference"
  | "forbidden"
  | "accountNotFound"
  | "accountNotSupportedByMethod"
  | "accountReadOnly"
  | "requestTooLarge"
  | "tooLarge"
  | "cannotCalculateChanges"
  | "stateMismatch"
  | "fromAccountNotFound"
  | "fromAccountNotSupportedByMethod"
  | "anchorNotFound"
  | "unsupportedSort"
  | "unsupportedFilter"
  | "tooManyChanges"
  | "unknownDataType"
  | "notFound"
  | "expandDurationTooLarge"
  | "cannotCalculateOccurrences";

/** A method call that failed. Nothing of it has been done. */
export class MethodError extends Error {
  readonly type: MethodErrorType;
  /** Further properties of the error. */
  readonly more: Record<string, unknown>;
  constructor(
    type: MethodErrorType,
    description: string,
    o: { more?: Record<string, unknown>; cause?: unknown } = {},
  ) {
    super(description, { cause: o.cause });
    this.name = "MethodError";
    this.type = type;
    this.more = o.more ?? {};
  }

  /** Arguments of the response named "error". */
  response(): Record<string, unknown> {
    return { type: this.type, description: this.message, ...this.more };
  }
}

/** Errors of one object in /set, /copy and /import (RFC 8620 §5.3, §5.4; RFC 8621). */
export type SetErrorType =
  | "forbidden"
  | "overQuota"
  | "tooLarge"
  | "rateLimit"
  | "notFound"
  | "invalidPatch"
  | "willDestroy"
  | "invalidProperties"
  | "singleton"
  | "alreadyExists"
  | "mailboxHasChild"
  | "mailboxHasEmail"
  | "addressBookHasContents"
  | "calendarHasEvent"
  | "blobNotFound"
  | "noSupportedScheduleMethods"
  | "tooManyKeywords"
  | "tooManyMailboxes"
  | "invalidEmail"
  | "tooManyRecipients"
  | "noRecipients"
  | "invalidRecipients"
  | "forbiddenMailFrom"
  | "forbiddenFrom"
  | "forbiddenToSend"
  | "cannotUnsend"
  | "mdnAlreadySent"
  | "invalidSieve"
  | "sieveIsActive"
  | "serverFail";

/** An object that can't be created, updated or destroyed; thrown by code that handles a single object. */
export class SetError extends Error {
  readonly type: SetErrorType;
  readonly more: Record<string, unknown>;
  /** @param more further properties, such as `properties` or `existingId` */
  constructor(type: SetErrorType, description: string, more: Record<string, unknown> = {}) {
    super(description);
    this.name = "SetError";
    this.type = type;
    this.more = more;
  }

  /** The SetError object. */
  value(): Record<string, unknown> {
    return { type: this.type, description: this.message, ...this.more };
  }
}

/** Properties with bad values, by name. */
export function invalidProperties(properties: readonly string[], description: string): SetError {
  return new SetError("invalidProperties", description, { properties: [...new Set(properties)] });
}
