/**
 * The way of the Go original to count and combine words, for comparison: the first sight of a word is only remembered in a
 * Bloom filter, and of a message's words the ten that are most like good mail and the ten that are most like spam
 * decide. Of our words it has those of the text and of the fields that it reads.
 *
 * @module
 */
import { defaultJunkParams } from "../../../src/junk/mod.ts";
import type { Labelled, Split } from "./corpus.ts";
import type { Scores } from "./others.ts";

const { MaxPower, TopWords, IgnoreWords, RareWords } = defaultJunkParams;
const fields = /^(?:from|to|cc|bcc|reply-to|subject):/;
const ofOriginal = (word: string) => !word.includes(":") || fields.test(word);

interface Counts {
  good: number;
  spam: number;
}

/** From 0 for good mail to 1 for spam; undefined for a word that says too little. */
function spaminess(c: Counts, goods: number, spams: number): number | undefined {
  const inGood = c.good / Math.max(1, goods);
  const inSpam = c.spam / Math.max(1, spams);
  if (inGood + inSpam === 0) return undefined;
  let r = Math.min(Math.max(inSpam / (inGood + inSpam), MaxPower), 1 - MaxPower);
  // A rare word is drawn towards the middle, a tenth of the way for each count it lacks.
  const lacks = Math.max(0, 1 + RareWords - c.good - c.spam);
  r += Math.min(lacks, 10) * (0.5 - r) / 10;
  return Math.abs(0.5 - r) < IgnoreWords ? undefined : r;
}

export function strongestWords({ train, judge }: Split): Promise<Scores> {
  const seen = new Set<string>();
  const counts = new Map<string, Counts>();
  let goods = 0;
  let spams = 0;
  for (const m of train) {
    if (m.ham) goods++;
    else spams++;
    for (const word of m.words.filter(ofOriginal)) {
      const c = counts.get(word);
      if (c) c[m.ham ? "good" : "spam"]++;
      else if (!seen.has(word)) seen.add(word);
      else counts.set(word, { good: m.ham ? 1 : 0, spam: m.ham ? 0 : 1 });
    }
  }
  const judged = (m: Labelled): number => {
    const known: { r: number; n: number }[] = [];
    for (const word of m.words.filter(ofOriginal)) {
      const c = counts.get(word);
      const r = c && spaminess(c, goods, spams);
      if (c && r !== undefined) known.push({ r, n: c.good + c.spam });
    }
    // Of those at the bound, the ones that were seen most.
    const good = known.filter((w) => w.r < 0.5).sort((a, b) => a.r - b.r || b.n - a.n);
    const spam = known.filter((w) => w.r > 0.5).sort((a, b) => b.r - a.r || b.n - a.n);
    let odds = 0;
    for (const { r } of [...good.slice(0, TopWords), ...spam.slice(0, TopWords)]) {
      odds += Math.log(r) - Math.log(1 - r);
    }
    return 1 / (1 + Math.exp(-odds));
  };
  const scores: Scores = { ham: [], spam: [] };
  for (const m of judge) (m.ham ? scores.ham : scores.spam).push(judged(m));
  return Promise.resolve(scores);
}
