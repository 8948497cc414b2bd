/** A backup while mail comes in and goes: consistent, complete, and a server runs on it. */
import assert from "node:assert/strict";
import nodemailer from "nodemailer";
import { join } from "node:path";
import { loggedIn } from "../support/imap_client.ts";
import { mox, startLocalserve } from "../support/localserve.ts";

Deno.test("backup of a server under load, verified, and restored", async () => {
  const server = await startLocalserve();
  const to = await Deno.makeTempDir();
  try {
    const transport = nodemailer.createTransport({
      host: "127.0.0.1",
      port: server.smtp,
      ignoreTLS: true,
      pool: true,
      maxConnections: 4,
    });
    let stop = false;
    let sent = 0;
    const send = async () => {
      while (!stop) {
        await transport.sendMail({
          from: "a@example.org",
          to: "mox@localhost",
          subject: `message ${sent}`,
          text: `text ${sent}\n`.repeat(50),
        });
        sent++;
      }
    };
    const client = await loggedIn(server);
    await client.mailboxOpen("INBOX");
    const expunge = async () => {
      while (!stop) {
        await client.noop();
        await client.messageDelete("1:2", { uid: false }).catch(() => {});
      }
    };
    const load = [send(), send(), send(), expunge()];
    // What goes wrong is told by the steps below first.
    for (const l of load) l.catch(() => {});
    const counts: number[] = [];
    for (let round = 0; round < 4; round++) {
      const before = sent;
      while (sent < before + 20) await new Promise((resolve) => setTimeout(resolve, 5));
      const dest = join(to, String(round));
      const base = round > 0 ? ["-base", join(to, String(round - 1))] : [];
      const r = await mox(["backup", "-dir", server.dir, ...base, dest]);
      assert.equal(r.code, 0, r.stdout + r.stderr);
      assert.match(r.stdout, /databases; \d+ message files linked/);
      const v = await mox(["verifydata", dest]);
      assert.equal(v.code, 0, v.stdout);
      assert.match(v.stdout, /all is well/);
      counts.push(sent);
    }
    stop = true;
    await Promise.all(load);
    transport.close();
    await client.logout();
    const refused = await mox(["backup", "-dir", server.dir, join(to, "0")]);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /not empty/);
    const running = await mox(["verifydata", join(server.dir, "data")]);
    assert.equal(running.code, 1);
    assert.match(running.stderr, /a server is running/);
    // Restore: the last copy in the place of the data folder.
    await server.stop();
    await Deno.remove(join(server.dir, "data"), { recursive: true });
    await Deno.rename(join(to, "3"), join(server.dir, "data"));
    const restored = await startLocalserve({ dir: server.dir, offset: server.offset });
    try {
      const again = await loggedIn(restored);
      const box = await again.mailboxOpen("INBOX");
      let read = 0;
      for await (const m of again.fetch("1:*", { source: true })) {
        assert.match(m.source!.toString(), /text \d+\r\n/);
        read++;
      }
      assert.equal(read, box.exists);
      await again.logout();
    } finally {
      await restored.stop();
    }
  } finally {
    await server.close();
    await Deno.remove(to, { recursive: true });
  }
});
