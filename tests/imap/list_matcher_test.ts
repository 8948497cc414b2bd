/** Patterns of LIST: what they match, and that no pattern costs more than its names. */
import assert from "node:assert/strict";
import { listMatcher } from "../../src/imap/parse/list.ts";
import { withClient } from "./with_server.ts";
import { processorMs } from "../support/processor.ts";

/** UTF-8 as the test client sends and receives it. */
const utf8 = (s: string) => String.fromCharCode(...new TextEncoder().encode(s));

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

Deno.test("INBOX fits in any case, with wildcards anywhere in it (RFC 9051 §6.3.9)", () =>
  withClient(async (c) => {
    await c.ok("CREATE INBOX/Sub");
    await c.ok("CREATE box");
    const listed = async (command: string) =>
      (await c.ok(command)).filter((l) => l.startsWith("* ")).map((l) => l.split(" ").at(-1));
    for (const p of ["INB%", "inb%", "Inb%", "%BOX", "I*X", "*B%X", "inbox", "i%o%"]) {
      assert.deepEqual(await listed(`LIST "" "${p}"`), ["INBOX"], p);
      assert.deepEqual(await listed(`LSUB "" "${p}"`), ["INBOX"], p);
    }
    for (const p of ["INB*", "in*", "i%*"]) {
      assert.deepEqual(await listed(`LIST "" "${p}"`), ["INBOX", "INBOX/Sub"], p);
    }
    for (const p of ["%X/Sub", "INBOX/S%", "inb%/Sub", "*X/S*"]) {
      assert.deepEqual(await listed(`LIST "" "${p}"`), ["INBOX/Sub"], p);
    }
    assert.deepEqual(await listed('LIST "INB" "OX"'), ["INBOX"]);
    assert.deepEqual(await listed('LIST "" "*ox"'), ["INBOX", "box"]);
    // Only what INBOX itself stands for: other names keep their case.
    assert.deepEqual(await listed('LIST "" "inbox/sub"'), []);
    assert.deepEqual(await listed('LIST "" "BO%"'), []);
  }));

Deno.test("names fit patterns in another normalization form (RFC 9051 §5.1)", () =>
  withClient(async (c) => {
    await c.ok("ENABLE UTF8=ACCEPT");
    const [parent, child] = [utf8("\u00e9t\u00e9"), utf8("\u00e9t\u00e9/Sub")];
    const decomposed = utf8("e\u0301te\u0301");
    await c.ok(`CREATE "${child}"`);
    for (
      const [args, expected] of [
        [`"" "${decomposed}"`, [parent]],
        [`"" "${decomposed}/Sub"`, [child]],
        [`"" "${decomposed}*"`, [parent, child]],
        [`"${decomposed}/" "%"`, [child]],
      ] as const
    ) {
      for (const command of ["LIST", "LSUB"]) {
        const lines = (await c.ok(`${command} ${args}`)).filter((l) => l.startsWith("* "));
        assert.deepEqual(lines.map((l) => l.split('"').at(-2)), expected, `${command} ${args}`);
      }
    }
  }));
