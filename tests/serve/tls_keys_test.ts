/** Logging in with a TLS client certificate, over IMAP and submission. */
import assert from "node:assert/strict";
import { connect } from "node:tls";
import { Config } from "../../src/config/mod.ts";
import { Log, setLevel } from "../../src/log/mod.ts";
import type { KeyCert } from "../../src/net/mod.ts";
import { selfSignedCertificate } from "../../src/net/mod.ts";
import { callControl } from "../../src/serve/control/control.ts";
import { runAdminCommand } from "../../src/serve/control/admin_commands.ts";
import { MailServer } from "../../src/serve/server.ts";
import { certificate } from "../smtp/talk.ts";
import { freePorts } from "./instance.ts";

for (const pkg of ["serve", "imapserver", "smtpserver"]) setLevel(pkg, "error");

/** Says lines after each answer; everything that came. */
function talk(port: number, keyCert: KeyCert | undefined, lines: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: "127.0.0.1",
      port,
      servername: "mail.example",
      rejectUnauthorized: false,
      ...keyCert,
    });
    const left = [...lines];
    let got = "";
    socket.setEncoding("latin1");
    socket.on("data", (d: string) => {
      got += d;
      // A line with a code or tag ends an answer.
      if (!/(^|\n)(\* OK|[a-z] (OK|NO|BAD)|\+|\d{3} )[^\n]*\n$/.test(got)) return;
      const next = left.shift();
      if (next === undefined) {
        resolve(got);
        socket.destroy();
      } else socket.write(next);
    });
    socket.on("error", reject);
    socket.on("close", () => resolve(got));
  });
}

Deno.test("a registered TLS client key logs in by EXTERNAL, over IMAP and submission; others don't", async () => {
  const dir = await Deno.makeTempDir();
  const [imaps, submissions] = await freePorts(2);
  await Deno.mkdir(`${dir}/config`);
  await Deno.writeTextFile(`${dir}/config/cert.pem`, certificate.cert);
  await Deno.writeTextFile(`${dir}/config/key.pem`, certificate.key);
  await Deno.writeTextFile(
    `${dir}/config/mox.conf`,
    `DataDir: ../data
LogLevel: error
Hostname: mail.example
Listeners:
	x:
		IPs:
			- 127.0.0.1
		TLS:
			KeyCerts:
				-
					CertFile: cert.pem
					KeyFile: key.pem
		Submissions:
			Enabled: true
			Port: ${submissions}
		IMAPS:
			Enabled: true
			Port: ${imaps}
Postmaster:
	Account: ann
	Mailbox: Inbox
`,
  );
  const domains = (ann: string, bob: string) =>
    `Domains:
	ours.example: nil
Accounts:
	ann:
		Domain: ours.example
		Destinations:
			${ann}@ours.example: nil
	bob:
		Domain: ours.example
		Destinations:
			${bob}@ours.example: nil
`;
  await Deno.writeTextFile(`${dir}/config/domains.conf`, domains("ann", "bob"));
  const config = await Config.load(`${dir}/config/mox.conf`);
  const server = await MailServer.start({ config, local: false });
  const context = { config, accounts: server.accounts, log: new Log("admin") };
  const command = async (name: string, args: Record<string, string>) => {
    let out = "";
    await runAdminCommand(context, `config tlspubkey ${name}`, args, (t) => void (out += t));
    return out;
  };
  const [known, rsa, stranger] = await Promise.all([
    selfSignedCertificate({ names: ["laptop"] }),
    selfSignedCertificate({ names: ["phone"], keyType: "rsa" }),
    selfSignedCertificate({ names: ["stranger"] }),
  ]);
  try {
    // Before the first key nobody is asked for a certificate.
    const none = await talk(imaps, known, ["a CAPABILITY\r\n"]);
    assert.doesNotMatch(none, /AUTH=EXTERNAL/);

    const added = await command("add", { address: "ann@ours.example", certificate: known.cert });
    assert.match(added, /^\S{43} ecdsa-p256 ann@ours\.example laptop\n$/);
    await command("add", { address: "ann@ours.example", certificate: rsa.cert, name: "my phone" });
    await assert.rejects(
      command("add", { address: "ann@ours.example", certificate: known.cert }),
      /there already/,
    );
    await assert.rejects(
      command("add", { address: "who@ours.example", certificate: stranger.cert }),
      /not an address/,
    );
    assert.match(await command("list", {}), / rsa2048 ann@ours\.example \S+ my phone\n/);
    const fingerprint = added.split(" ")[0];
    assert.equal((await command("get", { fingerprint })).trim(), known.cert.trim());

    const login = ["a AUTHENTICATE EXTERNAL =\r\n", "b SELECT INBOX\r\n"];
    for (const pair of [known, rsa]) {
      const got = await talk(imaps, pair, ["c CAPABILITY\r\n", ...login]);
      assert.match(got, /AUTH=EXTERNAL/);
      assert.match(got, /\na OK [^]*\nb OK /);
    }
    assert.match(await talk(imaps, stranger, login), /\na NO /);
    const without = await talk(imaps, undefined, ["c CAPABILITY\r\n", ...login.slice(0, 1)]);
    assert.doesNotMatch(without, /AUTH=EXTERNAL/);
    assert.match(without, /\na (NO|BAD) /);

    const submit = ["EHLO x\r\n", "AUTH EXTERNAL =\r\n", "MAIL FROM:<ann@ours.example>\r\n"];
    assert.match(await talk(submissions, known, submit), /\n235 [^]*\n250 2\.1\.0/);
    assert.match(await talk(submissions, stranger, submit.slice(0, 2)), /\n535 /);

    // Who is in with a key is out when it is removed; others stay.
    const session = async (pair: KeyCert) => {
      const socket = connect({
        host: "127.0.0.1",
        port: imaps,
        servername: "mail.example",
        rejectUnauthorized: false,
        ...pair,
      });
      let got = "";
      let ended = false;
      socket.setEncoding("latin1");
      socket.on("data", (d: string) => got += d);
      socket.on("close", () => ended = true);
      socket.on("end", () => ended = true);
      const until = async (expected: RegExp) => {
        while (!expected.test(got)) {
          if (ended) throw new Error(`the connection ended: ${got}`);
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
      };
      await until(/^\* OK/);
      socket.write("a AUTHENTICATE EXTERNAL =\r\n");
      await until(/^a OK/m);
      return { socket, until };
    };
    const out = await session(rsa);
    const stays = await session(known);
    const phone = (await command("list", {})).split("\n").find((l) => l.endsWith(" my phone"))!;
    // As the subcommand does where a server runs.
    await callControl(`${dir}/data`, "config tlspubkey rm", { fingerprint: phone.split(" ")[0] });
    await out.until(/^\* BYE \[EXPIRED\] /m);
    out.socket.destroy();
    stays.socket.write("b NOOP\r\n");
    await stays.until(/^b OK/m);
    stays.socket.destroy();

    // The address becomes another account's: the key doesn't go along.
    await Deno.writeTextFile(`${dir}/config/domains.conf`, domains("other", "ann"));
    await config.reload();
    assert.match(await talk(imaps, known, login.slice(0, 1)), /\na NO /);
    await command("rm", { fingerprint });
    await assert.rejects(command("rm", { fingerprint }), /no such key/);
  } finally {
    await server.stop();
    await Deno.remove(dir, { recursive: true });
  }
});
