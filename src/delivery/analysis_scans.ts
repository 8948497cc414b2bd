/**
 * What other programs found in a message (milters, rspamd, ClamAV). What they refuse is refused before the analysis; here
 * is what they take for junk, or want to be set aside.
 *
 * @module
 */
import { type Step, temporary } from "./analysis_steps.ts";

/** Writes down what they said, and sets aside what they want to be. */
export const noteScans: Step = (state) => {
  const { scans } = state.c;
  if (!scans) return undefined;
  state.text.push(...scans.texts);
  if (scans.quarantine === undefined || state.c.junkMailbox === undefined) return undefined;
  return { accept: true, reason: "scanner-quarantine" };
};

/** Junk in their eyes. Who is known by history got past before. */
export const checkScans: Step = (state) => {
  if (!state.c.scans?.junk) return undefined;
  if (state.c.junkMailbox !== undefined) return { accept: true, reason: "scanner-junk" };
  state.text.push("no junk mailbox");
  return temporary("scanner-junk");
};
