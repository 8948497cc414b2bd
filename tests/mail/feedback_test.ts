/** Complaints about messages (ARF), as providers send them. */
import assert from "node:assert/strict";
import { fc } from "../support/fast_check.ts";
import { parseFeedbackReport } from "../../src/mail/dsn/feedback_parse.ts";
import { headerField } from "../../src/mail/header/header.ts";

const utf8 = (s: string) => new TextEncoder().encode(s);

function report(
  content: string,
  original = "message/rfc822",
  type = "feedback-report",
): Uint8Array {
  return utf8(
    `From: <fbl@provider.example>\nContent-Type: multipart/report; report-type=${type}; boundary=b\n\n` +
      `--b\n\nA user complained.\n--b\nContent-Type: message/${type}\n\n${content}\n` +
      `--b\nContent-Type: ${original}\n\nMessage-ID: <1@ours.example>\nSubject: x\n\nbody\n--b--\n`,
  );
}

Deno.test("a complaint tells its kind, the recipients, and quotes the message", () => {
  const r = parseFeedbackReport(report(
    "Feedback-Type: Abuse\nUser-Agent: X/1\nVersion: 1\nOriginal-Rcpt-To: <a@provider.example>\n" +
      "Original-Rcpt-To: rfc822; b@provider.example\nOriginal-Mail-From: <me+1@ours.example>\n",
  ))!;
  assert.equal(r.type, "abuse");
  assert.deepEqual(r.recipients, ["a@provider.example", "b@provider.example"]);
  assert.equal(r.mailFrom, "me+1@ours.example");
  assert.equal(headerField(r.original, "message-id"), "<1@ours.example>");
  const header = parseFeedbackReport(report("Feedback-Type: abuse\n", "text/rfc822-headers"))!;
  assert.equal(headerField(header.original, "message-id"), "<1@ours.example>");
  assert.deepEqual([header.recipients, header.mailFrom], [[], ""]);
});

Deno.test("what is no complaint is none", () => {
  assert.equal(parseFeedbackReport(report("User-Agent: X/1\n")), undefined);
  assert.equal(
    parseFeedbackReport(report("Feedback-Type: abuse\n", "message/rfc822", "delivery-status")),
    undefined,
  );
  assert.equal(parseFeedbackReport(utf8("Subject: x\n\nFeedback-Type: abuse\n")), undefined);
});

Deno.test("any content is read or not, without failing", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (s) => {
    parseFeedbackReport(report(`Feedback-Type: abuse\n${s}`));
    parseFeedbackReport(utf8(s));
  }));
});

Deno.test("a failure report (RFC 6591) tells what failed, and of which message", () => {
  const r = parseFeedbackReport(report(
    "Feedback-Type: auth-failure\nVersion: 1\nAuth-Failure: DMARC (policy)\nReported-Domain: Ours.example\n" +
      "Source-IP: 192.0.2.1\nDelivery-Result: reject\nDKIM-Domain: ours.example\nDKIM-Selector: s1\n" +
      "Arrival-Date: Mon, 23 Nov 2026 10:11:12 +0000\nIncidents: 3\n",
  ))!;
  assert.equal(r.type, "auth-failure");
  assert.deepEqual(r.failure, {
    kind: "dmarc",
    domain: "ours.example",
    sourceIp: "192.0.2.1",
    delivery: "reject",
    dkimDomain: "ours.example",
    dkimSelector: "s1",
    spfDns: "",
    arrival: new Date("2026-11-23T10:11:12Z"),
    incidents: 3,
  });
  assert.equal(headerField(r.original, "subject"), "x");
});
