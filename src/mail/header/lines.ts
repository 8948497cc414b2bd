/**
 * Classifies the lines of a header by their bytes: if a header isn't ended by an empty line, as RFC 5322 §2.1
 * requires, the body begins with the first line that can't be in a header.
 *
 * @module
 */

/** Fields that programs write into messages: if one follows, the header continues. */
const known: ReadonlySet<string> = new Set([
  ..."from sender reply-to to cc bcc subject comments keywords date message-id in-reply-to".split(
    " ",
  ),
  ..."references received return-path delivered-to envelope-to mime-version status".split(" "),
  ..."dkim-signature domainkey-signature authentication-results received-spf feedback-id".split(
    " ",
  ),
  ..."precedence priority importance sensitivity organization user-agent lines errors-to".split(
    " ",
  ),
  ..."auto-submitted autocrypt thread-index thread-topic require-recipient-valid-since".split(" "),
  ..."apparently-to disposition-notification-to tls-required original-recipient".split(" "),
]);
const knownStarts = ["x-", "content-", "list-", "resent-", "arc-", "delivery-", "deferred-"];
/** Most bytes of a name that are compared: longer names are not known ones. */
const maxKnownName = 40;

/**
 * "field" has a colon, with or without a name; "known" is a field that programs write; "folded" continues one;
 * "other" is not a field.
 */
export type HeaderLine = "known" | "field" | "folded" | "other";

const space = 32, tab = 9, colon = 58, slash = 47;

/** The kind of the line `buf[from, to)` of a header, which isn't empty. */
export function headerLineKind(buf: Uint8Array, from: number, to: number): HeaderLine {
  const first = buf[from];
  if (first === space || first === tab) return "folded";
  let at = from;
  while (at < to && buf[at] > space && buf[at] < 127 && buf[at] !== colon) at++;
  const end = at;
  while (at < to && (buf[at] === space || buf[at] === tab)) at++;
  if (at >= to || buf[at] !== colon || (end === from && at > from)) {
    // Mailbox files begin each message with such a line.
    return isText(buf, from, to, "From ") || isText(buf, from, to, ">From ") ? "field" : "other";
  }
  // A text line that begins with a web address.
  if (buf[at + 1] === slash && buf[at + 2] === slash && at + 2 < to) return "other";
  if (end - from > maxKnownName) return "field";
  const name = String.fromCharCode(...buf.subarray(from, end)).toLowerCase();
  return known.has(name) || knownStarts.some((s) => name.startsWith(s)) ? "known" : "field";
}

function isText(buf: Uint8Array, from: number, to: number, text: string): boolean {
  if (to - from < text.length) return false;
  for (let i = 0; i < text.length; i++) if (buf[from + i] !== text.charCodeAt(i)) return false;
  return true;
}
