import assert from "node:assert/strict";
import { Log, setLevel, setLogSink } from "../../src/log/mod.ts";
import { noise } from "../net/loopback.ts";
import { bytes, recordingBackend, startServer, text } from "./talk.ts";

Deno.test("a message is received", async () => {
  await using t = await startServer();
  await using c = await t.dial();
  await c.transcript(`
    S: 220
    C: EHLO client.example
    S: 250
    C: MAIL FROM:<sender@remote.example> SIZE=100 BODY=8BITMIME
    S: 250 2.1.0
    C: RCPT TO:<mjl@mox.example>
    S: 250 2.1.5
    C: DATA
    S: 354
    C: From: sender@remote.example
    C: Subject: test
    C:
    C: ..a line with a dot
    C: ...
    C: end
    C: .
    S: 250 2.0.0
    C: QUIT
    S: 221 2.0.0
    END
  `.replace("C:\n", "C: \n"));
  const [d] = t.seen.deliveries;
  assert.equal(d.from, "sender@remote.example");
  assert.deepEqual(d.to, ["mjl@mox.example"]);
  assert.equal(
    text(d.content),
    "From: sender@remote.example\r\nSubject: test\r\n\r\n.a line with a dot\r\n..\r\nend\r\n",
  );
  assert.equal(d.message.headerSize, 46);
  assert.equal(d.message.has8bit, false);
  assert.equal(d.transaction.recipients[0].handle, "handle of mjl@mox.example");
  assert.match(
    d.received,
    /^Received: from client\.example \(\[127\.0\.0\.1\]\)\r\n\tby mail\.example with ESMTP id [0-9a-f]+\r\n\tfor <mjl@mox\.example>;\r\n\t\w{3}, \d+ \w{3} \d{4} \d\d:\d\d:\d\d \+0000\r\n$/,
  );
  assert.equal(d.returnPath, "Return-Path: <sender@remote.example>\r\n");
});

Deno.test("EHLO lists what the connection can do, and TLS changes it", async () => {
  await using t = await startServer();
  await using c = await t.dial();
  const plain = await c.hello();
  assert.deepEqual(plain.lines, [
    "mail.example hello client.example",
    "PIPELINING",
    "SIZE 104857600",
    "STARTTLS",
    "AUTH SCRAM-SHA-256 SCRAM-SHA-1 CRAM-MD5",
    "ENHANCEDSTATUSCODES",
    "8BITMIME",
    "SMTPUTF8",
    "CHUNKING",
    "BINARYMIME",
    "DSN",
    "LIMITS RCPTMAX=1000",
    "HELP",
  ]);
  await c.command("STARTTLS", "220 2.0.0");
  await c.startTls();
  await c.command("MAIL FROM:<>", "503 5.5.1");
  const secure = await c.command("EHLO client.example", 250);
  assert.deepEqual(secure.lines.filter((l) => !plain.lines.includes(l)), [
    "REQUIRETLS",
    "AUTH SCRAM-SHA-256 SCRAM-SHA-1 CRAM-MD5 PLAIN LOGIN",
  ]);
  assert.ok(!secure.lines.includes("STARTTLS"));
  await c.command("STARTTLS", "503 5.5.1");
  await c.command("MAIL FROM:<a@b.example> REQUIRETLS", 250);
  await c.command("RCPT TO:<mjl@mox.example>", 250);
  await c.command("DATA", 354);
  await c.command("Subject: over TLS\r\n\r\nhi\r\n.", 250);
  const [d] = t.seen.deliveries;
  assert.equal(d.transaction.requireTls, true);
  assert.match(d.received, /with ESMTPS id [0-9a-f]+\r\n\t\(TLS1\.3 TLS_[A-Z0-9_]+\)\r\n/);
});

Deno.test("HELO is plain SMTP", async () => {
  await using t = await startServer();
  await using c = await t.dial();
  await c.transcript(`
    S: 220
    C: HELO old.example
    S: 250
    C: MAIL FROM:<a@b.example>
    S: 250
    C: RCPT TO:<Postmaster>
    S: 250
    C: DATA
    S: 354
    C: x
    C: .
    S: 250
  `);
  assert.deepEqual(t.seen.deliveries[0].to, ["Postmaster@mail.example"]);
  assert.match(t.seen.deliveries[0].received, /with SMTP id/);
});

Deno.test("commands may be pipelined, and each gets its answer in order", async () => {
  await using t = await startServer();
  await using c = await t.dial();
  await c.hello();
  const two = [1, 2].map((n) =>
    `MAIL FROM:<a${n}@b.example>\r\nRCPT TO:<unknown@mox.example>\r\n` +
    `RCPT TO:<mjl@mox.example>\r\nDATA\r\n`
  );
  await c.send(two[0]);
  for (const code of [250, 550, 250, 354]) await c.expect(code);
  await c.send(`first\r\n.\r\n${two[1]}`);
  for (const code of [250, 250, 550, 250, 354]) await c.expect(code);
  await c.send("second\r\n.\r\nQUIT\r\n");
  for (const code of [250, 221]) await c.expect(code);
  await c.end();
  assert.deepEqual(t.seen.deliveries.map((d) => text(d.content)), ["first\r\n", "second\r\n"]);
});

Deno.test("an empty message, and one without line end in front of the dot", async () => {
  await using t = await startServer();
  await using c = await t.dial();
  await c.hello();
  for (const data of ["", "..\r\n"]) {
    await c.send(`MAIL FROM:<>\r\nRCPT TO:<mjl@mox.example>\r\nDATA\r\n`);
    for (const code of [250, 250, 354]) await c.expect(code);
    await c.command(`${data}.`, 250);
  }
  assert.deepEqual(t.seen.deliveries.map((d) => text(d.content)), ["", ".\r\n"]);
  assert.equal(t.seen.deliveries[0].returnPath, "Return-Path: <>\r\n");
});

Deno.test("large messages arrive as they were sent, in DATA and in BDAT", async () => {
  await using t = await startServer();
  await using c = await t.dial();
  await c.hello();
  const binary = noise(3_000_000, 5);
  const body = binary.toBase64().replaceAll(/.{76}/g, "$&\r\n.");
  const message = `Subject: large\r\n\r\n${body}\r\n`;
  await c.send("MAIL FROM:<a@b.example>\r\nRCPT TO:<mjl@mox.example>\r\nDATA\r\n");
  for (const code of [250, 250, 354]) await c.expect(code);
  await c.send(message.replaceAll("\r\n.", "\r\n..") + ".\r\n");
  await c.expect(250);
  assert.equal(text(t.seen.deliveries[0].content), message);

  await c.command("MAIL FROM:<a@b.example> BODY=BINARYMIME", 250);
  await c.command("RCPT TO:<mjl@mox.example>", 250);
  await c.send(`BDAT ${binary.length - 1000}\r\n`);
  await c.send(binary.subarray(0, -1000));
  await c.expect(250);
  await c.send("BDAT 1000 LAST\r\n");
  await c.send(binary.subarray(-1000));
  await c.expect(250);
  assert.deepEqual(t.seen.deliveries[1].content, binary);
  assert.equal(t.seen.deliveries[1].message.has8bit, true);
  assert.equal(t.seen.deliveries[1].transaction.body, "binarymime");
});

Deno.test("BDAT: chunks of any size, pipelined, make one message", async () => {
  await using t = await startServer();
  await using c = await t.dial();
  await c.hello();
  await c.send(
    "MAIL FROM:<a@b.example>\r\nRCPT TO:<mjl@mox.example>\r\n" +
      "BDAT 10\r\nSubject: xBDAT 0\r\nBDAT 4\r\n\r\n\r\nBDAT 8\r\n.\r\nBDAT\r" +
      "BDAT 1\r\n\nBDAT 0 LAST\r\nNOOP\r\n",
  );
  for (const code of [250, 250, 250, 250, 250, 250, 250, 250, 250]) await c.expect(code);
  assert.equal(text(t.seen.deliveries[0].content), "Subject: x\r\n\r\n.\r\nBDAT\r\n");
});

Deno.test("BDAT: what isn't wanted is skipped, and the conversation goes on", async () => {
  await using t = await startServer();
  await using c = await t.dial();
  await c.hello();
  await c.command("BDAT 6 LAST\r\nQUIT", "503 5.5.1");
  await c.command("MAIL FROM:<a@b.example>", 250);
  await c.command("BDAT 6 LAST\r\nRSET", "503 5.5.1");
  await c.command("RCPT TO:<unknown@mox.example>", 550);
  await c.command("BDAT 6 LAST\r\nRSET", "554 5.5.1");
  await c.command("RCPT TO:<mjl@mox.example>", 250);
  await c.command("BDAT 4\r\nab", 250);
  await c.command("DATA", "503 5.5.1");
  await c.command("RCPT TO:<mjl@mox.example>", "503 5.5.1");
  await c.command("MAIL FROM:<a@b.example>", "503 5.5.1");
  await c.command("NOOP", 250);
  await c.command("RSET", 250);
  await c.command("BDAT 0 LAST", "503 5.5.1");
  assert.equal(t.seen.deliveries.length, 0);
});

Deno.test("DATA is no way to send BINARYMIME, and lines must be lines without it", async () => {
  await using t = await startServer();
  await using c = await t.dial();
  await c.hello();
  await c.command("MAIL FROM:<a@b.example> BODY=BINARYMIME", 250);
  await c.command("RCPT TO:<mjl@mox.example>", 250);
  await c.command("DATA", "503 5.5.1");
  await c.command("RSET", 250);
  for (const content of ["bare\nlf\r\n", "bare\rcr\r\n", "ends in cr\r"]) {
    await c.command("MAIL FROM:<a@b.example>", 250);
    await c.command("RCPT TO:<mjl@mox.example>", 250);
    await c.send(`BDAT ${content.length} LAST\r\n${content}`);
    await c.expect("550 5.5.2");
  }
  assert.equal(t.seen.deliveries.length, 0);
});

Deno.test("addresses and headers beyond ASCII, with SMTPUTF8", async () => {
  await using t = await startServer();
  await using c = await t.dial();
  await c.hello();
  await c.command("MAIL FROM:<δοκιμή@παράδειγμα.example>", "553 5.6.7");
  await c.command("MAIL FROM:<x@møx.example>", "553 5.6.7");
  await c.command("MAIL FROM:<δοκιμή@παράδειγμα.example> SMTPUTF8", 250);
  await c.command("RCPT TO:<m\u006f\u0308x@xn--mx-lka.example>", 250);
  await c.command("DATA", 354);
  await c.command("Subject: δοκιμή\r\n\r\nü\r\n.", 250);
  const [d] = t.seen.deliveries;
  assert.equal(d.from, "δοκιμή@παράδειγμα.example");
  assert.deepEqual(d.to, ["m\u00f6x@møx.example"]);
  assert.equal(d.transaction.recipients[0].address.asciiDomain, "xn--mx-lka.example");
  assert.equal(d.message.headerHas8bit, true);
  assert.equal(d.message.has8bit, true);
  assert.match(d.received, /with UTF8SMTP id/);
  assert.match(d.received, /for <möx@møx\.example>/);
  await c.command("MAIL FROM:<a@b.example>", 250);
  await c.command("RCPT TO:<möx@mox.example>", "553 5.6.7");
});

Deno.test("parameters of DSN are kept", async () => {
  await using t = await startServer();
  await using c = await t.dial();
  await c.hello();
  await c.command("MAIL FROM:<a@b.example> RET=HDRS ENVID=QQ314159+3D+2B", 250);
  await c.command(
    "RCPT TO:<one@mox.example> NOTIFY=SUCCESS,delay ORCPT=rfc822;Bob+2B@b.example",
    250,
  );
  await c.command("RCPT TO:<two@mox.example> NOTIFY=NEVER", 250);
  await c.command("RCPT TO:<three@mox.example> ORCPT=utf-8;\\x{FC}@b.example", 250);
  await c.command("RCPT TO:<four@mox.example>", 250);
  await c.command("DATA", 354);
  await c.command("x\r\n.", 250);
  const [{ transaction }] = t.seen.deliveries;
  assert.equal(transaction.ret, "hdrs");
  assert.equal(transaction.envelopeId, "QQ314159=+");
  assert.deepEqual(transaction.recipients.map((r) => [r.notify, r.originalRecipient]), [
    [["success", "delay"], { type: "rfc822", address: "Bob+@b.example" }],
    [["never"], undefined],
    [undefined, { type: "utf-8", address: "ü@b.example" }],
    [undefined, undefined],
  ]);
});

Deno.test("recipients are refused one by one, and a message for some of them", async () => {
  await using t = await startServer();
  await using c = await t.dial();
  await c.transcript(`
    S: 220
    C: EHLO client.example
    S: 250
    C: MAIL FROM:<a@b.example>
    S: 250
    C: RCPT TO:<unknown@mox.example>
    S: 550 5.1.1
    C: DATA
    S: 554 5.5.1
    C: RCPT TO:<later@mox.example>
    S: 451 4.2.1
    C: RCPT TO:<refused@mox.example>
    S: 250
    C: RCPT TO:<deferred@mox.example>
    S: 250
    C: DATA
    S: 354
    C: x
    C: .
    S: 451 4.7.1
    C: MAIL FROM:<a@b.example>
    S: 250
    C: RCPT TO:<refused@mox.example>
    S: 250
    C: DATA
    S: 354
    C: x
    C: .
    S: 550 5.7.1
    C: MAIL FROM:<a@b.example>
    S: 250
    C: RCPT TO:<refused@mox.example>
    S: 250
    C: RCPT TO:<mjl@mox.example>
    S: 250
    C: DATA
    S: 354
    C: x
    C: .
    S: 250 2.0.0
  `);
  assert.deepEqual(t.seen.failures, [{ to: "refused@mox.example", code: 550 }]);
});

Deno.test("an unhandled error in the backend ends that connection only", async () => {
  const previous = setLogSink(() => {});
  try {
    await using t = await startServer();
    await using c = await t.dial();
    await using other = await t.dial();
    await c.hello();
    await other.hello();
    await c.command("MAIL FROM:<a@b.example>", 250);
    await c.command("RCPT TO:<crash@mox.example>", "421 4.3.0");
    await c.end();
    await other.command("NOOP", 250);
  } finally {
    setLogSink(previous);
  }
});

Deno.test("a peer that leaves in the middle of a message leaves nothing behind", async () => {
  await using t = await startServer();
  for (const abort of [true, false]) {
    const c = await t.dial();
    await c.hello();
    await c.command("MAIL FROM:<a@b.example>", 250);
    await c.command("RCPT TO:<mjl@mox.example>", 250);
    await c.command("DATA", 354);
    await c.send(noise(700_000).toBase64());
    if (abort) c.conn.destroy();
    else await c.conn.close();
  }
  while (t.server.connections > 0) await new Promise((r) => setTimeout(r, 5));
  assert.equal(t.seen.disconnected, 2);
  assert.equal(t.seen.deliveries.length, 0);
});

Deno.test("a peer that closes its side right after its last command has its message taken", async () => {
  await using t = await startServer();
  await using c = await t.dial();
  await c.send(
    "EHLO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<mjl@mox.example>\r\nDATA\r\nx\r\n.\r\nQUIT\r\n",
  );
  const closing = c.conn.close();
  await closing;
  while (t.server.connections > 0) await new Promise((r) => setTimeout(r, 5));
  assert.equal(t.seen.deliveries.length, 1);
});

Deno.test("shutdown answers 421 between commands and lets a message be finished", async () => {
  const t = await startServer();
  await using idle = await t.dial();
  await using busy = await t.dial();
  await idle.hello();
  await busy.hello();
  await busy.command("MAIL FROM:<a@b.example>", 250);
  await busy.command("RCPT TO:<mjl@mox.example>", 250);
  await busy.command("DATA", 354);
  const stopped = t[Symbol.asyncDispose]();
  await idle.expect("421 4.3.2");
  await busy.send("x\r\n.\r\n");
  await busy.expect(250);
  await busy.expect("421 4.3.2");
  await stopped;
  assert.equal(t.seen.deliveries.length, 1);
});

Deno.test("the transcript in the log hides message data", async () => {
  const lines: string[] = [];
  const previous = setLogSink((l) => lines.push(l));
  setLevel("smtpserver", "trace");
  try {
    await using t = await startServer({ log: new Log("smtpserver") });
    await using c = await t.dial();
    await c.hello();
    await c.command("MAIL FROM:<a@b.example>", 250);
    await c.command("RCPT TO:<mjl@mox.example>", 250);
    await c.command("DATA", 354);
    await c.command("very private\r\n.", 250);
  } finally {
    setLevel("smtpserver", "error");
    setLogSink(previous);
  }
  const log = lines.join("");
  assert.ok(log.includes("C: MAIL FROM:<a@b.example>"));
  assert.ok(log.includes("S: 250 2.1.0 sender ok"));
  assert.ok(log.includes("C: (message of 14 bytes)"));
  assert.ok(!log.includes("private"));
});

Deno.test("the observer gets the message's bytes in order", async () => {
  const backend = recordingBackend();
  const parts: Uint8Array[] = [];
  let finished = 0;
  backend.startMessage = () => ({
    push: (b) => parts.push(b.slice()),
    finish: () => finished++,
  });
  await using t = await startServer({ backend });
  await using c = await t.dial();
  await c.hello();
  const body = "\r\n" + noise(1_000_000).toBase64().replaceAll(/.{70}/g, "$&\r\n") + "\r\n";
  await c.send("MAIL FROM:<a@b.example>\r\nRCPT TO:<mjl@mox.example>\r\nDATA\r\n");
  for (const code of [250, 250, 354]) await c.expect(code);
  await c.send(`${body}.\r\n`);
  await c.expect(250);
  assert.equal(text(new Uint8Array(await new Blob(parts as BlobPart[]).arrayBuffer())), body);
  assert.equal(finished, 1);
  assert.deepEqual(backend.seen.deliveries[0].content, bytes(body));
});
