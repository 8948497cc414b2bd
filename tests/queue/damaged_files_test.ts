/** Message files of the queue that are gone or cut off: nothing goes out by half, and the sender is told. */
import assert from "node:assert/strict";
import { join } from "node:path";
import nodemailer from "nodemailer";
import { loggedIn } from "../support/imap_client.ts";
import { mox, startLocalserve } from "../support/localserve.ts";

Deno.test("a queued message whose file is gone or cut off is not sent, and its sender gets a report", async () => {
  const s = await startLocalserve();
  const end = Date.now() + 60_000;
  const inTime = () => assert.ok(Date.now() < end, "it takes too long");
  try {
    const held = await mox(["queue", "holdrules", "add", "-dir", s.dir, "-account", "mox"]);
    assert.equal(held.code, 0, held.stderr);
    const transport = nodemailer.createTransport({
      host: "127.0.0.1",
      port: s.submission,
      ignoreTLS: true,
      auth: { user: "mox@localhost", pass: "moxmoxmox" },
    });
    for (const [to, size] of [["gone", 10], ["cut", 20_000]] as const) {
      await transport.sendMail({
        from: "mox@localhost",
        to: `${to}@elsewhere.example`,
        subject: `to ${to}`,
        text: "some words\n".repeat(size),
      });
    }
    const folder = join(s.dir, "data", "queue", "msg", "0");
    const files = [...Deno.readDirSync(folder)].map((e) => join(folder, e.name)).sort();
    assert.equal(files.length, 2);
    Deno.removeSync(files[0]);
    Deno.truncateSync(files[1], 5000);
    const released = await mox(["queue", "unhold", "-dir", s.dir, "-all"]);
    assert.equal(released.code, 0, released.stderr);
    // Tried, and still there: as if their server could not be reached.
    for (;; inTime()) {
      const { stdout } = await mox(["queue", "list", "-dir", s.dir, "-json"]);
      const list: { attempts: number }[] = JSON.parse(stdout);
      assert.equal(list.length, 2, stdout);
      if (list.every((i) => i.attempts > 0)) break;
    }
    const failed = await mox(["queue", "fail", "-dir", s.dir, "-all"]);
    assert.equal(failed.code, 0, failed.stderr);
    const c = await loggedIn(s);
    try {
      await c.mailboxOpen("INBOX");
      for (;; inTime()) {
        const all = await c.fetchAll("1:*", { source: true });
        if (all.length < 2) {
          await c.noop();
          continue;
        }
        const texts = all.map((m) => m.source!.toString());
        assert.equal(texts.length, 2);
        for (const to of ["gone", "cut"]) {
          const report = texts.find((t) => t.includes(`${to}@elsewhere.example`));
          assert.match(report ?? "no report", /Content-Type: multipart\/report/i);
        }
        break;
      }
    } finally {
      await c.logout();
    }
    const { stdout } = await mox(["queue", "list", "-dir", s.dir]);
    assert.match(stdout, /nothing is queued/);
    assert.equal(await s.stop(), 0);
  } finally {
    await s.close();
  }
});
