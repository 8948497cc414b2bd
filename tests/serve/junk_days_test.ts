/** How junk went for an account: what came, what was refused, and what its user put right. */
import assert from "node:assert/strict";
import { Flag } from "../../src/store/types.ts";
import { until } from "../support/listening.ts";
import { domainsConf, mail, startReceiver } from "./receiver.ts";

const phishing = `From: "PayPal" <joe@sender.example>
To: ann@ours.example
Subject: Your account
Content-Type: text/html

<p>Your account is limited.</p><a href="https://pay.evil.test/">paypal.com/login</a>
`;

Deno.test("good mail, junk, refused mail, and what the user corrects are counted by day", async () => {
  await using r = await startReceiver({ domains: domainsConf });
  const counts = () => {
    // Of two days, should one end meanwhile.
    const days = r.server.junkDays("ann", 2);
    return (["good", "junk", "refused", "missed", "falseAlarms"] as const)
      .map((what) => days.reduce((n, d) => n + d[what], 0));
  };
  assert.deepEqual(counts(), [0, 0, 0, 0, 0]);
  assert.equal((await r.send({ text: phishing, sign: "sender.example" })).code, 250);
  assert.equal((await r.send({ text: mail(), sign: "sender.example" })).code, 250);
  assert.equal((await r.send({ from: "x@forger.example", text: mail() })).code, 550);
  assert.deepEqual(counts(), [1, 1, 1, 0, 0]);
  // A report is for the administrator's pages.
  const report = mail({ to: "dmarc@ours.example" });
  await r.send({ to: "dmarc@ours.example", text: report, sign: "sender.example" });
  assert.deepEqual(counts(), [1, 1, 1, 0, 0]);
  const mark = (mailbox: string, flag: number) =>
    r.account("ann", async (a) => {
      const { id } = a.mailboxByName(mailbox)!;
      await a.storeFlags(id, a.uids(id), "remove", Flag.Junk | Flag.NotJunk, []);
      await a.storeFlags(id, a.uids(id), "add", flag, []);
    });
  const stand = () => Promise.resolve(counts().join());
  await mark("Inbox", Flag.Junk);
  await until(() => counts()[3] === 1, stand);
  await mark("Junk", Flag.NotJunk);
  await until(() => counts()[4] === 1, stand);
  assert.deepEqual(counts(), [1, 1, 1, 1, 1]);
  // What came right and is marked so is no correction.
  assert.equal(
    (await r.send({ to: "bob@ours.example", text: mail(), sign: "sender.example" })).code,
    250,
  );
  const bob = r.server.junkDays("bob", 2);
  assert.equal(bob.reduce((n, d) => n + d.good, 0), 1);
  assert.equal(bob.reduce((n, d) => n + d.missed + d.falseAlarms, 0), 0);
});
