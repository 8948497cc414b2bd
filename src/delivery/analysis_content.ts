/**
 * The content: the account's junk filter against its threshold, which is stricter for messages that
 * come in a way in which good mail rarely comes.
 *
 * @module
 */
import type { Classification, WordScore } from "../junk/mod.ts";
import { type AnalysisState, type Step, subjectPassOr, temporary } from "./analysis_steps.ts";
import { suspicionOf, suspicious } from "./suspicion/mod.ts";

/** The threshold where the configured one is not strict enough: above what says nothing, which is 0.5. */
export const strictThreshold = 0.6;
/** The threshold varies by this much in all, so that the filter is no oracle for words. */
const jitterWidth = 0.1;
/** A threshold with its jitter, which near 0 and 1 is smaller: what is certain stays certain. */
function varied(threshold: number, jitter: number): number {
  return threshold + jitter * Math.min(1, (1 - threshold) * 10, threshold * 10);
}

/** This far below the threshold, content is near enough to good to be offered a subject pass. */
const moderateDistance = 0.2;

/** Why the strict threshold holds, or undefined. */
export function strictBecause(state: AnalysisState): string | undefined {
  if (state.suspiciousIprev) return "reverse ip mismatch";
  if (!state.c.tls) return "missing tls";
  // Being in Bcc is unusual for a first message. Forwarded mail has the other address in To.
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
  // Only words that have been seen say something: a message without any is let in, whatever else there is.
  const { probability, evidence } = result;
  const jitter = (state.c.random() - 0.5) * jitterWidth;
  let threshold = varied(state.c.junk.threshold, jitter);
  const because = strictBecause(state);
  const strict = because !== undefined && threshold > strictThreshold;
  if (strict) threshold = strictThreshold;
  // Too little training to judge by, but for senders that are suspicious anyway.
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

/** Below this a trained filter knows the content to be good, and signals count for nothing. */
const surelyGood = 0.1;

/** Signs of phishing: they send what nothing else decided to the Junk mailbox, and refuse nothing. */
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
