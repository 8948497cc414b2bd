/** One-time passwords (RFC 6238). */
import assert from "node:assert/strict";
import { matchingStep, newTotpKey, totpCode, totpStep } from "../../src/store/logins/totp.ts";

// "12345678901234567890" of RFC 6238 appendix B.
const key = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

Deno.test("codes are those of RFC 6238 appendix B, in six digits", () => {
  for (
    const [seconds, code] of [
      [59, "287082"],
      [1111111109, "081804"],
      [1111111111, "050471"],
      [1234567890, "005924"],
      [2000000000, "279037"],
      [20000000000, "353130"],
    ] as const
  ) assert.equal(totpCode(key, totpStep(seconds * 1000)), code);
});

Deno.test("a code is good one step around its own, and never again", () => {
  const at = 1_000_000_000_000;
  const step = totpStep(at);
  const code = totpCode(key, step);
  assert.equal(matchingStep(key, code, at, 0), step);
  assert.equal(matchingStep(key, code, at + 30_000, 0), step);
  assert.equal(matchingStep(key, code, at - 30_000, 0), step);
  assert.equal(matchingStep(key, code, at + 60_000, 0), undefined);
  assert.equal(matchingStep(key, code, at - 60_000, 0), undefined);
  assert.equal(matchingStep(key, code, at, step), undefined);
  assert.equal(matchingStep(key, "", at, 0), undefined);
  assert.equal(matchingStep(key, `${code}0`, at, 0), undefined);
});

Deno.test("new keys are 160 random bits", () => {
  const keys = new Set(Array.from({ length: 50 }, newTotpKey));
  assert.equal(keys.size, 50);
  for (const k of keys) assert.match(k, /^[A-Z2-7]{32}$/);
});
