import assert from "node:assert/strict";
import nodemailer from "nodemailer";
import { Log, setLevel, setLogSink } from "../../src/log/mod.ts";
import { registry } from "../../src/metrics/mod.ts";
import { fromPem } from "../../src/net/der.ts";
import { LoginGuard, selfSignedCertificate } from "../../src/net/mod.ts";
import { clientMechanism, type MechanismName, mechanismNames } from "../../src/sasl/mod.ts";
import { misbehaving, SmtpError } from "../../src/smtp/server/mod.ts";
import { account, type Client, recordingBackend, sasl, startServer, text, tls } from "./talk.ts";

const b64 = (s: string) => btoa(unescape(encodeURIComponent(s)));
const plain = b64(`\0${account.name}\0${account.password}`);

async function helloTls(c: Client): Promise<void> {
  await c.hello();
  await c.command("STARTTLS", 220);
  await c.startTls();
  await c.command("EHLO client.example", 250);
}

async function authenticate(
  c: Client,
  name: MechanismName,
  password: string,
  separate: boolean,
): Promise<number> {
  const mechanism = clientMechanism([name], {
    username: account.name,
    password,
    channelBindings: name.endsWith("-PLUS") ? c.conn.tls!.channelBindings : new Map(),
    mayShowPassword: true,
    wanted: mechanismNames,
  })!;
  const first = separate ? undefined : mechanism.initial?.toBase64();
  await c.send(`AUTH ${name}${first === undefined ? "" : ` ${first}`}\r\n`);
  let begun = !separate;
  for (;;) {
    const reply = await c.reply();
    if (reply.code !== 334) return reply.code;
    const challenge = Uint8Array.fromBase64(reply.lines[0]);
    const answer = begun || mechanism.initial === undefined
      ? await mechanism.step(challenge)
      : mechanism.initial;
    begun = true;
    await c.send(`${answer.toBase64()}\r\n`);
  }
}

Deno.test("channel binding isn't offered unless it is asked for: clients take it that can't do it", async () => {
  await using t = await startServer({ submission: true });
  await using c = await t.dial();
  await helloTls(c);
  await c.command("AUTH SCRAM-SHA-256-PLUS", "504 5.5.4");
  assert.equal(await authenticate(c, "SCRAM-SHA-256", account.password, false), 235);
});

Deno.test("all mechanisms log in over TLS, with and without initial response", async () => {
  await using t = await startServer({ submission: true, scramPlus: true });
  for (const name of mechanismNames.filter((n) => n !== "EXTERNAL")) {
    for (const separate of [false, true]) {
      await using c = await t.dial();
      await helloTls(c);
      assert.equal(await authenticate(c, name, account.password, separate), 235, name);
      await c.command("AUTH PLAIN", "503 5.5.1");
    }
    await using c = await t.dial();
    await helloTls(c);
    assert.equal(await authenticate(c, name, "wrong password", false), 535, name);
    // Another try on the same connection is allowed.
    assert.equal(await authenticate(c, name, account.password, false), 235, name);
  }
});

Deno.test("a submitted message carries who sent it, and hides where from", async () => {
  await using t = await startServer({ submission: true, implicitTls: true });
  await using c = await t.dial();
  await c.transcript(`
    S: 220
    C: EHLO [127.0.0.1]
    S: 250
    C: MAIL FROM:<mjl@mox.example>
    S: 530 5.7.0
    C: AUTH PLAIN ${plain}
    S: 235 2.7.0
    C: MAIL FROM:<mjl@mox.example> AUTH=<> HOLDFOR=3600
    S: 250
    C: RCPT TO:<other@remote.example>
    S: 250
    C: DATA
    S: 354
    C: x
    C: .
    S: 250
  `);
  const [d] = t.seen.deliveries;
  assert.equal(d.username, account.name);
  assert.match(
    d.received,
    /^Received: from \[127\.0\.0\.1\]\r\n\tby mail\.example with ESMTPSA id/,
  );
  const held = d.transaction.holdUntil! - Date.now();
  assert.ok(held > 3590_000 && held <= 3600_000);
  assert.equal(d.transaction.holdRequest, "for;3600");
});

Deno.test("blanks too many in AUTH, as emailjs has one, are no fault but in pedantic mode", async () => {
  for (const pedantic of [false, true]) {
    await using t = await startServer({ submission: true, allowPlainAuth: true, pedantic });
    await using c = await t.dial();
    await c.hello();
    await c.command("AUTH  CRAM-MD5", pedantic ? "501 5.5.4" : 334);
    if (!pedantic) await c.command("*", "501");
    await c.command(`AUTH  PLAIN  ${plain}`, pedantic ? "501 5.5.4" : 235);
  }
});

Deno.test("EXTERNAL: a TLS client certificate logs in, if the server knows it", async () => {
  const [known, unknown] = await Promise.all([
    selfSignedCertificate({ names: ["laptop"] }),
    selfSignedCertificate({ names: ["laptop"] }),
  ]);
  const knownDer = fromPem(known.cert, "CERTIFICATE")!;
  const backend = recordingBackend();
  const withCertificates = Object.assign(backend, {
    sasl: {
      ...sasl,
      certificateUsername: (c: Uint8Array) =>
        Promise.resolve(
          c.toHex() === knownDer.toHex()
            ? { username: account.name, credential: "key" }
            : undefined,
        ),
    },
  });
  await using t = await startServer({
    submission: true,
    backend: withCertificates,
    tls: { ...tls, requestClientCertificate: true },
  });
  for (const [keyCert, answer] of [[known, 235], [unknown, 535], [undefined, 504]] as const) {
    await using c = await t.dial();
    await c.hello();
    await c.command("STARTTLS", 220);
    await c.conn.startTlsClient({ serverName: "mail.example", verify: false, keyCert });
    const ehlo = await c.command("EHLO client.example", 250);
    assert.equal(ehlo.lines.some((l) => l.endsWith(" EXTERNAL")), keyCert !== undefined);
    await c.command("AUTH EXTERNAL =", answer);
  }
});

Deno.test("FUTURERELEASE is for submission, and has its limits", async () => {
  await using t = await startServer({ submission: true, allowPlainAuth: true });
  await using c = await t.dial();
  const ehlo = await c.hello();
  assert.ok(
    ehlo.lines.some((l) => /^FUTURERELEASE 5184000 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(l)),
  );
  await c.command(`AUTH PLAIN ${plain}`, 235);
  const soon = new Date(Date.now() + 7200_000).toISOString();
  for (
    const [parameter, expected] of [
      [`HOLDUNTIL=${soon}`, "250 2.1.0"],
      ["HOLDFOR=1", "250 2.1.0"],
      // RFC 4865 §3: a positive number without 0 in front.
      ["HOLDFOR=0", "501 5.5.4"],
      ["HOLDFOR=060", "501 5.5.4"],
      ["HOLDFOR=5184001", "501 5.5.4"],
      ["HOLDFOR=9999999999", "501 5.5.4"],
      ["HOLDFOR=-1", "501 5.5.4"],
      ["HOLDFOR", "501 5.5.4"],
      ["HOLDUNTIL=tomorrow", "501 5.5.4"],
      ["HOLDUNTIL=2026-02-31T00:00:00", "501 5.5.4"],
      ["HOLDUNTIL=2999-01-01T00:00:00Z", "501 5.5.4"],
      [`HOLDFOR=5 HOLDUNTIL=${soon}`, "501 5.5.4"],
    ]
  ) {
    await c.command(`MAIL FROM:<mjl@mox.example> ${parameter}`, expected);
    await c.command("RSET", 250);
  }
  await using receiving = await startServer();
  await using r = await receiving.dial();
  await r.hello();
  await r.command("MAIL FROM:<mjl@mox.example> HOLDFOR=5", "555 5.5.4");
});

Deno.test("no password and no mail without TLS where it is required", async () => {
  await using t = await startServer({ submission: true, requireTls: true });
  await using c = await t.dial();
  const ehlo = await c.hello();
  assert.ok(!ehlo.lines.some((l) => l.startsWith("AUTH")));
  await c.command(`AUTH PLAIN ${plain}`, "538 5.7.11");
  await c.command("AUTH SCRAM-SHA-256", "538 5.7.11");
  await c.command("MAIL FROM:<a@b.example>", "530 5.7.0");

  await using optional = await startServer({ submission: true });
  await using o = await optional.dial();
  await o.hello();
  await o.command(`AUTH PLAIN ${plain}`, "538 5.7.11");
  await o.command("AUTH LOGIN", "538 5.7.11");
  assert.equal(await authenticate(o, "SCRAM-SHA-256", account.password, false), 235);
});

Deno.test("exchanges that go wrong", async () => {
  await using t = await startServer({ submission: true, allowPlainAuth: true });
  await using c = await t.dial();
  await c.expect(220);
  await c.command("AUTH PLAIN", "503 5.5.1");
  await c.command("EHLO x", 250);
  await c.transcript(`
    C: AUTH
    S: 501 5.5.4
    C: AUTH PLAIN ${plain} more
    S: 501 5.5.4
    C: AUTH GSSAPI
    S: 504 5.5.4
    C: AUTH SCRAM-SHA-256-PLUS
    S: 504 5.5.4
    C: AUTH PLAIN !!!
    S: 501 5.5.2
    C: AUTH PLAIN ${plain.slice(0, -1)}
    S: 501 5.5.2
    C: AUTH PLAIN =
    S: 501 5.5.2
    C: AUTH PLAIN
    S: 334
    C: *
    S: 501 5.7.0
    C: AUTH LOGIN
    S: 334
    C: ${b64("nobody")}
    S: 334
    C: ${b64("password")}
    S: 535 5.7.8
    C: AUTH CRAM-MD5 ${b64("x")}
    S: 501 5.5.2
    C: AUTH PLAIN ${b64(`other\0${account.name}\0${account.password}`)}
    S: 535 5.7.8
    C: AUTH PLAIN
    S: 334
    C: ${"A".repeat(13_000)}
    S: 500 5.5.6
    C: NOOP
    S: 250
    C: AUTH plain ${plain}
    S: 235
    C: EHLO again
    S: 250
    C: MAIL FROM:<mjl@mox.example>
    S: 250
  `);
});

Deno.test("guessing passwords is limited per network, and forgiven after a login", async () => {
  const loginGuard = new LoginGuard({ windows: [{ window: 1e9, limits: [3, 9, 9] }] });
  await using t = await startServer({ submission: true, allowPlainAuth: true, loginGuard });
  await using c = await t.dial();
  await c.hello();
  const wrong = b64(`\0${account.name}\0wrong`);
  for (let i = 0; i < 2; i++) await c.command(`AUTH PLAIN ${wrong}`, "535 5.7.8");
  await c.command(`AUTH PLAIN ${plain}`, 235);
  await using d = await t.dial();
  await d.hello();
  for (let i = 0; i < 3; i++) await d.command(`AUTH PLAIN ${b64("\0a\0b")}`, "535 5.7.8");
  await d.command(`AUTH PLAIN ${b64("\0a\0b")}`, "454 4.7.0");
  await d.end();
  // Who has logged in from there before isn't kept out by what others try.
  await using e = await t.dial();
  await e.hello();
  await e.command(`AUTH PLAIN ${plain}`, 235);
});

Deno.test("a backend can refuse a login that was right", async () => {
  const backend = recordingBackend();
  backend.authenticated = () => Promise.reject(new SmtpError(535, "7.13", "account is disabled"));
  await using t = await startServer({ submission: true, allowPlainAuth: true, backend });
  await using c = await t.dial();
  await c.hello();
  await c.command(`AUTH PLAIN ${plain}`, "535 5.7.13");
  await c.command("MAIL FROM:<mjl@mox.example>", "530 5.7.0");
});

Deno.test("passwords are never in the log, unless asked for", async () => {
  const secrets = [plain, b64(account.password), account.password];
  for (const level of ["trace", "traceauth"] as const) {
    const lines: string[] = [];
    const previous = setLogSink((l) => lines.push(l));
    setLevel("smtpserver", level);
    try {
      await using t = await startServer({
        submission: true,
        allowPlainAuth: true,
        log: new Log("smtpserver"),
      });
      await using c = await t.dial();
      await c.hello();
      await c.command(`AUTH PLAIN ${b64("\0a\0wrong-one")}`, 535);
      await c.command("AUTH LOGIN", 334);
      await c.command(b64(account.name), 334);
      await c.command(b64(account.password), 235);
      await using d = await t.dial();
      await d.hello();
      await d.command(`AUTH PLAIN ${plain}`, 235);
    } finally {
      setLevel("smtpserver", "error");
      setLogSink(previous);
    }
    const log = lines.join("");
    assert.ok(log.includes("AUTH PLAIN"));
    assert.equal(secrets.some((s) => log.includes(s)), level === "traceauth");
  }
});

Deno.test("logins are counted by mechanism and result, from 0", async () => {
  const value = async (labels: Record<string, string>) => {
    const metric = await registry.getSingleMetric("mox_authentication_total")!.get();
    return metric.values.find((v) => Object.entries(labels).every(([k, x]) => v.labels[k] === x))
      ?.value;
  };
  const ok = { kind: "submission", variant: "cram-md5", result: "ok" };
  const bad = { kind: "submission", variant: "cram-md5", result: "badcreds" };
  assert.equal(await value({ kind: "jmap", variant: "external", result: "ok" }), 0);
  const [okBefore, badBefore] = [(await value(ok))!, (await value(bad))!];
  await using t = await startServer({ submission: true });
  await using c = await t.dial();
  await c.hello();
  await authenticate(c, "CRAM-MD5", "wrong", false);
  await authenticate(c, "CRAM-MD5", account.password, false);
  assert.equal(await value(ok), okBefore + 1);
  assert.equal(await value(bad), badBefore + 1);
});

Deno.test("nodemailer sends: STARTTLS, TLS, with all its ways to log in, and a large attachment", async () => {
  await using starttls = await startServer({ submission: true });
  await using implicit = await startServer({ submission: true, implicitTls: true });
  const attachment = new Uint8Array(3_000_000).map((_, i) => i % 251);
  for (const [server, secure] of [[starttls, false], [implicit, true]] as const) {
    for (const method of ["PLAIN", "LOGIN", "CRAM-MD5"]) {
      const transport = nodemailer.createTransport({
        host: "127.0.0.1",
        port: server.port,
        secure,
        requireTLS: !secure,
        tls: { rejectUnauthorized: false },
        authMethod: method,
        auth: { user: account.name, pass: "te st1234" },
      });
      const sent = await transport.sendMail({
        from: account.name,
        to: ["one@remote.example", "two@remote.example"],
        subject: `Grüße mit ${method}`,
        text: ".\n..\n.dots at the start of lines\n" + "x".repeat(2000),
        attachments: [{ filename: "big.bin", content: new Uint8Array(attachment) as never }],
      });
      transport.close();
      assert.deepEqual(sent.accepted, ["one@remote.example", "two@remote.example"]);
      const d = server.seen.deliveries.at(-1)!;
      assert.equal(d.username, account.name);
      assert.deepEqual(d.to, ["one@remote.example", "two@remote.example"]);
      const content = text(d.content);
      assert.ok(content.includes("\r\n.\r\n..\r\n.dots at the start of lines\r\n"));
      const encoded = content.split("\r\n\r\n").at(-1)!.split("--")[0].replaceAll("\r\n", "");
      assert.deepEqual(Uint8Array.fromBase64(encoded), attachment);
    }
  }
});

Deno.test("nodemailer sends to an address beyond ASCII", async () => {
  await using t = await startServer();
  const transport = nodemailer.createTransport({
    host: "127.0.0.1",
    port: t.port,
    ignoreTLS: true,
  });
  await transport.sendMail({ from: "ü@møx.example", to: "mjl@mox.example", text: "hi" });
  transport.close();
  assert.equal(t.seen.deliveries[0].from, "ü@møx.example");
  assert.equal(t.seen.deliveries[0].transaction.smtpUtf8, true);
});

Deno.test("localserve misbehaves as the localpart asks", async () => {
  const recorded = recordingBackend();
  const backend = Object.assign(misbehaving(recorded), { seen: recorded.seen });
  await using t = await startServer({ backend });
  await using c = await t.dial();
  await c.hello();
  const message = async (to: string[], expected: number) => {
    await c.command("MAIL FROM:<a@b.example>", 250);
    for (const r of to) await c.command(`RCPT TO:<${r}@mox.example>`, 250);
    await c.command("DATA", 354);
    await c.command("x\r\n.", expected);
  };
  await c.command("MAIL FROM:<mailfrom.temperror@b.example>", 451);
  await c.command("MAIL FROM:<mailfrompermerror@b.example>", 550);
  await c.command("MAIL FROM:<mailfrom452@b.example>", 452);
  await c.command("MAIL FROM:<temperror@b.example>", 250);
  await c.command("RCPT TO:<rcptto+554@mox.example>", 554);
  await c.command("RCPT TO:<RcptToTempError@mox.example>", 451);
  await c.command("RSET", 250);
  await message(["temperror"], 451);
  await message(["x-permerror"], 550);
  await message(["x421"], 421).catch(() => {});
  assert.equal(t.seen.deliveries.length, 0);

  await using d = await t.dial();
  await d.hello();
  await d.command("MAIL FROM:<a@b.example>", 250);
  for (const to of ["mjl", "x600", "queue-permerror", "x552"]) {
    await d.command(`RCPT TO:<${to}@mox.example>`, 250);
  }
  await d.command("DATA", 354);
  await d.command("x\r\n.", 250);
  assert.deepEqual(t.seen.deliveries[0].to, [
    "mjl@mox.example",
    "x600@mox.example",
    "queue-permerror@mox.example",
  ]);
  assert.deepEqual(t.seen.failures, [{ to: "x552@mox.example", code: 552 }]);

  // "timeout": no answer, until the peer gives up.
  const e = await t.dial();
  await e.hello();
  await e.command("MAIL FROM:<a@b.example>", 250);
  await e.send("RCPT TO:<rcptto-timeout@mox.example>\r\n");
  e.conn.readTimeout = 100;
  await assert.rejects(e.reply(), /no input/);
  await e.conn.close();
});
