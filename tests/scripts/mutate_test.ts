/** The bugs that `deno task mutate` plants. */
import assert from "node:assert/strict";
import { testsOf } from "../../scripts/mutate/modules.ts";
import { bugsIn } from "../../scripts/mutate/plant.ts";

/** Bugs of a source as `what => what stands there then`. */
function bugs(source: string): string[] {
  return bugsIn("x.ts", source).map((b) =>
    `${b.kind}: ${source.slice(b.start, b.end)} => ${b.text}`
  );
}

Deno.test("each kind of bug is planted where it can be", () => {
  const cases: [source: string, want: string[]][] = [
    ["a < b", ["boundary: < => <="]],
    ["a >= 5", ["boundary: >= => >", "constant: 5 => 6"]],
    ["a === 200", ["comparison: === => !==", "constant: 200 => 2000"]],
    ["a && b || c", ["logic: && => ||", "logic: || => &&"]],
    ["if (a) b; else c;", ["condition: a => !(a)"]],
    ["const x = a ? true : b;", ["condition: a => !(a)", "constant: true => false"]],
    ["const x = a - b;", ["arithmetic: - => +"]],
    ["const x = a + 'b';", []],
    ["const x = a ?? b;", ["default: a ?? b => (a)"]],
    ["f(a, b);", ["statement: f(a, b); => ;", "arguments: a, b => b, a"]],
    ["const x = f(a, a);", []],
    ["const x = await a;", ["await: await a => (a)"]],
    ["for (;;) { break; }", ["statement: break; => ;"]],
    ["log.info('x', y);", []],
    ["type A = 1 | 2; import b from 'c'; interface D { e: 3 }", []],
    ["const x: 5 = y as 6;", []],
    [
      "const x = db.all('SELECT a FROM b WHERE c >= ? ' + 'AND d != e ORDER BY f DESC');",
      ["sql: >= => >", "sql: AND => OR", "sql: != => =", "sql:  DESC => "],
    ],
    ["const x = 'no SQL: a >= b';", []],
  ];
  for (const [source, want] of cases) {
    const found = bugs(source).filter((b) => !/^statement: (?!f|break)/.test(b));
    assert.deepEqual(found, want, source);
  }
});

Deno.test("a folder's own tests are those of its module", () => {
  assert.deepEqual(testsOf("mail/structure"), ["tests/mail"]);
  // The original's files are read by rooms of the store.
  assert.equal(testsOf("store/messages")[0], "tests/store");
  assert.ok(testsOf("store/messages").includes("tests/moving/bolt_test.ts"));
  assert.deepEqual(testsOf("web/login"), ["tests/web/login"]);
  assert.deepEqual(testsOf("sieve"), ["tests/sieve"]);
});
