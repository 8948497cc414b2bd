/** Which kept messages a message is like: the cosine of words, of the nearest of each kind. */
import assert from "node:assert/strict";
import { wordHash } from "../../src/junk/bloom.ts";
import { Learned } from "../../src/junk/learned.ts";
import { headerSlot, headerSquare, Neighbours } from "../../src/junk/likeness.ts";

const message = (...slots: number[]) => Int32Array.from(slots);
const from = (start: number, n: number) => Array.from({ length: n }, (_, i) => start + i);
const likeness = (
  hams: readonly Int32Array[],
  spams: readonly Int32Array[],
  own: Int32Array,
  unknown: number,
) => new Neighbours(hams, spams).judge(own, unknown).likeness;
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
const asked = (learned: Learned, message: Float64Array, counted = 0) =>
  learned.logOdds(message, 0, message.length, counted);
const row = (name: string, n: number) => Array.from({ length: n }, (_, i) => `${name}${i}`);

Deno.test("a message like spam that is kept is drawn towards spam, until its label is taken back", () => {
  const learned = new Learned();
  for (let i = 0; i < 40; i++) {
    learned.learn(true, hashes(row(`good${i} `, 30)), 0);
    learned.learn(false, hashes(row(`bad${i} `, 30)), 0);
  }
  const letter = hashes([...row("letter", 25), ...row("name", 5)]);
  const again = hashes([...row("letter", 25), ...row("other", 5)]);
  const odds = () => asked(learned, again);
  assert.ok(Math.abs(odds()) < 0.1, `${odds()}`);
  // Counting had it right: the weights learn next to nothing from it.
  for (let i = 0; i < 3; i++) learned.learn(false, letter, 8);
  const known = odds();
  assert.ok(known > 1.5 && known <= 2, `${known}`);
  // Stored, and read again.
  const stored = learned.changes();
  const later = Learned.load(stored);
  assert.equal(asked(later, again), known);
  for (let i = 0; i < 3; i++) {
    learned.unlearn(false, letter);
    later.unlearn(false, letter);
  }
  assert.ok(odds() < 0.2, `${odds()}`);
  assert.equal(asked(later, again), odds());
  // The places that are free now are so after a restart, too, and what is taken back twice does no harm.
  const last = Learned.load([...stored, ...learned.changes(), ...later.changes()]);
  assert.equal(asked(last, again), odds());
  last.unlearn(false, letter);
  last.learn(true, letter, 0);
  last.learn(false, hashes(row("more", 9)), 0);
  assert.ok(asked(last, again) < 0.2);
});

Deno.test("only the label that is taken back is forgotten", () => {
  const learned = new Learned();
  const letter = hashes(row("letter", 30));
  learned.learn(true, letter, -8);
  learned.learn(false, letter, 8);
  learned.learn(false, hashes(row("bad", 30)), 8);
  learned.unlearn(true, letter);
  // Spam is still like it; good mail is kept no more, so that it is like neither.
  const weightsAlone = asked(learned, letter);
  assert.ok(Math.abs(weightsAlone) < 1, `${weightsAlone}`);
  learned.learn(true, hashes(row("good", 30)), -8);
  assert.ok(asked(learned, letter) > 1.5);
});

/** Slots of words of the header. */
const ofHeader = (...own: number[]) => own.map((slot) => slot + headerSlot);

Deno.test("the plane has spam above and good mail below, whatever is known of its words alone", () => {
  // All have word 1 or 2 and word 3 or 4: only both together tell what it is, and no other word comes back.
  const hams = from(0, 12).map((i) =>
    message(i % 2 ? 1 : 2, i % 2 ? 3 : 4, ...from(100 + 9 * i, 2))
  );
  const spams = from(0, 12).map((i) => message(5, i % 2 ? 3 : 4, ...from(900 + 9 * i, 2)));
  const judged = (own: Int32Array, unknown = 2) =>
    new Neighbours(hams, spams).judge(own, unknown).margin;
  assert.ok(judged(message(5, 3)) > 0.1, `${judged(message(5, 3))}`);
  assert.ok(judged(message(1, 3)) < -0.1, `${judged(message(1, 3))}`);
  // More that is unknown makes less sure.
  assert.ok(judged(message(5, 3), 50) < judged(message(5, 3), 2));
  // Sides changed, all is the other way round but for the order in which they are looked at.
  const turned = new Neighbours(spams, hams).judge(message(5, 3), 2).margin;
  assert.ok(Math.abs(turned + judged(message(5, 3))) < 0.1, `${turned}`);
  // The same messages give the same plane.
  assert.equal(judged(message(5, 3)), judged(message(5, 3)));
  assert.equal(new Neighbours(hams, []).judge(message(1), 0).margin, 0);
});

Deno.test("a word of the header weighs double, and is another than the same one in the text", () => {
  const hams = [message(1, ...ofHeader(2)), ...others(6, 1000)];
  const spams = [message(2, ...ofHeader(1)), ...others(6, 3000)];
  const both = new Neighbours(hams, spams);
  const odds = both.judge(message(...ofHeader(1)), 0);
  assert.ok(odds.likeness > 4 && odds.margin > 0.3, JSON.stringify(odds));
  // Header of the spam and text of the good message: the header has more to say.
  assert.ok(both.judge(message(1, ...ofHeader(1)), 0).likeness > 2);
  assert.ok(both.judge(message(1), 0).likeness < 0);
  // One word of the header that the filter doesn't know takes as much as four of the text.
  close(
    both.judge(message(...ofHeader(1), ...ofHeader(777)), 0).likeness,
    both.judge(message(...ofHeader(1)), headerSquare).likeness,
  );
});

Deno.test("messages are kept through a restart, those with many words and those of earlier versions", () => {
  const learned = new Learned();
  const long = (name: string) => {
    const header = hashes(row(`${name}h`, 30)), text = hashes(row(name, 900));
    return Float64Array.of(...header, ...text);
  };
  const good = long("good"), bad = long("bad");
  learned.learn(true, good, 0);
  learned.learn(false, bad, 0);
  const stored = learned.changes();
  const later = Learned.load(stored);
  for (const m of [good, bad]) assert.equal(asked(later, m, 5), asked(learned, m, 5));
  assert.ok(asked(later, bad, 5) > 3 && asked(later, good) < -3);
  // A message takes some 500 bytes, and one that is forgotten four.
  const size = (l: Learned) => l.changes().filter(([c]) => c >= 5000).map(([, b]) => b.length);
  for (const [chunk, bytes] of stored) {
    if (chunk >= 5000) assert.ok(bytes.length < 900 && bytes.length > 400, `${bytes.length}`);
  }
  later.unlearn(false, bad);
  assert.deepEqual(size(later), [4]);
  // As two earlier versions kept them: slots of four bytes, with the judgement in front and without.
  const slotsOf = (m: Float64Array) => Int32Array.from(m, (h) => (h >>> 0) & (headerSlot - 1));
  const weights = stored.filter(([chunk]) => chunk < 3000);
  const former = Learned.load([
    ...weights,
    [3000, new Uint8Array(slotsOf(hashes(row("good", 90))).buffer)],
    [4001, new Uint8Array(Float32Array.of(2.5, ...slotsOf(hashes(row("bad", 90)))).buffer)],
  ]);
  assert.ok(asked(former, hashes(row("bad", 90)), 5) > 3);
  assert.ok(asked(former, hashes(row("good", 90))) < -3);
  // They are stored anew as they are today, and what is there of today is not lost to one of before.
  assert.deepEqual(former.changes().map(([chunk]) => chunk).filter((c) => c >= 3000), [5000, 5001]);
  const both = Learned.load([...weights, [3000, new Uint8Array(4)], [5000, stored.at(-2)![1]]]);
  assert.deepEqual(both.changes().map(([chunk]) => chunk).filter((c) => c >= 3000), []);
});
