/** No text, and no value, brings the configuration's readers and writers out of step. */
import assert from "node:assert/strict";
import { fc } from "../support/fast_check.ts";
import { dynamicConfig, readDynamic, readStatic, staticConfig } from "../../src/config/mod.ts";
import { NameError, packAddress, parseAddress, parseDomain } from "../../src/config/names.ts";
import { equal } from "../../src/config/sconf/schema.ts";
import { type MapNode, parseSconf, printSconf } from "../../src/config/sconf/sconf.ts";
import { smallDynamic, smallStatic, staticOf } from "../config/fixtures.ts";

const piece = fc.constantFrom(
  "\t",
  "\t\t",
  "\n",
  "\r\n",
  "- ",
  "-",
  ": ",
  ":",
  "#",
  " ",
  "nil",
  "Domains",
  "Accounts",
  "ann",
  "mox.example",
  "@",
  "true",
  "12",
  "\u0000",
  "\ufeff",
  "\u00fc",
  "__proto__",
  "constructor",
  "toString",
);
const soup = fc.array(piece, { maxLength: 60 }).map((p) => p.join(""));

/** A right text with some characters removed, doubled or put in. */
function damaged(text: string) {
  const damage = fc.record({
    at: fc.nat(text.length),
    remove: fc.nat(20),
    put: fc.oneof(piece, fc.string({ maxLength: 5 })),
  });
  return fc.array(damage, { minLength: 1, maxLength: 4 }).map((all) => {
    let t = text;
    for (const d of all) t = t.slice(0, d.at) + d.put + t.slice(d.at + d.remove);
    return t;
  });
}

Deno.test("any text is read, and one without problems is written as it is read", () => {
  fc.assert(
    fc.property(fc.oneof(soup, damaged(smallDynamic), fc.string()), (text) => {
      const { root, problems } = parseSconf(text);
      for (const p of problems) assert.ok(p.line >= 0 && p.message !== "");
      if (problems.length > 0) return;
      const written = printSconf(root);
      assert.equal(printSconf(parseSconf(written).root), written);
    }),
    { numRuns: 5000 },
  );
});

Deno.test("any text is checked; what passes survives a rewrite with equal values", () => {
  const s = staticOf(smallStatic);
  fc.assert(
    fc.property(fc.oneof(damaged(smallStatic), soup), (text) => {
      const { value, root, problems } = readStatic(text);
      if (problems.length > 0) return;
      const again = readStatic(printSconf(staticConfig.update(root, value) as MapNode));
      assert.deepEqual(again.problems, []);
      assert.ok(equal(again.value, value));
    }),
    { numRuns: 2000 },
  );
  fc.assert(
    fc.property(damaged(smallDynamic), (text) => {
      const { value, root, problems } = readDynamic(text, s);
      if (problems.length > 0) return;
      value.Accounts.get("ann")!.FullName = "changed";
      const again = readDynamic(printSconf(dynamicConfig.update(root, value) as MapNode), s);
      assert.deepEqual(again.problems, []);
      assert.ok(equal(again.value, value));
      const fresh = readDynamic(printSconf(dynamicConfig.toNode(value) as MapNode), s);
      assert.ok(equal(fresh.value, value));
    }),
    { numRuns: 2000 },
  );
});

Deno.test("any name is parsed or refused, and written as it is parsed", () => {
  const text = fc.oneof(
    fc.string({ unit: fc.constantFrom(...'ab.@"\\+- \u00fc\u0308xn-9_'), maxLength: 20 }),
    fc.string({ unit: "binary", maxLength: 20 }),
  );
  fc.assert(
    fc.property(text, (t) => {
      try {
        const d = parseDomain(t);
        assert.deepEqual(parseDomain(d.ascii), d);
        assert.deepEqual(parseDomain(d.unicode), d);
      } catch (err) {
        assert.ok(err instanceof NameError, String(err));
      }
      try {
        const a = parseAddress(t);
        assert.deepEqual(parseAddress(packAddress(a)), a);
      } catch (err) {
        assert.ok(err instanceof NameError, String(err));
      }
    }),
    { numRuns: 5000 },
  );
});
