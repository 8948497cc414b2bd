/** Two changes of one text: brought together where they are apart, and refused where they are not. */
import assert from "node:assert/strict";
import { fc } from "../support/fast_check.ts";
import { mergeLines } from "../../src/nodes/merge_lines.ts";

const base = "a\nb\nc\nd\ne\nf\n";

Deno.test("changes in different places are brought together", () => {
  for (
    const [ours, theirs, expected] of [
      ["a\nB\nc\nd\ne\nf\n", "a\nb\nc\nd\nE\nf\n", "a\nB\nc\nd\nE\nf\n"],
      // Removed and inserted.
      ["c\nd\ne\nf\n", "a\nb\nc\nd\ne\nx\nf\n", "c\nd\ne\nx\nf\n"],
      // At the start and at the end.
      ["0\n" + base, base + "g\n", "0\n" + base + "g\n"],
      // One side has no change, or both have the same.
      [base, "x\n", "x\n"],
      ["x\n", base, "x\n"],
      ["a\nB\nc\nd\ne\nf\n", "a\nB\nc\nd\ne\nF\n", "a\nB\nc\nd\ne\nF\n"],
    ]
  ) assert.equal(mergeLines(base, ours, theirs), expected);
});

Deno.test("changes of the same lines, or of lines beside each other, are not", () => {
  for (
    const [ours, theirs] of [
      ["a\nB\nc\nd\ne\nf\n", "a\nX\nc\nd\ne\nf\n"],
      ["a\nB\nc\nd\ne\nf\n", "a\nb\nC\nd\ne\nf\n"],
      [base + "g\n", base + "h\n"],
      // Removed here, changed there.
      ["a\nd\ne\nf\n", "a\nb\nX\nd\ne\nf\n"],
      ["", "a\nb\nX\nd\ne\nf\n"],
    ]
  ) assert.equal(mergeLines(base, ours, theirs), undefined, `${ours} / ${theirs}`);
});

const account = (name: string, node: string) =>
  `\t${name}:\n\t\tDomain: mox.example\n${node === "" ? "" : `\t\tNode: ${node}\n`}` +
  `\t\tDestinations:\n\t\t\t${name}@mox.example: nil\n`;

Deno.test("accounts that two nodes move at the same time both have their new place", () => {
  const conf = (ann: string, bob: string) =>
    `Accounts:\n${account("ann", ann)}${account("bob", bob)}${account("carl", "two")}`;
  assert.equal(
    mergeLines(conf("one", "two"), conf("two", "two"), conf("one", "one")),
    conf("two", "one"),
  );
  assert.equal(
    mergeLines(conf("", "two"), conf("two", "two"), conf("", "one")),
    conf("two", "one"),
  );
  assert.equal(mergeLines(conf("one", ""), conf("two", ""), conf("three", "")), undefined);
});

Deno.test("any two changes: what is brought together has both, whichever comes first", () => {
  const lines = fc.array(fc.constantFrom("a", "b", "c", "d", "e", "f", "g"), { maxLength: 12 })
    .map((l) => l.map((s) => `${s}\n`).join(""));
  fc.assert(
    fc.property(lines, lines, lines, (from, ours, theirs) => {
      const merged = mergeLines(from, ours, theirs);
      assert.equal(mergeLines(from, theirs, ours), merged);
      assert.equal(mergeLines(from, ours, from), ours);
      assert.equal(mergeLines(from, ours, ours), ours);
      if (merged === undefined || ours === from || theirs === from) return;
      // Lines that a side has more of than the base had stay, unless the other side took some away.
      const count = (text: string, line: string) =>
        text.split("\n").filter((l) => l === line).length;
      for (const line of ["a", "b", "c", "d", "e", "f", "g"]) {
        const [f, o, t, m] = [from, ours, theirs, merged].map((text) => count(text, line));
        if (ours !== theirs && o >= f && t >= f) {
          assert.ok(m >= Math.max(o, t), `${line}: ${merged}`);
        }
      }
    }),
    { numRuns: 5000 },
  );
});

Deno.test("a large file with many lines that are alike takes time in proportion", () => {
  const conf = (change: (n: number) => string) =>
    Array.from({ length: 20_000 }, (_, n) => account(`u${n}`, change(n))).join("");
  const merged = mergeLines(
    conf(() => "one"),
    conf((n) => n === 19_000 ? "two" : "one"),
    conf((n) => n === 5 || n === 10_000 ? "three" : "one"),
  );
  assert.equal(
    merged,
    conf((n) => n === 19_000 ? "two" : n === 5 || n === 10_000 ? "three" : "one"),
  );
});
