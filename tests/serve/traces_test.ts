/** What the trace levels show of SMTP and IMAP: passwords and messages only where they are asked for. */
import assert from "node:assert/strict";
import { clearLevel, type Level, setLevel, setLogSink } from "../../src/log/mod.ts";
import { password, startServer as startImap } from "../imap/server.ts";
import { account, startServer as startSmtp } from "../smtp/talk.ts";

async function logged(pkg: string, level: Level, fn: () => Promise<void>): Promise<string> {
  let log = "";
  const before = setLogSink((line) => log += `${line}\n`);
  setLevel(pkg, level);
  try {
    await fn();
  } finally {
    clearLevel(pkg);
    setLevel("smtpserver", "error");
    setLogSink(before);
  }
  return log;
}

async function smtp(): Promise<void> {
  await using t = await startSmtp({ submission: true, allowPlainAuth: true });
  await using c = await t.dial();
  await c.expect(220);
  await c.command("EHLO x.example", 250);
  const plain = btoa(`\0${account.name}\0te\u00a0st1234`);
  await c.send(`AUTH PLAIN ${plain}\r\n`);
  await c.reply();
  await c.command("NOOP", 250);
}

async function message(): Promise<void> {
  await using t = await startSmtp();
  await using c = await t.dial();
  await c.expect(220);
  await c.command("EHLO x.example", 250);
  await c.command("MAIL FROM:<a@b.example>", 250);
  await c.command("RCPT TO:<c@mox.example>", 250);
  await c.command("DATA", 354);
  await c.command("Subject: the subject\r\n\r\nthe text\r\n.", 250);
}

async function imap(): Promise<void> {
  const server = await startImap();
  try {
    const c = await server.client();
    await c.append("INBOX", "Subject: the subject\r\n\r\nthe text\r\n");
    await c.ok("SELECT INBOX");
    await c.ok("FETCH 1 BODY[]");
  } finally {
    await server.stop();
  }
}

Deno.test("SMTP: trace hides passwords and messages, traceauth and tracedata show them", async () => {
  const plain = /AUTH PLAIN [A-Za-z0-9+/=]{8}/;
  const trace = await logged("smtpserver", "trace", smtp);
  assert.match(trace, /C: AUTH PLAIN \*\*\*/);
  assert.doesNotMatch(trace, plain);
  assert.match(await logged("smtpserver", "traceauth", smtp), plain);
  const without = await logged("smtpserver", "traceauth", message);
  assert.match(without, /C: MAIL FROM:<a@b\.example>/);
  assert.doesNotMatch(without, /the text/);
  assert.match(await logged("smtpserver", "tracedata", message), /the text/);
});

Deno.test("IMAP: trace shows commands and answers, traceauth passwords too; never mail", async () => {
  const trace = await logged("imapserver", "trace", imap);
  assert.match(trace, /C: \S+ (?:LOGIN|AUTHENTICATE \S+) \*\*\*/);
  assert.match(trace, /C: \S+ SELECT INBOX/);
  assert.match(trace, /S: \S+ OK/);
  assert.doesNotMatch(trace, new RegExp(password));
  const auth = await logged("imapserver", "traceauth", imap);
  assert.match(auth, /C: \S+ (?:LOGIN|AUTHENTICATE PLAIN) [^*\s]/);
  assert.doesNotMatch(trace + auth + await logged("imapserver", "tracedata", imap), /the text/);
});
