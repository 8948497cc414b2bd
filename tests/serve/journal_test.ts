/** Copies of all mail of a domain: what comes and what goes, here and elsewhere, encrypted; nothing is taken without one. */
import assert from "node:assert/strict";
import { createTransport } from "nodemailer";
import { setLevel } from "../../src/log/mod.ts";
import { parseMessage } from "../../src/mail/structure/structure.ts";
import { setAccountPassword } from "../../src/serve/logins.ts";
import { fakeHost } from "../smtp/fake_host.ts";
import { findProgram, lacks } from "../support/programs.ts";
import { freePorts } from "./instance.ts";
import { mail, startReceiver } from "./receiver.ts";

for (const pkg of ["journal", "submission", "auth", "audit", "queue"]) setLevel(pkg, "error");
const password = "correct horse";

const account = (name: string, more = "") =>
  `	${name}:
		Domain: ours.example
${more}		Destinations:
			${name}@ours.example: nil
`;
const domains = (journal: string) =>
  `Domains:
	ours.example:
		Journal:
${journal}	free.example: nil
Accounts:
${account("ann")}${account("bob")}${account("log")}	eve:
		Domain: free.example
		RejectsMailbox: Rejects
		Destinations:
			eve@free.example: nil
`;

/** The envelope and the message of a copy. */
function taken(copy: string): { envelope: string; original: string } {
  const bytes = new TextEncoder().encode(copy);
  const { root } = parseMessage(bytes);
  const [text, message] = root.parts!;
  assert.equal(`${root.type}/${root.subtype}`, "multipart/mixed");
  assert.equal(`${message.type}/${message.subtype}`, "message/rfc822");
  const of = (p: { bodyOffset: number; endOffset: number }) =>
    new TextDecoder().decode(bytes.subarray(p.bodyOffset, p.endOffset));
  return { envelope: of(text), original: of(message) };
}

const submitter = (port: number) =>
  createTransport({
    host: "127.0.0.1",
    port,
    ignoreTLS: true,
    auth: { user: "ann@ours.example", pass: password },
  });
const submissionBlock = (port: number) =>
  `		Submission:
			Enabled: true
			Port: ${port}
			NoRequireSTARTTLS: true
`;

Deno.test("what comes and what goes is in the journal's mailbox, with recipients that no header names", async () => {
  await using host = await fakeHost({ extensions: ["8BITMIME"] });
  const [port] = await freePorts(1);
  await using r = await startReceiver({
    domains: domains("\t\t\tAddress: log@ours.example\n"),
    smtp: submissionBlock(port),
    outgoingPort: host.port,
    zone: { "away.example": { A: ["127.0.0.1"] } },
  });
  await setAccountPassword(r.server.accounts, "ann", password);
  const to = ["ann@ours.example", "bob@ours.example", "eve@free.example"];
  assert.equal((await r.send({ to, text: mail({ subject: "for three" }) })).code, 250);
  let copies = await r.messages("log", "Journal");
  assert.equal(copies.length, 1);
  assert.match(copies[0], /^Subject: Journal: for three\r$/m);
  const { envelope, original } = taken(copies[0]);
  assert.match(envelope, /^Direction: incoming\r$/m);
  assert.match(envelope, /^Sender: joe@sender\.example\r$/m);
  assert.deepEqual(envelope.match(/^Recipient: .*/gm)!.map((l) => l.trim()), [
    "Recipient: ann@ours.example",
    "Recipient: bob@ours.example",
  ]);
  assert.match(original, /^Return-Path: <joe@sender\.example>\r\n/);
  assert.match(original, /^Received: from /m);
  assert.match(original, /\r\nHow are you\?\r\n/);
  // Mail of other domains, and what is refused, isn't copied.
  assert.equal((await r.send({ to: "eve@free.example", text: mail() })).code, 250);
  assert.equal((await r.send({ to: "nobody@ours.example", text: mail() })).code, 550);
  assert.equal((await r.messages("log", "Journal")).length, 1);

  const transport = submitter(port);
  await transport.sendMail({
    from: "ann@ours.example",
    to: "joe@away.example",
    bcc: "hidden@away.example",
    subject: "außen",
    text: "hin\n",
  });
  transport.close();
  copies = await r.messages("log", "Journal");
  assert.equal(copies.length, 2);
  const sent = taken(copies[1]);
  assert.match(sent.envelope, /^Direction: outgoing\r$/m);
  assert.match(sent.envelope, /^Account: ann\r$/m);
  assert.match(sent.envelope, /^Recipient: hidden@away\.example\r$/m);
  assert.doesNotMatch(sent.original, /hidden@/);
  await r.server.queue.idle();
  assert.equal(host.mails.length, 1);
  assert.deepEqual(host.mails[0].to, ["joe@away.example", "hidden@away.example"]);
});

Deno.test("copies go to an address elsewhere; without one nothing is taken, and reports about them aren't copied", async () => {
  await using host = await fakeHost({ extensions: ["8BITMIME"] });
  await using r = await startReceiver({
    domains: domains("\t\t\tAddress: archive@away.example\n"),
    outgoingPort: host.port,
    zone: { "away.example": { A: ["127.0.0.1"] } },
  });
  assert.equal((await r.send({ text: mail({ subject: "elsewhere" }) })).code, 250);
  await r.server.queue.idle();
  assert.equal(host.mails.length, 1);
  const [copy] = host.mails;
  assert.equal(copy.from, "postmaster@ours.example");
  assert.deepEqual(copy.to, ["archive@away.example"]);
  assert.match(taken(copy.data).envelope, /^Recipient: ann@ours\.example\r$/m);
  // A report about a copy that did not arrive makes no further copy.
  const report = { from: "", to: "postmaster@ours.example", text: mail({ subject: "failed" }) };
  assert.ok([250, 550].includes((await r.send(report)).code));
  await r.server.queue.idle();
  assert.equal(host.mails.length, 1);
  const { config } = r.server;
  const withKey = (file: string) =>
    config.writeDynamic((d) => {
      d.Domains.get("ours.example")!.Journal!.KeyFile = file;
    });
  await assert.rejects(
    withKey("none.asc"),
    /domains\.conf:\d+: .*none\.asc: there is no such file/,
  );
  await assert.rejects(withKey("key.pem"), /key\.pem has neither an OpenPGP public key nor/);
  // The journal's address changes to one here, whose account is full.
  await config.writeDynamic((d) => {
    d.Domains.get("ours.example")!.Journal!.Address = "log@ours.example";
    d.Accounts.get("log")!.QuotaMessageSize = 10;
  });
  const before = (await r.messages("ann", "Inbox")).length;
  const refused = await r.send({ to: ["ann@ours.example"], text: mail() });
  assert.equal(refused.code, 452, refused.lines.join(" "));
  assert.equal((await r.messages("ann", "Inbox")).length, before);
});

Deno.test({
  name: "a copy is encrypted to the journal's key, and gpg reads it",
  ignore: lacks("gpg"),
  async fn() {
    const dir = await Deno.makeTempDir({ prefix: "gpg" });
    const gpg = async (...args: string[]) => {
      const { code, stdout, stderr } = await new Deno.Command(findProgram("gpg")!, {
        args: ["--batch", ...args],
        env: { GNUPGHOME: dir },
      }).output();
      assert.equal(code, 0, new TextDecoder().decode(stderr));
      return new TextDecoder().decode(stdout);
    };
    try {
      await Deno.chmod(dir, 0o700);
      const key = ["--quick-gen-key", "Journal <log@ours.example>", "future-default", "default"];
      await gpg("--passphrase", "", ...key);
      const files = { "journal.asc": await gpg("--armor", "--export") };
      const journal = "\t\t\tAddress: log@ours.example\n\t\t\tMailbox: Kept\n" +
        "\t\t\tKeyFile: journal.asc\n";
      await using r = await startReceiver({ domains: domains(journal), files });
      const secret = mail({ subject: "secret", body: "nobody else reads this" });
      assert.equal((await r.send({ text: secret })).code, 250);
      const [copy] = await r.messages("log", "Kept");
      assert.doesNotMatch(copy, /nobody else reads this|Recipient:/);
      const block = /-----BEGIN PGP MESSAGE-----[^]*-----END PGP MESSAGE-----/.exec(copy)![0];
      await Deno.writeTextFile(`${dir}/message.asc`, block);
      const plain = await gpg("--decrypt", `${dir}/message.asc`);
      assert.match(plain, /nobody else reads this/);
      assert.match(plain, /^Recipient: ann@ours\.example\r?$/m);
      // A key that has gone: the sender keeps the message.
      await Deno.remove(`${r.dir}/config/journal.asc`);
      assert.equal((await r.send({ text: mail() })).code, 451);
      assert.equal((await r.messages("ann", "Inbox")).length, 1);
    } finally {
      if (findProgram("gpgconf")) {
        await new Deno.Command(findProgram("gpgconf")!, {
          args: ["--kill", "gpg-agent"],
          env: { GNUPGHOME: dir },
        }).output();
      }
      await Deno.remove(dir, { recursive: true });
    }
  },
});
