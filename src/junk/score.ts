/**
 * From counts of words to the probability that a message is spam: each word's spaminess by Robinson's formula,
 * and all of them combined by Fisher's method, which is sure only if many words agree. Text and header are also
 * combined separately: a long text doesn't drown the evidence from the message's route, nor the reverse.
 *
 * @module
 */
import { languages, languageWord } from "./language.ts";
import { sizeSigns } from "./sizes.ts";
import type { JunkParams } from "./params.ts";

/** A word of a message with the filter's data about it. */
export interface WordScore {
  word: string;
  /** 0 is ham, 1 is spam. */
  score: number;
  /** Number of ham messages it was counted in. */
  ham: number;
  spam: number;
}

/** The result of a classification. */
export interface Classification {
  /** From 0 (ham) to 1 (spam); 0.5 if none of the words is known, and near it if they disagree. */
  probability: number;
  /**
   * False while too few ham messages have been trained for a rejection: a few spam signals without
   * counterevidence would refuse good mail. If no spam has been trained, everything is accepted, which the user
   * corrects by marking.
   */
  significant: boolean;
  /** Number of words that counted. */
  evidence: number;
  /** The strongest of them on each side, strongest first; at most TopWords each. */
  hams: WordScore[];
  spams: WordScore[];
}

/** Trained ham messages needed for a {@link Classification.significant} result. */
export const significantHams = 50;

/**
 * Weight, in messages, of the assumption that a word is neutral (Robinson's s): so that of two words seen only
 * in spam, the one seen more often is stronger.
 */
const priorStrength = 0.7;

/**
 * Spaminess of a word, or undefined if it is too close to neutral. `hams` and `spams` are the numbers of
 * messages trained.
 */
export function wordScore(
  params: JunkParams,
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
  r = Math.min(Math.max(r, params.MaxPower), 1 - params.MaxPower);
  // A rare word is moved towards 0.5, a tenth of the way for each count it lacks.
  if (n <= params.RareWords) r += Math.min(1 + params.RareWords - n, 10) * (0.5 - r) / 10;
  return r === 0.5 || Math.abs(0.5 - r) < params.IgnoreWords ? undefined : r;
}

/** Words that are no evidence by themselves, however often they are counted. */
export const silentWords: ReadonlySet<string> = new Set([
  ...languages.map((l) => languageWord + l),
  ...sizeSigns,
]);

/** Words of a language with fewer good messages don't count. */
const fewestInLanguage = 3;

/**
 * True for words of the text and the subject, which belong to a language; others have a prefix with their kind.
 */
const isOfLanguage = (word: string) => !word.includes(":") || /^(?:subject|shape):/.test(word);

/**
 * True if the message is in a language in which hardly any good mail has arrived so far: spam in that language
 * says nothing about its words.
 */
function inNewLanguage(
  words: readonly string[],
  counts: (word: string) => { ham: number; spam: number } | undefined,
): boolean {
  const own = words.find((w) => w.startsWith(languageWord));
  if (own === undefined || (counts(own)?.ham ?? 0) >= fewestInLanguage) return false;
  // A filter trained before languages were counted has none.
  return languages.some((l) => (counts(languageWord + l)?.ham ?? 0) >= fewestInLanguage);
}

/**
 * ln of the chance that a chi-squared variable with `2 * n` degrees of freedom is above `x`. Linear in n; the sum is
 * taken in logarithms, as its terms are beyond the range of numbers for long messages.
 */
function lnChiSquaredAbove(x: number, n: number): number {
  const half = x / 2;
  const lnHalf = Math.log(half);
  let term = -half, sum = -half;
  for (let i = 1; i < n; i++) {
    term += lnHalf - Math.log(i);
    sum = sum > term
      ? sum + Math.log1p(Math.exp(term - sum))
      : term + Math.log1p(Math.exp(sum - term));
  }
  return Math.min(0, sum);
}

/** True for words of the text, its links and attachments; the others are of the header and of the way here. */
export const isOfText = (word: string) =>
  !word.includes(":") || /^(?:url|shape|text|file|part):/.test(word);

/**
 * Weights of the log odds of the text, the header, and both together. Their sum is little more than one, as
 * their evidence overlaps.
 */
const textShare = 0.35, headerShare = 0.35, bothShare = 0.4;

/** Sums scores of words; takes linear time in total. */
export class Evidence {
  #lnSpam = 0;
  #lnHam = 0;
  #n = 0;

  /** Number of words added. */
  get size(): number {
    return this.#n;
  }

  /**
   * @param score above 0 and below 1, as {@link wordScore} gives it; at 0 or 1 the other side could never win
   */
  add(score: number): void {
    this.#lnSpam += Math.log(score);
    this.#lnHam += Math.log(1 - score);
    this.#n++;
  }

  /** The scores of both. */
  static both(a: Evidence, b: Evidence): Evidence {
    const sum = new Evidence();
    sum.#lnSpam = a.#lnSpam + b.#lnSpam;
    sum.#lnHam = a.#lnHam + b.#lnHam;
    sum.#n = a.#n + b.#n;
    return sum;
  }

  /**
   * How much more likely chance produces words as hammy as these than words as spammy, between 0 and 1; 0.5
   * without words.
   */
  get probability(): number {
    if (this.#n === 0) return 0.5;
    const spammy = Math.exp(lnChiSquaredAbove(-2 * this.#lnSpam, this.#n));
    const hammy = Math.exp(lnChiSquaredAbove(-2 * this.#lnHam, this.#n));
    return (1 + spammy - hammy) / 2;
  }

  /** The probability as log odds, within +-28. */
  get logOdds(): number {
    return logOddsOf(this.probability);
  }
}

/** Counting alone may not come closer to certainty than this, so that lessons from mistakes still count. */
const nearest = 1e-12;

function logOddsOf(probability: number): number {
  const p = Math.min(Math.max(probability, nearest), 1 - nearest);
  return Math.log(p / (1 - p));
}

/**
 * Combines the words' scores. `counts` gives the counts of a word, or undefined if not counted; `learned` what was
 * learned from mistakes and what the kept messages say, as a logarithm of odds: of the words that are counted, all words, and
 * what counting gave.
 * Takes linear time but for sorting the words that say something.
 */
export function classifyWords(
  params: JunkParams,
  words: Iterable<string>,
  counts: (word: string) => { ham: number; spam: number } | undefined,
  hams: number,
  spams: number,
  learned: (known: string[], words: string[], counted: number) => number = () => 0,
): Classification {
  const all = [...words];
  const newLanguage = inNewLanguage(all, counts);
  const topHam: WordScore[] = [], topSpam: WordScore[] = [];
  const known: string[] = [];
  const ofText = new Evidence(), ofHeader = new Evidence();
  for (const word of all) {
    if (word.startsWith(languageWord) || (newLanguage && isOfLanguage(word))) continue;
    const c = counts(word);
    if (!c) continue;
    known.push(word);
    if (silentWords.has(word)) continue;
    const score = wordScore(params, c.ham, c.spam, hams, spams);
    if (score === undefined) continue;
    (isOfText(word) ? ofText : ofHeader).add(score);
    (score < 0.5 ? topHam : topSpam).push({ word, score, ham: c.ham, spam: c.spam });
  }
  // Many words reach the bound. Among those the most often seen ones are the surest, then the longest; the
  // order of the words in the message doesn't matter.
  const surest = (a: WordScore, b: WordScore) =>
    b.ham + b.spam - (a.ham + a.spam) || b.word.length - a.word.length ||
    (a.word < b.word ? -1 : 1);
  topHam.sort((a, b) => a.score - b.score || surest(a, b));
  topSpam.sort((a, b) => b.score - a.score || surest(a, b));
  topHam.length = Math.min(topHam.length, params.TopWords);
  topSpam.length = Math.min(topSpam.length, params.TopWords);
  const size = ofText.size + ofHeader.size;
  const counted = textShare * ofText.logOdds + headerShare * ofHeader.logOdds +
    bothShare * Evidence.both(ofText, ofHeader).logOdds;
  return {
    // Both views of a message, counts and what was learned from mistakes: logarithms of odds add up.
    probability: size === 0 ? 0.5 : 1 / (1 + Math.exp(-counted - learned(known, all, counted))),
    significant: hams >= significantHams,
    evidence: size,
    hams: topHam,
    spams: topSpam,
  };
}
