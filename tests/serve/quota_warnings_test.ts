/** Users are warned when their account fills up: once for each level, over restarts and crashes. */
import assert from "node:assert/strict";
import { Config } from "../../src/config/mod.ts";
import { levelOf, QuotaWarnings } from "../../src/serve/quota_warnings.ts";
import { setLevel } from "../../src/log/mod.ts";
import { MailServer } from "../../src/serve/server.ts";
import { setAccountPassword } from "../../src/serve/logins.ts";
import { freePorts } from "./instance.ts";
import { mail, type Receiver, startReceiver } from "./receiver.ts";

setLevel("quota", "error");

for (const pkg of ["auth", "audit", "web"]) setLevel(pkg, "error");
const password = "correct horse";
const quota = 100_000;
const domains = (more = "") =>
  `Domains:
	ours.example: nil
Accounts:
	ann:
		Domain: ours.example
		Destinations:
			ann@ours.example: nil
	bob:
		Domain: ours.example
		QuotaMessageSize: ${quota}
${more}		Destinations:
			bob@ours.example: nil
`;

/** Sends bob a message by SMTP that fills the account up to so many bytes, nearly. @returns the answer's code */
async function fillTo(r: Receiver, bytes: number): Promise<number> {
  const used = await r.account("bob", (a) => a.quota().messageSize.used);
  const body = "x".repeat(70).concat("\n").repeat(Math.floor((bytes - used - 1500) / 72));
  const reply = await r.send({
    to: "bob@ours.example",
    text: mail({ to: "bob@ours.example", body }),
    sign: "sender.example",
  });
  return reply.code;
}

const warnings = async (r: Receiver) =>
  (await r.messages("bob", "Inbox")).map((m) => /^Subject: (Your mailbox .*)\r$/m.exec(m)?.[1])
    .filter((s) => s !== undefined);

/** Waits for a state: warnings are delivered after the answer to the message. */
async function warned(r: Receiver, expected: string[]): Promise<void> {
  const end = Date.now() + 60_000;
  for (;;) {
    const there = await warnings(r);
    if (there.length >= expected.length || Date.now() > end) {
      assert.deepEqual(there, expected);
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function empty(r: Receiver): Promise<void> {
  await r.account("bob", async (a) => {
    const inbox = a.mailboxByName("Inbox")!.id;
    await a.expunge(inbox, a.uids(inbox), undefined, { force: true });
  });
}

const at80 = "Your mailbox is 80% full";
const at95 = "Your mailbox is 95% full";
const full = "Your mailbox is full";

Deno.test("a level is one of its share; a large message that is refused makes no account full", () => {
  const at = [0, 79.9, 80, 94, 95, 99, 100, 130].map((p) => levelOf(p, 100));
  assert.deepEqual(at, [0, 0, 80, 80, 95, 95, 100, 100]);
  assert.deepEqual([levelOf(50, 100, true), levelOf(85, 100, true), levelOf(95, 100, true)], [
    0,
    80,
    100,
  ]);
});

Deno.test("80, 95 and full: each once, by SMTP, the last over the quota", async () => {
  await using r = await startReceiver({ domains: domains() });
  assert.equal(await fillTo(r, 60_000), 250);
  assert.equal(await fillTo(r, 85_000), 250);
  await warned(r, [at80]);
  const [text] = (await r.messages("bob", "Inbox")).slice(-1);
  assert.match(text, /^Return-Path: <>\r$/m);
  assert.match(text, /^From: <postmaster@mail\.example>\r$/m);
  assert.match(text, /^To: <bob@ours\.example>\r$/m);
  assert.match(text, /^Auto-Submitted: auto-generated\r$/m);
  assert.match(text, /take 8\d\.\d kB of 100 kB\./);
  assert.equal(await fillTo(r, 98_500), 250);
  await warned(r, [at80, at95]);
  assert.equal(await fillTo(r, 120_000), 452);
  await warned(r, [at80, at95, full]);
  // Refused again and again: said already. The level before was not left.
  assert.equal(await fillTo(r, 120_000), 452);
  assert.equal(await fillTo(r, 120_000), 452);
  await r.server.stop();
  assert.deepEqual(
    JSON.parse(await Deno.readTextFile(`${r.dir}/data/quotawarnings.json`))[0][1].level,
    100,
  );
});

Deno.test("over the quota: the warning comes all the same", async () => {
  await using r = await startReceiver({ domains: domains() });
  // To the last ten bytes.
  const file = `${r.dir}/message`;
  const head = "Subject: large\r\n\r\n";
  await Deno.writeTextFile(file, head + "x".repeat(quota - 10 - head.length));
  await r.account(
    "bob",
    (a) => a.deliver("Inbox", { file, fileSize: quota - 10, prefix: new Uint8Array(0) }),
  );
  // The first warning makes it full.
  await warned(r, [at95, full]);
  assert.equal(await fillTo(r, quota * 2), 452);
  assert.ok(await r.account("bob", (a) => a.quota().messageSize.used > quota));
});

Deno.test("after it went below: again, but not on the same day", async () => {
  await using r = await startReceiver({ domains: domains() });
  const { config, accounts } = r.server;
  let now = Date.now();
  const warn = await QuotaWarnings.open({
    config,
    accounts,
    tempDir: `${r.dir}/data/tmp`,
    now: () => now,
  });
  // In place of the server's own, which has no clock to set.
  const bob = await accounts.open("bob");
  try {
    warn.attach(bob);
    assert.equal(await fillTo(r, 85_000), 250);
    await warned(r, [at80]);
    await empty(r);
    assert.equal(await fillTo(r, 85_000), 250);
    await warn.settled();
    assert.deepEqual(await warnings(r), []);
    now += 25 * 3600_000;
    assert.equal(await fillTo(r, 90_000), 250);
    await warned(r, [at80]);
    // Another day without having been below: nothing.
    now += 25 * 3600_000;
    assert.equal(await fillTo(r, 93_000), 250);
    await warn.settled();
    assert.deepEqual(await warnings(r), [at80]);
    await empty(r);
    await warn.settled();
    assert.equal(await fillTo(r, 85_000), 250);
    await warned(r, [at80]);
  } finally {
    await warn.end();
    bob.close();
  }
});

Deno.test("a restart repeats nothing; what a crash left under way comes once", async () => {
  await using r = await startReceiver({ domains: domains() });
  assert.equal(await fillTo(r, 85_000), 250);
  await warned(r, [at80]);
  await r.server.stop();
  const restart = async (change?: (said: { underWay?: unknown; level: number }) => void) => {
    const file = `${r.dir}/data/quotawarnings.json`;
    const state = JSON.parse(await Deno.readTextFile(file));
    change?.(state[0][1]);
    await Deno.writeTextFile(file, JSON.stringify(state));
    const config = await Config.load(`${r.dir}/config/mox.conf`);
    r.server = await MailServer.start({
      config,
      local: false,
      receiving: { wait: () => Promise.resolve(true), random: () => 0.5, resolver: r.resolver },
    });
  };
  await restart();
  assert.equal(await fillTo(r, 90_000), 250);
  // The crash came after the delivery, before it was noted: the account is asked for the Message-ID.
  const text = (await r.messages("bob", "Inbox")).find((m) => m.includes(at80))!;
  const messageId = /^Message-ID: (<.*>)\r$/m.exec(text)![1];
  await r.server.stop();
  await restart((s) => {
    s.level = 0;
    s.underWay = { level: 80, messageId };
  });
  assert.equal(await fillTo(r, 92_000), 250);
  await r.server.stop();
  // And before the delivery.
  await restart((s) => {
    assert.equal(s.level, 80);
    assert.equal(s.underWay, undefined);
    s.underWay = { level: 80, messageId: "<another@mail.example>" };
  });
  await warned(r, [at80, at80]);
});

Deno.test("none for who doesn't want them, nor where the server sends none", async () => {
  for (
    const o of [
      { domains: domains("		NoQuotaWarnings: true\n") },
      { domains: domains(), extra: "NoQuotaWarnings: true\n" },
    ]
  ) {
    await using r = await startReceiver(o);
    assert.equal(await fillTo(r, 97_000), 250);
    assert.equal(await fillTo(r, 120_000), 452);
    await r.server.stop();
    await assert.rejects(Deno.stat(`${r.dir}/data/quotawarnings.json`), Deno.errors.NotFound);
  }
});

Deno.test("users switch them off and on on the account page", async () => {
  const [http] = await freePorts(1);
  await using r = await startReceiver({
    domains: domains(),
    smtp: `\t\tAccountHTTP:\n\t\t\tEnabled: true\n\t\t\tPort: ${http}\n`,
  });
  await setAccountPassword(r.server.accounts, "bob", password);
  let cookie = "";
  const call = async (name: string, body: unknown) => {
    const res = await fetch(`http://127.0.0.1:${http}/api/${name}`, {
      method: "POST",
      headers: { "content-type": "application/json", "x-mox-request": "1", cookie },
      body: JSON.stringify(body),
    });
    cookie ||= res.headers.getSetCookie()[0].split(";")[0];
    return { status: res.status, body: await res.json() };
  };
  await call("Login", { username: "bob@ours.example", password });
  assert.equal((await call("Overview", {})).body.quotaWarnings, true);
  assert.equal((await call("QuotaWarningsSet", { on: "no" })).status, 400);
  assert.equal((await call("QuotaWarningsSet", { on: false })).status, 200);
  assert.equal((await call("Overview", {})).body.quotaWarnings, false);
  const conf = `${r.dir}/config/domains.conf`;
  assert.match(await Deno.readTextFile(conf), /^\t\tNoQuotaWarnings: true$/m);
  assert.equal(await fillTo(r, 85_000), 250);
  assert.equal((await call("QuotaWarningsSet", { on: true })).status, 200);
  assert.doesNotMatch(await Deno.readTextFile(conf), /NoQuotaWarnings: true/);
  // The level that was reached silently is said with the next message.
  assert.deepEqual(await warnings(r), []);
  assert.equal(await fillTo(r, 90_000), 250);
  await warned(r, [at80]);
});
