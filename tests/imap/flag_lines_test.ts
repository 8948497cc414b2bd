/** Lines of flags as bytes: the same as those made of strings. */
import assert from "node:assert/strict";
import { fc } from "../support/fast_check.ts";
import { formatFlags } from "../../src/imap/format/text.ts";
import { FlagLines } from "../../src/imap/server/fetch/flags_bytes.ts";
import { message, startServer } from "./server.ts";

Deno.test("lines of flags are those that strings would make, however long they are", () => {
  const spelled = new Map([["work", "Work"], ["x".repeat(9000), "X".repeat(9000)]]);
  const number = fc.oneof(
    fc.integer({ min: 1, max: 120 }),
    fc.constantFrom(9, 10, 99, 100, 999_999, 1_000_000, 4_294_967_295),
  );
  const line = fc.record({
    seq: number,
    uid: fc.oneof(fc.constant(0), number),
    modseq: fc.oneof(fc.constant(0), number, fc.constant(Number.MAX_SAFE_INTEGER)),
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
    for (const l of all) lines.add(l.seq, l.uid, l.flags, l.keywords, l.modseq);
    lines.flush();
    const want = all.map(({ seq, uid, flags, keywords, modseq }) =>
      `* ${seq} FETCH (${uid === 0 ? "" : `UID ${uid} `}${
        modseq === 0 ? "" : `MODSEQ (${modseq}) `
      }FLAGS (${formatFlags(flags, keywords, spelled)}))\r\n`
    );
    assert.ok(text === want.join(""));
  }));
});

Deno.test("a STORE of many messages tells what FETCH tells, by number and by uid, also where one is gone", async () => {
  const server = await startServer();
  try {
    const [a, b] = [await server.client(), await server.client()];
    for (const subject of ["one", "two", "three"]) await a.append("INBOX", message(subject));
    await a.ok("SELECT INBOX");
    for (let i = 0; i < 6; i++) await a.ok("COPY 1:* INBOX");
    await a.ok("STORE 5,70:90 +FLAGS.SILENT (Work $Forwarded)");
    await b.ok("SELECT INBOX");
    const fetched = (lines: string[]) => lines.filter((l) => / FETCH /.test(l));
    for (
      const [store, fetch] of [
        ["STORE 1:* +FLAGS (\\Flagged)", "FETCH 1:* (FLAGS)"],
        ["STORE 1:* +FLAGS (\\Flagged)", "FETCH 1:* (FLAGS)"],
        ["STORE 1:120 -FLAGS (\\Flagged Work)", "FETCH 1:120 (FLAGS)"],
        ["UID STORE 20:150 FLAGS (\\Seen other)", "UID FETCH 20:150 (FLAGS)"],
        ["STORE 1:49 +FLAGS (\\Answered)", "FETCH 1:49 (FLAGS)"],
        ["STORE 1:50 -FLAGS (\\Answered)", "FETCH 1:50 (FLAGS)"],
        ["ENABLE CONDSTORE", ""],
        ["STORE 1:* +FLAGS (\\Flagged)", "FETCH 1:* (UID FLAGS)"],
        ["UID STORE 20:150 -FLAGS (\\Flagged other)", "UID FETCH 20:150 (FLAGS)"],
        ["UID STORE 20:150 +FLAGS (\\Flagged)", "UID FETCH 20:150 (FLAGS MODSEQ)"],
      ]
    ) {
      if (fetch === "") {
        await a.ok(store);
        continue;
      }
      const told = fetched(await a.ok(store));
      assert.ok(told.length >= 49, `${store}: ${told.length}`);
      assert.deepEqual(told, fetched(await a.ok(fetch)), store);
    }
    // Gone for one, not told to the other yet.
    await a.ok("STORE 7 +FLAGS.SILENT (\\Deleted)");
    await a.ok("EXPUNGE");
    const told = fetched(await b.run("STORE 1:* +FLAGS (\\Draft)"));
    assert.deepEqual(
      told.map((l) => Number(l.split(" ")[1])),
      Array.from({ length: 192 }, (_, i) => i + 1).filter((n) => n !== 7),
    );
  } finally {
    await server.stop();
  }
});
