/** Delivery status notifications: ours come back, those of others are understood. */
import assert from "node:assert/strict";
import { fc } from "../support/fast_check.ts";
import { composeDsn, type Dsn } from "../../src/mail/dsn/dsn.ts";
import { parseDsn } from "../../src/mail/dsn/parse.ts";
import { headerField } from "../../src/mail/header/header.ts";
import { headersNeedUtf8 } from "../../src/mail/structure/structure.ts";

const utf8 = (s: string) => new TextEncoder().encode(s);
const text = (b: Uint8Array) => new TextDecoder().decode(b);

const dsn: Dsn = {
  action: "failed",
  reportingMta: "mx.example.org",
  to: "sender@example.org",
  arrival: new Date(0),
  date: new Date(1000),
  messageId: "dsn@mx.example.org",
  envelopeId: "a+b= c",
  originalMessageId: "orig@example.org",
  originalSubject: "x",
  recipients: [{
    finalRecipient: "gone@example.com",
    originalRecipient: { type: "rfc822", address: "old@example.com" },
    status: "5.1.1",
    remoteMta: "mx.example.com",
    diagnostic: "550 5.1.1 no such user",
    lastAttempt: new Date(2000),
  }, { finalRecipient: "two@example.com", status: "5.2.2" }],
  original: utf8("Message-ID: <orig@example.org>\r\nSubject: x\r\n"),
  originalIsWhole: false,
  smtputf8: false,
};

Deno.test("what we report is understood by us", () => {
  const d = parseDsn(composeDsn(dsn))!;
  assert.deepEqual(d.reportingMta, { type: "dns", value: "mx.example.org" });
  assert.equal(d.originalEnvelopeId, "a+b= c");
  assert.equal(d.arrivalDate!.getTime(), 0);
  assert.equal(d.recipients.length, 2);
  assert.deepEqual(d.recipients[0], {
    finalRecipient: { type: "rfc822", value: "gone@example.com" },
    originalRecipient: { type: "rfc822", value: "old@example.com" },
    action: "failed",
    status: "5.1.1",
    remoteMta: { type: "dns", value: "mx.example.com" },
    diagnosticCode: { type: "smtp", value: "550 5.1.1 no such user" },
    lastAttempt: new Date(2000),
    willRetryUntil: undefined,
  });
  assert.equal(headerField(d.original, "message-id"), "<orig@example.org>");
});

Deno.test("RFC 4865 §5.1.2: the request to hold a message is in the report about it", () => {
  assert.ok(!text(composeDsn(dsn)).includes("Future-Release-Request"));
  for (const holdRequest of ["for;3600", "until;2026-12-24T18:00:00Z"]) {
    const bytes = composeDsn({ ...dsn, holdRequest });
    // With the fields of the message, before those of its recipients.
    const fields = text(bytes).split("\r\n\r\n").find((b) => b.startsWith("Reporting-MTA:"))!;
    assert.match(fields, /^Arrival-Date: /m);
    assert.ok(fields.split("\r\n").includes(`Future-Release-Request: ${holdRequest}`));
    assert.equal(parseDsn(bytes)!.recipients.length, 2);
  }
});

Deno.test("delays, deliveries, whole originals and addresses beyond ASCII", () => {
  for (const action of ["failed", "delayed", "delivered", "relayed"] as const) {
    for (const originalIsWhole of [true, false]) {
      const d = parseDsn(composeDsn({
        ...dsn,
        action,
        originalIsWhole,
        original: utf8("Subject: ü\r\n\r\nbody\r\n"),
        smtputf8: true,
        recipients: [{
          finalRecipient: "ü@exämple.org",
          status: action === "delivered" ? "2.0.0" : "4.0.0",
          retryUntil: new Date(3000),
        }],
      }))!;
      assert.equal(d.recipients[0].action, action);
      assert.deepEqual(d.recipients[0].finalRecipient, { type: "utf-8", value: "ü@exämple.org" });
      assert.equal(d.recipients[0].willRetryUntil!.getTime(), 3000);
      assert.equal(headerField(d.original, "subject"), "ü");
    }
  }
});

Deno.test("without anything beyond ASCII in it, a notification is ASCII", () => {
  assert.match(text(composeDsn({ ...dsn, originalSubject: "ü" })), /^[\r\n\x20-\x7e]*$/);
});

Deno.test("a failure says what to do, by its status, each in its own lines", () => {
  const said = (status: string) =>
    text(composeDsn({ ...dsn, recipients: [{ finalRecipient: "a@b.example", status }] }))
      .split("\r\n\r\n").filter((p) => p.startsWith("    ")).join();
  assert.match(said("5.1.1"), /typing mistakes, or ask\s/);
  assert.match(said("5.1.10"), /takes no mail at all/);
  assert.match(said("5.2.2"), /mailbox is full/);
  assert.match(said("4.4.1"), /could not be\s+reached/);
  assert.match(said("5.7.1"), /refuses the message by its rules/);
  assert.match(said("5.7.30"), /verified TLS/);
  assert.match(said("5.0.0"), /administrator of your mail server/);
  for (const l of said("5.7.30").split("\r\n")) assert.ok(l.length <= 78, l);
});

Deno.test("a subject beyond ASCII needs no SMTPUTF8", () => {
  const bytes = composeDsn({
    ...dsn,
    originalSubject: "grüße",
    recipients: [{ finalRecipient: "jörg@example.com", status: "5.1.1" }],
  });
  assert.match(text(bytes), /^Subject: Message not delivered: =\?utf-8\?/im);
  assert.match(text(bytes), /^Final-Recipient: utf-8; jörg@example\.com\r$/m);
  assert.equal(headersNeedUtf8(bytes), false);
  assert.equal(headersNeedUtf8(composeDsn({ ...dsn, to: "jörg@example.org" })), true);
});

/** A report with this status part. */
function report(status: string, type = "message/delivery-status", encoding = "7bit"): Uint8Array {
  return utf8(
    `Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\ntext\n--b\n` +
      `Content-Type: ${type}\nContent-Transfer-Encoding: ${encoding}\n\n${status}\n--b--\n`,
  );
}

Deno.test("reports of others: lone LF, comments, brackets, encoded parts, missing parts", () => {
  const one = (status: string, ...more: string[]) => {
    const r = parseDsn(report(status, ...more))?.recipients;
    return r?.map((x) => `${x.finalRecipient.value} ${x.action} ${x.status}`);
  };
  const rcpt =
    "Final-Recipient: RFC822;<a@b.example>\nAction: Failed (really)\nStatus: 5.0.0 (no)\n";
  const want = ["a@b.example failed 5.0.0"];
  assert.deepEqual(one(`Reporting-MTA: dns; x\n\n${rcpt}`), want);
  assert.deepEqual(one(`\n\nReporting-MTA: dns; x\n\n\n\n${rcpt}\n\n`), want);
  assert.deepEqual(one(rcpt), want);
  assert.deepEqual(one(btoa(`A: x\n\n${rcpt}`), "message/delivery-status", "base64"), want);
  assert.deepEqual(
    one(
      "A: x\n\nFinal-Recipient: utf-8; \\x{FC}@b.example\nAction: delayed\nStatus: 4.0.0\n",
      "message/global-delivery-status",
    ),
    ["ü@b.example delayed 4.0.0"],
  );
  assert.equal(one("A: x\n\nFinal-Recipient: rfc822; a@b\nStatus: 5.0.0\n"), undefined);
  assert.equal(
    one("A: x\n\nFinal-Recipient: rfc822; a@b\nAction: failed\nStatus: bad\n"),
    undefined,
  );
  assert.equal(one(""), undefined);
  assert.equal(parseDsn(utf8("Subject: x\n\nFinal-Recipient: rfc822; a@b\n")), undefined);
});

Deno.test("any status part is read or not, without failing", () => {
  const piece = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom(
      "\n",
      "\n\n",
      "Final-Recipient: utf-8; \\x{d800}\\x{110000}+2",
      "Action: failed",
      "Status: 5.0.0",
      "Original-Envelope-Id: +zz+4",
      "Last-Attempt-Date: x",
    ),
  );
  fc.assert(fc.property(fc.array(piece), (pieces) => {
    parseDsn(report(pieces.join("\n")));
  }));
  fc.assert(fc.property(fc.uint8Array(), (b) => assert.equal(parseDsn(b), undefined)));
});

Deno.test("reports of many recipients are bounded", () => {
  const rcpt = "Final-Recipient: rfc822; a@b\nAction: failed\nStatus: 5.0.0\n\n";
  assert.equal(parseDsn(report(`A: x\n\n${rcpt.repeat(5000)}`))!.recipients.length, 1000);
});

Deno.test("originals are labelled by what they hold, and long answers are folded", () => {
  const typeOf = (original: string, originalIsWhole: boolean) => {
    const t = text(composeDsn({ ...dsn, original: utf8(original), originalIsWhole }));
    const part = t.slice(t.lastIndexOf("Content-Type:"));
    return /^Content-Type: (\S+)\r\nContent-Transfer-Encoding: (\S+)/.exec(part)!.slice(1).join(
      " ",
    );
  };
  assert.equal(typeOf("Subject: x\r\n\r\nb\r\n", true), "message/rfc822 7bit");
  assert.equal(typeOf("Subject: x\r\n\r\n\u00fc\r\n", true), "message/rfc822 8bit");
  assert.equal(typeOf("Subject: \u00fc\r\n\r\nb\r\n", true), "message/global 8bit");
  assert.equal(typeOf("Subject: x\r\n", false), "text/rfc822-headers 7bit");
  assert.equal(typeOf("Subject: \u00fc\r\n", false), "message/global-headers 8bit");

  const diagnostic = `550 5.7.1 ${"a long story ".repeat(40)}`.trim();
  const long = composeDsn({
    ...dsn,
    originalSubject: "many words ".repeat(30),
    recipients: [{ ...dsn.recipients[0], diagnostic }],
  });
  for (const line of text(long).split("\r\n")) assert.ok(line.length <= 100, line);
  assert.equal(parseDsn(long)!.recipients[0].diagnosticCode!.value, diagnostic);
});
