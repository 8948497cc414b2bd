/** INTERNALDATE as text: any time, in any order. */
import assert from "node:assert/strict";
import { fc } from "../support/fast_check.ts";
import { formatDateTime } from "../../src/imap/format/text.ts";

Deno.test("date-time says the same as Date, whatever was asked before", () => {
  const max = Date.UTC(9999, 11, 31);
  const near = fc.integer({ min: -3, max: 3 }).map((n) =>
    Date.UTC(2026, 0, 1) + n * 43_200_000 + n
  );
  const any = fc.oneof(near, fc.integer({ min: -max / 10, max }));
  fc.assert(fc.property(fc.array(any, { minLength: 1 }), (times) => {
    for (const ms of times) {
      // "Thu, 01 Jan 2026 00:00:00 GMT"
      const [, day, month, year, time] = new Date(ms).toUTCString().split(" ");
      assert.equal(formatDateTime(ms), `"${day}-${month}-${year.padStart(4, "0")} ${time} +0000"`);
    }
  }));
});
