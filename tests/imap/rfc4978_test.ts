/** COMPRESS=DEFLATE (RFC 4978) with data both ways. */
import assert from "node:assert/strict";
import { ImapFlow } from "imapflow";
import { login, message, password, startServer } from "./server.ts";

Deno.test("imapflow compresses: large appends and fetches come through whole, and IDLE is not held up", async () => {
  const server = await startServer();
  try {
    const connect = async () => {
      const c = new ImapFlow({
        host: "127.0.0.1",
        port: server.port,
        secure: false,
        doSTARTTLS: false,
        auth: { user: login, pass: password },
        logger: false,
      });
      await c.connect();
      return c;
    };
    const c = await connect();
    assert.equal((c as unknown as { _inflate?: unknown })._inflate !== undefined, true);
    const random = Array.from(
      { length: 40_000 },
      (_, i) => ((i * 2654435761) >>> 0).toString(36),
    ).join("\r\n");
    const sent = message("large", `${random}\r\n`);
    await c.append("INBOX", sent);
    await c.mailboxOpen("INBOX");
    const back = await c.fetchOne("1", { source: true });
    assert.ok(back && back.source!.toString() === sent);
    const exists = new Promise<number>((resolve) => c.on("exists", (e) => resolve(e.count)));
    const idle = c.idle();
    const other = await connect();
    await other.append("INBOX", message("new"));
    assert.equal(await exists, 2);
    await c.noop();
    await idle;
    await other.logout();
    await c.logout();
  } finally {
    await server.stop();
  }
});
