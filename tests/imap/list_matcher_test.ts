/** Patterns of LIST: what they match, and that no pattern costs more than its names. */
import assert from "node:assert/strict";
import { listMatcher } from "../../src/imap/parse/list.ts";
import { withClient } from "./with_server.ts";
import { processorMs } from "../support/processor.ts";

Deno.test("a pattern of a megabyte and a thousand patterns leave the server to others", () =>
  withClient(async (c) => {
    const matches = listMatcher("*a%b".repeat(100_000));
    const ms = processorMs(() => {
      for (let i = 0; i < 1000; i++) assert.equal(matches("a name of a mailbox"), false);
    });
    // It took seconds for one name; this is a hundred times what it takes now.
    assert.ok(ms < 1000, `${ms} ms`);
    const words = Array.from({ length: 1000 }, (_, i) => `*a${i}`).join(" ");
    assert.match(await c.done(`LIST "" (${words})`), /^BAD .*at most 100 patterns/);
    assert.match(await c.done(`LIST "" "${"*a".repeat(100_000)}"`), /^OK/);
  }));
