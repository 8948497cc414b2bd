/** Commands that look into the DNS and into messages, each as a process of its own. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { gzipSync } from "node:zlib";
import { mox } from "../support/localserve.ts";
import { ed25519Private, keyRecord } from "../senderauth/messages.ts";
import { writeSmallConfig } from "../serve/instance.ts";
import { zoneServer } from "./dns_server.ts";

const zone = {
  "sender.example": {
    A: ["192.0.2.7"],
    MX: ["10 mx.sender.example"],
    TXT: ["some text", "v=spf1 ip4:192.0.2.0/24 a -all"],
  },
  "7.2.0.192.in-addr.arpa": { PTR: ["mx.sender.example"] },
  "_dmarc.sender.example": {
    TXT: [
      "v=DMARC1; p=reject; rua=mailto:a@sender.example,mailto:b@yes.example,mailto:c@no.example",
    ],
  },
  "sender.example._report._dmarc.yes.example": { TXT: ["v=DMARC1"] },
  "s1._domainkey.sender.example": { TXT: [keyRecord(ed25519Private)] },
  "_smtp._tls.sender.example": { TXT: ["v=TLSRPTv1; rua=mailto:tls@sender.example"] },
  "broken.example": { TXT: ["v=spf1 -everything"] },
  "2.0.0.127.bl.example": { A: ["127.0.0.2"] },
  "7.2.0.192.bl.example": { A: ["127.0.0.3"], TXT: ["sends spam"] },
};

Deno.test("dns lookup prints records and whether they were authenticated", async () => {
  using dns = await zoneServer(zone);
  const mx = await mox(["dns", "lookup", ...dns.flag, "mx", "sender.example"]);
  assert.equal(
    mx.stdout,
    "sender.example MX: 1 records, with DNSSEC, ttl 60s\n  10 mx.sender.example\n",
  );
  const both = await mox(["dns", "lookup", ...dns.flag, "sender.example"]);
  assert.match(both.stdout, /A: 1 records.*\n {2}192\.0\.2\.7\n.*AAAA: no such record \(nodata/);
  assert.match((await mox(["dns", "lookup", ...dns.flag, "192.0.2.7"])).stdout, /mx\.sender/);
  const none = await mox(["dns", "lookup", ...dns.flag, "txt", "nothere.example"]);
  assert.deepEqual([none.code, /nxdomain/.test(none.stdout)], [1, true]);
  assert.equal((await mox(["dns", "lookup", ...dns.flag, "nosuch", "x.example"])).code, 2);
  assert.equal((await mox(["dns", "lookup", "-server", "x", "x.example"])).code, 2);
});

Deno.test("dnsbl check and checkhealth", async () => {
  using dns = await zoneServer(zone);
  const listed = await mox(["dnsbl", "check", ...dns.flag, "bl.example", "192.0.2.7"]);
  assert.deepEqual([listed.code, listed.stdout], [1, "fail: 127.0.0.3: sends spam\n"]);
  const clean = await mox(["dnsbl", "check", ...dns.flag, "bl.example", "192.0.2.8"]);
  assert.deepEqual([clean.code, clean.stdout], [0, "pass\n"]);
  assert.equal((await mox(["dnsbl", "checkhealth", ...dns.flag, "bl.example"])).code, 0);
  const dead = await mox(["dnsbl", "checkhealth", ...dns.flag, "dead.example"]);
  assert.deepEqual([dead.code, /127\.0\.0\.2/.test(dead.stdout)], [1, true]);
});

Deno.test("spf check, lookup and parse", async () => {
  using dns = await zoneServer(zone);
  const pass = await mox(["spf", "check", ...dns.flag, "sender.example", "192.0.2.9"]);
  assert.equal(pass.code, 0, pass.stderr);
  assert.match(pass.stdout, /^pass, with DNSSEC\nmechanism: ip4:192\.0\.2\.0\/24\n/);
  const fail = await mox(["spf", "check", ...dns.flag, "x@sender.example", "198.51.100.1"]);
  assert.deepEqual([fail.code, fail.stdout.split(",")[0]], [1, "fail"]);
  const record = await mox(["spf", "lookup", ...dns.flag, "sender.example"]);
  assert.match(record.stdout, /^1 SPF records, with DNSSEC\nv=spf1 .*\n {2}pass {5}ip4:/);
  const broken = await mox(["spf", "lookup", ...dns.flag, "broken.example"]);
  assert.deepEqual([broken.code, /malformed/.test(broken.stdout)], [1, true]);
  const parsed = await mox(["spf", "parse", "v=spf1", "mx", "~all", "x=y"]);
  assert.equal(parsed.stdout, "  pass     mx\n  softfail ~all\n  ignored  x=y\n");
  assert.equal((await mox(["spf", "parse", "v=spf2"])).code, 1);
});

const text = `From: <joe@sender.example>
To: <ann@ours.example>
Subject: signed

Hello.
`;

Deno.test("dkim: keys are made, published, sign, and are verified", async () => {
  const dir = await Deno.makeTempDir();
  try {
    await writeSmallConfig(dir, { ports: { smtp: 1, imap: 2 } });
    const config = ["-config", `${dir}/config/mox.conf`];
    const records: Record<string, { TXT: string[] }> = {};
    for (const [name, command] of [["ed", "gened25519"], ["rsa", "genrsa"]]) {
      const key = await mox(["dkim", command]);
      assert.match(key.stdout, /^-----BEGIN PRIVATE KEY-----\n/);
      await Deno.writeTextFile(`${dir}/config/${name}.pem`, key.stdout);
      const txt = await mox(["dkim", "txt"], key.stdout);
      const strings = [...txt.stdout.matchAll(/"([^"]*)"/g)].map((m) => m[1]);
      assert.ok(strings.every((s) => s.length <= 255));
      records[`${name}._domainkey.mox.example`] = { TXT: [strings.join("")] };
    }
    await Deno.writeTextFile(
      `${dir}/config/domains.conf`,
      `Domains:
	mox.example:
		DKIM:
			Selectors:
				ed:
					PrivateKeyFile: ed.pem
				rsa:
					Expiration: 72h
					PrivateKeyFile: rsa.pem
			Sign:
				- ed
				- rsa
Accounts:
	ann:
		Domain: mox.example
		Destinations:
			ann@mox.example: nil
`,
    );
    const own = text.replace("joe@sender.example", "ann@mox.example");
    const signed = await mox([...config, "dkim", "sign"], own);
    assert.equal(signed.code, 0, signed.stderr);
    assert.equal(signed.stdout.match(/^DKIM-Signature: /gm)!.length, 2);
    using dns = await zoneServer(records);
    const verified = await mox(["dkim", "verify", ...dns.flag], signed.stdout + own);
    assert.equal(verified.code, 0, verified.stderr);
    assert.match(verified.stdout, /^pass: domain mox\.example, selector ed, ed25519-sha256/m);
    assert.match(
      verified.stdout,
      /^pass: domain mox\.example, selector rsa, rsa-sha256, 2048 bits/m,
    );
    const changed = own.replace("Hello", "Hullo");
    assert.equal((await mox(["dkim", "verify", ...dns.flag], signed.stdout + changed)).code, 1);
    const key = await mox(["dkim", "lookup", ...dns.flag, "rsa", "mox.example"]);
    assert.equal(key.stdout, "rsa key of 2048 bits, with DNSSEC\n");
    assert.equal((await mox(["dkim", "lookup", ...dns.flag, "x", "mox.example"])).code, 1);
    assert.match((await mox([...config, "dkim", "sign"], text)).stderr, /not a domain of the conf/);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("dmarc lookup, verify and checkreportaddrs", async () => {
  using dns = await zoneServer(zone);
  const found = await mox(["dmarc", "lookup", ...dns.flag, "mail.sender.example"]);
  assert.match(found.stdout, /^at _dmarc\.sender\.example, with DNSSEC$/m);
  assert.match(found.stdout, /^policy for mail\.sender\.example: reject, for 100% of messages$/m);
  assert.equal((await mox(["dmarc", "lookup", ...dns.flag, "none.example"])).code, 1);
  const verify = (ip: string) =>
    mox(["dmarc", "verify", ...dns.flag, ip, "joe@sender.example", "mx.sender.example"], text);
  const pass = await verify("192.0.2.1");
  assert.deepEqual([pass.code, /^dmarc: pass for sender/m.test(pass.stdout)], [0, true]);
  const fail = await verify("198.51.100.1");
  assert.equal(fail.code, 1);
  assert.match(fail.stdout, /^the policy asks to reject the message$/m);
  const addresses = await mox(["dmarc", "checkreportaddrs", ...dns.flag, "sender.example"]);
  assert.equal(addresses.code, 1);
  assert.match(addresses.stdout, /a@sender\.example: ok, of the same organisation/);
  assert.match(addresses.stdout, /b@yes\.example: ok, yes\.example takes reports/);
  assert.match(addresses.stdout, /c@no\.example: no\.example does not take reports/);
});

/** A message with a report attached. */
const withReport = (name: string, data: string) =>
  `From: <r@sender.example>
MIME-Version: 1.0
Content-Type: application/gzip; name="${name}"
Content-Transfer-Encoding: base64

${Buffer.from(gzipSync(data)).toString("base64").replaceAll(/.{76}/g, "$&\n")}
`;

Deno.test("reports in messages are printed", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const xml = "<feedback><report_metadata><org_name>Sender</org_name><email>a@b.example</email>" +
      "<report_id>1</report_id><date_range><begin>1</begin><end>2</end></date_range></report_metadata>" +
      "<policy_published><domain>ours.example</domain><p>none</p></policy_published></feedback>";
    await Deno.writeTextFile(`${dir}/dmarc.eml`, withReport("r.xml.gz", xml));
    const dmarc = await mox(["dmarc", "parsereportmsg", `${dir}/dmarc.eml`]);
    assert.equal(dmarc.code, 0, dmarc.stdout + dmarc.stderr);
    assert.match(dmarc.stdout, /<domain>ours\.example<\/domain>/);
    const json = JSON.stringify({
      "organization-name": "Sender",
      "date-range": {
        "start-datetime": "2026-01-01T00:00:00Z",
        "end-datetime": "2026-01-01T23:59:59Z",
      },
      "contact-info": "a@b.example",
      "report-id": "t",
      policies: [{
        policy: { "policy-type": "sts", "policy-domain": "ours.example" },
        summary: { "total-successful-session-count": 1, "total-failure-session-count": 0 },
      }],
    });
    const tls = await mox(["tlsrpt", "parsereportmsg"], withReport("t.json.gz", json));
    assert.equal(JSON.parse(tls.stdout)["organization-name"], "Sender");
    const none = await mox(["tlsrpt", "parsereportmsg"], text);
    assert.deepEqual([none.code, /no attachment/.test(none.stdout)], [1, true]);
    assert.equal((await mox(["dmarc", "parsereportmsg"], text)).code, 1);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("tlsrpt lookup and message parse", async () => {
  using dns = await zoneServer(zone);
  const tls = await mox(["tlsrpt", "lookup", ...dns.flag, "sender.example"]);
  assert.match(tls.stdout, /, with DNSSEC\n {2}mailto:tls@sender\.example\n$/);
  assert.equal((await mox(["tlsrpt", "lookup", ...dns.flag, "none.example"])).code, 1);
  const parsed = JSON.parse((await mox(["message", "parse"], text)).stdout);
  assert.equal(parsed.size, Buffer.byteLength(text.replaceAll("\n", "\r\n")));
  assert.equal(parsed.summary.from[0].address, "joe@sender.example");
  assert.deepEqual(parsed.header[2], ["subject", "signed"]);
  assert.equal(parsed.structure.type, "text/plain");
});
