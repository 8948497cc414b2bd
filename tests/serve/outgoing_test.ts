/** From submission to another server, through a whole server. */
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { Config } from "../../src/config/mod.ts";
import { type ScriptedResolver, scriptedResolver } from "../../src/dns/mod.ts";
import { Log, setLevel } from "../../src/log/mod.ts";
import { connectTcp } from "../../src/net/mod.ts";
import { authenticate, bytesSource } from "../../src/senderauth/mod.ts";
import { setAccountPassword } from "../../src/serve/logins.ts";
import { MailServer } from "../../src/serve/server.ts";
import {
  type Envelope,
  type EnvelopeRecipient,
  type RecipientOutcome,
  SmtpClient,
} from "../../src/smtp/client/mod.ts";
import { type FakeHost, fakeHost, type FakeOptions } from "../smtp/fake_host.ts";
import { mox } from "../support/localserve.ts";
import { freePorts } from "./instance.ts";

for (
  const pkg of ["serve", "queue", "smtpclient", "smtpserver", "control", "submission", "store"]
) {
  setLevel(pkg, "error");
}

const password = "correct horse";
const latin1 = (b: Uint8Array) => Array.from(b, (c) => String.fromCharCode(c)).join("");
const bytes = (s: string) => Uint8Array.from(s, (c) => c.charCodeAt(0));

interface Outgoing {
  server: MailServer;
  config: Config;
  host: FakeHost;
  resolver: ScriptedResolver;
  dir: string;
  submit(
    to: string[],
    message: string,
    more?: Partial<Envelope> & { notify?: EnvelopeRecipient["notify"] },
  ): Promise<RecipientOutcome[]>;
  /** Messages in a mailbox of ann's, by default Inbox. */
  inbox(mailbox?: string): Promise<string[]>;
  command(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }>;
}

async function withServer(o: FakeOptions, fn: (w: Outgoing) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  await using host = await fakeHost({ extensions: ["8BITMIME", "PIPELINING"], ...o });
  const [submission] = await freePorts(1);
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const ed = generateKeyPairSync("ed25519");
  await Deno.mkdir(`${dir}/config`);
  const pem = (k: typeof rsa.privateKey) => k.export({ type: "pkcs8", format: "pem" }) as string;
  await Deno.writeTextFile(`${dir}/config/rsa.pem`, pem(rsa.privateKey));
  await Deno.writeTextFile(`${dir}/config/ed.pem`, pem(ed.privateKey));
  await Deno.writeTextFile(
    `${dir}/config/mox.conf`,
    `DataDir: ../data
LogLevel: error
Hostname: mail.mox.example
Listeners:
	internal:
		IPs:
			- 127.0.0.1
		Submission:
			Enabled: true
			Port: ${submission}
			NoRequireSTARTTLS: true
Postmaster:
	Account: ann
	Mailbox: Postmaster
Transports:
	broken:
		Fail:
			SMTPCode: 451
			SMTPMessage: out of order
`,
  );
  const selector = (file: string) => `
				PrivateKeyFile: ${file}
				Canonicalization:
					HeaderRelaxed: true
					BodyRelaxed: true`;
  await Deno.writeTextFile(
    `${dir}/config/domains.conf`,
    `Domains:
	mox.example:
		DKIM:
			Selectors:
				r:${selector("rsa.pem").replaceAll("\n\t", "\n\t\t")}
				e:${selector("ed.pem").replaceAll("\n\t", "\n\t\t")}
			Sign:
				- r
				- e
Accounts:
	ann:
		Domain: mox.example
		MaxOutgoingMessagesPerDay: 5
		MaxFirstTimeRecipientsPerDay: 3
		KeepRetiredMessagePeriod: 24h
		Destinations:
			ann@mox.example: nil
			bob@mox.example: nil
`,
  );
  const config = await Config.load(`${dir}/config/mox.conf`);
  const p = (k: typeof rsa.publicKey) => k.export({ type: "spki", format: "der" });
  const resolver = scriptedResolver({
    "to.example": { A: ["127.0.0.1"] },
    "r._domainkey.mox.example": {
      TXT: [`v=DKIM1; k=rsa; p=${p(rsa.publicKey).toString("base64")}`],
    },
    "e._domainkey.mox.example": {
      TXT: [`v=DKIM1; k=ed25519; p=${p(ed.publicKey).subarray(12).toString("base64")}`],
    },
  });
  const server = await MailServer.start({
    config,
    local: false,
    outgoing: { resolver, port: host.port },
    prepare: (accounts) => setAccountPassword(accounts, "ann", password),
  });
  try {
    await fn({
      server,
      config,
      host,
      resolver,
      dir,
      async submit(to, message, { notify, ...more } = {}) {
        const client = await SmtpClient.start(
          await connectTcp({ host: "127.0.0.1", port: submission }),
          {
            log: new Log("smtpclient"),
            hostname: "laptop.example",
            tls: "never",
            auth: { username: "ann@mox.example", password },
          },
        );
        const outcomes = await client.send({
          mailFrom: "ann@mox.example",
          recipients: to.map((address) => ({ address, notify })),
          size: bytes(message).length,
          body: "8bit",
          smtpUtf8: false,
          ...more,
        }, async function* () {
          yield await Promise.resolve(bytes(message));
        });
        await client.quit();
        return outcomes;
      },
      async inbox(mailbox = "Inbox") {
        const account = await server.accounts.open("ann");
        try {
          const box = account.mailboxByName(mailbox)!;
          return Array.from(account.uids(box.id), (uid) => {
            const m = account.messageByUid(box.id, uid)!;
            const reader = account.openMessage(m.emailId);
            try {
              return new TextDecoder().decode(reader.read(0, m.size));
            } finally {
              reader.close();
            }
          });
        } finally {
          account.close();
        }
      },
      command: (...args) => mox(["-config", `${dir}/config/mox.conf`, ...args]),
    });
  } finally {
    await server.stop();
    await Deno.remove(dir, { recursive: true });
  }
}

const message = "From: Ann <ann@mox.example>\r\nTo: x@to.example\r\nSubject: hi\r\n\r\n.hello\r\n";

Deno.test("what is submitted arrives signed by each selector, with what it lacked", () =>
  withServer({}, async ({ server, submit, host, resolver }) => {
    const [o] = await submit(["x@to.example"], message);
    assert.match((o as { lines: string[] }).lines.join(), /queued as/);
    await server.queue.idle();
    const [mail] = host.mails;
    assert.match(mail.data, /^DKIM-Signature: /);
    assert.match(mail.data, /^Message-ID: <[^>]+@mail\.mox\.example>\r$/m);
    assert.match(mail.data, /^Date: /m);
    assert.match(mail.data, /^Received: from laptop\.example/m);
    assert.ok(mail.data.endsWith("\r\n\r\n.hello\r\n"));
    const result = await verified(mail.data, resolver);
    assert.deepEqual(
      result.dkim.map((d) => `${d.status} ${d.algorithm} ${d.domain}`),
      ["pass rsa-sha256 mox.example", "pass ed25519-sha256 mox.example"],
    );
  }));

/** What another server finds out about a message of ours. */
async function verified(data: string, resolver: ScriptedResolver) {
  const all = bytes(data);
  return await authenticate({
    headerBytes: all.subarray(0, data.indexOf("\r\n\r\n") + 4),
    message: bytesSource(all),
    remoteIp: "192.0.2.1",
    ehlo: "mail.mox.example",
    mailFrom: "ann@mox.example",
    hostname: "mx.to.example",
    resolver,
    log: new Log("senderauth"),
    now: new Date(),
  });
}

Deno.test("long lines, raw bytes in headers and blind copies are changed before the signatures are made", () =>
  withServer({}, async ({ server, submit, host, resolver, config }) => {
    const text =
      "From: J\xc3\xbcrgen <ann@mox.example>\r\nTo: x@to.example\r\nBcc: hidden@to.example,\r\n" +
      " hidden2@to.example\r\nSubject: Gr\xc3\xbc\xc3\x9fe\r\n" +
      "Authentication-Results: mail.mox.example; spf=pass\r\n\r\n" +
      `${"word ".repeat(400)}\r\n`;
    await submit(["x@to.example"], text);
    await server.queue.idle();
    const [mail] = host.mails;
    assert.ok(mail.data.split("\r\n").every((l) => l.length <= 998));
    assert.doesNotMatch(mail.data, /hidden|^Authentication-Results:/m);
    // deno-lint-ignore no-control-regex -- all of ASCII
    assert.match(mail.data.slice(0, mail.data.indexOf("\r\n\r\n")), /^[\x00-\x7f]*$/);
    assert.match(mail.data, /^Subject: =\?utf-8\?b\?/m);
    assert.ok(host.commands.some((c) => c.startsWith("MAIL") && !c.includes("SMTPUTF8")));
    const result = await verified(mail.data, resolver);
    assert.deepEqual(result.dkim.map((d) => d.status), ["pass", "pass"]);
    // Nothing is left of the copy that was made.
    assert.deepEqual(
      [...Deno.readDirSync(config.dataPath("tmp"))].filter((e) => e.name.startsWith("leaving")),
      [],
    );
  }));

Deno.test("8-bit text is encoded for a server that can't have it, and signed as it goes", () =>
  withServer({ extensions: ["PIPELINING"] }, async ({ server, submit, host, resolver }) => {
    const text = message.replace(".hello", "gr\xc3\xbc\xc3\x9fe\r\n.");
    await submit(["x@to.example"], text);
    await server.queue.idle();
    const [mail] = host.mails;
    assert.match(mail.data, /^Content-Transfer-Encoding: quoted-printable\r$/m);
    assert.ok(mail.data.endsWith("\r\n\r\ngr=C3=BC=C3=9Fe\r\n.\r\n"));
    assert.ok(host.commands.some((c) => c.startsWith("MAIL") && !c.includes("BODY")));
    const result = await verified(mail.data, resolver);
    assert.deepEqual(result.dkim.map((d) => `${d.status} ${d.algorithm}`), [
      "pass rsa-sha256",
      "pass ed25519-sha256",
    ]);
  }));

Deno.test("limits count recipients, spare own addresses, and name their parameter", () =>
  withServer({}, async ({ server, submit, host, inbox }) => {
    const code = async (to: string[]) => {
      const [o] = await submit(to, message);
      return `${o.code} ${"text" in o ? /Max[A-Za-z]+/.exec(o.text) : ""}`.trim();
    };
    assert.equal(await code(["a@to.example", "b@to.example", "c@to.example"]), "250");
    assert.equal(await code(["d@to.example"]), "451 MaxFirstTimeRecipientsPerDay");
    assert.equal(await code(["a@to.example", "B@to.example"]), "250");
    assert.equal(await code(["a@to.example"]), "451 MaxOutgoingMessagesPerDay");
    assert.equal(await code(["bob@mox.example"]), "250");
    await server.queue.idle();
    assert.equal(host.mails.reduce((n, m) => n + m.to.length, 0), 5);
    // The postmaster is told, once.
    const [notice, ...more] = await inbox("Postmaster");
    assert.match(notice, /account ann tried to send more than 3 new recipients in 24 hours/);
    assert.deepEqual(more, []);
  }));

Deno.test("a refused recipient: the sender is told, and the next message to it is held back", () =>
  withServer(
    { rcpt: (l) => l.includes("gone@") ? "550 5.1.1 no such user here" : undefined },
    async ({ server, submit, inbox, host, command }) => {
      await submit(["gone@to.example"], message);
      await server.queue.idle();
      const [dsn] = await inbox();
      assert.match(dsn, /^Content-Type: multipart\/report/m);
      assert.match(dsn, /^Final-Recipient: rfc822; gone@to\.example\r$/m);
      assert.match(dsn, /^Remote-MTA: dns; to\.example\r$/m);
      assert.match(dsn, /^Diagnostic-Code: smtp; 550 5\.1\.1 no such user here\r$/m);
      assert.match(dsn, /^Status: 5\.1\.1\r$/m);
      assert.equal((await inbox()).length, 1);

      await submit(["Gone+again@to.example"], message);
      await server.queue.idle();
      assert.equal((await inbox()).length, 2);
      assert.equal(host.commands.filter((c) => c.startsWith("RCPT")).length, 1);
      const list = await command("queue", "suppress", "list");
      assert.match(list.stdout, /ann +gone@to\.example .*bounces +address is refused: 550 5\.1\.1/);
      const retired = await command("queue", "retired", "-account", "ann");
      assert.match(retired.stdout, /suppressed +ann .*<Gone\+again@to\.example>/);
      assert.match(retired.stdout, /failed +ann .*<gone@to\.example>/);
      assert.equal(
        (await command("queue", "suppress", "remove", "ann", "gone@to.example")).code,
        0,
      );
      assert.equal(
        (await command("queue", "suppress", "lookup", "ann", "gone@to.example")).code,
        1,
      );
      const key = (name: string) => command("queue", "webhook", "secret", name);
      assert.equal((await key("ann")).code, 0);
      assert.match((await key("nobody")).stderr, /no account nobody/);
    },
  ));

Deno.test("reports are as asked for: RET and ENVID, of failures whole, of successes the header", () =>
  withServer(
    { rcpt: (l) => l.includes("gone@") ? "550 5.2.2 mailbox full" : undefined },
    async ({ server, submit, inbox }) => {
      const more = { ret: "full", envelopeId: "id+1", notify: ["success", "failure"] } as const;
      await submit(["gone@to.example", "x@to.example"], message, more);
      await server.queue.idle();
      const [failed, relayed] = (await inbox()).sort((a, b) =>
        Number(a.includes("Action: relayed")) - Number(b.includes("Action: relayed"))
      );
      assert.match(failed, /^Action: failed\r$/m);
      assert.match(failed, /mailbox is full\. Try\s+again later/);
      assert.match(failed, /^Content-Type: message\/rfc822\r$/m);
      assert.match(failed, /\r\n\r\n\.hello\r\n/);
      assert.match(relayed, /^Action: relayed\r$/m);
      assert.match(relayed, /^Content-Type: text\/rfc822-headers\r$/m);
      assert.doesNotMatch(relayed, /\r\n\r\n\.hello\r\n/);
      for (const dsn of [failed, relayed]) {
        assert.match(dsn, /^Original-Envelope-Id: id\+1\r$/m);
        assert.match(dsn, /^Return-Path: <>\r$/m);
        assert.match(dsn, /^Auto-Submitted: auto-replied\r$/m);
      }
    },
  ));

Deno.test("SMTPUTF8 that the message does not need is not asked of the next server", () =>
  withServer({}, async ({ server, submit, host, inbox }) => {
    const utf8 = (s: string) => latin1(new TextEncoder().encode(s));
    await submit(["x@to.example"], utf8(message.replace(".hello", "grüße")), { smtpUtf8: true });
    await server.queue.idle();
    assert.equal(host.mails.length, 1);
    const part = message.replace("Subject", "Content-Disposition: inline; filename=ü\r\nSubject");
    await submit(["x@to.example"], utf8(part), { smtpUtf8: true });
    await server.queue.idle();
    assert.equal(host.mails.length, 1);
    assert.match((await inbox())[0], /^Status: 5\.6\.7\r$/m);
  }));

Deno.test("what is urgent goes before other mail, mail to many behind it", () =>
  withServer({}, async ({ server, submit }) => {
    await server.queue.addHoldRule({
      account: undefined,
      senderDomain: undefined,
      recipientDomain: undefined,
    });
    const fields = ["Priority: urgent", "Priority: non-urgent", "Precedence: bulk", "X-Any: thing"];
    for (const f of fields) {
      await submit(["x@to.example"], message.replace("Subject", `${f}\r\nSubject`));
    }
    const queued = server.queue.list({}, { sort: "id" });
    assert.deepEqual(queued.map((i) => i.priority), [1, -1, -1, 0]);
  }));

Deno.test("queue commands: what is queued is listed, held, moved, dumped, failed and dropped", () =>
  withServer({ greeting: () => "421 4.3.2 later" }, async (w) => {
    const { server, submit, command, host, inbox } = w;
    const said = async (...args: string[]) => {
      const r = await command("queue", ...args);
      assert.equal(r.code, 0, r.stderr);
      return r.stdout;
    };
    assert.equal(await said("list"), "nothing is queued\n");
    await submit(["a@to.example", "b@to.example"], message);
    await server.queue.idle();
    const listed = await said("list", "-sort", "id");
    assert.match(listed, /^id +queued +account/);
    assert.match(
      listed,
      /<ann@mox\.example> +<a@to\.example> .* 1 .*to\.example: 421 4\.3\.2 later/,
    );
    const [a, b] = server.queue.list({}, { sort: "id" });
    assert.equal(await said("list", "-to", "zz"), "nothing is queued\n");
    assert.equal(JSON.parse(await said("list", "-json", "-to", "@to.example")).length, 2);

    assert.match((await command("queue", "hold")).stderr, /use -all/);
    assert.equal(await said("hold", "-all"), "2 changed\n");
    assert.match(await said("list", "-hold", "true"), /on hold/);
    host.options = {};
    assert.equal(await said("schedule", "-all", "now"), "2 changed\n");
    await server.queue.idle();
    assert.equal(host.mails.length, 0);
    assert.equal(await said("requiretls", "-ids", String(a.id), "no"), "1 changed\n");
    assert.match((await command("queue", "transport", "-all", "nosuch")).stderr, /no transport/);
    assert.equal(await said("transport", "-to", "b@", "broken"), "1 changed\n");
    assert.match(await said("list"), /by broken/);
    assert.equal(await said("unhold", "-all"), "2 changed\n");
    await server.queue.idle();
    assert.deepEqual(host.mails.map((m) => m.to), [["a@to.example"]]);
    assert.match(await said("list"), /451 4\.7\.1 out of order/);
    assert.match(await said("dump", String(b.id)), /^DKIM-Signature: [^]*\r\n\r\n\.hello\r\n$/);
    assert.match((await command("queue", "dump", "9999")).stderr, /no item 9999/);
    const before = server.queue.list()[0].nextAttempt;
    assert.equal(await said("schedule", "-all", "+1h"), "1 changed\n");
    assert.equal(server.queue.list()[0].nextAttempt, before + 3600_000);
    assert.equal(await said("fail", "-ids", String(b.id)), "1 changed\n");
    await server.queue.idle();
    assert.match((await inbox())[0], /cancelled by an administrator/);

    assert.match(await said("holdrules", "add", "-recipientdomain", "to.example"), /rule 1 added/);
    assert.match(await said("holdrules", "list"), /1 +any +any +to\.example/);
    await submit(["a@to.example"], message);
    await server.queue.idle();
    assert.equal(host.mails.length, 1);
    assert.equal(await said("drop", "-account", "ann"), "1 changed\n");
    await said("holdrules", "remove", "1");
    assert.match((await command("queue", "holdrules", "remove", "1")).stderr, /no hold rule/);
    assert.equal(server.queue.count(), 0);
    await said("suppress", "add", "ann", "x@to.example");
    assert.match(await said("suppress", "lookup", "ann", "X+1@to.example"), /by an administrator/);

    const dialled = await command("smtp", "dial", "-ehlo", "me.example", `127.0.0.1:${host.port}`);
    assert.match(dialled.stdout, /^greeting: fake\.example\n/m);
    assert.match(dialled.stdout, /^extensions: PIPELINING 8BITMIME\n/m);
    assert.ok(host.commands.includes("EHLO me.example"));
  }));
