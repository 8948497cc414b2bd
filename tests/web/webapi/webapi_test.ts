/** The web API over real sockets, as programs call it. */
import assert from "node:assert/strict";
import { fc } from "../../support/fast_check.ts";
import { simpleParser } from "mailparser";
import type { Structure } from "../../../src/web/webapi/schemas.ts";
import { Flag } from "../../../src/store/types.ts";
import { winmail } from "../../mail/winmail.ts";
import { basic, password, withApi, type World } from "./server.ts";

const hello = {
  From: [{ Name: "Ann", Address: "ann@mox.example" }],
  To: [{ Name: "Bo", Address: "bo@to.example" }],
  Subject: "Hello",
  Text: "Hi there",
};

/** Messages in Sent. */
async function sentCopies(w: World): Promise<number> {
  const account = await w.server.accounts.open("ann");
  try {
    return account.mailboxByName("Sent")!.total;
  } finally {
    account.close();
  }
}

async function sentBy(w: World): Promise<string> {
  await w.server.queue.idle();
  return w.host.mails.at(-1)!.data;
}

Deno.test("Send queues a message that arrives elsewhere, and answers with ids", () =>
  withApi(async (w) => {
    const r = await w.call("Send", {
      ...hello,
      CC: null,
      BCC: [{ Address: "secret@to.example" }],
      HTML: '<p>Hi <img src="cid:logo"></p>',
      Headers: [["X-Campaign", "spring"]],
      InlineFiles: [{
        Name: "l.png",
        ContentType: "image/png",
        ContentID: "<logo>",
        Data: "iVBORw==",
      }],
      AttachedFiles: [{ Name: "a.txt", ContentType: "text/plain; charset=utf-8", Data: "aMO8" }],
      Extra: { order: "42" },
      SaveSent: true,
    });
    assert.equal(r.status, 200, r.text);
    assert.match(r.json.MessageID, /^<[^@>]+@mail\.mox\.example>$/);
    assert.deepEqual(r.json.Submissions.map((s: { Address: string }) => s.Address), [
      "bo@to.example",
      "secret@to.example",
    ]);
    const data = await sentBy(w);
    assert.match(data, /^From: Ann <ann@mox\.example>\r$/m);
    assert.match(data, /^X-Campaign: spring\r$/m);
    assert.match(data, /multipart\/mixed[^]*multipart\/alternative[^]*multipart\/related/);
    assert.match(data, /^Content-ID: <logo>\r$/m);
    assert.doesNotMatch(data, /^bcc:/mi);
    const account = await w.server.accounts.open("ann");
    try {
      const sent = account.mailboxByName("Sent")!;
      assert.equal(sent.total, 1);
      assert.equal(account.messageByUid(sent.id, 1)!.flags & Flag.Seen, Flag.Seen);
    } finally {
      account.close();
    }
  }));

Deno.test("what is refused leaves nothing in Sent, and a full account gets its message sent", async () => {
  await withApi(async (w) => {
    assert.equal((await w.call("Send", { ...hello, SaveSent: true })).status, 200);
    const r = await w.call("Send", { ...hello, Subject: "Second", SaveSent: true });
    assert.equal(r.json.Code, "messageLimitReached", r.text);
    assert.equal(await sentCopies(w), 1);
  }, { account: "\t\tMaxOutgoingMessagesPerDay: 1\n" });
  await withApi(async (w) => {
    const r = await w.call("Send", { ...hello, Text: "x".repeat(4000), SaveSent: true });
    assert.equal(r.json.Code, "sentOverQuota", r.text);
    assert.match(await sentBy(w), /^Subject: Hello\r$/m);
    assert.equal(await sentCopies(w), 0);
  }, { account: "\t\tQuotaMessageSize: 1000\n" });
});

Deno.test("forms with the JSON in a field work, and files of multipart forms are attached", () =>
  withApi(async (w) => {
    const Authorization = basic("ann@mox.example", password);
    const simple = await w.raw("Send", {
      method: "POST",
      headers: { Authorization },
      body: new URLSearchParams({ request: JSON.stringify(hello) }),
    });
    assert.equal(simple.status, 200, simple.text);
    const form = new FormData();
    form.set("request", JSON.stringify({ ...hello, Subject: "With file" }));
    form.append("attachedfile", new File(["content"], "notes.txt", { type: "text/plain" }));
    const r = await w.raw("Send", { method: "POST", headers: { Authorization }, body: form });
    assert.equal(r.status, 200, r.text);
    assert.match(await sentBy(w), /filename=notes\.txt\r\n\r\nY29udGVudA==/);
  }));

Deno.test("what can't be sent is refused with a code", () =>
  withApi(async (w) => {
    const codes: [object, string][] = [
      [{ To: [] }, "noRecipients"],
      [{ Text: "" }, "missingBody"],
      [{ To: [{ Address: "nobody" }] }, "badAddress"],
      [{ To: [{ Address: "a@b\r\nBcc: x@y.example" }] }, "badAddress"],
      [{ From: [hello.From[0], hello.From[0]] }, "multipleFrom"],
      [{ From: [{ Address: "someone@else.example" }] }, "badFrom"],
      [{ MessageID: "no" }, "malformedMessageID"],
      [{ Fields: {}, Text: "Dear {{name}}" }, "missingField"],
      [{ AttachedFiles: [{ Name: "x", Data: "???" }] }, "user"],
      // Far behind the beginning; after the end; and half a group.
      [{ AttachedFiles: [{ Name: "x", Data: `${"AAAA".repeat(50_000)}?AAA` }] }, "user"],
      [{ AttachedFiles: [{ Name: "x", Data: `${"AAAA".repeat(16_383)}AAA=AAAA` }] }, "user"],
      [{ AttachedFiles: [{ Name: "x", Data: `AA==${"AAAA".repeat(20_000)}` }] }, "user"],
      [{ AttachedFiles: [{ Name: "x", Data: `${"AAAA".repeat(20_000)}AA` }] }, "user"],
      [{ Headers: [["From", "x@y.example"]] }, "user"],
      [{ Nonsense: true }, "user"],
      [{ FutureRelease: "2999-01-01T00:00:00Z" }, "user"],
    ];
    for (const [change, code] of codes) {
      const r = await w.call("Send", { ...hello, ...change });
      assert.deepEqual([r.status, r.json.Code], [400, code], r.text);
    }
    assert.equal(w.server.queue.count(), 0);
  }));

Deno.test("files of any size and with line ends in their base64 arrive as they were, large requests too", () =>
  withApi(async (w) => {
    const file = crypto.getRandomValues(new Uint8Array(60_000));
    const text = "A long text.\n".repeat(60_000);
    const data = file.toBase64();
    const lines = data.replace(/.{76}/g, "$&\r\n");
    const r = await w.call("Send", {
      ...hello,
      Text: text,
      AttachedFiles: [data, lines, "", `${"AAAA".repeat(16_384)}AA==\r\n`].map((Data, i) => ({
        Name: `f${i}`,
        Data,
      })),
    });
    assert.equal(r.status, 200, r.text);
    const sent = await simpleParser(await sentBy(w));
    assert.equal(sent.text?.trimEnd(), text.trimEnd());
    const [one, two, none, zeros] = sent.attachments.map((a) => a.content);
    assert.ok(one.equals(file));
    assert.ok(two.equals(file));
    assert.equal(none.length, 0);
    assert.ok(zeros.equals(new Uint8Array(49_153)));
  }));

Deno.test("fields are filled in, and escaped in HTML", () =>
  withApi(async (w) => {
    const r = await w.call("Send", {
      ...hello,
      Subject: "For {{ name }}",
      Text: "Dear {{name}}",
      HTML: "<p>{{name}}</p>",
      Fields: { name: "A & {{b}}" },
    });
    assert.equal(r.status, 200, r.text);
    const data = await sentBy(w);
    assert.match(data, /^Subject: For A & \{\{b\}\}\r$/m);
    assert.match(data, /Dear A & \{\{b\}\}/);
    assert.match(data, /<p>A &amp; \{\{b\}\}<\/p>/);
  }));

Deno.test("a request id is answered once, also after a restart and when asked twice at a time", () =>
  withApi(async (w) => {
    const request = { ...hello, RequestID: "order-1" };
    const [a, b] = await Promise.all([w.call("Send", request), w.call("Send", request)]);
    assert.equal(a.status, 200, a.text);
    assert.deepEqual(a.json, b.json);
    await sentBy(w);
    await w.restart();
    assert.deepEqual((await w.call("Send", request)).json, a.json);
    await w.server.queue.idle();
    assert.equal(w.host.mails.length, 1);
    const other = await w.call("Send", { ...request, Subject: "Other" });
    assert.deepEqual([other.status, other.json.Code], [409, "requestIDReused"]);
    // What was refused was not sent, and may be tried again with the id.
    const refused = { ...hello, To: [], RequestID: "order-2" };
    assert.equal((await w.call("Send", refused)).json.Code, "noRecipients");
    assert.equal((await w.call("Send", { ...hello, RequestID: "order-2" })).status, 200);
    const byHeader = { headers: { "Idempotency-Key": "k" } };
    const one = await w.call("Send", hello, byHeader);
    assert.deepEqual((await w.call("Send", hello, byHeader)).json, one.json);
  }));

Deno.test("logins are checked and limited before passwords are", () =>
  withApi(async (w) => {
    const none = await w.raw("Send", { method: "POST", body: "{}" });
    assert.equal(none.status, 401);
    assert.match(none.headers.get("www-authenticate")!, /^Basic realm=/);
    const wrong = () => w.call("SuppressionList", {}, { password: "wrong" });
    const answers = await Promise.all(Array.from({ length: 15 }, wrong));
    const statuses = answers.map((r) => r.status).sort();
    assert.deepEqual(statuses, [...new Array(10).fill(401), ...new Array(5).fill(429)]);
    assert.equal((await w.call("SuppressionList", {})).status, 429);
    // Else a try would be given back while others are checked, which takes its time.
  }, { loginClock: () => 1_700_000_000_000 }));

Deno.test("the limits of the account hold", () =>
  withApi(async (w) => {
    assert.equal((await w.call("Send", hello)).status, 200);
    const messages = await w.call("Send", hello);
    assert.deepEqual([messages.status, messages.json.Code], [400, "messageLimitReached"]);
    assert.match(messages.json.Message, /MaxOutgoingMessagesPerDay/);
  }, { account: "\t\tMaxOutgoingMessagesPerDay: 1\n" }));

Deno.test("a login for unique senders gets one for each recipient", () =>
  withApi(async (w) => {
    const r = await w.call("Send", {
      ...hello,
      To: [{ Address: "bo@to.example" }, { Address: "cy@to.example" }],
      SaveSent: true,
    }, { login: "ann+id@mox.example" });
    assert.equal(r.status, 200, r.text);
    assert.equal(await sentCopies(w), 1);
    const ids = r.json.Submissions.map((s: { FromID: string }) => s.FromID);
    assert.equal(new Set(ids).size, 2);
    await w.server.queue.idle();
    assert.deepEqual(
      w.host.mails.map((m) => m.from).sort(),
      ids.map((id: string) => `ann+${id}@mox.example`).sort(),
    );
  }, {
    account: "\t\tFromIDLoginAddresses:\n\t\t\t- ann+id@mox.example\n",
    domain: "\t\tLocalpartCatchallSeparator: +\n",
  }));

Deno.test("the suppression list is kept, and what is on it is refused", () =>
  withApi(async (w) => {
    const EmailAddress = "Bo+x@to.example";
    assert.deepEqual((await w.call("SuppressionPresent", { EmailAddress })).json, {
      Present: false,
    });
    assert.equal(
      (await w.call("SuppressionAdd", { EmailAddress, Manual: true, Reason: "asked" })).status,
      200,
    );
    assert.equal((await w.call("SuppressionAdd", { EmailAddress })).json.Code, "alreadyPresent");
    const [s] = (await w.call("SuppressionList", {})).json.Suppressions;
    assert.deepEqual([s.BaseAddress, s.Manual, s.Reason, s.Account], [
      "bo@to.example",
      true,
      "asked",
      "ann",
    ]);
    assert.equal((await w.call("Send", hello)).json.Code, "recipientAddressBlocked");
    assert.equal((await w.call("SuppressionRemove", { EmailAddress })).status, 200);
    assert.equal((await w.call("SuppressionRemove", { EmailAddress })).json.Code, "notFound");
    assert.equal((await w.call("Send", hello)).status, 200);
  }));

const multipart = [
  "From: Bo <bo@to.example>",
  "To: ann@mox.example",
  "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=",
  "Message-ID: <m1@to.example>",
  "References: <m0@to.example>",
  "Date: Tue, 24 Nov 2026 10:00:00 +0000",
  "MIME-Version: 1.0",
  "Content-Type: multipart/mixed; boundary=b",
  "",
  "--b",
  "Content-Type: text/plain; charset=iso-8859-1",
  "Content-Transfer-Encoding: quoted-printable",
  "",
  "Sch=F6n",
  "--b",
  "Content-Type: application/pdf; name=a.pdf",
  "Content-Disposition: attachment; filename=a.pdf",
  "Content-Transfer-Encoding: base64",
  "",
  "JVBERg==",
  "--b--",
  "",
].join("\r\n");

Deno.test("files by uuencode, and in winmail.dat, are parts of what they stand in", () =>
  withApi(async (w) => {
    const account = await w.server.accounts.open("ann");
    try {
      const text = "From: x@to.example\r\nMIME-Version: 1.0\r\n" +
        "Content-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\n\r\n" +
        "see below\r\nbegin 644 hello.txt\r\n%:&5L;&\\\r\n`\r\nend\r\n--m\r\n" +
        "Content-Type: application/ms-tnef; name=winmail.dat\r\n" +
        `Content-Transfer-Encoding: base64\r\n\r\n${winmail.toBase64()}\r\n--m--\r\n`;
      const file = `${w.dir}/packed.eml`;
      await Deno.writeTextFile(file, text);
      const { id } = await account.deliver("Inbox", {
        file,
        fileSize: text.length,
        prefix: new Uint8Array(0),
      });
      const { json } = await w.call("MessageGet", { MsgID: id });
      assert.equal(json.Message.Text.trimEnd(), "see below");
      const [first, second] = json.Structure.Parts;
      const told = (p: Structure) => [p.Filename, p.DecodedSize];
      assert.deepEqual(first.Parts.map(told), [["hello.txt", 5]]);
      assert.deepEqual(second.Parts.map(told)[0], ["Lange Näme.txt", 13]);
      const content = async (...PartPath: number[]) =>
        (await w.call("MessagePartGet", { MsgID: id, PartPath })).text;
      assert.equal(await content(0, 0), "hello");
      assert.equal(await content(1, 0), "first content");
      for (const PartPath of [[0, 1], [1, 9], [0, 0, 0]]) {
        const r = await w.call("MessagePartGet", { MsgID: id, PartPath });
        assert.equal(r.json.Code, "partNotFound", PartPath.join());
      }
    } finally {
      account.close();
    }
  }));

Deno.test("messages are read, marked, moved and removed", () =>
  withApi(async (w) => {
    const account = await w.server.accounts.open("ann");
    try {
      const file = `${w.dir}/m.eml`;
      await Deno.writeTextFile(file, multipart);
      const m = await account.deliver("Inbox", {
        file,
        fileSize: multipart.length,
        prefix: new Uint8Array(0),
      });
      const MsgID = m.id;
      const got = await w.call("MessageGet", { MsgID });
      assert.equal(got.status, 200, got.text);
      assert.equal(got.json.Message.Subject, "Grüße");
      assert.equal(got.json.Message.Text, "Schön");
      assert.deepEqual(got.json.Message.References, ["<m0@to.example>"]);
      assert.equal(got.json.Structure.Parts[1].Filename, "a.pdf");
      assert.deepEqual([got.json.Meta.MailboxName, got.json.Meta.Flags, got.json.Meta.Size], [
        "Inbox",
        [],
        multipart.length,
      ]);
      const raw = await w.call("MessageRawGet", { MsgID });
      assert.equal(raw.text, multipart);
      const part = await w.call("MessagePartGet", { MsgID, PartPath: [1] });
      assert.deepEqual([part.text, part.headers.get("content-type")], ["%PDF", "application/pdf"]);
      assert.equal(
        (await w.call("MessagePartGet", { MsgID, PartPath: [7] })).json.Code,
        "partNotFound",
      );
      const flags = { MsgID, Flags: ["\\Seen", "$junk", "work"] };
      assert.equal((await w.call("MessageFlagsAdd", flags)).status, 200);
      assert.deepEqual((await w.call("MessageGet", { MsgID })).json.Meta.Flags, [
        "\\seen",
        "$junk",
        "work",
      ]);
      await w.call("MessageFlagsRemove", { MsgID, Flags: ["$Junk", "work"] });
      assert.deepEqual((await w.call("MessageGet", { MsgID })).json.Meta.Flags, ["\\seen"]);
      assert.equal(
        (await w.call("MessageMove", { MsgID, DestMailboxName: "Nowhere" })).json.Code,
        "mailboxNotFound",
      );
      assert.equal(
        (await w.call("MessageMove", { MsgID, DestMailboxName: "Archive" })).status,
        200,
      );
      assert.equal((await w.call("MessageGet", { MsgID })).json.Meta.MailboxName, "Archive");
      assert.equal((await w.call("MessageDelete", { MsgID })).status, 200);
      assert.equal((await w.call("MessageGet", { MsgID })).json.Code, "messageNotFound");
    } finally {
      account.close();
    }
  }));

Deno.test("any body gets an answer with a code, and the server goes on", () =>
  withApi(async (w) => {
    const Authorization = basic("ann@mox.example", password);
    const types = [
      "application/json",
      "application/x-www-form-urlencoded",
      "multipart/form-data; boundary=b",
      "text/plain",
      "multipart/form-data",
    ];
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom("Send", "MessageGet", "SuppressionAdd"),
        fc.constantFrom(...types),
        fc.oneof(
          fc.uint8Array({ maxLength: 200 }),
          fc.json().map((s) => new TextEncoder().encode(s)),
          fc.string().map((s) =>
            new TextEncoder().encode(
              `--b\r\nContent-Disposition: form-data; name=request\r\n\r\n${s}\r\n--b--`,
            )
          ),
        ),
        async (method, type, body) => {
          const r = await w.raw(method, {
            method: "POST",
            headers: { Authorization, "Content-Type": type },
            body: body.slice(),
          });
          assert.equal(r.status, 400, r.text);
          // An empty object is a request without recipients.
          const codes = ["user", "protocol", "badAddress", "noRecipients"];
          assert.ok(codes.includes(r.json.Code), r.text);
        },
      ),
      { numRuns: 20 },
    );
    const list = await w.raw("Send", {
      method: "POST",
      headers: { Authorization, "Content-Type": "application/json" },
      body: new TextEncoder().encode("[]"),
    });
    assert.match(list.json.Message, /is a list, not an object/);
    assert.equal((await w.call("SuppressionList", {})).status, 200);
  }));

Deno.test("other methods, unknown names, pages of other sites and webhooks are refused", () =>
  withApi(async (w) => {
    assert.equal((await w.raw("Send", { method: "GET" })).status, 405);
    assert.equal((await w.call("Nothing", {})).status, 404);
    for (
      const headers of <Record<string, string>[]> [{ "Sec-Fetch-Site": "cross-site" }, {
        "X-Mox-Webhook-ID": "1",
      }]
    ) {
      const r = await w.raw("Send", {
        method: "POST",
        headers: { ...headers, Authorization: basic("ann@mox.example", password) },
        body: "{}",
      });
      assert.equal(r.status, 403, r.text);
    }
  }));

Deno.test("the description in OpenAPI names all methods, and its references lead somewhere", () =>
  withApi(async (w) => {
    const { json } = await w.raw("openapi.json", {});
    assert.match(json.openapi, /^3\.1\./);
    assert.deepEqual(json.servers, [{ url: "/webapi/v0" }]);
    assert.equal(Object.keys(json.paths).length, 12);
    const ids = new Set<string>();
    for (const [path, item] of Object.entries<Record<string, unknown>>(json.paths)) {
      const post = item.post as {
        operationId: string;
        responses: object;
        requestBody: { content: Record<string, { schema: object }> };
      };
      assert.equal(`/${post.operationId}`, path);
      ids.add(post.operationId);
      assert.ok("200" in post.responses);
      assert.ok(post.requestBody.content["application/json"].schema);
    }
    assert.equal(ids.size, 12);
    const types = new Set(["object", "array", "string", "number", "integer", "boolean", "null"]);
    const walk = (v: unknown, inSchema: boolean): void => {
      if (Array.isArray(v)) return v.forEach((x) => walk(x, inSchema));
      if (typeof v !== "object" || v === null) return;
      const o = v as Record<string, unknown>;
      if (typeof o.$ref === "string") {
        assert.ok(o.$ref.startsWith("#/components/schemas/"), o.$ref);
        assert.ok(json.components.schemas[o.$ref.slice(21)], o.$ref);
      }
      if (inSchema && (typeof o.type === "string" || Array.isArray(o.type))) {
        for (const t of [o.type].flat()) assert.ok(types.has(t as string), String(t));
      }
      if (inSchema && Array.isArray(o.required)) {
        for (const name of o.required) assert.ok(name in (o.properties as object));
      }
      for (const [k, x] of Object.entries(o)) {
        walk(x, inSchema || k === "schema" || k === "schemas");
      }
    };
    walk(json, false);
    const send = json.paths["/Send"].post.requestBody.content["application/json"].schema;
    assert.deepEqual(send.properties.RequireTLS.type, ["boolean", "null"]);
    const page = await w.raw("", {});
    assert.match(page.text, /<h2 id="MessagePartGet">/);
  }));

Deno.test("a full disk is told as such, and the call works once there is room", () =>
  withApi(async (w) => {
    const { queue } = w.server;
    const { add } = queue;
    queue.add = () =>
      Promise.reject(Object.assign(new Error("No space left on device"), { code: "ENOSPC" }));
    const refused = await w.call("Send", hello);
    assert.equal(refused.status, 507, refused.text);
    assert.equal(refused.json.Code, "server");
    assert.match(refused.json.Message, /disk is full/);
    queue.add = add;
    const r = await w.call("Send", hello);
    assert.equal(r.status, 200, r.text);
  }));
