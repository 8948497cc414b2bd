/** Bounces and complaints that come in after a message was taken: they suppress recipients, if they are real. */
import assert from "node:assert/strict";
import { fakeHost } from "../smtp/fake_host.ts";
import { domainsConf, type Mail, type Receiver, startReceiver } from "./receiver.ts";

const domains = domainsConf.replace(
  "\tcas:\n",
  "\tcas:\n\t\tKeepRetiredMessagePeriod: 24h\n",
).replace(
  "\t\t\tcas@ours.example: nil\n",
  "\t\t\tcas@ours.example: nil\n\t\t\tabuse@ours.example: nil\n",
);

/** Sends a message of cas's to two recipients elsewhere, who take it. */
async function sent(r: Receiver, messageId: string, fromId = ""): Promise<void> {
  const file = `${r.dir}/sent`;
  const text = `Message-ID: ${messageId}\r\n\r\nhello\r\n`;
  await Deno.writeTextFile(file, text);
  await r.server.queue.add({
    senderAccount: "cas",
    mailFrom: fromId ? `cas+${fromId}@ours.example` : "cas@ours.example",
    recipients: [{ address: "one@there.example", fromId }, { address: "two@there.example" }],
    file,
    fileSize: text.length,
    prefix: new Uint8Array(0),
    smtputf8: false,
    has8bit: false,
    requireTls: false,
    messageId,
  });
  await r.server.queue.idle();
}

function report(type: string, content: string, messageId: string): string {
  return `From: <joe@sender.example>
To: <cas@ours.example>
Subject: about your message
Message-ID: <${crypto.randomUUID()}@sender.example>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=${type}; boundary=b

--b

See below.
--b
Content-Type: message/${type}

${content}
--b
Content-Type: text/rfc822-headers

Message-ID: ${messageId}
--b--
`;
}

const bounce = (address: string, status: string, messageId: string, action = "failed") =>
  report(
    "delivery-status",
    `Reporting-MTA: dns; mx.there.example

Final-Recipient: rfc822; ${address}
Action: ${action}
Status: ${status}
Diagnostic-Code: smtp; 550 ${status} not here any more
`,
    messageId,
  );
const complaint = (fields: string, messageId: string, type = "abuse") =>
  report(
    "feedback-report",
    `Feedback-Type: ${type}\nUser-Agent: X/1\nVersion: 1\n${fields}`,
    messageId,
  );

Deno.test("reports suppress recipients of messages that were sent, and nobody else", async () => {
  await using host = await fakeHost();
  await using r = await startReceiver({
    domains,
    zone: { "there.example": { A: ["127.0.0.1"] } },
    outgoingPort: host.port,
  });
  const { queue } = r.server;
  const id = "<1@ours.example>";
  await sent(r, id);
  assert.deepEqual(queue.retired().map((i) => i.outcome), ["delivered", "delivered"]);
  const list = () => queue.suppressions().map((s) => `${s.account} ${s.address}: ${s.reason}`);
  const say = async (text: string, more: Partial<Mail> = {}) => {
    const reply = await r.send({ text, to: "cas@ours.example", sign: "sender.example", ...more });
    assert.equal(reply.code, 250, reply.lines.join());
  };

  // Of another message, of somebody who never got it, not for good, not failed, to another account.
  await say(bounce("one@there.example", "5.1.1", "<2@ours.example>"));
  await say(bounce("else@there.example", "5.1.1", id));
  await say(bounce("one@there.example", "5.2.2", id));
  await say(bounce("one@there.example", "5.1.1", id, "delayed"));
  await say(bounce("one@there.example", "5.1.1", id), { to: "bob@ours.example" });
  await say(complaint("Original-Rcpt-To: one@there.example\n", id), { to: "bob@ours.example" });
  await say(complaint("Original-Rcpt-To: one@there.example\n", id, "not-spam"));
  await say(complaint("", id));
  // Its author is not verified.
  await say(complaint("Original-Rcpt-To: one@there.example\n", id).replace("joe@s", "joe@uns"), {
    from: "joe@unsender.example",
    sign: undefined,
  });
  assert.deepEqual(list(), []);

  await say(bounce("one@there.example", "5.1.1", id), { from: "" });
  assert.deepEqual(list(), [
    "cas one@there.example: bounced after it was taken: 550 5.1.1 not here any more",
  ]);
  await say(complaint("Original-Rcpt-To: <TWO@there.example>\n", id));
  assert.equal(list()[1], "cas two@there.example: complaint: abuse");
  // The next message to them is not sent.
  const before = host.mails.length;
  await sent(r, "<3@ours.example>");
  assert.equal(host.mails.length, before);
  assert.equal(queue.retired({ limit: 1 })[0].outcome, "suppressed");

  // By the unique sender, to the administrator and to abuse@.
  for (const to of ["ann@ours.example", "abuse@ours.example"]) {
    for (const s of queue.suppressions()) await queue.unsuppress(s.account, s.address);
    const fromId = `id${to.length}`;
    await sent(r, "<4@ours.example>", fromId);
    await say(complaint(`Original-Mail-From: cas+${fromId}@ours.example\n`, "<unknown@x>"), { to });
    assert.deepEqual(list(), ["cas one@there.example: complaint: abuse"]);
  }
});
