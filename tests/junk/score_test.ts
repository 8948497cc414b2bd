/** What words say together: of the text, of the header, and what was learned from mistakes. */
import assert from "node:assert/strict";
import { defaultJunkParams } from "../../src/junk/mod.ts";
import { Learned } from "../../src/junk/learned.ts";
import { classifyWords, Evidence } from "../../src/junk/score.ts";
import { wordHash } from "../../src/junk/bloom.ts";

/** Words "name0" to "name<n - 1>". */
const row = (name: string, n: number) => Array.from({ length: n }, (_, i) => `${name}${i}`);

/** Probability of a message; words with "good" in them were in good mail only, with "bad" in spam only. */
function judged(words: string[], learned = 0): number {
  const counts = (w: string) => w.includes("good") ? { ham: 9, spam: 0 } : { ham: 0, spam: 9 };
  return classifyWords(defaultJunkParams, words, counts, 100, 100, () => learned).probability;
}

const logOdds = (p: number) => Math.log(p / (1 - p));

Deno.test("a long text does not drown what the header says, nor the other way round", () => {
  const textOnly = judged(row("bad", 300));
  const header = row("rcvd:good", 12);
  const both = judged([...row("bad", 300), ...header]);
  assert.ok(textOnly > 0.999999, `${textOnly}`);
  // All as one, 300 bad words against 12 good ones, would be as sure as without those.
  const asText = judged([...row("bad", 300), ...row("good", 12)]);
  assert.ok(logOdds(asText) - logOdds(both) > 3, `${asText} ${both}`);
  // The sides are alike.
  const mirrored = judged([...row("rcvd:bad", 300), ...row("good", 12)]);
  assert.ok(Math.abs(logOdds(mirrored) - logOdds(both)) < 1e-6, `${mirrored} ${both}`);
});

Deno.test("links, attachments, sums and layout count with the text, all else with a colon with the header", () => {
  const text = [...row("bad", 30), ...row("good", 8)];
  const apart = judged([...row("bad", 30), ...row("from:good", 8)]);
  for (const prefix of ["url:", "shape:", "text:", "file:", "part:"]) {
    const p = judged([...row("bad", 30), ...row(`${prefix}good`, 8)]);
    assert.ok(Math.abs(logOdds(p) - logOdds(judged(text))) < 1e-9, prefix);
  }
  for (const prefix of ["subject:", "rcvd:", "ip:", "id:", "mailer:", "zone:"]) {
    const p = judged([...row("bad", 30), ...row(`${prefix}good`, 8)]);
    assert.ok(Math.abs(logOdds(p) - logOdds(apart)) < 1e-9, prefix);
  }
});

Deno.test("nothing but a header, or nothing but a text, is judged by what is there", () => {
  assert.ok(judged(row("rcvd:bad", 10)) > 0.99);
  assert.ok(judged(row("good", 10)) < 0.01);
  assert.equal(judged(row("good", 10)), judged(row("to:good", 10)));
  assert.equal(judged([]), 0.5);
  // Without counted words nothing that was learned is asked either.
  assert.equal(judged([], 1), 0.5);
});

Deno.test("what was learned adds to the logarithm of odds", () => {
  const words = [...row("bad", 3), ...row("rcvd:good", 2)];
  for (const learned of [-1.5, -0.2, 0.7, 1.5]) {
    const by = logOdds(judged(words, learned)) - logOdds(judged(words));
    assert.ok(Math.abs(by - learned) < 1e-9, `${by} for ${learned}`);
  }
});

Deno.test("evidence of two is that of all their words", () => {
  const a = new Evidence(), b = new Evidence(), all = new Evidence();
  for (const [i, score] of [0.9, 0.2, 0.99, 0.7, 0.4].entries()) {
    (i < 2 ? a : b).add(score);
    all.add(score);
  }
  const both = Evidence.both(a, b);
  assert.equal(both.size, 5);
  assert.ok(Math.abs(both.probability - all.probability) < 1e-12);
  assert.deepEqual([a.size, b.size], [2, 3]);
});

Deno.test("what was learned never makes junk of a message by itself, however often it was wrong", () => {
  const learned = new Learned();
  const hashes = (words: string[]) => Float64Array.from(words, wordHash).sort();
  const good = hashes(row("good", 40)), bad = hashes(row("bad", 40));
  let highest = 0, lowest = 0;
  const odds = (message: Float64Array, counted: number) =>
    learned.logOdds(message, 0, message.length, counted);
  for (let i = 0; i < 200; i++) {
    // Counting has it the wrong way round each time: the weights go as far as they can.
    learned.learn(true, good, 8);
    learned.learn(false, bad, -8);
    highest = Math.max(highest, odds(bad, 0));
    lowest = Math.min(lowest, odds(good, 0));
  }
  assert.equal(highest, 2);
  // Good mail may be as surely good as ever.
  assert.equal(lowest, -6);
  // Below the threshold of new accounts, on a message that counting knows nothing of, or finds to be good.
  assert.ok(1 / (1 + Math.exp(-highest)) < 0.9);
  assert.equal(odds(bad, -3), 2);
  // Where counting finds junk too, it may be as much surer.
  assert.equal(odds(bad, 1.5), 3.5);
  assert.equal(odds(bad, 20), 6);
});
