/** Subcommands and flags that scripts for the original use. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { Config } from "../../src/config/mod.ts";
import { setLevel } from "../../src/log/mod.ts";
import { setAccountPassword } from "../../src/serve/logins.ts";
import { MailServer } from "../../src/serve/server.ts";
import { moxIn } from "../serve/instance.ts";
import { freePorts } from "../support/ports.ts";

for (const pkg of ["serve", "smtpserver", "store", "queue", "auth"]) setLevel(pkg, "error");

async function inDir(more: string, fn: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "mox-parity-" });
  try {
    await Deno.mkdir(`${dir}/config`);
    await Deno.writeTextFile(
      `${dir}/config/mox.conf`,
      `DataDir: ../data
LogLevel: error
Hostname: mail.a.example
# Kept.
Listeners:
${more}
Postmaster:
	Account: ann
	Mailbox: Inbox
`,
    );
    await Deno.writeTextFile(
      `${dir}/config/domains.conf`,
      `Domains:
	a.example:
		LocalpartCatchallSeparator: +
		Aliases:
			team:
				Addresses:
					- ann@a.example
					- x@elsewhere.example
				PostPublic: true
Accounts:
	ann:
		Domain: a.example
		Destinations:
			ann@a.example: nil
			a@a.example: nil
`,
    );
    await fn(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("commands about accounts, addresses, aliases and domains", () =>
  inDir("\tlocal: nil", async (dir) => {
    const out = async (...args: string[]) => {
      const r = await moxIn(dir, args);
      assert.equal(r.code, 0, `${args.join(" ")}: ${r.stderr}`);
      return r.stdout;
    };
    assert.equal(
      await out("config", "account", "addresses", "ann"),
      "ann@a.example\na@a.example\n",
    );
    assert.equal(await out("config", "address", "account", "ann+x@a.example"), "ann\n");
    assert.match(
      await out("config", "alias", "print", "team@a.example"),
      /^# postpublic true\n# listmembers false\n# allowmsgfrom false\nann@a\.example\nx@elsewhere\.example\n$/,
    );
    assert.equal((await moxIn(dir, ["config", "address", "account", "no@a.example"])).code, 1);
    await out("config", "domain", "add", "b.example", "bob", "robert");
    const config = await Config.load(`${dir}/config/mox.conf`);
    assert.deepEqual(config.accountAddresses("bob"), ["robert@b.example"]);
    await out("config", "domain", "add", "c.example", "ann", "ann");
    assert.match(await out("config", "account", "addresses", "ann"), /ann@c\.example/);
    assert.match(
      await out("-loglevel", "error", "-pedantic", "example"),
      /: .* \((?:mox|domains)\.conf\)/,
    );
    const wrong = await moxIn(dir, ["-loglevel", "loud", "version"]);
    assert.equal(wrong.code, 2);
    assert.match(await out("config", "describe-sendmail"), /^DefaultDestination:/m);
    // A key to log in with.
    await out("config", "tlspubkey", "gen", "laptop");
    const pem = await Deno.readTextFile(join(dir, "laptop.certificate.pem"));
    const added = await moxIn(dir, ["config", "tlspubkey", "add", "ann@a.example"], { stdin: pem });
    assert.equal(added.code, 0, added.stderr);
    assert.match(await out("config", "tlspubkey", "list"), /ecdsa-p256 .*ann@a\.example.*laptop/);
    // A copy has the configuration beside it.
    await Deno.mkdir(`${dir}/data`, { recursive: true });
    assert.match(await out("backup", `${dir}/copy`), /files of the configuration, with keys/);
    assert.equal(
      await Deno.readTextFile(`${dir}/copy-config/mox.conf`),
      await Deno.readTextFile(`${dir}/config/mox.conf`),
    );
    assert([...Deno.readDirSync(`${dir}/copy-config/dkim`)].length >= 4);
  }));

Deno.test("host keys for ACME are made once, and named with comments kept", () =>
  inDir(
    `	public:
		IPs:
			- 127.0.0.1
		TLS:
			ACME: le
		SMTP:
			Enabled: true`,
    async (dir) => {
      const path = `${dir}/config/mox.conf`;
      await Deno.writeTextFile(
        path,
        `${await Deno.readTextFile(path)}ACME:
	le:
		DirectoryURL: https://acme.example/directory
		ContactEmail: ann@a.example
`,
      );
      const first = await moxIn(dir, ["config", "ensureacmehostprivatekeys"]);
      assert.equal(first.code, 0, first.stderr);
      const text = await Deno.readTextFile(path);
      assert.match(text, /^# Kept\.$/m);
      const config = await Config.load(path);
      assert.equal(config.static.Listeners.get("public")!.TLS!.HostPrivateKeyFiles.length, 2);
      const again = await moxIn(dir, ["config", "ensureacmehostprivatekeys"]);
      assert.equal(again.stdout, "all keys are there\n");
    },
  ));

Deno.test("sendmail with a submission account, for any user and machine; queue retired", async () => {
  const [submission] = await freePorts(1);
  await inDir(
    `	local:
		IPs:
			- 127.0.0.1
		Submission:
			Enabled: true
			Port: ${submission}
			NoRequireSTARTTLS: true`,
    async (dir) => {
      const config = await Config.load(`${dir}/config/mox.conf`);
      const server = await MailServer.start({
        config,
        local: false,
        prepare: (accounts) => setAccountPassword(accounts, "ann", "ann-secret-1"),
      });
      try {
        await server.queue.addHoldRule({
          account: undefined,
          senderDomain: undefined,
          recipientDomain: undefined,
        });
        const file = join(dir, "moxsubmit.conf");
        const conf = (password: string) =>
          `LocalHostname: web1.example
Host: 127.0.0.1
Port: ${submission}
TLS: false
STARTTLS: false
Username: ann@a.example
Password: ${password}
AuthMethod: SCRAM-SHA-256
From: ann@a.example
DefaultDestination: ann@a.example
`;
        await Deno.writeTextFile(file, conf("ann-secret-1"));
        const sent = await moxIn(dir, ["sendmail", "-submit", file, "root"], {
          stdin: "Subject: from cron\n\nall is well\n.\nnot this\n",
        });
        assert.equal(sent.code, 0, sent.stderr);
        const [item] = server.queue.list();
        assert.equal(item.address, "ann@a.example");
        const queued = server.queue.message(item.messageId)!;
        assert.deepEqual([queued.mailFrom, queued.subject], ["ann@a.example", "from cron"]);
        const text = await Deno.readTextFile(queued.path);
        assert.match(text, /\r\n\r\nall is well\r\n$/);
        assert.match(text, /^Message-ID: <[0-9a-f-]+@web1\.example>\r$/m);
        await Deno.writeTextFile(file, conf("wrong"));
        const refused = await moxIn(dir, ["sendmail", "-submit", file, "root"], { stdin: "x\n" });
        assert.equal(refused.code, 1);
        await Deno.writeTextFile(file, conf("x").replace("127.0.0.1", "mail.a.example"));
        const clear = await moxIn(dir, ["sendmail", "-submit", file, "root"], { stdin: "x\n" });
        assert.match(clear.stderr, /neither TLS nor STARTTLS is set/);
        const list = await moxIn(dir, ["queue", "retired", "list"]);
        assert.equal(list.code, 0, list.stderr);
        const none = await moxIn(dir, ["queue", "retired", "print", "12345"]);
        assert.match(none.stderr, /no message 12345 has left the queue/);
      } finally {
        await server.stop();
      }
    },
  );
});
