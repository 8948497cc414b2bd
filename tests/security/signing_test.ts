/**
 * What a verifier at the far end says of mail that we pass on: forgeries in our name get no signature of ours, by any
 * way out; what is genuine, or in other names, goes on signed and sealed.
 */
import assert from "node:assert/strict";
import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import { Log } from "../../src/log/mod.ts";
import { authenticate, bytesSource } from "../../src/senderauth/mod.ts";
import { ed25519Private, keyRecord } from "../senderauth/messages.ts";
import { vouches } from "../../src/serve/onward/vouch.ts";
import { mail, type Receiver, startReceiver } from "../serve/receiver.ts";
import { type FakeHost, fakeHost, type FakeMail } from "../smtp/fake_host.ts";

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
					- ann@ours.example
			outside:
				PostPublic: true
				Addresses:
					- ann@away.example
					- bob@ours.example
Accounts:
	ann:
		Domain: ours.example
		ForwardTo:
			- ann@away.example
		Destinations:
			ann@ours.example:
				Rulesets:
					-
						HeadersRegexp:
							^list-id$: <talk\\.sender\\.example>
						ListAllowDomain: sender.example
						Mailbox: Lists
	bob:
		Domain: ours.example
		Destinations:
			bob@ours.example: nil
	sid:
		Domain: ours.example
		Destinations:
			sid@ours.example:
				Rulesets:
					-
						HeadersRegexp:
							^list-id$: <talk\\.sender\\.example>
						ListAllowDomain: sender.example
						Mailbox: Lists
`;

/** Sieve's way out, with a header that the script has changed. */
const script = `require ["copy", "editheader"];
addheader "X-By" "sid";
redirect :copy "sid@away.example";
`;
/** Who passes mail on: by ForwardTo, an alias of one who does, an alias of an outside address, a script. */
const ways = ["ann", "team", "outside", "sid"].map((n) => `${n}@ours.example`);

/** How our domain publishes DMARC, if at all. */
const policies = { none: undefined, reject: "v=DMARC1; p=reject" };

async function withWorld(
  policy: keyof typeof policies,
  fn: (r: Receiver, host: FakeHost) => Promise<void>,
): Promise<void> {
  await using host = await fakeHost({ extensions: ["8BITMIME", "SMTPUTF8"] });
  await using r = await startReceiver({
    domains,
    outgoingPort: host.port,
    files: { "rsa.pem": rsa },
    zone: {
      "away.example": { A: ["127.0.0.1"] },
      "r._domainkey.ours.example": { TXT: [keyRecord(createPrivateKey(rsa))] },
      "s1._domainkey.ours.example": { TXT: [keyRecord(ed25519Private)] },
      "s1._domainkey.sub.ours.example": { TXT: [keyRecord(ed25519Private)] },
      ...policies[policy] ? { "_dmarc.ours.example": { TXT: [policies[policy]] } } : {},
    },
  });
  await r.server.sieve!.scripts.put("sid", "main", script);
  await r.server.sieve!.scripts.setActive("sid", "main");
  await fn(r, host);
}

/** What a verifier finds: domains whose signatures pass, DMARC, and ARC. */
async function verified(r: Receiver, m: FakeMail) {
  const bytes = new TextEncoder().encode(m.data);
  const auth = await authenticate({
    headerBytes: bytes.subarray(0, m.data.indexOf("\r\n\r\n") + 4),
    message: bytesSource(bytes),
    // From elsewhere: only signatures can vouch.
    remoteIp: "198.51.100.1",
    ehlo: "mail.example",
    mailFrom: m.from,
    hostname: "mx.away.example",
    resolver: r.resolver,
    log: new Log("senderauth"),
    now: new Date(),
  });
  return {
    signed: auth.dkim.filter((d) => d.status === "pass").map((d) => d.domain).sort(),
    dmarc: auth.dmarc.result,
    arc: auth.arc.result,
  };
}

const forgeries: [string, string][] = [
  ["in our name", "From: The boss <ceo@ours.example>"],
  ["in the name of a subdomain of ours", "From: <ceo@sub.ours.example>"],
  ["in our name in capitals, folded", "From:\n The boss <ceo@OURS.Example>"],
  ["with our name among several", "From: <joe@sender.example>, <ceo@ours.example>"],
  ["with two addresses in one", "From: <ceo@ours.example> <joe@sender.example>"],
  ["with an address in place of a name", "From: ceo@ours.example <joe@sender.example>"],
  ["with two From fields", "From: <joe@sender.example>\nFrom: <ceo@ours.example>"],
  ["with a comment", "From: ceo(@x.example)@ours.example (\\()"],
];

for (const policy of ["none", "reject"] as const) {
  Deno.test(`forwarded forgeries get no signature of ours (DMARC of our domain: ${policy})`, () =>
    withWorld(policy, async (r, host) => {
      for (const to of ways) {
        for (const [what, from] of forgeries) {
          const text = mail({ to, headers: "List-Id: <talk.sender.example>" })
            .replace(/^From: .*$/m, from);
          // Signed by somebody whose lists are let in, so that even a policy is overridden.
          const reply = await r.send({ text, to, sign: "sender.example" });
          await r.server.queue.idle();
          const sent = host.mails.splice(0);
          if (reply.code !== 250) {
            assert.equal(sent.length, 0, what);
            continue;
          }
          assert.equal(sent.length, 1, what);
          const v = await verified(r, sent[0]);
          assert.deepEqual(v.signed.filter((d) => d !== "sender.example"), [], `${what}: ${to}`);
          assert.notEqual(v.dmarc, "pass", what);
          assert.equal(v.arc, "pass", what);
        }
      }
    }));
}

Deno.test("a signature of ours that comes with a forgery is not renewed on the way", () =>
  withWorld("none", async (r, host) => {
    const forged =
      "DKIM-Signature: v=1; a=rsa-sha256; d=ours.example; s=r; h=from; bh=AAAA; b=AAAA\n";
    const text = forged + mail({ from: "ceo@ours.example", body: "Jörg" });
    assert.equal((await r.send({ text })).code, 250);
    await r.server.queue.idle();
    const v = await verified(r, host.mails[0]);
    assert.deepEqual(v.signed, []);
  }));

Deno.test("what is genuine, and what is in other names, goes on signed and sealed", () =>
  withWorld("reject", async (r, host) => {
    const cases: [string, string | undefined, string[]][] = [
      // Ours, and shown to be.
      ["ceo@ours.example", "ours.example", ["ours.example", "ours.example"]],
      ["joe@sender.example", "sender.example", ["ours.example", "sender.example"]],
      // Somebody else's, without proof: our signature claims nothing of theirs.
      ["x@unknown.example", undefined, ["ours.example"]],
    ];
    for (const to of ways) {
      for (const [from, sign, signed] of cases) {
        const reply = await r.send({ to, text: mail({ from, to }), sign });
        assert.equal(reply.code, 250, `${from} to ${to}: ${reply.lines}`);
        await r.server.queue.idle();
        const v = await verified(r, host.mails.splice(0)[0]);
        // What a script has changed is not what was shown to be ours any more.
        const ours = to.startsWith("sid@") && from.endsWith("@ours.example");
        assert.deepEqual(v.signed, ours ? ["ours.example"] : signed, `${from} to ${to}`);
        assert.equal(v.arc, "pass");
      }
    }
  }));

Deno.test("what lies in a mailbox is vouched for only where its From has nothing to do with us", () => {
  const header = (from: string) => new TextEncoder().encode(`${from}\r\nSubject: x\r\n\r\n`);
  for (const [, from] of forgeries) {
    assert.equal(vouches("ours.example", header(from.replaceAll("\n", "\r\n")), undefined), false);
  }
  for (const odd of ["Subject: no author", " From: ceo@ours.example", "From: nobody"]) {
    assert.equal(vouches("ours.example", header(odd), undefined), false, odd);
  }
  assert.equal(vouches("ours.example", header("From: <joe@sender.example>"), undefined), true);
  const behind = `From: <joe@sender.example>\r\n${"a:\r\n".repeat(6000)}From: <ceo@ours.example>`;
  assert.equal(vouches("ours.example", header(behind), undefined), false);
});
