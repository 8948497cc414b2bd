/** Reports of other servers that arrive by mail, and what is kept to report to them. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { gzipSync } from "node:zlib";
import { zip } from "../reports/zip.ts";
import { mail, type Receiver, startReceiver } from "./receiver.ts";

const day = 24 * 3600;
const end = Math.floor(Date.now() / 1000 / day) * day;

const xml = (domain: string) =>
  `<?xml version="1.0"?><feedback><report_metadata><org_name>Sender</org_name>
<email>reports@sender.example</email><report_id>r1</report_id>
<date_range><begin>${end - day}</begin><end>${end}</end></date_range></report_metadata>
<policy_published><domain>${domain}</domain><p>none</p></policy_published>
<record><row><source_ip>192.0.2.3</source_ip><count>3</count><policy_evaluated>
<disposition>none</disposition><dkim>pass</dkim><spf>fail</spf></policy_evaluated></row>
<identifiers><header_from>${domain}</header_from></identifiers>
<auth_results><spf><domain>${domain}</domain><result>fail</result></spf></auth_results></record></feedback>`;

const json = (domain: string) =>
  JSON.stringify({
    "organization-name": "Sender",
    "date-range": {
      "start-datetime": new Date((end - day) * 1000).toISOString(),
      "end-datetime": new Date(end * 1000).toISOString(),
    },
    "contact-info": "reports@sender.example",
    "report-id": "t1",
    policies: [{
      policy: { "policy-type": "sts", "policy-domain": domain },
      summary: { "total-successful-session-count": 5, "total-failure-session-count": 0 },
    }],
  });

/** Sends a message with an attachment. */
async function report(
  r: Receiver,
  to: string,
  type: string,
  name: string,
  data: Uint8Array,
  signed = true,
) {
  const base64 = Buffer.from(data).toString("base64").replaceAll(/.{76}/g, "$&\n");
  const headers = `MIME-Version: 1.0
Content-Type: ${type}; name="${name}"
Content-Transfer-Encoding: base64
`;
  const reply = await r.send({
    to,
    text: mail({ to, headers, body: base64, subject: "Report Domain: ours.example" }),
    sign: signed ? "sender.example" : undefined,
  });
  assert.equal(reply.code, 250, reply.lines.join());
}
const unfoldedHeader = (m: string) => m.split("\r\n\r\n")[0].replaceAll(/\r\n[ \t]/g, " ");
const utf8 = (s: string) => new TextEncoder().encode(s);
const gz = (s: string) => new Uint8Array(gzipSync(utf8(s)));

Deno.test("DMARC reports are stored if they are ours and can be read", async (t) => {
  await using r = await startReceiver();
  const stored = () => r.server.reports!.dmarc.list(0, end + 1).length;
  const last = async () => unfoldedHeader((await r.messages("ann", "DMARC")).at(-1)!);
  const to = "dmarc@ours.example";
  await t.step("gzip", async () => {
    await report(r, to, "application/gzip", "r.xml.gz", gz(xml("ours.example")));
    assert.equal(stored(), 1);
    const [s] = r.server.reports!.dmarc.list(0, end + 1);
    assert.deepEqual([s.fromDomain, s.report.records[0].count], ["sender.example", 3]);
    assert.match(await last(), /^X-Mox-Reason: reporting; /m);
  });
  await t.step("the same again, in a zip file, is stored once", async () => {
    const file = zip([["r.xml", utf8(xml("ours.example"))]]);
    await report(r, to, "application/zip", "r.zip", file);
    assert.equal(stored(), 1);
  });
  await t.step("about a domain that is not ours", async () => {
    await report(r, to, "application/gzip", "r.xml.gz", gz(xml("else.example")));
    assert.equal(stored(), 1);
    assert.match(
      await last(),
      /^X-Mox-DMARCReport-Error: published policy domain unrecognized/m,
    );
  });
  await t.step("bombs stop at the limit", async () => {
    const bomb = new Uint8Array(gzipSync(new Uint8Array(64 * 1024 * 1024)));
    await report(r, to, "application/gzip", "r.xml.gz", bomb);
    assert.match(await last(), /^X-Mox-DMARCReport-Error: could not parse report: .*unpacked/m);
    const claimed = zip([["r.xml", new Uint8Array(64 * 1024 * 1024)]], { claimedSize: 100 });
    await report(r, to, "application/zip", "r.zip", claimed);
    assert.match(await last(), /^X-Mox-DMARCReport-Error: could not parse report: .*unpacked/m);
    assert.equal(stored(), 1);
  });
  await t.step("without DMARC pass", async () => {
    r.resolver.add({ "_dmarc.sender.example": { TXT: ["v=DMARC1; p=none"] } });
    r.resolver.add({ "sender.example": { TXT: ["v=spf1 ?all"] } });
    await report(r, to, "application/gzip", "r.xml.gz", gz(xml("ours.example")), false);
    assert.match(await last(), /^X-Mox-DMARCReport-Error: no DMARC pass/m);
  });
});

/** A failure report (RFC 6591) as OpenDMARC writes it. */
const failureReport = (to: string, domain: string, id: string) =>
  mail({
    to,
    subject: "FW: Invoice",
    messageId: id,
    headers: `MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="b"
`,
    body: `--b
Content-Type: text/plain

This is an authentication failure report.

--b
Content-Type: message/feedback-report

Feedback-Type: auth-failure
Version: 1
User-Agent: OpenDMARC-Filter/1.4.2
Auth-Failure: dmarc
Authentication-Results: mx.sender.example; dmarc=fail header.from=${domain}
Original-Envelope-Id: 5XY
Original-Mail-From: forger@cheap.example
Source-IP: 192.0.2.77 (bad.cheap.example)
Reported-Domain: ${domain}
Delivery-Result: reject

--b
Content-Type: text/rfc822-headers

From: "Chef" <chef@${domain}>
Subject: =?utf-8?q?Rechnung_f=C3=BCr_Sie?=
Message-ID: <forged@cheap.example>
--b--
`,
  });

Deno.test("DMARC failure reports are stored if they are ours", async (t) => {
  await using r = await startReceiver();
  const stored = () => r.server.reports!.failures.list(0, Date.now() + 1000);
  const to = "dmarc@ours.example";
  const send = async (domain: string, id: string, signed = true) => {
    const text = failureReport(to, domain, id);
    const reply = await r.send({ to, text, sign: signed ? "sender.example" : undefined });
    assert.equal(reply.code, 250, reply.lines.join());
    return unfoldedHeader((await r.messages("ann", "DMARC")).at(-1)!);
  };
  await t.step("what it tells of the message", async () => {
    const header = await send("ours.example", "<f1@sender.example>");
    assert.match(header, /^X-Mox-Reason: reporting; /m);
    assert.doesNotMatch(header, /X-Mox-DMARCReport-Error/);
    const [s] = stored();
    assert.equal(s.fromDomain, "sender.example");
    assert.deepEqual({ ...s.report, arrival: 0 }, {
      kind: "dmarc",
      domain: "ours.example",
      sourceIp: "192.0.2.77",
      delivery: "reject",
      dkimDomain: "",
      dkimSelector: "",
      spfDns: "",
      arrival: 0,
      incidents: 1,
      mailFrom: "forger@cheap.example",
      recipients: [],
      from: '"Chef" <chef@ours.example>',
      subject: "Rechnung für Sie",
      messageId: "<forged@cheap.example>",
    });
    assert.equal(r.server.reports!.dmarc.list(0, end + 1).length, 0);
  });
  await t.step("the same message again is stored once", async () => {
    await send("ours.example", "<f1@sender.example>");
    assert.equal(stored().length, 1);
  });
  await t.step("about a domain that is not ours", async () => {
    const header = await send("else.example", "<f2@sender.example>");
    assert.match(header, /^X-Mox-DMARCReport-Error: failure report for unknown domain/m);
    assert.equal(stored().length, 1);
  });
  await t.step("without DMARC pass", async () => {
    r.resolver.add({ "_dmarc.sender.example": { TXT: ["v=DMARC1; p=none"] } });
    r.resolver.add({ "sender.example": { TXT: ["v=spf1 ?all"] } });
    const header = await send("ours.example", "<f3@sender.example>", false);
    assert.match(header, /^X-Mox-DMARCReport-Error: no DMARC pass/m);
    assert.equal(stored().length, 1);
  });
});

Deno.test("TLS reports are stored if they are signed and ours", async () => {
  await using r = await startReceiver();
  const stored = () => r.server.reports!.tls.list(0, (end + 1) * 1000);
  const to = "tlsrpt@ours.example";
  await report(r, to, "application/tlsrpt+gzip", "t.json.gz", gz(json("ours.example")), false);
  const [unsigned] = await r.messages("ann", "TLSRPT");
  assert.match(unsigned, /^X-Mox-TLSReport-Error: no acceptable DKIM signature/m);
  assert.equal(stored().length, 0);
  await report(r, to, "application/tlsrpt+gzip", "t.json.gz", gz(json("ours.example")));
  const [s] = stored();
  assert.deepEqual([s.domain, s.fromDomain, s.hostReport], [
    "ours.example",
    "sender.example",
    false,
  ]);
  await report(r, to, "application/tlsrpt+json", "t.json", utf8(json("else.example")));
  assert.equal(stored().length, 1);
});

Deno.test("evaluations are kept for domains that ask for reports, not about other refusals", async () => {
  await using r = await startReceiver();
  const { evaluations } = r.server.reports!;
  const all = () => evaluations.list("sender.example", Date.now() + 1000);
  await r.send({ text: mail(), sign: "sender.example" });
  assert.equal(all().length, 1);
  const [e] = all();
  assert.equal(e.disposition, "none");
  assert.deepEqual([e.alignedDkimPass, e.alignedSpfPass, e.optional], [true, true, false]);
  assert.deepEqual(e.addresses, [{ address: "reports@sender.example" }]);
  assert.deepEqual([e.envelopeTo, e.headerFrom, e.sourceIp], [
    "ours.example",
    "sender.example",
    "127.0.0.1",
  ]);
  // Refused by the policy.
  r.resolver.add({ "other.example": { TXT: ["v=spf1 ip4:127.0.0.1 -all"] } });
  assert.equal((await r.send({ from: "x@other.example", text: mail() })).code, 550);
  assert.deepEqual(all().map((x) => x.disposition), ["none", "reject"]);
  // Refused for something else.
  await r.account("ann", (a) => {
    const inbox = a.mailboxByName("Inbox")!;
    return a.storeFlags(inbox.id, a.uids(inbox.id), "add", 64, []);
  });
  assert.equal((await r.send({ text: mail(), sign: "sender.example" })).code, 451);
  assert.equal(all().length, 2);
  // A report asks for none in return.
  await report(r, "dmarc@ours.example", "application/gzip", "r.xml.gz", gz(xml("ours.example")));
  assert.equal(all().length, 3);
  assert.equal(all().at(-1)!.optional, true);
});
