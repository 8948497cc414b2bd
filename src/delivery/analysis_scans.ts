/**
 * The findings of other programs about a message (milters, rspamd, ClamAV). What they refuse is refused before
 * the analysis; here are messages that they consider junk or want to quarantine.
 *
 * @module
 */
import { type Step, temporary } from "./analysis_steps.ts";

/** Records their findings, and quarantines messages on request. */
export const noteScans: Step = (state) => {
  const { scans } = state.c;
  if (!scans) return undefined;
  state.text.push(...scans.texts);
  if (scans.quarantine === undefined || state.c.junkMailbox === undefined) return undefined;
  return { accept: true, reason: "scanner-quarantine" };
};

/** Messages that they consider junk. Senders with a good history were accepted before. */
export const checkScans: Step = (state) => {
  if (!state.c.scans?.junk) return undefined;
  if (state.c.junkMailbox !== undefined) return { accept: true, reason: "scanner-junk" };
  state.text.push("no junk mailbox");
  return temporary("scanner-junk");
};
