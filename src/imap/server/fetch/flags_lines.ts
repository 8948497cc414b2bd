/**
 * Announcing which flags and keywords a mailbox has (RFC 9051 §7.3.5).
 *
 * @module
 */
import { flagNames } from "../../../store/types.ts";
import { rightForFlag } from "../../../store/messages/flag_rights.ts";
import type { Session } from "../session/session.ts";
import type { View } from "../session/view.ts";

/** Flags that exist in every mailbox. */
export const standardFlags = flagNames.map(([, name]) => name).join(" ");

/** The FLAGS line of the selected mailbox, and its PERMANENTFLAGS (RFC 4314 §5.1.1). */
export function writeFlagsLines(session: Session, view: View): void {
  const words = [...view.keywords.values()].join(" ");
  session.untagged(`FLAGS (${standardFlags}${words === "" ? "" : ` ${words}`})`);
  if (view.readOnly) {
    session.untagged("OK [PERMANENTFLAGS ()] none in a read-only mailbox");
    return;
  }
  const kept = flagNames.filter(([bit]) => view.rights.includes(rightForFlag(bit))).map(([, n]) =>
    n
  );
  if (view.rights.includes("w")) kept.push(...view.keywords.values(), "\\*");
  session.untagged(`OK [PERMANENTFLAGS (${kept.join(" ")})] kept`);
}

/** Announces keywords that are new in the selected mailbox. */
export function announceKeywords(session: Session, keywords: readonly string[]): void {
  const v = session.view;
  if (!v || keywords.every((k) => v.keywords.has(k.toLowerCase()))) return;
  for (const k of keywords) {
    if (!v.keywords.has(k.toLowerCase())) v.keywords.set(k.toLowerCase(), k);
  }
  writeFlagsLines(session, v);
}
