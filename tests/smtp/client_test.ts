/** The SMTP client against hosts that do as told, and against our own server. */
import assert from "node:assert/strict";
import { fc } from "../support/fast_check.ts";
import { Log } from "../../src/log/mod.ts";
import { Authorities, type ClientTls, connectTcp } from "../../src/net/mod.ts";
import {
  DataEncoder,
  type Envelope,
  parseExtensions,
  type RecipientOutcome,
  type Reply,
  ReplyError,
  ReplyParser,
  type SessionOptions,
  SmtpClient,
  SmtpClientError,
} from "../../src/smtp/client/mod.ts";
import { type FakeHost, fakeHost, type FakeOptions } from "./fake_host.ts";
import { account, bytes, certificate, startServer, text } from "./talk.ts";

const log = new Log("smtpclient");
const clientTls: ClientTls = {
  serverName: "mail.example",
  verify: true,
  authorities: Authorities.of(certificate.cert),
};

async function begin(port: number, more: Partial<SessionOptions> = {}): Promise<SmtpClient> {
  const conn = await connectTcp({ host: "127.0.0.1", port });
  return await SmtpClient.start(conn, {
    log,
    hostname: "client.example",
    tls: "offered",
    clientTls,
    ...more,
  });
}

function envelope(to: string[], size: number, more: Partial<Envelope> = {}): Envelope {
  return {
    mailFrom: "me@client.example",
    recipients: to.map((address) => ({ address })),
    size,
    body: "7bit",
    smtpUtf8: false,
    ...more,
  };
}

const content = "From: me\r\n\r\n.dot\r\nlast line\r\n";

async function* pieces(s: string | Uint8Array, n = 7): AsyncGenerator<Uint8Array> {
  const all = typeof s === "string" ? bytes(s) : s;
  for (let at = 0; at < all.length; at += n) {
    await Promise.resolve();
    yield all.subarray(at, at + n);
  }
}

const send = (c: SmtpClient, to: string[], more: Partial<Envelope> = {}, what = content) =>
  c.send(envelope(to, bytes(what).length, more), () => pieces(what));

const codes = (outcomes: RecipientOutcome[]) =>
  outcomes.map((o) =>
    `${o.code} ${o.enhanced}${o instanceof SmtpClientError ? " " + o.phase : ""}`
  );

/** Starts a host, and a session with it. */
async function withHost(
  o: FakeOptions,
  fn: (h: FakeHost, c: SmtpClient) => Promise<void>,
  more: Partial<SessionOptions> = {},
): Promise<void> {
  await using host = await fakeHost(o);
  const client = await begin(host.port, more);
  try {
    await fn(host, client);
  } finally {
    await client.quit();
  }
}

async function failure(p: Promise<unknown>): Promise<SmtpClientError> {
  try {
    await p;
  } catch (err) {
    assert.ok(err instanceof SmtpClientError, String(err));
    return err;
  }
  throw new assert.AssertionError({ message: "it did not fail" });
}

Deno.test("a message goes to our own server by STARTTLS, with all that was asked for", async () => {
  await using server = await startServer();
  const client = await begin(server.port);
  assert.equal(client.tls?.version, "TLSv1.3");
  const outcomes = await client.send({
    mailFrom: "me@client.example",
    recipients: [
      {
        address: "a@mail.example",
        notify: ["success", "failure"],
        originalRecipient: { type: "rfc822", address: "a+b=c@old.example" },
      },
      { address: "unknown@mail.example" },
      { address: "refused@mail.example" },
    ],
    size: content.length,
    body: "8bit",
    smtpUtf8: false,
    ret: "hdrs",
    envelopeId: "id with space",
  }, () => pieces(content));
  // One answer for the message: refused@ is bounced by the server itself.
  assert.deepEqual(codes(outcomes), ["250 2.0.0", "550 5.1.1 rcpt", "250 2.0.0"]);
  const [d] = server.seen.deliveries;
  assert.equal(text(d.content), content);
  assert.equal(d.transaction.body, "8bitmime");
  assert.equal(d.transaction.ret, "hdrs");
  assert.equal(d.transaction.envelopeId, "id with space");
  assert.deepEqual(d.transaction.recipients[0].notify, ["success", "failure"]);
  assert.deepEqual(d.transaction.recipients[0].originalRecipient, {
    type: "rfc822",
    address: "a+b=c@old.example",
  });
  assert.equal(client.usable, true);
  assert.deepEqual(codes(await send(client, ["b@mail.example"])), ["250 2.0.0"]);
  await client.quit();
  assert.equal(server.seen.deliveries.length, 2);
});

Deno.test("submission: each mechanism logs in over TLS from the first byte", async () => {
  await using server = await startServer({
    submission: true,
    implicitTls: true,
    scramPlus: true,
  });
  for (
    const mechanism of [
      "SCRAM-SHA-256-PLUS",
      "SCRAM-SHA-256",
      "SCRAM-SHA-1",
      "CRAM-MD5",
      "PLAIN",
      "LOGIN",
    ] as const
  ) {
    const auth = { username: account.name, password: account.password, mechanisms: [mechanism] };
    const client = await begin(server.port, { tls: "immediate", auth });
    assert.deepEqual(codes(await send(client, ["x@there.example"])), ["250 2.0.0"], mechanism);
    await client.quit();
  }
  const wrong = { username: account.name, password: "not this one" };
  const f = await failure(begin(server.port, { tls: "immediate", auth: wrong }));
  assert.equal(`${f.phase} ${f.code} ${f.permanent}`, "auth 535 true");
});

Deno.test("pipelining: one write for envelope and DATA, and the next message needs no RSET", () =>
  withHost({}, async (host, client) => {
    await send(client, ["a@x.example", "b@x.example"]);
    await send(client, ["c@x.example"]);
    await client.quit();
    assert.deepEqual(host.commands, [
      "-- 1",
      "EHLO client.example",
      "MAIL FROM:<me@client.example>",
      "RCPT TO:<a@x.example>",
      "RCPT TO:<b@x.example>",
      "DATA",
      "MAIL FROM:<me@client.example>",
      "RCPT TO:<c@x.example>",
      "DATA",
      "QUIT",
    ]);
    assert.deepEqual(host.mails.map((m) => m.to), [["a@x.example", "b@x.example"], [
      "c@x.example",
    ]]);
    assert.equal(host.mails[0].data, content);
  }));

Deno.test("one recipient refused of five: the others get the message", async () => {
  for (const extensions of [["PIPELINING"], []]) {
    await withHost(
      {
        extensions,
        rcpt: (l) => l.includes("c@") ? "550-5.1.1 no such\n550 5.1.1 user" : undefined,
      },
      async (host, client) => {
        const to = ["a", "b", "c", "d", "e"].map((l) => `${l}@x.example`);
        const outcomes = await send(client, to);
        assert.deepEqual(codes(outcomes), [
          "250 2.0.0",
          "250 2.0.0",
          "550 5.1.1 rcpt",
          "250 2.0.0",
          "250 2.0.0",
        ]);
        assert.equal((outcomes[2] as SmtpClientError).text, "no such user");
        assert.deepEqual(host.mails[0].to.length, 4);
      },
    );
  }
});

Deno.test("all recipients refused: no message, and the session goes on after RSET", async () => {
  for (const extensions of [["PIPELINING"], []]) {
    let refuse = true;
    await withHost(
      { extensions, rcpt: () => refuse ? "450 4.2.1 greylisted" : undefined },
      async (host, client) => {
        assert.deepEqual(codes(await send(client, ["a@x.example", "b@x.example"])), [
          "450 4.2.1 rcpt",
          "450 4.2.1 rcpt",
        ]);
        refuse = false;
        assert.deepEqual(codes(await send(client, ["a@x.example"])), ["250 2.0.0"]);
        assert.equal(host.mails.length, 1);
        assert.ok(host.commands.includes("RSET"));
      },
    );
  }
});

Deno.test("refusals at each command become errors with code, words and phase", async () => {
  const cases: [FakeOptions, string][] = [
    [{ mail: () => "451 4.7.1 not yet" }, "451 4.7.1 mail"],
    [{ mail: () => "550 no" }, "550 5.0.0 mail"],
    [{ data: () => "554 5.7.1 no data" }, "554 5.7.1 data"],
    [{ message: () => "552 5.3.4 too big after all" }, "552 5.3.4 message"],
    [{ message: () => "451 4.5.3 what" }, "451 4.5.3 message"],
    [{ rcpt: () => "421 4.3.2 going down" }, "421 4.3.2 rcpt"],
    [{ mail: () => "drop" }, "451 4.4.2 mail"],
    [{ data: () => "drop" }, "451 4.4.2 data"],
    [{ message: () => "drop" }, "451 4.4.2 message"],
    [{ during: (n) => n > 5 ? "drop" : undefined }, "451 4.4.2 message"],
    [{ during: (n) => n > 5 ? "552 5.2.3 enough" : undefined }, "552 5.2.3 message"],
    [{ mail: () => "no answer at all" }, "451 4.5.0 mail"],
    [{ mail: () => "250-one\n251 other" }, "451 4.5.0 mail"],
    [{ mail: () => "354 what" }, "451 4.5.0 mail"],
  ];
  for (const [o, expected] of cases) {
    await withHost(o, async (_host, client) => {
      const long = o.during ? content + "x\r\n".repeat(50_000) : content;
      const outcomes = await send(client, ["a@x.example"], {}, long);
      assert.deepEqual(codes(outcomes), [expected]);
    });
  }
});

Deno.test("refusals before any message fail the session", async () => {
  const cases: [FakeOptions, string][] = [
    [{ greeting: () => "554 5.7.1 go away" }, "reply greeting 554 5.7.1 true"],
    [{ greeting: () => "421 4.3.2 busy" }, "reply greeting 421 4.3.2 false"],
    [{ greeting: () => "drop" }, "network greeting 451 4.4.2 false"],
    [{ greeting: () => "HTTP/1.1 200 OK" }, "protocol greeting 451 4.5.0 false"],
    [{ greeting: () => `220 ${"x".repeat(5000)}` }, "protocol greeting 451 4.5.0 false"],
    [{ ehlo: () => "450 4.3.2 later" }, "reply hello 450 4.3.2 false"],
    [{ ehlo: () => "500 what", helo: () => "550 no" }, "reply hello 550 5.0.0 true"],
    [{ ehlo: () => "250-x\n".repeat(300) + "250 y" }, "protocol hello 451 4.5.0 false"],
  ];
  for (const [o, expected] of cases) {
    await using host = await fakeHost(o);
    const f = await failure(begin(host.port));
    assert.equal(`${f.kind} ${f.phase} ${f.code} ${f.enhanced} ${f.permanent}`, expected);
  }
});

Deno.test("a server that knows no EHLO gets plain SMTP", () =>
  withHost({ ehlo: () => "502 what?" }, async (host, client) => {
    assert.deepEqual(codes(await send(client, ["a@x.example"])), ["250 2.0.0"]);
    assert.equal(host.mails.length, 1);
    assert.equal(codes(await send(client, ["a@x.example"], { body: "8bit" }))[0], "554 5.6.3 mail");
  }));

Deno.test("silence ends in a timeout of the phase", async () => {
  await using host = await fakeHost({ rcpt: () => "hang" });
  const client = await begin(host.port, { timeouts: { rcpt: 100 } });
  const [f] = await send(client, ["a@x.example"]) as SmtpClientError[];
  assert.equal(`${f.kind} ${f.phase} ${f.permanent}`, "timeout rcpt false");
  assert.equal(client.usable, false);
  client.destroy();
});

Deno.test("what a server can't take is refused without asking it", () =>
  withHost({ extensions: ["SIZE 10", "PIPELINING"] }, async (host, client) => {
    const asked = async (more: Partial<Envelope>, to = "a@x.example", what = "x") =>
      codes(await send(client, [to], more, what))[0];
    assert.equal(await asked({}, undefined, "x".repeat(11)), "552 5.3.4 mail");
    assert.equal(await asked({ body: "8bit" }), "554 5.6.3 mail");
    assert.equal(await asked({ body: "binary" }), "554 5.6.3 mail");
    assert.equal(await asked({ smtpUtf8: true }), "550 5.6.7 mail");
    assert.equal(await asked({}, "jörg@x.example"), "550 5.6.7 mail");
    assert.equal(await asked({ requireTls: true }), "550 5.7.30 mail");
    assert.equal(await asked({}, "evil@x.example>\r\nRCPT TO:<you@x.example"), "553 5.1.3 mail");
    assert.equal(host.commands.some((c) => c.startsWith("MAIL")), false);
    // A domain alone needs no SMTPUTF8: it has a form in ASCII (RFC 6531 §3.2).
    assert.equal(await asked({}, "a@bücher.example"), "250 2.0.0");
    assert.deepEqual(host.mails[0].to, ["a@xn--bcher-kva.example"]);
  }));

Deno.test("SMTPUTF8, REQUIRETLS and SIZE are said where they belong", () =>
  withHost({
    extensions: ["SIZE", "SMTPUTF8", "8BITMIME", "REQUIRETLS", "LIMITS RCPTMAX=2 MAILMAX=1"],
  }, async (host, client) => {
    assert.equal(client.extensions.limits.rcptMax, 2);
    await send(client, ["jörg@bücher.example"], { body: "8bit", requireTls: true });
    assert.equal(
      host.commands[2],
      `MAIL FROM:<me@client.example> SIZE=${content.length} BODY=8BITMIME SMTPUTF8 REQUIRETLS`,
    );
    assert.equal(host.commands[3], "RCPT TO:<jörg@bücher.example>");
    assert.equal(client.usable, false, "MAILMAX is 1");
  }));

Deno.test("binary messages go by BDAT, unchanged", () =>
  withHost(
    { extensions: ["CHUNKING", "BINARYMIME", "8BITMIME"] },
    async (host, client) => {
      const binary = "Subject: x\n\n.\r\n\0\n.\n";
      assert.deepEqual(codes(await send(client, ["a@x.example"], { body: "binary" }, binary)), [
        "250 2.0.0",
      ]);
      assert.equal(host.mails[0].data, binary);
    },
  ));

Deno.test("a message of the wrong size never looks complete", () =>
  withHost({}, async (host, client) => {
    const e = envelope(["a@x.example"], content.length + 1);
    const [o] = await client.send(e, () => pieces(content));
    assert.equal((o as SmtpClientError).kind, "cancelled");
    assert.deepEqual(host.mails, []);
    assert.equal(client.usable, false);
  }));

Deno.test("STARTTLS: offered, stripped, broken, injected", async (t) => {
  await t.step("used where offered", () =>
    withHost({ certificate }, async (host, client) => {
      await send(client, ["a@x.example"]);
      assert.equal(host.mails[0].tls, true);
    }));
  const fails = async (o: FakeOptions, more: Partial<SessionOptions> = {}) => {
    await using host = await fakeHost(o);
    const f = await failure(begin(host.port, more));
    return `${f.kind} ${f.phase} ${f.permanent}`;
  };
  await t.step("missing where required", async () => {
    assert.equal(await fails({}, { tls: "required" }), "tls starttls false");
  });
  await t.step("refused", async () => {
    const o = { certificate, starttls: () => "554 5.7.0 not today" };
    assert.equal(await fails(o), "tls starttls false");
  });
  await t.step("dropped", async () => {
    assert.equal(await fails({ certificate, starttls: () => "drop" }), "tls starttls false");
  });
  await t.step("certificate of another name", async () => {
    const wrong = { ...clientTls, serverName: "other.example" };
    assert.equal(await fails({ certificate }, { clientTls: wrong }), "tls tls false");
  });
  await t.step("commands put in before the handshake", async () => {
    const o = { certificate, starttls: () => "220 go\n250 injected" };
    assert.equal(await fails(o), "tls starttls false");
  });
});

Deno.test("replies: any bytes give an answer or an error, and text without controls", () => {
  const line = fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc.stringMatching(/^[2-5][0-9]{2}[- ][2-5.0-9 a-z]{0,30}$/).map(bytes),
  );
  fc.assert(fc.property(fc.array(line, { maxLength: 30 }), (lines) => {
    const parser = new ReplyParser();
    for (const l of lines) {
      let r: Reply | undefined;
      try {
        r = parser.push(l);
      } catch (err) {
        assert.ok(err instanceof ReplyError);
        return;
      }
      if (!r) continue;
      assert.ok(r.code >= 200 && r.code <= 599 && r.lines.length > 0);
      // deno-lint-ignore no-control-regex -- the point of the test
      assert.doesNotMatch(r.lines.join(""), /[\x00-\x1f\x7f]/);
      assert.match(r.enhanced, /^([245]\.\d{1,3}\.\d{1,3})?$/);
    }
  }));
});

Deno.test("replies: several lines, enhanced codes, and what is no reply", () => {
  const parse = (...lines: string[]) => {
    const p = new ReplyParser();
    return lines.map((l) => p.push(bytes(l))).at(-1);
  };
  assert.deepEqual(parse("550-5.7.1 one", "550 5.7.1 two"), {
    code: 550,
    enhanced: "5.7.1",
    lines: ["one", "two"],
  });
  assert.deepEqual(parse("250"), { code: 250, enhanced: "", lines: [""] });
  assert.equal(parse("450 5.1.1 class differs")!.enhanced, "");
  assert.equal(parse("550 5.1.1001 x")!.enhanced, "");
  assert.equal(parse("550 5.1.1x")!.enhanced, "");
  for (const bad of ["", "25", "2500 x", "199 x", "600 x", "25x hello"]) {
    assert.throws(() => parse(bad), ReplyError);
  }
});

Deno.test("EHLO: any lines are read", () => {
  fc.assert(fc.property(fc.array(fc.string({ maxLength: 60 }), { maxLength: 20 }), (lines) => {
    const x = parseExtensions(lines);
    assert.ok(x.limits.rcptMax >= 1 && x.limits.mailMax >= 1);
  }));
  const x = parseExtensions(["mx.example hi", "size 100", "AUTH=LOGIN PLAIN", "LIMITS RCPTMAX=0"]);
  assert.equal(x.name, "mx.example");
  assert.equal(x.size, 100);
  assert.deepEqual(x.auth, ["LOGIN", "PLAIN"]);
  assert.equal(x.limits.rcptMax, Infinity);
});

/** What must come out, slowly. */
function expectedData(s: string): string {
  const lines = s.replace(/\r\n|\r|\n/g, "\n").split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines.map((l) => (l.startsWith(".") ? "." : "") + l + "\r\n").join("") + ".\r\n";
}

Deno.test("no message, in whatever pieces, has its end before its end", () => {
  const part = fc.constantFrom("\r", "\n", ".", "\r\n", "x", "\r\n.\r\n", "\n.\n", "");
  fc.assert(fc.property(fc.array(part), fc.integer({ min: 1, max: 5 }), (parts, n) => {
    const s = parts.join("");
    const encoder = new DataEncoder();
    let out = "";
    for (let at = 0; at < s.length; at += n) {
      out += text(encoder.encode(bytes(s.slice(at, at + n))));
    }
    out += encoder.end();
    assert.equal(out, expectedData(s));
    assert.equal(out.indexOf("\r\n.\r\n", 0), out === ".\r\n" ? -1 : out.length - 5);
    assert.doesNotMatch(out, /[^\r]\n|\r[^\n]/);
  }));
});
