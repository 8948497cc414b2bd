import assert from "node:assert/strict";
import { lineOf, parseSconf, printSconf, SconfWriteError } from "../../src/config/sconf/sconf.ts";

Deno.test("a tree of texts, blocks and lists, with line numbers and comments", () => {
  const text =
    "# top\n\nA: one: two # no comment\nB:\n\t# in B\n\tx y:\n\t\t- \n\t\t-\n\t\t\tk: v\n\t# end of B\n\n# C\nC:\n";
  const { root, problems } = parseSconf(text);
  assert.deepEqual(problems, []);
  assert.deepEqual(root.entries.map((e) => [e.key, e.line, e.leading]), [
    ["A", 3, ["# top", ""]],
    ["B", 4, []],
    ["C", 13, ["", "# C"]],
  ]);
  assert.deepEqual(root.entries[0].value, { kind: "text", text: "one: two # no comment" });
  assert.deepEqual(root.entries[1].value.kind === "map" && root.entries[1].value.trailing, [
    "\t# end of B",
  ]);
  assert.equal(lineOf(root, ["B", "x y", 1, "k"]), 9);
  assert.equal(lineOf(root, ["B", "x y", 5, "k"]), 6);
  assert.equal(lineOf(root, ["D"]), 0);
  assert.equal(printSconf(root), text.replace("- \n", "-\n"));
});

Deno.test("texts with CRLF, a byte order mark and no line end are read", () => {
  const { root, problems } = parseSconf("\ufeffA: x  \r\nB:\r\n\t- y\t");
  assert.deepEqual(problems, []);
  assert.equal(printSconf(root), "A: x\nB:\n\t- y\n");
});

Deno.test("one mistake in a block is reported once, and what follows it is read", () => {
  const { root, problems } = parseSconf("A\n\tx: 1\n\ty: 2\n\t\tz: 3\nB: 4\nB:\n\tq: 1\nC: 5\n");
  assert.deepEqual(problems.map((p) => p.line), [1, 6]);
  assert.deepEqual(root.entries.map((e) => e.key), ["B", "C"]);
});

Deno.test("depth and number of problems are bounded", () => {
  const deep = Array.from({ length: 50 }, (_, i) => "\t".repeat(i) + "k:").join("\n");
  assert.deepEqual(parseSconf(deep).problems, [{
    line: 34,
    message: "nested deeper than 32 levels",
  }]);
  const { problems } = parseSconf("bad\n".repeat(10_000));
  assert.equal(problems.length, 201);
  assert.match(problems[200].message, /too many/);
});

Deno.test("what the format can't express is not written", () => {
  const write = (key: string, text: string) =>
    printSconf({
      kind: "map",
      entries: [{ leading: [], key, line: 0, value: { kind: "text", text } }],
      trailing: [],
    });
  assert.equal(write("a b", "#x: -"), "a b: #x: -\n");
  for (const [key, text] of [["a:b", ""], ["#a", ""], ["- a", ""], ["", ""], ["a ", ""]]) {
    assert.throws(() => write(key, text), SconfWriteError);
  }
  for (const text of ["a\nB: c", "a\r", "a "]) {
    assert.throws(() => write("k", text), SconfWriteError);
  }
});

Deno.test("a carriage return within a line is a mistake, and what follows is read", () => {
  const { root, problems } = parseSconf("a\rb:\n\tc: 1\nd: x\ry\ne: 2\r\n");
  assert.deepEqual(problems, [
    { line: 1, message: "a carriage return in the middle of the line" },
    { line: 3, message: "a carriage return in the middle of the line" },
  ]);
  assert.deepEqual(root.entries.map((e) => e.key), ["e"]);
});
