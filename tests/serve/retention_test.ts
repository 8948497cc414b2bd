/** Messages that are in a mailbox for longer than Retention says are removed; a legal hold keeps them. */
import assert from "node:assert/strict";
import { setLevel } from "../../src/log/mod.ts";
import { agedMail, keptDays, Retention } from "../../src/serve/retention.ts";
import { setAccountPassword } from "../../src/serve/logins.ts";
import { SpecialUse } from "../../src/store/types.ts";
import { ImapFlow } from "imapflow";
import { freePorts } from "./instance.ts";
import { mail, type Receiver, startReceiver } from "./receiver.ts";

for (const pkg of ["retention", "auth", "audit", "imapserver", "web"]) setLevel(pkg, "error");
const password = "correct horse";
const day = 24 * 3600_000;

const account = (name: string, more = "") =>
  `	${name}:
		Domain: ours.example
${more}		Destinations:
			${name}@ours.example: nil
`;
const domains = `Domains:
	ours.example: nil
Accounts:
${account("ann", "\t\tRetention:\n\t\t\tInbox: 10\n\t\t\t\\Junk: 0\n")}${account("bob")}${
  account("eve", "\t\tLegalHold: true\n\t\tRetention:\n\t\t\tInbox: 1\n")
}`;
const extra = "Retention:\n\tInbox: 100\n\t\\Trash: 30\n\t\\Junk: 14\n";

const put = (r: Receiver, name: string, mailbox: string, times: number) =>
  r.account(name, async (a) => {
    const file = `${r.dir}/message`;
    const text = "Subject: hello\r\n\r\nhello\r\n";
    await Deno.writeTextFile(file, text);
    for (let i = 0; i < times; i++) {
      await a.deliver(mailbox, { file, fileSize: text.length, prefix: new Uint8Array(0) });
    }
  });
const counts = (r: Receiver, name: string) =>
  r.account(name, (a) => ["Inbox", "Trash", "Junk"].map((m) => a.mailboxByName(m)!.total));

Deno.test("by name and special use, the account's before the server's; a hold keeps all", async () => {
  await using r = await startReceiver({ domains, extra });
  const { config, accounts } = r.server;
  const start = Date.now();
  for (const name of ["ann", "bob", "eve"]) {
    for (const mailbox of ["Inbox", "Trash", "Junk"]) await put(r, name, mailbox, 2);
  }
  let now = start;
  const trial = (name: string, at: number) =>
    r.account(name, (a) => agedMail({ config, accounts, now: () => at }, a));
  const size = "Subject: hello\r\n\r\nhello\r\n".length;
  assert.deepEqual(await trial("ann", start + 15 * day), [
    { mailbox: "Inbox", days: 10, messages: 2, size: 2 * size },
    { mailbox: "Trash", days: 30, messages: 0, size: 0 },
  ]);
  assert.deepEqual(await trial("eve", start + 500 * day), []);
  const retention = new Retention({ config, accounts, now: () => now });
  const all = async () => [
    await counts(r, "ann"),
    await counts(r, "bob"),
    await counts(r, "eve"),
  ];
  assert.equal(await retention.look(), true);
  assert.deepEqual(await all(), [[2, 2, 2], [2, 2, 2], [2, 2, 2]]);
  // Not twice on a day, by another process either.
  now = start + day - 1;
  assert.equal(await new Retention({ config, accounts, now: () => now }).look(), false);
  now = start + 10 * day;
  assert.equal(await retention.look(), true);
  assert.deepEqual(await all(), [[2, 2, 2], [2, 2, 2], [2, 2, 2]]);
  now = start + 15 * day;
  await retention.look();
  assert.deepEqual(await all(), [[0, 2, 2], [2, 2, 0], [2, 2, 2]]);
  now = start + 31 * day;
  await retention.look();
  assert.deepEqual(await all(), [[0, 0, 2], [2, 0, 0], [2, 2, 2]]);
  now = start + 101 * day;
  await retention.look();
  assert.deepEqual(await all(), [[0, 0, 2], [0, 0, 0], [2, 2, 2]]);
  // The hold ends: now its rules count.
  await config.writeDynamic((d) => {
    d.Accounts.get("eve")!.LegalHold = false;
  });
  now += day;
  await retention.look();
  assert.deepEqual(await counts(r, "eve"), [0, 0, 0]);
  const trash = { name: "Old", specialUse: SpecialUse.Trash | SpecialUse.Junk };
  assert.deepEqual(["ann", "bob", "nobody"].map((a) => keptDays(config, a, trash)), [
    undefined,
    30,
    undefined,
  ]);
  await retention.end();
});

Deno.test("thousands go in slices, new ones stay; what is moved to the trash today is kept", async () => {
  const [imap, http] = await freePorts(2);
  await using r = await startReceiver({
    domains,
    extra,
    smtp: `\t\tIMAP:\n\t\t\tEnabled: true\n\t\t\tPort: ${imap}\n\t\t\tNoRequireSTARTTLS: true\n` +
      `\t\tAccountHTTP:\n\t\t\tEnabled: true\n\t\t\tPort: ${http}\n`,
  });
  const { config, accounts } = r.server;
  await setAccountPassword(accounts, "bob", password);
  await put(r, "bob", "Trash", 2);
  await r.account("bob", async (a) => {
    const trash = a.mailboxByName("Trash")!.id;
    // 2,048 messages: 2 doubled ten times.
    for (let i = 0; i < 10; i++) await a.copy(trash, a.uids(trash), trash);
  });
  assert.deepEqual(await counts(r, "bob"), [0, 2048, 0]);
  assert.equal(
    (await r.send({
      to: "bob@ours.example",
      text: mail({ to: "bob@ours.example" }),
      sign: "sender.example",
    })).code,
    250,
  );
  const client = new ImapFlow({
    host: "127.0.0.1",
    port: imap,
    secure: false,
    doSTARTTLS: false,
    auth: { user: "bob@ours.example", pass: password },
    logger: false,
  });
  await client.connect();
  try {
    // From long ago by its date, but in the trash since now.
    await client.append(
      "INBOX",
      "Subject: old\r\n\r\nold\r\n",
      [],
      new Date(Date.now() - 900 * day),
    );
    await client.mailboxOpen("INBOX");
    await client.messageMove("2", "Trash", { uid: true });
    await client.mailboxOpen("Trash");
    const retention = new Retention({ config, accounts, now: () => Date.now() });
    await retention.look();
    assert.deepEqual(await counts(r, "bob"), [1, 2049, 0]);
    let seen = 0;
    const gone = Promise.withResolvers<void>();
    client.on("expunge", () => {
      if (++seen === 2049) gone.resolve();
    });
    const later = new Retention({ config, accounts, now: () => Date.now() + 40 * day });
    await later.look();
    assert.deepEqual(await counts(r, "bob"), [1, 0, 0]);
    // A program that has the mailbox open hears of it.
    await client.noop();
    await gone.promise;
  } finally {
    client.close();
  }
  const call = async (name: string, body: unknown, cookie = "") => {
    const res = await fetch(`http://127.0.0.1:${http}/api/${name}`, {
      method: "POST",
      headers: { "content-type": "application/json", "x-mox-request": "1", cookie },
      body: JSON.stringify(body),
    });
    return { cookie: res.headers.getSetCookie()[0]?.split(";")[0], body: await res.json() };
  };
  const { cookie } = await call("Login", { username: "bob@ours.example", password });
  assert.deepEqual((await call("Overview", {}, cookie)).body.retention, [
    { mailbox: "Inbox", days: 100 },
    { mailbox: "Junk", days: 14 },
    { mailbox: "Trash", days: 30 },
  ]);
});
