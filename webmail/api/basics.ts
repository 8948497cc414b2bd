/**
 * Values that the webmail's schemas are made of. One schema is both the type and the check, on the server
 * and in the page.
 *
 * Requests are strict: a field that isn't known is a mistake. What the server says may gain fields, so
 * those are passed over there: a page from before an upgrade keeps working.
 *
 * @module
 */
import * as v from "valibot";

/**
 * Id of a mailbox, message, email or thread. From {@link othersFrom} on it belongs to another account, which shares its
 * mail with the user.
 */
export const Id = v.pipe(v.number(), v.safeInteger(), v.minValue(1));
/** Ids from here on belong to other accounts; each has as many. */
export const othersFrom = 10_000_000_000;
export const Count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
/** Milliseconds since the epoch. */
export const Time = v.pipe(v.number(), v.safeInteger());

/** Text of a request, at most this many UTF-16 units. */
export function text(max: number) {
  return v.pipe(v.string(), v.maxLength(max));
}

/** An address for display. */
export const Address = v.object({
  /** Decoded; "" if missing. */
  name: v.string(),
  /** localpart@domain, domain in Unicode. */
  address: v.string(),
});
export type Address = v.InferOutput<typeof Address>;

/** Flags with a meaning in the protocol; all other marks are keywords. */
export const Flag = v.picklist([
  "seen",
  "answered",
  "flagged",
  "deleted",
  "draft",
  "forwarded",
  "junk",
  "notjunk",
  "phishing",
  "mdnsent",
]);
export type Flag = v.InferOutput<typeof Flag>;

/** A keyword: lower case, as IMAP has it (RFC 9051 flag-keyword, without a backslash). */
export const Keyword = v.pipe(
  v.string(),
  v.minLength(1),
  v.maxLength(100),
  v.regex(/^[\x21\x23\x24\x26\x27\x2b-\x5b\x5e-\x7a\x7c-\x7e]+$/),
  v.toLowerCase(),
);

/** What a mailbox is for (RFC 6154). */
export const SpecialUse = v.picklist(["archive", "drafts", "junk", "sent", "trash"]);
export type SpecialUse = v.InferOutput<typeof SpecialUse>;

/** Why a call was refused. The message that goes with it is for the person who uses the page. */
export const ErrorCode = v.picklist([
  /** The request doesn't fit the schema: the page may be of another version. */
  "request",
  /** Nobody is logged in, or (for Login) the name or password is wrong. */
  "login",
  /** Cross-site, or an account that may not log in. */
  "forbidden",
  /** The message, mailbox, view or upload is gone. */
  "missing",
  /** Someone else has changed it meanwhile. */
  "conflict",
  /** Too large; the message names the limit. */
  "size",
  /** Too many requests; the message says when to try again. */
  "limit",
  /** The request can't be carried out; the message says why and what to do. */
  "user",
  /** An error of the server, which is in its log. */
  "internal",
]);
export type ErrorCode = v.InferOutput<typeof ErrorCode>;

/** Body of an answer other than 200. */
export const ErrorAnswer = v.object({
  error: v.object({ code: ErrorCode, message: v.string() }),
});

/** No content. */
export const Nothing = v.strictObject({});
