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
export function strictBecause(s: AnalysisState): string | undefined {
  if (s.suspiciousIprev) return "reverse ip mismatch";
  if (!s.c.tls) return "missing tls";
  // Being in Bcc is unusual for a first message. Forwarded mail has the other address in To.
  if (!s.facts.isForward) {
    const own = s.c.rcptTo.toLowerCase();
    if (!s.c.toCc.some((a) => a.toLowerCase() === own)) return "recipient address not in to/cc";
  }
  return undefined;
}

function listed(words: readonly WordScore[], smtputf8: boolean): string {
  const readable = (w: string) => smtputf8 || /^[\x20-\x7e]*$/.test(w) ? w : "(non-ascii)";
  return words.map((w) => `${readable(w.word)} ${w.score.toFixed(3)}`).join(", ");
}

/** Classifies the message. */
export const checkContent: Step = async (s) => {
  if (!s.c.junk) {
    s.text.push("no junk filter configured");
    return undefined;
  }
  let result: Classification;
  try {
    result = await s.c.junk.classify();
  } catch (err) {
    s.text.push("classifying failed");
    return temporary("junk-classify-error", err);
  }
  s.spamScore = result.probability;
  s.significant = result.significant;
  // Only words that have been seen say something: a message without any is let in, whatever else there is.
  const { probability, evidence } = result;
  const jitter = (s.c.random() - 0.5) * jitterWidth;
  let threshold = varied(s.c.junk.threshold, jitter);
  const because = strictBecause(s);
  const strict = because !== undefined && threshold > strictThreshold;
  if (strict) threshold = strictThreshold;
  // Too little training to judge by, but for senders that are suspicious anyway.
  const accepted = evidence === 0 || probability <= threshold ||
    !result.significant && !s.suspiciousIprev;
  s.moderate = probability < threshold - moderateDistance;
  s.text.push(
    `content: ${accepted ? "not junk" : "junk"}${result.significant ? "" : " (not significant)"}` +
      `, spamscore ${result.probability.toFixed(2)}, threshold ${threshold.toFixed(2)}` +
      (strict ? ` (stricter due to ${because})` : "") +
      ` (ham words: ${listed(result.hams, s.c.smtputf8)})` +
      ` (spam words: ${listed(result.spams, s.c.smtputf8)})`,
  );
  if (accepted) return undefined;
  const refuse = strict ? s.c.junk.threshold : s.c.junk.refuseThreshold;
  if (probability <= refuse && s.c.junkMailbox !== undefined) {
    s.text.push(`to the junk mailbox, refused only above ${refuse}`);
    return { accept: true, reason: "junk-mailbox" };
  }
  return subjectPassOr(s, temporary(strict ? "junk-content-strict" : "junk-content"));
};

/** Below this a trained filter knows the content to be good, and signals count for nothing. */
const surelyGood = 0.1;

/** Signs of phishing: they send what nothing else decided to the Junk mailbox, and refuse nothing. */
export const checkSignals: Step = async (s) => {
  if (!s.c.signals || s.c.junkMailbox === undefined || s.facts.isForward) return undefined;
  if (s.significant && s.spamScore !== undefined && s.spamScore < surelyGood) return undefined;
  const signals = await s.c.signals();
  const weight = suspicionOf(signals);
  if (signals.length > 0) {
    const kinds = signals.map((x) => x.kind).join(", ");
    s.text.push(`phishing signals: ${kinds}, weight ${weight} of ${suspicious}`);
  }
  return weight >= suspicious ? { accept: true, reason: "phishing-signals" } : undefined;
};
