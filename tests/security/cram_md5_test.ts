/** CRAM-MD5 can be done without: then it isn't offered, and what it checked with is gone. */
import assert from "node:assert/strict";
import { Line, startWorld, type World } from "./world.ts";
import { cramMd5Wanted, wantCramMd5 } from "../../src/sasl/mod.ts";

const ann = "ann@mox.example";

/** Mechanisms offered by IMAP and submission, before a login. */
async function offered(w: World): Promise<string> {
  await using imap = await Line.dial(w.ports.imap);
  await imap.until(/^\* OK [^\r\n]*\r\n/m);
  const capabilities = await imap.imap("CAPABILITY");
  await using smtp = await Line.dial(w.ports.submission);
  await smtp.until(/^220 [^\r\n]*\r\n/m);
  return capabilities + await smtp.smtp("EHLO x");
}

/** Kinds of what is kept of a password, and of an app password. */
async function kept(w: World): Promise<string[]> {
  const account = await w.server.accounts.open("ann");
  try {
    const kinds = account.db.all("SELECT kind FROM credentials").map(([k]) => String(k));
    const [app] = account.db.get("SELECT value FROM app_passwords") ?? ["{}"];
    return [...kinds, ...Object.keys(JSON.parse(app)).map((k) => `app ${k}`)];
  } finally {
    account.close();
  }
}

Deno.test("with NoCRAMMD5 it is offered nowhere, nothing is kept for it, and other logins go on", async () => {
  try {
    await using w = await startWorld();
    assert.match(await offered(w), /CRAM-MD5/);
    const account = await w.server.accounts.open("ann");
    try {
      await account.credentials.addAppPassword("phone");
      assert.ok((await kept(w)).includes("cram-md5"));
      assert.ok((await kept(w)).includes("app cram-md5"));
      wantCramMd5(false);
      // As at the next start.
      await account.credentials.dropUnwanted();
    } finally {
      account.close();
    }
    const left = await kept(w);
    assert.deepEqual(left.filter((k) => /\bcram/.test(k)), []);
    for (const kind of ["password", "scram-sha-256", "app hash", "app scram-sha-256"]) {
      assert.ok(left.includes(kind), kind);
    }
    assert.doesNotMatch(await offered(w), /CRAM-MD5/);
    await using c = await w.imap(ann);
    assert.match(await c.imap("NOOP"), / OK /);
  } finally {
    wantCramMd5(true);
  }
  await using without = await startWorld({ static: "NoCRAMMD5: true\n" });
  assert.equal(cramMd5Wanted(), false);
  assert.doesNotMatch(await offered(without), /CRAM-MD5/);
  assert.deepEqual((await kept(without)).filter((k) => /\bcram/.test(k)), []);
  // A server without it: the setting is of the process, as in the test above.
  wantCramMd5(true);
});
