/** Webhooks of a whole server: what becomes of messages sent, and messages that come in. */
import assert from "node:assert/strict";
import nodemailer from "nodemailer";
import { type Receiver, receiver } from "../../support/hook_receiver.ts";
import { password, withApi, type World } from "./server.ts";

const config = (r: Receiver) =>
  "\t\tKeepRetiredMessagePeriod: 24h\n\t\tKeepRetiredWebhookPeriod: 24h\n" +
  `\t\tOutgoingWebhook:\n\t\t\tURL: ${r.url}\n\t\t\tAuthorization: Bearer out\n` +
  `\t\tIncomingWebhook:\n\t\t\tURL: ${r.url}\n\t\t\tAuthorization: Bearer in\n` +
  "\t\tFromIDLoginAddresses:\n\t\t\t- ann+id@mox.example\n";
const domain = "\t\tLocalpartCatchallSeparator: +\n";

const bodyOf = (r: Receiver, n: number) => JSON.parse(r.received[n].body);

async function smtp(w: World, mail: Record<string, unknown>): Promise<void> {
  const transport = nodemailer.createTransport({
    host: "127.0.0.1",
    port: w.smtpPort,
    ignoreTLS: true,
    name: "to.example",
  });
  try {
    await transport.sendMail(mail);
  } finally {
    transport.close();
  }
}

Deno.test("deliveries and failures are told, with what the sender gave along", async () => {
  await using r = await receiver();
  await withApi(async (w) => {
    const sent = await w.call("Send", {
      To: [{ Address: "bo@to.example" }],
      Subject: "Order",
      Text: "Hi",
      Extra: { order: "42" },
    });
    assert.equal(sent.status, 200, sent.text);
    await r.calls(1);
    const told = bodyOf(r, 0);
    assert.deepEqual(
      { ...told, WebhookQueued: undefined },
      {
        Version: 0,
        Event: "delivered",
        DSN: false,
        Suppressing: false,
        QueueMsgID: sent.json.Submissions[0].QueueMsgID,
        FromID: "",
        MessageID: sent.json.MessageID,
        Subject: "Order",
        WebhookQueued: undefined,
        SMTPCode: 0,
        SMTPEnhancedCode: "",
        Error: "",
        Extra: { order: "42" },
      },
    );
    assert.equal(r.received[0].headers.authorization, "Bearer out");
    w.host.options.rcpt = () => "550 5.1.1 no such user";
    await w.call("Send", { To: [{ Address: "cy@to.example" }], Subject: "Other", Text: "Hi" });
    await r.calls(2);
    const failed = bodyOf(r, 1);
    assert.deepEqual(
      [failed.Event, failed.SMTPCode, failed.SMTPEnhancedCode, failed.Suppressing],
      ["failed", 550, "5.1.1", true],
    );
    assert.match(failed.Error, /no such user/);
    await w.server.queue.idle();
    const present = await w.call("SuppressionPresent", { EmailAddress: "cy@to.example" });
    assert.deepEqual(present.json, { Present: true });
  }, { account: config(r), domain });
});

Deno.test("an incoming message is told, parsed, with how it came in", async () => {
  await using r = await receiver();
  await withApi(async (w) => {
    await smtp(w, {
      from: "Bo <bo@to.example>",
      to: "ann@mox.example",
      subject: "Grüße",
      text: "Schön, dich zu sehen",
      html: "<b>Schön</b>",
      messageId: "<in1@to.example>",
      attachments: [{ filename: "a.pdf", content: "%PDF" }],
    });
    await r.calls(1);
    const m = bodyOf(r, 0);
    assert.deepEqual(m.From, [{ Name: "Bo", Address: "bo@to.example" }]);
    assert.deepEqual([m.Subject, m.Text.trim(), m.HTML.trim(), m.MessageID], [
      "Grüße",
      "Schön, dich zu sehen",
      "<b>Schön</b>",
      "<in1@to.example>",
    ]);
    assert.equal(m.Structure.ContentType, "multipart/mixed");
    assert.equal(m.Structure.Parts[1].Filename, "a.pdf");
    assert.deepEqual(
      [m.Meta.MailFrom, m.Meta.RcptTo, m.Meta.MailboxName, m.Meta.Automated, m.Meta.RemoteIP],
      ["bo@to.example", "ann@mox.example", "Inbox", false, "127.0.0.1"],
    );
    assert.equal(r.received[0].headers.authorization, "Bearer in");
    const got = await w.call("MessageGet", { MsgID: m.Meta.MsgID });
    assert.equal(got.json.Message.Subject, "Grüße");
    await smtp(w, {
      from: "bo@to.example",
      to: "ann@mox.example",
      subject: "Away",
      text: "I am away",
      headers: { "Auto-Submitted": "auto-replied" },
    });
    await r.calls(2);
    assert.equal(bodyOf(r, 1).Meta.Automated, true);
  }, { account: config(r), domain });
});

Deno.test("an answer to a unique sender address is told as an event of what was sent", async () => {
  await using r = await receiver();
  await withApi(async (w) => {
    const sent = await w.call("Send", {
      To: [{ Address: "bo@to.example" }],
      Subject: "Order",
      Text: "Hi",
      Extra: { order: "7" },
    }, { login: "ann+id@mox.example" });
    const [{ FromID, QueueMsgID }] = sent.json.Submissions;
    await r.calls(1);
    assert.equal(bodyOf(r, 0).FromID, FromID);
    await w.server.queue.idle();
    await smtp(w, {
      envelope: { from: "", to: [`ann+${FromID}@mox.example`] },
      raw: [
        "From: postmaster@to.example",
        `To: ann+${FromID}@mox.example`,
        "Subject: failure",
        "MIME-Version: 1.0",
        "Content-Type: multipart/report; report-type=delivery-status; boundary=b",
        "",
        "--b",
        "Content-Type: text/plain",
        "",
        "It failed.",
        "--b",
        "Content-Type: message/delivery-status",
        "",
        "Reporting-MTA: dns; to.example",
        "",
        "Final-Recipient: rfc822; bo@to.example",
        "Action: failed",
        "Status: 5.2.2",
        "Diagnostic-Code: smtp; 552 mailbox full",
        "",
        "--b--",
        "",
      ].join("\r\n"),
    });
    await r.calls(2);
    const told = bodyOf(r, 1);
    assert.deepEqual(
      [told.Event, told.DSN, told.QueueMsgID, told.FromID, told.SMTPEnhancedCode, told.Extra],
      ["failed", true, QueueMsgID, FromID, "5.2.2", { order: "7" }],
    );
    await smtp(w, {
      envelope: { from: "bo@to.example", to: [`ann+${FromID}@mox.example`] },
      from: "bo@to.example",
      to: "ann@mox.example",
      subject: "?",
      text: "what is this",
    });
    await r.calls(3);
    assert.equal(bodyOf(r, 2).Event, "unrecognized");
  }, { account: config(r), domain });
});

Deno.test("only events that were asked for are told", async () => {
  await using r = await receiver();
  await withApi(async (w) => {
    await w.call("Send", { To: [{ Address: "bo@to.example" }], Subject: "1", Text: "Hi" });
    await w.server.queue.idle();
    w.host.options.rcpt = () => "550 5.7.1 no";
    await w.call("Send", { To: [{ Address: "cy@to.example" }], Subject: "2", Text: "Hi" });
    await r.calls(1);
    assert.equal(bodyOf(r, 0).Event, "failed");
  }, { account: `\t\tOutgoingWebhook:\n\t\t\tURL: ${r.url}\n\t\t\tEvents:\n\t\t\t\t- failed\n` });
});

Deno.test("the account page sets webhooks, calls an example, and shows calls that wait", async () => {
  await using r = await receiver();
  await withApi(async (w) => {
    const url = new URL("/api/", w.base);
    let cookie = "";
    const call = async (name: string, request: unknown) => {
      const response = await fetch(new URL(name, url), {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-Mox-Request": "1", Cookie: cookie },
        body: JSON.stringify(request),
      });
      cookie = response.headers.get("set-cookie")?.split(";", 1)[0] ?? cookie;
      return { status: response.status, json: await response.json() };
    };
    assert.equal((await call("Webhooks", {})).status, 401);
    await call("Login", { username: "ann@mox.example", password });
    const before = await call("Webhooks", {});
    assert.deepEqual([before.json.outgoing, before.json.incoming], [null, null]);
    assert.equal((await call("WebhookTest", { kind: "incoming" })).status, 422);
    const bad = { webhook: { url: "file:///etc/passwd", authorization: null } };
    assert.equal((await call("IncomingWebhookSet", bad)).status, 422);
    const webhook = { url: r.url, authorization: "Bearer page", events: ["failed"] };
    assert.equal((await call("OutgoingWebhookSet", { webhook })).status, 200);
    const tested = await call("WebhookTest", { kind: "outgoing" });
    assert.deepEqual([tested.json.code, tested.json.error], [200, ""]);
    assert.equal(r.received[0].headers.authorization, "Bearer page");
    assert.equal(bodyOf(r, 0).Event, "delivered");
    const shown = await call("Webhooks", {});
    assert.deepEqual(shown.json.outgoing, {
      url: r.url,
      hasAuthorization: true,
      events: ["failed"],
    });
    // Another receiver must not get what was meant for the first.
    const other = { webhook: { url: "https://other.example/", authorization: null, events: [] } };
    await call("OutgoingWebhookSet", other);
    assert.equal((await call("Webhooks", {})).json.outgoing.hasAuthorization, false);
    r.answer = (_n, res) => {
      res.statusCode = 500;
      res.end();
    };
    await call("OutgoingWebhookSet", { webhook: { ...webhook, events: [] } });
    await w.call("Send", { To: [{ Address: "bo@to.example" }], Subject: "Shown", Text: "Hi" });
    await r.calls(2);
    await w.server.webhooks!.hooks.idle();
    const [waits] = (await call("Webhooks", {})).json.calls;
    assert.deepEqual([waits.subject, waits.state, waits.attempts], ["Shown", "waits", 1]);
    assert.equal((await call("WebhookAct", { id: waits.id, action: "cancel" })).status, 200);
    assert.equal((await call("WebhookAct", { id: waits.id, action: "cancel" })).status, 404);
  });
});
