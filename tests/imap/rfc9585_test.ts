/** INPROGRESS (RFC 9585), as a transcript. */
import assert from "node:assert/strict";
import { message, startServer } from "./server.ts";

Deno.test("§4 a long search tells how far it has got", async () => {
  const server = await startServer({ progressInterval: 0 });
  try {
    const c = await server.client();
    assert.match((await c.ok("CAPABILITY"))[0], / INPROGRESS(?= |$)/);
    // Each takes longer to decode than a slice of the search lasts.
    const big = message("big", "wörter ".repeat(600_000));
    for (let i = 0; i < 4; i++) assert.match(await c.append("INBOX", big), /^OK/);
    await c.ok("SELECT INBOX");
    const lines = await c.ok("SEARCH BODY nowhere");
    assert.equal(lines.at(-1), "* SEARCH");
    const tag = /^x\d+$/;
    let before = 0;
    assert.ok(lines.length > 1, lines.join("\n"));
    for (const l of lines.slice(0, -1)) {
      const m = /^\* OK \[INPROGRESS \("(\S+)" (\d+) 4\)\] searching$/.exec(l);
      assert.ok(m && tag.test(m[1]), l);
      assert.ok(Number(m[2]) > before && Number(m[2]) <= 4, l);
      before = Number(m[2]);
    }
  } finally {
    await server.stop();
  }
});
