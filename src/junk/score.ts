/**
 * From counts of words to the probability that a message is spam: naive Bayes over the words with
 * the most power, see https://en.wikipedia.org/wiki/Naive_Bayes_spam_filtering.
 *
 * @module
 */
import type { JunkParams } from "./params.ts";

/** A word of a message with what the filter knows of it. */
export interface WordScore {
  word: string;
  /** 0 is ham, 1 is spam. */
  score: number;
  /** Messages it was counted in. */
  ham: number;
  spam: number;
}

/** The result of a classification. */
export interface Classification {
  /** From 0 (ham) to 1 (spam); 0.5 if nothing is known of any of the words. */
  probability: number;
  /**
   * False while too few ham messages have been trained to base a rejection on: a few spam signals
   * with nothing to set against them would refuse good mail. Without spam trained, all is let in,
   * which the user corrects by marking.
   */
  significant: boolean;
  /** The words that decided, strongest first; at most TopWords each. */
  hams: WordScore[];
  spams: WordScore[];
}

/** Trained ham messages needed for a {@link Classification.significant} result. */
export const significantHams = 50;

/**
 * Weight, in messages, of the assumption that a word says nothing (Robinson's s): so that of two words
 * seen in spam only, the one seen more often is the stronger.
 */
const priorStrength = 0.3;

/**
 * Spaminess of a word, or undefined if it says too little. `hams` and `spams` are the numbers of
 * messages trained.
 */
export function wordScore(
  p: JunkParams,
  ham: number,
  spam: number,
  hams: number,
  spams: number,
): number | undefined {
  const inSpam = spams > 0 ? spam / spams : 0;
  const inHam = hams > 0 ? ham / hams : 0;
  if (inSpam + inHam === 0) return undefined;
  const n = ham + spam;
  let r = (priorStrength * 0.5 + n * inSpam / (inSpam + inHam)) / (priorStrength + n);
  r = Math.min(Math.max(r, p.MaxPower), 1 - p.MaxPower);
  // A rare word is drawn towards 0.5, a tenth of the way for each count it lacks.
  if (n <= p.RareWords) r += Math.min(1 + p.RareWords - n, 10) * (0.5 - r) / 10;
  return r === 0.5 || Math.abs(0.5 - r) < p.IgnoreWords ? undefined : r;
}

/**
 * Combines the words' scores. `counts` gives the counts of a word, or undefined if not counted.
 * Takes linear time but for sorting the words that say something.
 */
export function classifyWords(
  p: JunkParams,
  words: Iterable<string>,
  counts: (word: string) => { ham: number; spam: number } | undefined,
  hams: number,
  spams: number,
): Classification {
  const topHam: WordScore[] = [], topSpam: WordScore[] = [];
  for (const word of words) {
    const c = counts(word);
    if (!c) continue;
    const score = wordScore(p, c.ham, c.spam, hams, spams);
    if (score === undefined) continue;
    (score < 0.5 ? topHam : topSpam).push({ word, score, ham: c.ham, spam: c.spam });
  }
  // Many words reach the bound. Among those the ones seen most often are the surest; then the
  // longest; the order of the words in the message plays no part.
  const surest = (a: WordScore, b: WordScore) =>
    b.ham + b.spam - (a.ham + a.spam) || b.word.length - a.word.length ||
    (a.word < b.word ? -1 : 1);
  topHam.sort((a, b) => a.score - b.score || surest(a, b));
  topSpam.sort((a, b) => b.score - a.score || surest(a, b));
  topHam.length = Math.min(topHam.length, p.TopWords);
  topSpam.length = Math.min(topSpam.length, p.TopWords);
  let eta = 0;
  for (const w of topHam) eta += Math.log(1 - w.score) - Math.log(w.score);
  for (const w of topSpam) eta += Math.log(1 - w.score) - Math.log(w.score);
  return {
    probability: 1 / (1 + Math.exp(eta)),
    significant: hams >= significantHams,
    hams: topHam,
    spams: topSpam,
  };
}
