/** Programs made for Mailpit's API, unchanged, against localserve as people start it. */
import assert from "node:assert/strict";
import { MailpitClient } from "mailpit-api";
import nodemailer from "nodemailer";
import { type Localserve, startLocalserve, startMox } from "../support/localserve.ts";

async function withServer(
  flags: string[],
  fn: (s: Localserve, mailpit: MailpitClient, base: string) => Promise<void>,
): Promise<void> {
  const s = await startLocalserve(undefined, flags);
  try {
    const base = `http://127.0.0.1:${s.http}`;
    await fn(s, new MailpitClient(base), base);
  } finally {
    await s.close();
  }
}

/** A mailer without a login, as a program under test has it. */
const mailer = (s: Localserve, auth?: { user: string; pass: string }) =>
  nodemailer.createTransport({
    host: "127.0.0.1",
    port: s.smtp,
    secure: false,
    auth,
    tls: { rejectUnauthorized: false },
  });

const logo =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

Deno.test("mailpit-api: its calls find, show, tag and delete what programs have sent", async () => {
  await withServer([], async (s, mailpit, base) => {
    await mailer(s, { user: "app", pass: "whatever" }).sendMail({
      from: "Shop <shop@example.org>",
      to: "Ann <ann+orders@example.org>",
      cc: "carl@example.org",
      bcc: "secret@example.org",
      subject: "Order 17",
      headers: { "X-Tags": "mails, order" },
      text: "thank you",
      html: '<p style="display:flex">thank <b>you</b><img src="cid:logo"></p>',
      attachments: [
        { filename: "a b.txt", content: "content of a file" },
        { filename: "logo.png", content: logo, encoding: "base64", cid: "logo" },
      ],
    });
    const list = await mailpit.listMessages();
    assert.equal(list.total, 1, "one message for all recipients");
    const [m] = list.messages;
    assert.equal(m.Subject, "Order 17");
    assert.deepEqual(m.From, { Name: "Shop", Address: "shop@example.org" });
    assert.deepEqual(m.Bcc.map((a) => a.Address), ["secret@example.org"]);
    assert.equal(m.Attachments, 1);
    assert.equal(m.Read, false);
    assert.deepEqual(m.Tags, ["app", "mails", "order", "orders"]);

    const whole = await mailpit.getMessageSummary("latest");
    assert.equal(whole.Text.trim(), "thank you");
    assert.match(whole.HTML, /<b>you<\/b>/);
    assert.equal(whole.ReturnPath, "shop@example.org");
    assert.deepEqual(whole.Attachments.map((a) => a.FileName), ["a b.txt"]);
    assert.deepEqual(whole.Inline.map((a) => a.ContentID), ["logo"]);
    const file = await mailpit.getMessageAttachment("latest", whole.Attachments[0].PartID);
    assert.equal(new TextDecoder().decode(await bytesOf(file)), "content of a file");
    const headers = await mailpit.getMessageHeaders(m.ID);
    assert.deepEqual(headers.Subject, ["Order 17"]);
    assert.match(await mailpit.getMessageSource(m.ID), /^Subject: Order 17\r?$/m);
    assert.match(
      await mailpit.renderMessageHTML(m.ID),
      new RegExp(`src="/api/v1/message/${m.ID}/part/`),
    );
    assert.match(await mailpit.renderMessageText(m.ID), /thank you/);

    for (
      const query of [
        "to:secret",
        "bcc:secret",
        "from:shop",
        "tag:order",
        "thank",
        "has:attachment",
        "is:read",
      ]
    ) {
      assert.equal((await mailpit.searchMessages({ query })).messages_count, 1, query);
    }
    assert.equal((await mailpit.searchMessages({ query: "-from:shop" })).messages_count, 0);
    assert.equal(
      (await mailpit.searchMessages({ query: "is:unread" })).messages_count,
      0,
      "looking at it has read it",
    );

    const check = await mailpit.htmlCheck(m.ID);
    assert.ok(check.Warnings.some((w) => w.Slug === "css-display-flex"));
    assert.equal((await mailpit.linkCheck(m.ID)).Errors, 0);

    await mailpit.setTags({ IDs: [m.ID], Tags: ["New Name"] });
    assert.deepEqual((await mailpit.listMessages()).messages[0].Tags, ["New Name"]);
    await mailpit.renameTag("New Name", "other");
    assert.equal((await mailpit.searchMessages({ query: "tag:other" })).messages_count, 1);
    await mailpit.deleteTag("other");
    assert.deepEqual((await mailpit.listMessages()).messages[0].Tags, []);

    const { ID } = await mailpit.sendMessage({
      From: { Email: "x@example.org", Name: "X" },
      To: [{ Email: "y@example.org" }],
      Bcc: ["z@example.org"],
      Subject: "by the API",
      Text: "text",
      HTML: "<p>html</p>",
      Tags: ["api"],
      Attachments: [{ Content: btoa("file"), Filename: "f.txt" }],
    });
    const sent = await mailpit.getMessageSummary(ID);
    assert.deepEqual([sent.Subject, sent.Text.trim(), sent.Tags], ["by the API", "text", ["api"]]);
    assert.deepEqual(sent.Bcc.map((a) => a.Address), ["z@example.org"]);

    await mailpit.setReadStatus({ IDs: [], Read: true });
    assert.equal((await mailpit.listMessages()).unread, 0);
    await mailpit.deleteMessagesBySearch({ query: "from:shop" });
    assert.deepEqual((await mailpit.listMessages()).messages.map((x) => x.ID), [ID]);
    await mailpit.deleteMessages();
    assert.equal((await mailpit.listMessages()).total, 0);
    assert.equal((await mailpit.getInfo()).RuntimeStats.MessagesDeleted, 2);
    assert.equal((await mailpit.getConfiguration()).ChaosEnabled, true);
    await assert.rejects(mailpit.getMessageSummary(ID), /404/);
    assert.equal(
      (await fetch(`${base}/api/v1/message/m1`, { headers: { Origin: "https://evil.example" } }))
        .status,
      403,
    );
  });
});

async function bytesOf(part: Blob | ArrayBuffer | Uint8Array | string): Promise<Uint8Array> {
  if (typeof part === "string") return new TextEncoder().encode(part);
  if (part instanceof Blob) return new Uint8Array(await part.arrayBuffer());
  return new Uint8Array(part);
}

Deno.test("what cypress-mailpit and tests of the newest Mailpit ask for: two slashes, points for junk, a text's end", async () => {
  await withServer([], async (s, mailpit, base) => {
    await mailer(s).sendMail({
      from: "shop@example.org",
      to: "ann@example.org",
      subject: "WINNER WINNER!!!",
      text: "hello\n",
      html: "<p>hello</p>",
    });
    assert.equal((await mailpit.getMessageSummary("latest")).Text, "hello");
    for (const path of ["//api/v1/message/latest/raw", "//view/latest.txt"]) {
      const r = await fetch(base + path);
      assert.equal(r.status, 200, path);
      assert.match(await r.text(), /hello/);
    }
    const spam = await mailpit.spamAssassinCheck("latest");
    assert.equal(spam.IsSpam, false);
    assert.equal(spam.Score, 2.5);
    assert.deepEqual(spam.Rules?.map((r) => [r.Name, r.Score]), [
      ["CAPITALS_SUBJECT", 1.5],
      ["EXCLAIMING_SUBJECT", 1],
    ]);
  });
});

Deno.test("refusals by chance, waiting for a message, events by websocket", async () => {
  await withServer([], async (s, mailpit, base) => {
    const send = (to: string) =>
      mailer(s).sendMail({ from: "a@example.org", to, subject: "s", text: "t" });
    await mailpit.setChaosTriggers({ Recipient: { ErrorCode: 452, Probability: 100 } });
    await assert.rejects(send("x@example.org"), /452/);
    await mailpit.setChaosTriggers({});
    await send("x@example.org");

    const socket = new WebSocket(`${base.replace("http", "ws")}/api/events`);
    const events: { Type: string; Data: { Subject?: string; Total?: number } }[] = [];
    const told = Promise.withResolvers<void>();
    socket.onmessage = (e) => {
      events.push(JSON.parse(e.data));
      if (events.some((x) => x.Type === "new") && events.at(-1)!.Data?.Total === 2) told.resolve();
    };
    await new Promise((resolve) => socket.onopen = resolve);
    const waiting = fetch(`${base}/api/v1/wait?query=to:later@example.org&timeout=30`);
    await send("later@example.org");
    const found = await (await waiting).json();
    assert.deepEqual(found.To.map((a: { Address: string }) => a.Address), ["later@example.org"]);
    await told.promise;
    assert.equal(events.find((e) => e.Type === "new")!.Data.Subject, "s");
    socket.close();
    const none = await fetch(`${base}/api/v1/wait?query=to:nobody&timeout=0`);
    assert.equal(none.status, 408);
    await none.body?.cancel();

    const faults = await fetch(`${base}/api/v1/scenario`, {
      method: "PUT",
      body: JSON.stringify([{ Messages: 1, Faults: { StartTLS: "off" } }, {
        Faults: { QuotaBytes: 1 },
      }]),
    });
    assert.equal(faults.status, 200);
    assert.equal((await faults.json()).StartTLS, "off");
    await send("first@example.org");
    await assert.rejects(send("second@example.org"), /452 4\.2\.2/);
    const bad = await fetch(`${base}/api/v1/faults`, { method: "PUT", body: '{"LatencyMs":-1}' });
    assert.equal(bad.status, 400);
    assert.match(await bad.text(), /LatencyMs/);
  });
});

Deno.test("bare line ends and addresses without a domain are taken and noted; -strict refuses them", async () => {
  const lines = ["EHLO x", "MAIL FROM:<a>", "RCPT TO:<root>", "DATA"];
  const talk = async (s: Localserve) => {
    const conn = await Deno.connect({ port: s.smtp });
    const text = `${lines.join("\r\n")}\r\n`;
    await conn.write(new TextEncoder().encode(text));
    await conn.write(new TextEncoder().encode("Subject: bare\n\nbody\n\r\n.\r\nQUIT\r\n"));
    let answers = "";
    for await (const b of conn.readable) answers += new TextDecoder().decode(b);
    return answers;
  };
  await withServer([], async (s, mailpit) => {
    assert.match(await talk(s), /250 2\.0\.0 message accepted/);
    const m = await mailpit.getMessageSummary("latest");
    assert.deepEqual(m.Bcc.map((a) => a.Address), ["root@localhost"]);
    assert.match(await mailpit.getMessageSource("latest"), /^X-Mox-Note: line ends were not CRLF/m);
  });
  await withServer(["-strict"], async (s, mailpit) => {
    assert.match(await talk(s), /553 5\.1\.7|501 5\.1\.7|501 5\.1\.3/);
    assert.equal((await mailpit.listMessages()).total, 0);
  });
});

Deno.test("-login asks for the account's password, -max-messages keeps the newest", async () => {
  await withServer(["-login", "-max-messages", "2"], async (s, mailpit, base) => {
    await assert.rejects(mailpit.listMessages(), /401/);
    for (const odd of ["Basic =", "Basic ====", "Basic bm8gY29sb24", "Bearer x"]) {
      const headers = { authorization: odd };
      const r = await fetch(new URL("/api/v1/messages", base), { headers });
      assert.equal(r.status, 401, odd);
      await r.body?.cancel();
    }
    const known = new MailpitClient(base, {
      auth: { username: "mox@localhost", password: "moxmoxmox" },
    });
    for (const n of [1, 2, 3, 4]) {
      await mailer(s).sendMail({
        from: "a@example.org",
        to: "b@example.org",
        subject: `${n}`,
        text: "t",
      });
    }
    let subjects: string[] = [];
    for (const end = Date.now() + 60_000; Date.now() < end && subjects.length !== 2;) {
      subjects = (await known.listMessages()).messages.map((m) => m.Subject);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    assert.deepEqual(subjects, ["4", "3"]);
  });
});

Deno.test("flags can be set in the environment", async () => {
  const env = { MOX_LOCALSERVE_MAX_MESSAGES: "none" };
  const dir = await Deno.makeTempDir({ prefix: "mox-interop-" });
  try {
    await assert.rejects(
      startMox(["localserve", "-dir", dir], "running", undefined, env),
      /-max-messages is a number/,
    );
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
