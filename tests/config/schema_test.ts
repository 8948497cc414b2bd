import assert from "node:assert/strict";
import { describe, formatConfig } from "../../src/config/sconf/describe.ts";
import { formatDuration, parseDuration } from "../../src/config/sconf/duration.ts";
import { equal, nullable, optional, required } from "../../src/config/sconf/schema.ts";
import { list, map, struct } from "../../src/config/sconf/schema_blocks.ts";
import { bool, duration, float, int, text } from "../../src/config/sconf/schema_scalars.ts";
import { type MapNode, parseSconf, printSconf } from "../../src/config/sconf/sconf.ts";

const thing = struct({
  Name: required(text(), "What it is called."),
  Size: optional(int(0, 9), "How large it is.", 3),
  On: optional(bool, ""),
  Wait: nullable(duration, "How long."),
  Share: optional(float(0, 1), ""),
});
const things = struct({
  First: required(text(), "The first."),
  Things: required(map(thing), "All things."),
  Words: optional(list(text()), "Some words."),
  List: optional(list(thing), ""),
  Last: optional(text(), ""),
});

function read(source: string) {
  const { root, problems } = parseSconf(source);
  const said = problems.map((p) => `${p.line}: ${p.message}`);
  const value = things.read(root, 0, (line, message) => said.push(`${line}: ${message}`));
  return { root, value, said };
}

function rewritten(source: string, change: (value: ReturnType<typeof read>["value"]) => void) {
  const { root, value, said } = read(source);
  assert.deepEqual(said, []);
  change(value);
  const result = printSconf(things.update(root, value) as MapNode);
  const again = read(result);
  assert.deepEqual(again.said, []);
  assert.ok(equal(again.value, value), "what is written is what is read again");
  return result;
}

const source = `# head

First: f
# about things
Things:
	# about a
	a:
		Name: A
		# its size
		Size: 5
	# about b
	b:
		Name: B
		# end of b
	nil one: nil
Words:
	# about x
	- x
	# about y
	- y
	- z
List:
	-
		# about L
		Name: L
# foot
`;

Deno.test("absent fields have their defaults, and nullable ones are undefined", () => {
  const { value, said } = read(source);
  assert.deepEqual(said, []);
  assert.deepEqual(value.Things.get("b"), {
    Name: "B",
    Size: 3,
    On: false,
    Wait: undefined,
    Share: 0,
  });
  assert.deepEqual(value.Things.get("nil one"), {
    Name: "",
    Size: 3,
    On: false,
    Wait: undefined,
    Share: 0,
  });
  assert.equal(value.Last, "");
});

Deno.test("a file that is not changed is written as it was", () => {
  assert.equal(rewritten(source, () => {}), source);
});

Deno.test("a changed value changes its line alone, comments stay", () => {
  assert.equal(
    rewritten(source, (v) => v.Things.get("a")!.Size = 6),
    source.replace("Size: 5", "Size: 6"),
  );
  assert.equal(
    rewritten(source, (v) => v.Words[1] = "Y"),
    source.replace("- y", "- Y"),
  );
  assert.equal(
    rewritten(source, (v) => v.List[0].On = true),
    source.replace("\t\tName: L\n", "\t\tName: L\n\t\tOn: true\n"),
  );
});

Deno.test("a value that becomes the default, and a removed key, go with their comments", () => {
  assert.equal(
    rewritten(source, (v) => v.Things.get("a")!.Size = 3),
    source.replace("\t\t# its size\n\t\tSize: 5\n", ""),
  );
  assert.equal(
    rewritten(source, (v) => v.Things.delete("b")),
    source.replace("\t# about b\n\tb:\n\t\tName: B\n\t\t# end of b\n", ""),
  );
  assert.equal(
    rewritten(source, (v) => v.Words.splice(0, 1)),
    source.replace("\t# about x\n\t- x\n", ""),
  );
});

Deno.test("new fields come where the schema has them, new keys at the end", () => {
  assert.equal(
    rewritten(source, (v) => {
      v.Last = "l";
      v.Things.get("b")!.Wait = 90_000;
      v.Things.get("b")!.Size = 1;
      v.Things.get("nil one")!.Name = "N";
      v.Things.set("c", { ...thing.zero(), Name: "C" });
    }),
    source
      .replace("\t\tName: B\n", "\t\tName: B\n\t\tSize: 1\n\t\tWait: 1m30s\n")
      .replace("\tnil one: nil\n", "\tnil one:\n\t\tName: N\n\tc:\n\t\tName: C\n")
      .replace("Name: L\n", "Name: L\nLast: l\n"),
  );
});

Deno.test("a list that is put in another order takes its comments along", () => {
  assert.match(
    rewritten(source, (v) => v.Words.reverse()),
    /- z\n\t# about y\n\t- y\n\t# about x\n\t- x/,
  );
});

Deno.test("equal items of a list keep the comments of each, and what is new takes that of its place", () => {
  const twice = source.replace("\t- z\n", "\t# about x again\n\t- x\n");
  assert.equal(rewritten(twice, (v) => v.Last = ""), twice);
  assert.match(
    rewritten(twice, (v) => v.Words = ["x", "x", "new"]),
    /# about x\n\t- x\n\t# about x again\n\t- x\n\t- new\n/,
  );
  // The second is at its place in the file before: its comment stays, as the item there is gone.
  assert.match(
    rewritten(source, (v) => v.Words[1] = "Y"),
    /# about y\n\t- Y\n\t- z/,
  );
});

Deno.test("a new field comes after the nearest one before it in the schema, whatever the file's order is", () => {
  const turned = "Things:\n\ta:\n\t\tSize: 5\n\t\tName: A\nFirst: f\n";
  assert.equal(
    rewritten(turned, (v) => {
      v.Words = ["w"];
      v.Things.get("a")!.On = true;
    }),
    "Things:\n\ta:\n\t\tSize: 5\n\t\tOn: true\n\t\tName: A\nWords:\n\t- w\nFirst: f\n",
  );
  // Nothing before it: it comes first.
  assert.equal(
    rewritten("First: f\nThings:\n\ta:\n\t\tWait: 5s\n\t\tName: A\n", (v) => {
      v.Things.get("a")!.Wait = undefined;
      v.Things.get("a")!.Size = 1;
    }),
    "First: f\nThings:\n\ta:\n\t\tName: A\n\t\tSize: 1\n",
  );
});

Deno.test("fields of the items of lists and maps are documented too", () => {
  const value = { ...things.zero(), First: "f", List: [{ ...thing.zero(), Name: "L", Size: 4 }] };
  value.Things = new Map([["a", { ...thing.zero(), Name: "A", Size: 5 }]]);
  const text = formatConfig(things, value, true);
  const item = (name: string, size: number) =>
    `\t\t# What it is called.\n\t\tName: ${name}\n\n\t\t# How large it is. (optional, default 3)\n\t\tSize: ${size}\n`;
  assert.ok(text.includes(item("A", 5)), text);
  assert.ok(text.includes(item("L", 4)), text);
});

Deno.test("all that is documented comes out, and documented files are read again", () => {
  const text = describe(things);
  assert.match(text, /# How large it is\. \(optional, default 3\)\n\t\tSize: 3\n/);
  assert.match(text, /Things:\n\tx:\n/);
  const value = { ...things.zero(), First: "f", Words: ["a"] };
  const formatted = formatConfig(things, value, true);
  assert.match(formatted, /# The first\.\nFirst: f\n\n# All things\.\nThings:\n\n# Some words\. /);
  assert.deepEqual(read(formatted).value, value);
  assert.equal(formatConfig(things, value, false), "First: f\nThings:\nWords:\n\t- a\n");
});

Deno.test("durations", () => {
  const table: [string, number | undefined, string?][] = [
    ["15s", 15_000],
    ["1h30m", 5_400_000],
    ["1.5h", 5_400_000, "1h30m"],
    ["24h0m0s", 86_400_000, "24h"],
    ["100ms", 100],
    ["0", 0, "0s"],
    ["0s", 0],
    ["-10s", -10_000],
    [".5s", 500, "500ms"],
    ["1000us", 1, "1ms"],
    ["15", undefined],
    ["s", undefined],
    ["1d", undefined],
    ["", undefined],
    ["1h 30m", undefined],
    ["999999999h", undefined],
  ];
  for (const [text, ms, back] of table) {
    assert.equal(parseDuration(text), ms, text);
    if (ms !== undefined) assert.equal(formatDuration(ms), back ?? text);
  }
});
