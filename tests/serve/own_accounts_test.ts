/** localserve with an account for each address, and logins with any password. */
import assert from "node:assert/strict";
import nodemailer from "nodemailer";
import { imapClient } from "../support/imap_client.ts";
import { type Localserve, startLocalserve } from "../support/localserve.ts";

const send = (s: Localserve, to: string[], subject: string, auth?: Record<string, string>) =>
  nodemailer.createTransport({
    host: "127.0.0.1",
    port: s.smtp,
    secure: false,
    ignoreTLS: true,
    ...auth === undefined ? {} : { auth, authMethod: "CRAM-MD5" },
  } as never).sendMail({
    from: "shop@example.org",
    envelope: { from: "shop@example.org", to },
    subject,
    text: "x\n",
  });

async function subjects(s: Localserve, user: string, pass = "moxmoxmox"): Promise<string[]> {
  const client = imapClient(s, { user, pass });
  await client.connect();
  await client.mailboxOpen("INBOX");
  const found: string[] = [];
  for await (const m of client.fetch("1:*", { envelope: true })) found.push(m.envelope!.subject!);
  await client.logout();
  return found.sort();
}

Deno.test("each address that mail comes for is an account with its own login", async () => {
  const s = await startLocalserve(undefined, ["-accounts"]);
  let again: Localserve | undefined;
  try {
    await send(s, ["ann@example.org", "bob@other.example"], "to both");
    // Many at a time make one account.
    await Promise.all(
      ["a", "b", "c", "d"].map((x) => send(s, ["Ann+orders@example.org"], `to ann ${x}`)),
    );
    await send(s, ["mox@localhost"], "to mox");
    assert.deepEqual(await subjects(s, "ann@example.org"), [
      "to ann a",
      "to ann b",
      "to ann c",
      "to ann d",
      "to both",
    ]);
    assert.deepEqual(await subjects(s, "bob@other.example"), ["to both"]);
    assert.deepEqual(await subjects(s, "mox@localhost"), ["to mox"]);
    await assert.rejects(subjects(s, "carl@example.org"));
    await assert.rejects(subjects(s, "ann@example.org", "wrong"));
    const r = await fetch(`http://127.0.0.1:${s.http}/api/v1/search?query=to:ann@example.org`);
    assert.equal((await r.json()).messages_count, 2, "the one for both is in both accounts");
    await s.stop();
    // They are there at the next start.
    again = await startLocalserve({ dir: s.dir, offset: s.offset }, ["-accounts"]);
    assert.deepEqual(await subjects(again, "bob@other.example"), ["to both"]);
  } finally {
    await (again ?? s).close();
  }
});

Deno.test("CRAM-MD5 logs in with any password, as PLAIN does", async () => {
  const s = await startLocalserve(undefined, []);
  try {
    await send(s, ["ann@example.org"], "signed in", { user: "app", pass: "whatever" });
    assert.deepEqual(await subjects(s, "mox@localhost"), ["signed in"]);
  } finally {
    await s.close();
  }
});
