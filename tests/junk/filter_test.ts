/** Training, classifying and keeping the filter. */
import assert from "node:assert/strict";
import { fc } from "../support/fast_check.ts";
import {
  type Classification,
  JunkFilter,
  JunkFilterClosedError,
  junkParams,
  JunkParamsError,
} from "../../src/junk/mod.ts";
import { Bloom, wordHash } from "../../src/junk/bloom.ts";
import { wordScore } from "../../src/junk/score.ts";
import { seedOf } from "../support/seed.ts";

const seed = seedOf("FC_SEED");

async function withDir(fn: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await fn(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

/** Words of which the first is in all messages, and two are rare. */
const ham = (i: number) => ["hello", "meeting", "report", `ham${i % 7}`, `unique${i}`];
const spam = (i: number) => ["hello", "pills", "cheap", `spam${i % 7}`, `random${i}`];

Deno.test("a trained filter tells ham from spam, with the words that decided", () =>
  withDir(async (dir) => {
    const f = await JunkFilter.open(dir);
    assert.deepEqual(f.classify(["hello"]), {
      probability: 0.5,
      significant: false,
      evidence: 0,
      hams: [],
      spams: [],
    });
    for (let i = 0; i < 60; i++) {
      f.train(true, ham(i));
      f.train(false, spam(i));
    }
    const good = f.classify(["hello", "meeting", "report"]);
    assert.ok(good.probability < 0.01);
    assert.equal(good.significant, true);
    assert.deepEqual(good.hams.map((w) => w.word), ["meeting", "report"]);
    assert.equal(good.hams[0].ham, 60); // the first sight, in the bloom filter, counts too
    const bad = f.classify(["hello", "pills", "cheap", "neverseen"]);
    assert.ok(bad.probability > 0.99);
    assert.deepEqual(
      bad.spams.map((w) => w.word),
      ["cheap", "pills"].sort((a, b) => b.length - a.length || (a < b ? -1 : 1)),
    );
    assert.equal(f.classify(["hello", "nowhere"]).probability, 0.5);
    await f.close();
    assert.throws(() => f.classify(["hello"]), JunkFilterClosedError);
  }));

Deno.test("fewer than 50 ham messages are not significant", () =>
  withDir(async (dir) => {
    const f = await JunkFilter.open(dir);
    for (let i = 0; i < 49; i++) f.train(true, ham(i));
    for (let i = 0; i < 100; i++) f.train(false, spam(i));
    assert.equal(f.classify(["pills"]).significant, false);
    f.train(true, ham(49));
    assert.equal(f.classify(["pills"]).significant, true);
    await f.close();
  }));

Deno.test("what was flushed is there after opening again, from the journal and after merging", () =>
  withDir(async (dir) => {
    const text = Array.from({ length: 300 }, (_, i) => `word${i}`);
    for (const rounds of [3, 40]) { // 40 * 301 words are past the merge
      let f = await JunkFilter.open(dir);
      const before = f.hams;
      for (let i = 0; i < rounds; i++) {
        f.train(true, [...text, `x${i}`]);
        await f.flush();
      }
      f.train(false, ["only", "in", "memory"]);
      const expected = f.classify(text);
      await f.close();
      f = await JunkFilter.open(dir);
      assert.equal(f.hams, before + rounds);
      assert.deepEqual(f.classify(text), expected);
      await f.close();
    }
    const f = await JunkFilter.open(dir);
    assert.equal(f.spams, 2); // close() flushes
    await f.close();
  }));

/** Without the probability, which also depends on what was learned from mistakes and in which order. */
function counted({ probability: _, ...rest }: Classification) {
  return rest;
}

Deno.test("untraining right after training restores the counts exactly", () =>
  withDir(async (dir) => {
    const f = await JunkFilter.open(dir);
    for (let i = 0; i < 60; i++) {
      f.train(true, ham(i));
      f.train(false, spam(i));
    }
    await f.flush();
    const probe = [...ham(3), ...spam(4)];
    const before = f.classify(probe);
    f.train(true, probe);
    f.train(false, ham(5));
    assert.notDeepEqual(f.classify(probe), before);
    f.untrain(false, ham(5));
    f.untrain(true, probe);
    const after = f.classify(probe);
    assert.deepEqual(counted(after), counted(before));
    // Weights are drawn back, though not to where they were: what says nothing is still not junk.
    assert.ok(after.probability > 0.1 && after.probability < 0.9, `${after.probability}`);
    assert.ok(f.classify(ham(5)).probability < 0.01);
    assert.ok(f.classify(spam(5)).probability > 0.99);
    assert.deepEqual([f.hams, f.spams], [60, 60]);
    await f.close();
  }));

Deno.test("any order of trainings keeps exact totals and counts from zero up, also over restarts", () =>
  withDir(async (dir) => {
    const word = fc.integer({ min: 0, max: 20 }).map((n) => `w${n}`);
    const message = fc.record({
      ham: fc.boolean(),
      words: fc.uniqueArray(word, { maxLength: 12 }),
    });
    let run = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(message, { minLength: 1, maxLength: 12 }),
        fc.array(fc.nat(), { maxLength: 24 }),
        async (messages, order) => {
          const sub = `${dir}/${run++}`;
          await Deno.mkdir(sub);
          let f = await JunkFilter.open(sub);
          const trained = new Set<number>();
          for (const n of order) {
            const i = n % messages.length;
            const m = messages[i];
            if (trained.delete(i)) f.untrain(m.ham, m.words);
            else {
              trained.add(i);
              f.train(m.ham, m.words);
            }
            if (n % 5 === 0) await f.flush();
            if (n % 11 === 0) {
              await f.close();
              f = await JunkFilter.open(sub);
            }
          }
          const hams = [...trained].filter((i) => messages[i].ham).length;
          assert.deepEqual([f.hams, f.spams], [hams, trained.size - hams]);
          const c = f.classify(Array.from({ length: 21 }, (_, i) => `w${i}`));
          for (const w of [...c.hams, ...c.spams]) {
            assert.ok(w.ham >= 0 && w.spam >= 0 && w.ham + w.spam > 0);
          }
          assert.ok(c.probability >= 0 && c.probability <= 1);
          await f.close();
        },
      ),
      { seed, numRuns: 25 },
    );
  }));

Deno.test("a rebuild gives the filter that training from nothing gives; trainings meanwhile count", () =>
  withDir(async (dir) => {
    await Deno.mkdir(`${dir}/a`);
    await Deno.mkdir(`${dir}/b`);
    const f = await JunkFilter.open(`${dir}/a`);
    for (let i = 0; i < 30; i++) f.train(true, spam(i)); // trained wrongly
    await f.flush();
    const fresh = await JunkFilter.open(`${dir}/b`);
    function* source() {
      for (let i = 0; i < 200; i++) {
        yield { ham: true, words: ham(i) };
        yield {
          ham: false,
          words: [...spam(i), ...Array.from({ length: 50 }, (_, k) => `s${(i * 7 + k) % 900}`)],
        };
        if (i === 100) f.train(false, ["late"]);
      }
    }
    assert.deepEqual(await f.rebuild(source()), { hams: 200, spams: 201 });
    let i = 0;
    for (const m of source()) {
      if (++i > 400) break;
      fresh.train(m.ham, m.words);
    }
    f.untrain(false, ["late"]); // from iterating the source again
    const probe = [...ham(1), ...spam(1), "s3", "s4"];
    fresh.train(false, ["late"]);
    const rebuilt = f.classify(probe), wanted = fresh.classify(probe);
    assert.deepEqual(counted(rebuilt), counted(wanted));
    assert.ok(Math.abs(rebuilt.probability - wanted.probability) < 0.01, `${rebuilt.probability}`);
    await f.close();
    await fresh.close();
    const again = await JunkFilter.open(`${dir}/a`);
    assert.deepEqual([again.hams, again.spams], [200, 201]);
    await again.close();
  }));

Deno.test("a rebuild that is aborted leaves the filter as it was", () =>
  withDir(async (dir) => {
    const f = await JunkFilter.open(dir);
    for (let i = 0; i < 30; i++) f.train(false, spam(i));
    const before = f.classify(spam(1));
    const abort = new AbortController();
    function* source() {
      for (let i = 0; i < 10; i++) {
        yield { ham: true, words: ham(i) };
        if (i === 5) abort.abort();
      }
    }
    await assert.rejects(f.rebuild(source(), abort.signal), { name: "AbortError" });
    assert.deepEqual(f.classify(spam(1)), before);
    assert.deepEqual([f.hams, f.spams], [0, 30]);
    await f.close();
  }));

Deno.test("parameters out of range are refused with what is allowed", () => {
  assert.throws(() => junkParams({ MaxPower: 0.6 }), JunkParamsError);
  assert.throws(() => junkParams({ TopWords: -1 }), /TopWords must be a number from 0 to 1000/);
  assert.throws(() => junkParams({ IgnoreWords: NaN }), /IgnoreWords/);
  assert.throws(() => junkParams({ RareWords: 1.5 }), /RareWords/);
});

Deno.test("a word's power is bounded, and less for a rare word; words that say little are ignored", () => {
  const p = junkParams({ MaxPower: 0.1, IgnoreWords: 0.1, RareWords: 2 });
  assert.equal(wordScore(p, 0, 10, 100, 100), 0.9);
  assert.equal(wordScore(p, 10, 0, 100, 100), 0.1);
  assert.equal(wordScore(p, 10, 11, 100, 100), undefined);
  assert.equal(wordScore(p, 0, 0, 100, 100), undefined);
  assert.equal(wordScore(p, 5, 0, 0, 0), undefined);
  const rare = wordScore(p, 0, 1, 100, 100)!;
  assert.ok(rare < 0.75 && rare > 0.65);
  // Ten times the ham: the same counts say more for spam.
  assert.ok(wordScore(p, 10, 10, 1000, 100)! > 0.88);
});

Deno.test("parameters at the ends of their ranges give probabilities", () =>
  withDir(async (dir) => {
    let n = 0;
    for (const MaxPower of [0, 0.5]) {
      for (const TopWords of [0, 1000]) {
        for (const [IgnoreWords, RareWords] of [[0, 0], [0.5, 1_000_000]]) {
          const sub = `${dir}/${n++}`;
          await Deno.mkdir(sub);
          const f = await JunkFilter.open(sub, { MaxPower, TopWords, IgnoreWords, RareWords });
          for (let i = 0; i < 100; i++) f.train(i % 2 === 0, i % 2 === 0 ? ham(i) : spam(i));
          const p = f.classify([...ham(2), ...spam(3)]).probability;
          assert.ok(p >= 0 && p <= 1, `${p}`);
          await f.close();
        }
      }
    }
  }));

Deno.test("the bloom filter forgets no word and takes few unseen ones for seen", () => {
  const b = new Bloom();
  for (let i = 0; i < 100_000; i++) b.add(wordHash(`seen${i}`));
  for (let i = 0; i < 100_000; i += 7) assert.ok(b.add(wordHash(`seen${i}`)));
  let wrong = 0;
  const copy = new Bloom(b.bits.slice());
  for (let i = 0; i < 10_000; i++) if (copy.add(wordHash(`other${i}`))) wrong++;
  assert.ok(wrong < 10, `${wrong} of 10000`);
  const hashes = new Set(Array.from({ length: 200_000 }, (_, i) => wordHash(`w${i}`)));
  assert.equal(hashes.size, 200_000);
});

Deno.test("what was learned from mistakes is there again after a restart, from the journal and from the chunks", () =>
  withDir(async (dir) => {
    let f = await JunkFilter.open(dir);
    // Words that always come together count as many; learning shares the evidence between them.
    const probe = ["together", ...ham(3).slice(0, 5), ...spam(4).slice(0, 5)];
    for (let i = 0; i < 300; i++) {
      f.train(i % 2 === 0, i % 2 === 0 ? ham(i) : [...spam(i), "together"]);
      if (i % 10 === 9) await f.flush();
    }
    await f.flush();
    const before = f.classify(probe);
    await f.close();
    f = await JunkFilter.open(dir);
    assert.deepEqual(f.classify(probe), before);
    await f.close();
  }));

Deno.test("trained folder by folder, the filter judges nearly as when trained in turns", () =>
  withDir(async (dir) => {
    const probe = [...ham(1).slice(0, 4), ...spam(1).slice(0, 4)];
    const scores: number[] = [];
    for (const order of ["turns", "folders"]) {
      await Deno.mkdir(`${dir}/${order}`);
      const f = await JunkFilter.open(`${dir}/${order}`);
      for (let i = 0; i < 1600; i++) {
        const isHam = order === "turns" ? i % 2 === 0 : i < 800;
        f.train(isHam, isHam ? ham(i) : spam(i));
        if (i % 100 === 99) await f.flush();
      }
      await f.flush();
      assert.ok(f.classify(ham(2)).probability < 0.01);
      assert.ok(f.classify(spam(2)).probability > 0.99);
      scores.push(f.classify(probe).probability);
      await f.close();
    }
    // Half good and half bad, it is neither, however it was trained.
    for (const score of scores) assert.ok(score > 0.1 && score < 0.9, scores.join(" "));
  }));
