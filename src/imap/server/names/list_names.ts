/**
 * Names in answers of LIST and LSUB: which fit, and their order (RFC 9051 §6.3.9).
 *
 * @module
 */
import { listMatcher } from "../../parse/list.ts";

/** "INBOX" in any case, at the start of a reference or pattern, means Inbox. */
function inboxCase(pattern: string): string {
  return /^inbox(?=$|[/*%])/i.test(pattern) ? `Inbox${pattern.slice(5)}` : pattern;
}

/** Whether a name fits one of the patterns below the reference. */
export function nameMatcher(
  reference: string,
  patterns: readonly string[],
): (name: string) => boolean {
  const list = patterns.map((p) => listMatcher(inboxCase(`${reference}${p}`)));
  return (name) => list.some((m) => m(name));
}

/** For sorting: Inbox and what is below it comes first. */
export function inboxFirst(a: string, b: string): number {
  const ai = a === "Inbox" || a.startsWith("Inbox/");
  const bi = b === "Inbox" || b.startsWith("Inbox/");
  if (ai !== bi) return ai ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
}
