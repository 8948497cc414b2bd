/**
 * What other programs found in a message (milters, rspamd, ClamAV). What they refuse is refused before the analysis; here
 * is what they take for junk, or want to be set aside.
 *
 * @module
 */
import { type Step, temporary } from "./analysis_steps.ts";

/** Writes down what they said, and sets aside what they want to be. */
export const noteScans: Step = (s) => {
  const { scans } = s.c;
  if (!scans) return undefined;
  s.text.push(...scans.texts);
  if (scans.quarantine === undefined || s.c.junkMailbox === undefined) return undefined;
  return { accept: true, reason: "scanner-quarantine" };
};

/** Junk in their eyes. Who is known by history got past before. */
export const checkScans: Step = (s) => {
  if (!s.c.scans?.junk) return undefined;
  if (s.c.junkMailbox !== undefined) return { accept: true, reason: "scanner-junk" };
  s.text.push("no junk mailbox");
  return temporary("scanner-junk");
};
