/** Lines of flags as bytes: the same as those made of strings. */
import assert from "node:assert/strict";
import { fc } from "../support/fast_check.ts";
import { formatFlags } from "../../src/imap/format/text.ts";
import { FlagLines } from "../../src/imap/server/fetch/flags_bytes.ts";

Deno.test("lines of flags are those that strings would make, however long they are", () => {
  const spelled = new Map([["work", "Work"], ["x".repeat(9000), "X".repeat(9000)]]);
  const number = fc.oneof(
    fc.integer({ min: 1, max: 120 }),
    fc.constantFrom(9, 10, 99, 100, 999_999, 1_000_000, 4_294_967_295),
  );
  const line = fc.record({
    seq: number,
    uid: fc.oneof(fc.constant(0), number),
    flags: fc.integer({ min: 0, max: 1023 }),
    keywords: fc.constantFrom(
      "",
      "",
      "work",
      "other work",
      `${"x".repeat(9000)} ${"y".repeat(8000)}`,
    ),
  });
  fc.assert(fc.property(fc.array(line, { maxLength: 600 }), (all) => {
    let text = "";
    const decoder = new TextDecoder();
    const lines = new FlagLines((b) => text += decoder.decode(b), spelled);
    for (const l of all) lines.add(l.seq, l.uid, l.flags, l.keywords);
    lines.flush();
    const want = all.map(({ seq, uid, flags, keywords }) =>
      `* ${seq} FETCH (${uid === 0 ? "" : `UID ${uid} `}FLAGS (${
        formatFlags(flags, keywords, spelled)
      }))\r\n`
    );
    assert.ok(text === want.join(""));
  }));
});
