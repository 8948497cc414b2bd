/** Forwarding of what arrives: SRS, ARC, loops, and reports on their way back. */
import assert from "node:assert/strict";
import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import { Log } from "../../src/log/mod.ts";
import { authenticate, bytesSource } from "../../src/senderauth/mod.ts";
import { type FakeHost, fakeHost, type FakeMail, type FakeOptions } from "../smtp/fake_host.ts";
import { keyRecord } from "../senderauth/messages.ts";
import { mail, type Receiver, startReceiver } from "./receiver.ts";

const rsa = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
  publicKeyEncoding: { type: "spki", format: "pem" },
}).privateKey;

const domains = `Domains:
	ours.example:
		DKIM:
			Selectors:
				r:
					PrivateKeyFile: rsa.pem
					Canonicalization:
						HeaderRelaxed: true
						BodyRelaxed: true
			Sign:
				- r
		Aliases:
			team:
				PostPublic: true
				Addresses:
					- only@ours.example
					- plain@ours.example
			mixed:
				PostPublic: true
				Addresses:
					- plain@ours.example
					- carl@away.example
					- dora@home.example
			beyond:
				PostPublic: true
				Addresses:
					- carl@away.example
			closed:
				Addresses:
					- joe@sender.example
					- carl@away.example
Accounts:
	ann:
		Domain: ours.example
		ForwardTo:
			- ann@away.example
			- anna@home.example
		Destinations:
			ann@ours.example: nil
	only:
		Domain: ours.example
		ForwardTo:
			- only@away.example
		ForwardOnly: true
		Destinations:
			only@ours.example: nil
	plain:
		Domain: ours.example
		Destinations:
			plain@ours.example: nil
`;

async function withWorld(
  o: FakeOptions,
  fn: (r: Receiver, host: FakeHost) => Promise<void>,
): Promise<void> {
  await using host = await fakeHost({ extensions: ["8BITMIME", "SMTPUTF8"], ...o });
  await using r = await startReceiver({
    domains,
    outgoingPort: host.port,
    files: { "rsa.pem": rsa },
    zone: {
      "sender.example": {
        TXT: ["v=spf1 ip4:127.0.0.1 -all"],
        MX: ["10 mx.sender.example."],
      },
      "away.example": { A: ["127.0.0.1"] },
      "home.example": { A: ["127.0.0.1"] },
      "r._domainkey.ours.example": { TXT: [keyRecord(createPrivateKey(rsa))] },
    },
  });
  await fn(r, host);
}

async function settled(r: Receiver, host: FakeHost): Promise<FakeMail[]> {
  await r.server.queue.idle();
  return host.mails.toSorted((a, b) => a.to[0] < b.to[0] ? -1 : 1);
}

Deno.test("a message is delivered and goes on, with a rewritten sender and all that was verified", () =>
  withWorld({}, async (r, host) => {
    const text = mail({ subject: "onward" });
    assert.equal((await r.send({ text, sign: "sender.example" })).code, 250);
    const [away, home] = await settled(r, host);
    assert.equal((await r.messages("ann", "Inbox")).length, 1);
    assert.deepEqual([away.to, home.to], [["ann@away.example"], ["anna@home.example"]]);
    assert.match(
      away.from,
      /^SRS0=[a-z2-7]{8}=[a-z2-7]{2}=sender\.example=joe@ours\.example$/,
    );
    assert.match(away.data, /^Delivered-To: <ann@ours\.example>\r$/m);
    // Nor our own results: they are in the field of ARC.
    assert.doesNotMatch(away.data, /^(?:Return-Path|Authentication-Results|Received-SPF):/m);
    const bytes = new TextEncoder().encode(away.data);
    const end = away.data.indexOf("\r\n\r\n") + 4;
    const auth = await authenticate({
      headerBytes: bytes.subarray(0, end),
      message: bytesSource(bytes),
      remoteIp: "127.0.0.1",
      ehlo: "mail.example",
      mailFrom: away.from,
      hostname: "mx.away.example",
      resolver: r.resolver,
      log: new Log("senderauth"),
      now: new Date(),
    });
    // The sender's own signature holds still, so DMARC passes.
    assert.deepEqual(
      auth.dkim.map((d) => `${d.domain} ${d.status}`).sort(),
      ["ours.example pass", "sender.example pass"],
    );
    assert.equal(auth.dmarc.result, "pass");
    assert.equal(auth.arc.result, "pass");
    assert.match(
      away.data,
      /^ARC-Authentication-Results: i=1; mail\.example;[^]*?spf=pass[^]*?dkim=pass[^]*?dmarc=pass/m,
    );
  }));

Deno.test("a report from where it went finds its way back to the sender; nothing else does", () =>
  withWorld({}, async (r, host) => {
    await r.send({ text: mail(), to: "only@ours.example", sign: "sender.example" });
    const [{ from: via }] = await settled(r, host);
    // It was not kept.
    assert.deepEqual(await r.messages("only", "Inbox"), []);
    const report = mail({ from: "mailer-daemon@away.example", to: via, subject: "failed" });
    assert.equal((await r.send({ from: "", to: via, text: report })).code, 250);
    await r.server.queue.idle();
    const back = host.mails.at(-1)!;
    assert.deepEqual([back.from, back.to], ["", ["joe@sender.example"]]);
    assert.match(back.data, /^Subject: failed\r$/m);

    const refused = await r.send({ from: "spam@sender.example", to: via, text: report });
    assert.deepEqual([refused.code, refused.lines[0]], [
      550,
      "this address only takes delivery reports",
    ]);
    const forged = via.replace("=joe@", "=jim@");
    assert.equal((await r.send({ from: "", to: forged, text: report })).code, 550);
  }));

Deno.test("where it is refused, the one who wrote it is told", () =>
  withWorld(
    { rcpt: (l) => l.includes("away.example") ? "550 5.7.1 we take nothing" : undefined },
    async (r, host) => {
      await r.send({ text: mail({ subject: "to nowhere" }), to: "only@ours.example" });
      await r.server.queue.idle();
      const dsn = host.mails.at(-1)!;
      assert.deepEqual([dsn.from, dsn.to], ["", ["joe@sender.example"]]);
      assert.match(dsn.data, /^Final-Recipient: rfc822; only@ours\.example\r$/m);
      assert.doesNotMatch(dsn.data, /away/);
      assert.match(dsn.data, /^Original-Recipient: rfc822; only@ours\.example\r$/m);
      assert.match(dsn.data, /^To: <joe@sender\.example>\r$/m);
    },
  ));

Deno.test("who would rather have plain text than no mail gets that for what is forwarded, too", () =>
  withWorld({}, async (r, host) => {
    // TLSA records, and a server without TLS.
    const record = { usage: 3, selector: 1, matchingType: 1, data: new Uint8Array(32) };
    r.resolver.add({
      "away.example": { A: ["127.0.0.1"], authenticated: true },
      [`_${host.port}._tcp.away.example`]: { TLSA: [record], authenticated: true },
    });
    const send = (headers: string) =>
      r.send({ text: mail({ headers }), to: "only@ours.example", sign: "sender.example" });
    assert.equal((await send("TLS-Required: Yes\n")).code, 250);
    assert.deepEqual(await settled(r, host), []);
    assert.equal((await send("TLS-Required: No\n")).code, 250);
    assert.equal((await settled(r, host)).length, 1);
    assert.equal(r.server.queue.count(), 1);
  }));

Deno.test("a message that comes round again is kept, so it goes round no more", () =>
  withWorld({}, async (r, host) => {
    const headers = "Delivered-To: Only@ours.example\n";
    await r.send({ text: mail({ headers }), to: "only@ours.example" });
    assert.deepEqual(await settled(r, host), []);
    assert.equal((await r.messages("only", "Inbox")).length, 1);
  }));

Deno.test("what can't go on because its address is suppressed is kept", () =>
  withWorld({}, async (r, host) => {
    await r.server.queue.suppress({
      account: "only",
      address: "only@away.example",
      manual: false,
      reason: "gone",
    });
    await r.send({ text: mail(), to: "only@ours.example" });
    assert.deepEqual(await settled(r, host), []);
    assert.equal((await r.messages("only", "Inbox")).length, 1);
  }));

Deno.test("own senders stay, null senders too, and members of aliases forward", () =>
  withWorld({}, async (r, host) => {
    await r.send({
      from: "plain@ours.example",
      text: mail({ from: "plain@ours.example" }),
      to: "only@ours.example",
    });
    await r.send({ from: "", text: mail(), to: "only@ours.example", sign: "sender.example" });
    await r.send({ text: mail({ to: "team@ours.example" }), to: "team@ours.example" });
    await r.server.queue.idle();
    assert.deepEqual(
      host.mails.map((m) => m.from.replace(/=.*=/, "=")),
      ["plain@ours.example", "", "SRS0=joe@ours.example"],
    );
    assert.equal((await r.messages("plain", "Inbox")).length, 1);
  }));

Deno.test("a sender too long to be rewritten is replaced by the account's address", () =>
  withWorld({}, async (r, host) => {
    await r.send({
      from: `${"a".repeat(60)}@sender.example`,
      text: mail(),
      to: "only@ours.example",
    });
    assert.deepEqual((await settled(r, host)).map((m) => m.from), ["only@ours.example"]);
  }));

Deno.test("members of an alias at other servers get its mail as forwarded, with those here", () =>
  withWorld({}, async (r, host) => {
    const reply = await r.send({
      to: "mixed@ours.example",
      text: mail({ subject: "to all" }),
      sign: "sender.example",
    });
    assert.equal(reply.code, 250);
    const sent = await settled(r, host);
    assert.deepEqual(sent.map((m) => m.to), [["carl@away.example"], ["dora@home.example"]]);
    for (const m of sent) {
      assert.match(m.from, /^SRS0=[a-z2-7]{8}=[a-z2-7]{2}=sender\.example=joe@ours\.example$/);
      assert.match(m.data, /^ARC-Seal: /m);
      assert.match(m.data, /^Delivered-To: <mixed@ours\.example>\r$/m);
    }
    assert.equal((await r.messages("plain", "Inbox")).length, 1);
  }));

Deno.test("an alias with members elsewhere alone: judged here, kept nowhere, and not sent in circles", () =>
  withWorld({}, async (r, host) => {
    const to = "beyond@ours.example";
    assert.equal((await r.send({ to, text: mail(), sign: "sender.example" })).code, 250);
    assert.deepEqual((await settled(r, host)).map((m) => m.to), [["carl@away.example"]]);
    for (const a of ["ann", "plain"]) assert.deepEqual(await r.messages(a, "Inbox"), []);
    // What nobody vouches for is not passed on.
    const forged = await r.send({
      to,
      from: "mallory@forger.example",
      ehlo: "forger.example",
      text: mail({ from: "mallory@forger.example" }),
    });
    assert.equal(forged.code, 451, forged.lines.join());
    const circle = await r.send({
      to,
      text: `Delivered-To: <${to}>\n${mail()}`,
      sign: "sender.example",
    });
    assert.equal(`${circle.code} ${circle.status}`, "554 5.4.6", circle.lines.join());
    await r.server.queue.suppress({
      account: "ann",
      address: "carl@away.example",
      manual: true,
      reason: "test",
    });
    const refused = await r.send({ to, text: mail(), sign: "sender.example" });
    assert.equal(refused.code, 550, refused.lines.join());
    assert.equal((await settled(r, host)).length, 1);
  }));

Deno.test("a verified member elsewhere may write to a list for members, and does not get it", () =>
  withWorld({}, async (r, host) => {
    const to = "closed@ours.example";
    assert.equal((await r.send({ to, text: mail(), sign: "sender.example" })).code, 250);
    assert.deepEqual((await settled(r, host)).map((m) => m.to), [["carl@away.example"]]);
    const from = "zoe@sender.example";
    const other = await r.send({ to, from, text: mail({ from }), sign: "sender.example" });
    assert.equal(other.code, 550, other.lines.join());
  }));
