import assert from "node:assert/strict";
import {
  NameError,
  packAddress,
  packLocalpart,
  parseAddress,
  parseDomain,
  parseLocalpart,
} from "../../src/config/names.ts";

Deno.test("domains in both forms", () => {
  assert.deepEqual(parseDomain("B\u00dcCHER.example"), {
    ascii: "xn--bcher-kva.example",
    unicode: "b\u00fccher.example",
  });
  assert.deepEqual(parseDomain("XN--bcher-kva.Example"), parseDomain("b\u00fccher.example"));
  assert.equal(parseDomain("localhost").ascii, "localhost");
  assert.equal(parseDomain("a_b.example", { underscore: true }).ascii, "a_b.example");
  const bad = ["", ".", "a.", "a..b", "-a.example", "a-.example", "a b", "a_b.example", "1.2.3.4"];
  bad.push("a@b", "x".repeat(64), Array(130).fill("a").join("."), "\u00fc\u0000.example", "a/b");
  for (const name of bad) assert.throws(() => parseDomain(name), NameError, JSON.stringify(name));
});

Deno.test("addresses with quotes and international ones", () => {
  const table: [string, string, string?][] = [
    ["ann@mox.example", "ann"],
    ["ann+x@mox.example", "ann+x"],
    ['"odd one"@mox.example', "odd one"],
    ['"a\\"b\\\\c@d"@mox.example', 'a"b\\c@d'],
    ['"plain"@mox.example', "plain", "plain@mox.example"],
    ["j\u00fcrgen@mox.example", "j\u00fcrgen"],
    ["ju\u0308rgen@mox.example", "j\u00fcrgen", "j\u00fcrgen@mox.example"],
    ['""@mox.example', ""],
  ];
  for (const [text, localpart, packed] of table) {
    const a = parseAddress(text);
    assert.equal(a.localpart, localpart);
    assert.equal(packAddress(a), packed ?? text);
    assert.equal(parseLocalpart(packLocalpart(localpart)), localpart);
  }
  const bad = ["ann", "@mox.example", "a..b@mox.example", ".a@mox.example", "a b@mox.example"];
  bad.push(
    '"a@mox.example',
    '"a"b@mox.example',
    '"a\n"@mox.example',
    "a@",
    `${"x".repeat(65)}@a.b`,
  );
  for (const text of bad) assert.throws(() => parseAddress(text), NameError, text);
});
