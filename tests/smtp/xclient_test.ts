/** XCLIENT: what can be read of it, and what can't. */
import assert from "node:assert/strict";
import { fc } from "../support/fast_check.ts";
import { parseXclient } from "../../src/smtp/server/commands/xclient.ts";
import { SmtpError } from "../../src/smtp/server/errors.ts";

Deno.test("XCLIENT: attributes in any order and case, xtext, and what the proxy doesn't know", () => {
  const found = parseXclient(
    "addr=IPV6:2001:db8::1 NAME=[UNAVAILABLE] LOGIN=a+2Bb@x HELO=[TEMPUNAVAIL]",
  );
  assert.deepEqual([...found], [
    ["ADDR", "IPV6:2001:db8::1"],
    ["NAME", undefined],
    ["LOGIN", "a+b@x"],
    ["HELO", undefined],
  ]);
  assert.equal(parseXclient("LOGIN=+C3+BC").get("LOGIN"), "ü");
});

Deno.test("XCLIENT: what can't be read is 501, and ends the connection", () => {
  const bad = [
    ...["", " ", "ADDR", "ADDR=", "=1.2.3.4", "FOO=1", "ADDR=1.2.3.4 ADDR=1.2.3.5", "LOGIN=+"],
    ...["LOGIN=+0", "LOGIN=+0D+0A", "LOGIN=+20", "LOGIN=+FF", "LOGIN=a=b", "HELO=+00"],
    `HELO=${"x".repeat(300)}`,
  ];
  for (const args of bad) {
    assert.throws(
      () => parseXclient(args),
      (e) => e instanceof SmtpError && e.code === 501 && e.close,
      args,
    );
  }
});

Deno.test("XCLIENT: random arguments give attributes or 501", () => {
  const word = fc.oneof(
    fc.string({ maxLength: 30 }),
    fc.tuple(fc.constantFrom("ADDR=", "LOGIN=", "PORT=", "HELO="), fc.string({ maxLength: 20 }))
      .map((p) => p.join("")),
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 6 }), (words) => {
      try {
        for (const v of parseXclient(words.join(" ")).values()) {
          // deno-lint-ignore no-control-regex
          if (v !== undefined) assert.ok(!/[\x00-\x20\x7f]/.test(v) && v.length <= 255);
        }
      } catch (e) {
        assert.ok(e instanceof SmtpError && e.code === 501 && e.close, String(e));
      }
    }),
    { numRuns: 3000 },
  );
});
