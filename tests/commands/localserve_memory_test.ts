/** `localserve -memory`: mail is taken and read as always, and nothing is left at the end. */
import assert from "node:assert/strict";
import nodemailer from "nodemailer";
import { type Localserve, startLocalserve } from "../support/localserve.ts";

const send = (s: Localserve, subject: string) =>
  nodemailer.createTransport({ host: "127.0.0.1", port: s.smtp, ignoreTLS: true }).sendMail({
    from: "shop@example.org",
    to: "ann@example.org",
    subject,
    text: "Hello\n",
    attachments: [{ filename: "large.bin", content: "x".repeat(700_000) }],
  });

Deno.test("in memory, mail of all sizes is taken, listed and read, and the folder goes at the end", async () => {
  const s = await startLocalserve(undefined, ["-memory"]);
  const api = (path: string) => `http://127.0.0.1:${s.http}/api/v1/${path}`;
  let folder = "";
  try {
    await Promise.all(Array.from({ length: 12 }, (_, i) => send(s, `number ${i}`)));
    const { messages, total } = await (await fetch(api("messages?start=3&limit=5"))).json();
    assert.equal(total, 12);
    assert.equal(messages.length, 5);
    const raw = await (await fetch(api(`message/${messages[0].ID}/raw`))).text();
    assert.match(raw, /^Subject: number \d+\r$/m);
    assert.ok(raw.length > 700_000);
    const info = await (await fetch(api("info"))).json();
    folder = info.Database;
    assert.ok(Deno.statSync(folder).isDirectory);
    assert.equal((await fetch(api("messages"), { method: "DELETE" })).status, 200);
    assert.equal((await (await fetch(api("messages"))).json()).total, 0);
    assert.equal(await s.signal("SIGTERM"), 0);
    assert.throws(() => Deno.statSync(folder), Deno.errors.NotFound);
  } finally {
    await s.close();
  }
});
