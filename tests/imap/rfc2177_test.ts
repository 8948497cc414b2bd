/** IDLE (RFC 2177), as transcripts. */
import assert from "node:assert/strict";
import { type Client, message } from "./server.ts";
import { withClient } from "./with_server.ts";

async function begin(c: Client): Promise<void> {
  c.send("i IDLE\r\n");
  assert.equal(await c.line(), "+ waiting");
}

Deno.test("§3 what happens is told while the client waits, until it says DONE", () =>
  withClient(async (c, server) => {
    const other = await server.client();
    for (const n of [1, 2, 3]) await other.append("INBOX", message(`m${n}`));
    await other.ok("SELECT INBOX");
    await c.ok("SELECT INBOX");
    await begin(c);
    await other.append("INBOX", message("m4"));
    assert.equal(await c.line(), "* 4 EXISTS");
    await other.ok("STORE 2 +FLAGS.SILENT (\\Deleted)");
    assert.equal(await c.line(), "* 2 FETCH (UID 2 FLAGS (\\Deleted))");
    await other.ok("EXPUNGE");
    assert.equal(await c.line(), "* 2 EXPUNGE");
    await other.ok("MOVE 1 Archive");
    assert.equal(await c.line(), "* 1 EXPUNGE");
    await other.ok("STORE 1 +FLAGS.SILENT (Work)");
    assert.match(await c.line(), /^\* FLAGS \(.* Work\)$/);
    assert.match(await c.line(), /^\* OK \[PERMANENTFLAGS \(.* Work \\\*\)\] kept$/);
    assert.equal(await c.line(), "* 1 FETCH (UID 3 FLAGS (Work))");
    c.send("DONE\r\n");
    assert.deepEqual(await c.answer("i"), ["OK done"]);
  }));

Deno.test("it may be used without a mailbox, DONE in any case; anything else ends it with BAD", () =>
  withClient(async (c) => {
    await begin(c);
    c.send("done\r\n");
    assert.deepEqual(await c.answer("i"), ["OK done"]);
    await begin(c);
    c.send("j NOOP\r\n");
    assert.deepEqual(await c.answer("i"), ["BAD expected DONE"]);
    assert.deepEqual(await c.run("NOOP"), ["OK done"]);
    assert.match(await c.done("IDLE now"), /^BAD at offset \d+: expected end of command/);
  }));

Deno.test("DONE that comes together with IDLE is seen", () =>
  withClient(async (c) => {
    c.send("i IDLE\r\nDONE\r\nj NOOP\r\n");
    assert.equal(await c.line(), "+ waiting");
    assert.equal(await c.line(), "i OK done");
    assert.equal(await c.line(), "j OK done");
  }));
