/**
 * Names in answers of LIST and LSUB: which match, and their order (RFC 9051 §6.3.9).
 *
 * @module
 */
import { listMatcher } from "../../parse/list.ts";

/** Name of the mailbox that clients call INBOX. */
const inbox = "Inbox";
const isInInbox = (name: string) => name === inbox || name.startsWith(`${inbox}/`);

/**
 * Whether a name matches one of the patterns below the reference. "INBOX" matches in any case, with wildcards too. As
 * names are stored in normalization form C, patterns are normalized too.
 */
export function nameMatcher(
  reference: string,
  patterns: readonly string[],
): (name: string) => boolean {
  const list = patterns.map((p) => listMatcher(`${reference}${p}`.normalize("NFC")));
  return (name) => {
    const caseless = isInInbox(name) ? inbox.length : 0;
    return list.some((m) => m(name, caseless));
  };
}

/** For sorting: Inbox and what is below it comes first. */
export function inboxFirst(a: string, b: string): number {
  const ai = isInInbox(a);
  const bi = isInInbox(b);
  if (ai !== bi) return ai ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
}
