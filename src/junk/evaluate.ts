/**
 * The work of the `mox junk` commands: training a filter on labelled messages, checking how it judges others,
 * and replaying a whole history chronologically.
 *
 * @module
 */
import type { JunkFilter } from "./filter.ts";

/** A message with a known label. */
export interface LabelledMessage {
  /** A file name, for reporting. */
  name: string;
  ham: boolean;
  /** Milliseconds; orders messages in {@link chronologicalSplit}. */
  received: number;
  words: () => Iterable<string>;
}

/**
 * How a filter judged. Rates are fractions of the messages of that kind, from 0 to 1, NaN if there are none.
 */
export interface JunkReport {
  hams: number;
  spams: number;
  /** Ham mistaken for spam: name and probability. */
  falsePositives: { name: string; probability: number }[];
  /** Spam let through. */
  falseNegatives: { name: string; probability: number }[];
  falsePositiveRate: number;
  caughtRate: number;
  /** Mean and worst time of a classification including its words, in ms. */
  meanMs: number;
  worstMs: number;
}

/** Trains in saved batches, leaving the event loop free in between. */
export async function trainMessages(
  filter: JunkFilter,
  messages: Iterable<LabelledMessage>,
): Promise<void> {
  let n = 0;
  for (const m of messages) {
    filter.train(m.ham, m.words());
    if (++n % 25 === 0) await filter.flush();
  }
  await filter.flush();
}

/** Classifies messages, without training. */
export function checkMessages(
  filter: JunkFilter,
  messages: Iterable<LabelledMessage>,
  threshold: number,
): JunkReport {
  const r = emptyReport();
  for (const m of messages) judge(r, filter, m, threshold);
  return finish(r);
}

/**
 * Goes through a history in order: each message is classified, then trained, as if its user had marked it
 * immediately. Only messages after the first `warmUp` count in the report.
 */
export async function playMessages(
  filter: JunkFilter,
  messages: readonly LabelledMessage[],
  threshold: number,
  warmUp: number,
): Promise<JunkReport> {
  const r = emptyReport();
  const ordered = [...messages].sort((a, b) => a.received - b.received);
  for (const [i, m] of ordered.entries()) {
    if (i >= warmUp) judge(r, filter, m, threshold);
    filter.train(m.ham, m.words());
    if (i % 25 === 24) await filter.flush();
  }
  await filter.flush();
  return finish(r);
}

/** The older part to train on, the newer to check. */
export function chronologicalSplit(
  messages: readonly LabelledMessage[],
  trainFraction: number,
): { train: LabelledMessage[]; check: LabelledMessage[] } {
  const ordered = [...messages].sort((a, b) => a.received - b.received);
  const at = Math.floor(ordered.length * Math.min(Math.max(trainFraction, 0), 1));
  return { train: ordered.slice(0, at), check: ordered.slice(at) };
}

function emptyReport(): JunkReport {
  return {
    hams: 0,
    spams: 0,
    falsePositives: [],
    falseNegatives: [],
    falsePositiveRate: NaN,
    caughtRate: NaN,
    meanMs: 0,
    worstMs: 0,
  };
}

function judge(
  report: JunkReport,
  filter: JunkFilter,
  message: LabelledMessage,
  threshold: number,
): void {
  const start = performance.now();
  const { probability } = filter.classify(message.words());
  const ms = performance.now() - start;
  report.meanMs += ms;
  report.worstMs = Math.max(report.worstMs, ms);
  const spam = probability > threshold;
  if (message.ham) {
    report.hams++;
    if (spam) report.falsePositives.push({ name: message.name, probability });
  } else {
    report.spams++;
    if (!spam) report.falseNegatives.push({ name: message.name, probability });
  }
}

function finish(report: JunkReport): JunkReport {
  report.falsePositiveRate = report.falsePositives.length / report.hams;
  report.caughtRate = 1 - report.falseNegatives.length / report.spams;
  report.meanMs /= Math.max(1, report.hams + report.spams);
  return report;
}
