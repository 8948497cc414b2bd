/**
 * The content: the account's junk filter against its threshold, which is stricter for messages that arrive in a
 * way that is rare for good mail.
 *
 * @module
 */
import type { Classification, WordScore } from "../junk/mod.ts";
import { type AnalysisState, type Step, subjectPassOr, temporary } from "./analysis_steps.ts";
import { suspicionOf, suspicious } from "./suspicion/mod.ts";

/** The strict threshold, used if the configured one is higher: slightly above the neutral 0.5. */
export const strictThreshold = 0.6;
/** Total width of the random variation of the threshold, so that the filter is no oracle for words. */
const jitterWidth = 0.1;
/** A threshold with its jitter, which is smaller near 0 and 1: certain results stay certain. */
function varied(threshold: number, jitter: number): number {
  return threshold + jitter * Math.min(1, (1 - threshold) * 10, threshold * 10);
}

/** Content within this distance of the threshold is close enough to good to be offered a subject pass. */
const moderateDistance = 0.2;

/** Why the strict threshold applies, or undefined. */
export function strictBecause(state: AnalysisState): string | undefined {
  if (state.suspiciousIprev) return "reverse ip mismatch";
  if (!state.c.tls) return "missing tls";
  // A first message rarely has its recipient in Bcc. Forwarded mail has the other address in To.
  if (!state.facts.isForward) {
    const own = state.c.rcptTo.toLowerCase();
    if (!state.c.toCc.some((a) => a.toLowerCase() === own)) return "recipient address not in to/cc";
  }
  return undefined;
}

function listed(words: readonly WordScore[], smtputf8: boolean): string {
  const readable = (w: string) => smtputf8 || /^[\x20-\x7e]*$/.test(w) ? w : "(non-ascii)";
  return words.map((w) => `${readable(w.word)} ${w.score.toFixed(3)}`).join(", ");
}

/** Classifies the message. */
export const checkContent: Step = async (state) => {
  if (!state.c.junk) {
    state.text.push("no junk filter configured");
    return undefined;
  }
  let result: Classification;
  try {
    result = await state.c.junk.classify();
  } catch (err) {
    state.text.push("classifying failed");
    return temporary("junk-classify-error", err);
  }
  state.spamScore = result.probability;
  state.significant = result.significant;
  // Only known words are evidence: a message without any is accepted, whatever else it has.
  const { probability, evidence } = result;
  const jitter = (state.c.random() - 0.5) * jitterWidth;
  let threshold = varied(state.c.junk.threshold, jitter);
  const because = strictBecause(state);
  const strict = because !== undefined && threshold > strictThreshold;
  if (strict) threshold = strictThreshold;
  // Too little training to judge by, except for senders that are suspicious anyway.
  const accepted = evidence === 0 || probability <= threshold ||
    !result.significant && !state.suspiciousIprev;
  state.moderate = probability < threshold - moderateDistance;
  state.text.push(
    `content: ${accepted ? "not junk" : "junk"}${result.significant ? "" : " (not significant)"}` +
      `, spamscore ${result.probability.toFixed(2)}, threshold ${threshold.toFixed(2)}` +
      (strict ? ` (stricter due to ${because})` : "") +
      ` (ham words: ${listed(result.hams, state.c.smtputf8)})` +
      ` (spam words: ${listed(result.spams, state.c.smtputf8)})`,
  );
  if (accepted) return undefined;
  const refuse = strict ? state.c.junk.threshold : state.c.junk.refuseThreshold;
  if (probability <= refuse && state.c.junkMailbox !== undefined) {
    state.text.push(`to the junk mailbox, refused only above ${refuse}`);
    return { accept: true, reason: "junk-mailbox" };
  }
  return subjectPassOr(state, temporary(strict ? "junk-content-strict" : "junk-content"));
};

/** Below this a trained filter is sure that the content is good, and signals don't count. */
const surelyGood = 0.1;

/** Signs of phishing: they send otherwise undecided messages to the Junk mailbox, and refuse nothing. */
export const checkSignals: Step = async (state) => {
  if (!state.c.signals || state.c.junkMailbox === undefined || state.facts.isForward) {
    return undefined;
  }
  if (state.significant && state.spamScore !== undefined && state.spamScore < surelyGood) {
    return undefined;
  }
  const signals = await state.c.signals();
  const weight = suspicionOf(signals);
  if (signals.length > 0) {
    const kinds = signals.map((x) => x.kind).join(", ");
    state.text.push(`phishing signals: ${kinds}, weight ${weight} of ${suspicious}`);
  }
  return weight >= suspicious ? { accept: true, reason: "phishing-signals" } : undefined;
};
