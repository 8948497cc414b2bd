/** SMTP clients that others wrote, and the addresses that misbehave as asked, against `localserve`. */
import assert from "node:assert/strict";
import { connect } from "node:net";
import nodemailer from "nodemailer";
import type { ImapFlow } from "imapflow";
import { findProgram, lacks } from "../support/programs.ts";
import { loggedIn, login as auth } from "../support/imap_client.ts";
import { type Localserve, startLocalserve } from "../support/localserve.ts";

const tls = { rejectUnauthorized: false };

async function withImap<T>(s: Localserve, f: (c: ImapFlow) => Promise<T>): Promise<T> {
  const c = await loggedIn(s);
  try {
    await c.mailboxOpen("INBOX");
    return await f(c);
  } finally {
    await c.logout();
  }
}

/** Waits until a message with this in its subject is in Inbox; its source. */
function arrival(s: Localserve, subject: string): Promise<string> {
  return withImap(s, async (c) => {
    const deadline = Date.now() + 10_000;
    for (;;) {
      const uids = await c.search({ subject }, { uid: true });
      if (uids && uids.length > 0) {
        const { content } = await c.download(String(uids[0]), undefined, { uid: true });
        const parts: Uint8Array[] = [];
        for await (const p of content!) parts.push(p as Uint8Array);
        return new TextDecoder().decode(await new Blob(parts as BlobPart[]).arrayBuffer());
      }
      assert.ok(Date.now() < deadline, `no message ${subject} arrived`);
      await c.noop();
    }
  });
}

/** The failure report about a message, when it has come. */
function report(s: Localserve, subject: string): Promise<string> {
  return arrival(s, `Message not delivered: ${subject}`);
}

interface SmtpFailure {
  responseCode?: number;
  command?: string;
}

Deno.test("nodemailer", async (t) => {
  const s = await startLocalserve();
  try {
    const ways = [
      { name: "plain", port: s.smtp, ignoreTLS: true },
      { name: "STARTTLS", port: s.smtp, requireTLS: true },
      { name: "plain with AUTH", port: s.submission, ignoreTLS: true, auth },
      { name: "STARTTLS with AUTH", port: s.submission, requireTLS: true, auth },
      { name: "TLS with AUTH", port: s.submissions, secure: true, auth },
    ];
    for (const [i, { name, ...way }] of ways.entries()) {
      await t.step(name, async () => {
        const transport = nodemailer.createTransport({ host: "127.0.0.1", tls, ...way });
        const info = await transport.sendMail({
          from: "mox@localhost",
          to: "someone@localhost",
          subject: `way${i}`,
          text: "hello\n.\n..dots\n",
        });
        assert.match(info.response, /^250 /);
        transport.close();
        assert.match(await arrival(s, `way${i}`), /hello\r\n\.\r\n\.\.dots\r\n/);
      });
    }
    await t.step("a wrong password is refused", async () => {
      const transport = nodemailer.createTransport({
        host: "127.0.0.1",
        tls,
        port: s.submissions,
        secure: true,
        auth: { ...auth, pass: "wrong" },
      });
      await assert.rejects(transport.verify(), (e: SmtpFailure) => e.responseCode === 535);
    });
    await t.step("an address in UTF-8", async () => {
      const transport = nodemailer.createTransport({ host: "127.0.0.1", tls, port: s.smtp });
      const info = await transport.sendMail({
        envelope: { from: "mox@localhost", to: ["jürgen@localhost"] },
        from: "mox@localhost",
        to: "jürgen@localhost",
        subject: "smtputf8",
        text: "hi",
      });
      assert.match(info.response, /^250 /);
      assert.match(await arrival(s, "smtputf8"), /jürgen@localhost/);
    });
    await t.step("an attachment of 50 MB arrives as it was", async () => {
      const content = new Uint8Array(50 << 20);
      for (let i = 0; i < content.length; i += 65536) {
        crypto.getRandomValues(content.subarray(i, i + 65536));
      }
      const transport = nodemailer.createTransport({ host: "127.0.0.1", tls, port: s.smtp });
      const info = await transport.sendMail({
        from: "mox@localhost",
        to: "mox@localhost",
        subject: "fifty",
        text: "see attachment",
        attachments: [{ filename: "a.bin", content: content as unknown as never }],
      });
      assert.match(info.response, /^250 /);
      await withImap(s, async (c) => {
        const uids = await c.search({ subject: "fifty" }, { uid: true });
        assert.ok(uids && uids.length === 1);
        const { content: got } = await c.download(String(uids[0]), "2", { uid: true });
        const parts: Uint8Array[] = [];
        for await (const p of got!) parts.push(p as Uint8Array);
        const all = await new Blob(parts as BlobPart[]).arrayBuffer();
        assert.equal(all.byteLength, content.length);
        assert.deepEqual(
          await crypto.subtle.digest("SHA-256", all),
          await crypto.subtle.digest("SHA-256", content),
        );
      });
    });
  } finally {
    await s.close();
  }
});

Deno.test("addresses that misbehave as asked", async (t) => {
  const s = await startLocalserve();
  const send = (from: string, to: string, subject = "asked") =>
    nodemailer.createTransport({ host: "127.0.0.1", tls, port: s.smtp }).sendMail({
      from: `${from}@localhost`,
      to: `${to}@localhost`,
      subject,
      text: "x",
    });
  const cases: [from: string, to: string, code: number, command: string][] = [
    ["mox", "temperror", 451, "DATA"],
    ["mox", "permerror", 550, "DATA"],
    ["mox", "user452", 452, "DATA"],
    ["mox", "user554", 554, "DATA"],
    ["mailfromtemperror", "mox", 451, "MAIL FROM"],
    ["mailfrom553", "mox", 553, "MAIL FROM"],
    ["mox", "rcpttopermerror", 550, "RCPT TO"],
    ["mox", "rcptto450", 450, "RCPT TO"],
  ];
  try {
    for (const [from, to, code, command] of cases) {
      await t.step(`from ${from} to ${to}: ${code} at ${command}`, async () => {
        await assert.rejects(send(from, to), (e: SmtpFailure) => {
          assert.deepEqual([e.responseCode, e.command], [code, command]);
          return true;
        });
      });
    }
    await t.step("queuepermerror: taken, then a failure report arrives", async () => {
      const transport = nodemailer.createTransport({
        host: "127.0.0.1",
        tls,
        port: s.submission,
        auth,
      });
      await transport.sendMail({
        from: "mox@localhost",
        to: "queuepermerror@localhost",
        subject: "doomed",
        text: "x",
      });
      const text = await report(s, "doomed");
      assert.doesNotMatch(text, /Future-Release-Request/i);
      assert.match(text, /message\/delivery-status/i);
      assert.match(text, /Final-Recipient: *rfc822; *queuepermerror@localhost/i);
      assert.match(text, /Action: failed/i);
    });
    await t.step("a message that was held says so in its failure report (RFC 4865)", async () => {
      const socket = connect(s.submission, "127.0.0.1");
      try {
        let got = "";
        socket.on("data", (d: Uint8Array) => got += d.toString());
        const plain = btoa(`\0${auth.user}\0${auth.pass}`);
        for (
          const line of [
            "",
            "EHLO localhost\r\n",
            `AUTH PLAIN ${plain}\r\n`,
            "MAIL FROM:<mox@localhost> HOLDFOR=1\r\n",
            "RCPT TO:<queuepermerror@localhost>\r\n",
            "DATA\r\n",
            "From: mox@localhost\r\nSubject: held and doomed\r\n\r\nx\r\n.\r\n",
          ]
        ) {
          got = "";
          socket.write(line);
          while (!/^\d{3} [^\n]*\n$/m.test(got)) await new Promise((r) => socket.once("data", r));
          assert.match(got, /^(?:220|235|250|354)/, line);
        }
      } finally {
        socket.destroy();
      }
      const text = await report(s, "held and doomed");
      assert.match(text, /^Arrival-Date: /m);
      assert.match(text, /^Future-Release-Request: for;1\r$/m);
    });
    await t.step("rcpttotimeout holds that connection only", async () => {
      const socket = connect(s.smtp, "127.0.0.1");
      let got = "";
      socket.on("data", (d: Uint8Array) => got += d.toString());
      const seen = async (re: RegExp) => {
        while (!re.test(got)) await new Promise((r) => socket.once("data", r));
      };
      await seen(/^220 /);
      socket.write("EHLO localhost\r\n");
      await seen(/^250 /m);
      socket.write("MAIL FROM:<mox@localhost>\r\n");
      await seen(/^250 2\.1\.0|^250 [^\n]*\r\n[^]*^250 /m);
      const before = got;
      socket.write("RCPT TO:<rcpttotimeout@localhost>\r\n");
      await send("mox", "mox", "beside");
      await new Promise((r) => setTimeout(r, 300));
      assert.equal(got, before);
      socket.destroy();
    });
  } finally {
    await s.close();
  }
});

Deno.test({
  name: "swaks: port of SMTP, and submission with PLAIN and CRAM-MD5",
  ignore: lacks("swaks"),
  async fn() {
    const s = await startLocalserve();
    try {
      for (
        const [subject, port, extra] of [
          ["swaks-smtp", s.smtp, []],
          ["swaks-plain", s.submission, ["--auth", "PLAIN"]],
          ["swaks-cram", s.submission, ["--auth", "CRAM-MD5"]],
        ] as const
      ) {
        const r = await new Deno.Command(findProgram("swaks")!, {
          args: ["--server", "127.0.0.1", "--port", String(port), "--from", "mox@localhost"].concat(
            ["--to", "you@localhost", "--header", `Subject: ${subject}`, ...extra],
            extra.length ? ["--auth-user", auth.user, "--auth-password", auth.pass] : [],
          ),
        }).output();
        const said = new TextDecoder().decode(r.stdout) + new TextDecoder().decode(r.stderr);
        assert.equal(r.code, 0, said);
        assert.match(await arrival(s, subject), /This is a test mailing/);
      }
    } finally {
      await s.close();
    }
  },
});
