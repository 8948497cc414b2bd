/** Which kept messages a message is like: the cosine of words, of the nearest of each kind. */
import assert from "node:assert/strict";
import { wordHash } from "../../src/junk/bloom.ts";
import { Learned } from "../../src/junk/learned.ts";
import { Neighbours } from "../../src/junk/likeness.ts";

const message = (...slots: number[]) => Int32Array.from(slots);
const from = (start: number, n: number) => Array.from({ length: n }, (_, i) => start + i);
const likeness = (
  hams: readonly Int32Array[],
  spams: readonly Int32Array[],
  own: Int32Array,
  unknown: number,
) => new Neighbours(hams, spams).logOdds(own, unknown);
/** So many messages that have nothing in common with each other nor with words below 1000. */
const others = (n: number, start: number) =>
  Array.from({ length: n }, (_, i) => message(...from(start + 50 * i, 50)));

/** The same by its definition, message by message. */
function expected(
  hams: readonly Int32Array[],
  spams: readonly Int32Array[],
  own: Int32Array,
  unknown: number,
): number {
  const all = [...hams, ...spams];
  const weight = (s: number) => {
    const n = all.filter((m) => m.includes(s)).length;
    return Math.log(all.length / (n === 0 ? 0.5 : n));
  };
  const size = (m: Int32Array) => [...m].reduce((a, s) => a + weight(s) ** 2, 0);
  const mine = size(own) + unknown * Math.log(all.length / 0.5) ** 2;
  const mean = (kept: readonly Int32Array[]) => {
    const alike = kept.map((m) =>
      size(m.filter((s) => own.includes(s))) / Math.sqrt(size(m) * mine)
    ).map((x) => Number.isNaN(x) ? 0 : x).sort((a, b) => b - a);
    return ((alike[0] ?? 0) + (alike[1] ?? 0) + (alike[2] ?? 0)) / 3;
  };
  return 20 * (mean(spams) - mean(hams));
}

const close = (a: number, b: number, what = "") =>
  assert.ok(Math.abs(a - b) < 1e-9, `${what} ${a}, not ${b}`);

Deno.test("likeness is that of the three nearest of each kind, by words that few have", () => {
  const hams = [message(1, 2, 3, 4), message(1, 2, 9), ...others(6, 1000)];
  const spams = [
    message(1, 5, 6, 7),
    message(5, 6, 8),
    message(5, 7),
    message(6),
    ...others(4, 2000),
  ];
  const table: [own: Int32Array, unknown: number][] = [
    [message(5, 6, 7), 0],
    [message(1, 2, 3), 0],
    [message(1, 2, 3), 7],
    [message(1), 0],
    [message(1, 5, 400, 401), 2],
    [message(...from(1000, 50)), 0],
    [message(...from(1000, 20), 5, 6), 3],
  ];
  for (const [own, unknown] of table) {
    const is = likeness(hams, spams, own, unknown);
    close(is, expected(hams, spams, own, unknown), `${own.slice(0, 5)}`);
    // The sides are alike, and nothing is left over from one call to the next.
    close(likeness(spams, hams, own, unknown), -is);
  }
  assert.ok(likeness(hams, spams, message(5, 6, 7), 0) > 2);
  assert.ok(likeness(hams, spams, message(1, 2, 3), 0) < -2);
});

Deno.test("what has nothing in common with what is kept, or where only one kind is kept, is like neither", () => {
  const some = [message(1, 2), message(3)];
  assert.equal(likeness(some, [message(4)], message(5, 6), 0), 0);
  assert.equal(likeness(some, [], message(1, 2), 0), 0);
  assert.equal(likeness([], some, message(1, 2), 0), 0);
  assert.equal(likeness(some, some, message(), 3), 0);
  // A word that all have says nothing.
  assert.equal(likeness([message(1), message(1)], [message(1)], message(1), 0), 0);
});

Deno.test("words with the same slot count as often as they are there, and no more than all can have", () => {
  const hams = [message(1, 1, 1), message(2)], spams = [message(3, 4)];
  const odds = likeness(hams, spams, message(1, 3), 0);
  assert.ok(Number.isFinite(odds), `${odds}`);
  assert.ok(odds > 0);
});

const hashes = (words: string[]) => Float64Array.from(new Set(words), wordHash).sort();
const row = (name: string, n: number) => Array.from({ length: n }, (_, i) => `${name}${i}`);

Deno.test("a message like spam that is kept is drawn towards spam, until its label is taken back", () => {
  const learned = new Learned();
  for (let i = 0; i < 40; i++) {
    learned.learn(true, hashes(row(`good${i} `, 30)), 0);
    learned.learn(false, hashes(row(`bad${i} `, 30)), 0);
  }
  const letter = hashes([...row("letter", 25), ...row("name", 5)]);
  const again = hashes([...row("letter", 25), ...row("other", 5)]);
  const odds = () => learned.logOdds([...again], again.length);
  assert.ok(Math.abs(odds()) < 0.01, `${odds()}`);
  // Counting had it right: the weights learn next to nothing from it.
  for (let i = 0; i < 3; i++) learned.learn(false, letter, 8);
  const known = odds();
  assert.ok(known > 1.5 && known <= 2, `${known}`);
  // Stored, and read again.
  const later = Learned.load(learned.changes());
  assert.equal(later.logOdds([...again], again.length), known);
  for (let i = 0; i < 3; i++) {
    learned.unlearn(false, letter);
    later.unlearn(false, letter);
  }
  assert.ok(odds() < 0.2, `${odds()}`);
  assert.equal(later.logOdds([...again], again.length), odds());
  // The places that are free now are so after a restart, too, and what is taken back twice does no harm.
  const last = Learned.load([...learned.changes(), ...later.changes()]);
  assert.equal(last.logOdds([...again], again.length), odds());
  last.unlearn(false, letter);
  last.learn(true, letter, 0);
  last.learn(false, hashes(row("more", 9)), 0);
  assert.ok(last.logOdds([...again], again.length) < 0.2);
});

Deno.test("only the label that is taken back is forgotten", () => {
  const learned = new Learned();
  const letter = hashes(row("letter", 30));
  learned.learn(true, letter, -8);
  learned.learn(false, letter, 8);
  learned.learn(false, hashes(row("bad", 30)), 8);
  learned.unlearn(true, letter);
  // Spam is still like it; good mail is kept no more, so that it is like neither.
  const weightsAlone = learned.logOdds([...letter], letter.length);
  assert.ok(Math.abs(weightsAlone) < 1, `${weightsAlone}`);
  learned.learn(true, hashes(row("good", 30)), -8);
  assert.ok(learned.logOdds([...letter], letter.length) > 1.5);
});
