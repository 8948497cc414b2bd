/** IMAP and submission on the HTTPS port, for clients that ask for them when TLS begins. */
import assert from "node:assert/strict";
import { connect, type TLSSocket } from "node:tls";
import { Config } from "../../src/config/mod.ts";
import { setLevel } from "../../src/log/mod.ts";
import { MailServer } from "../../src/serve/server.ts";
import { certificate } from "../smtp/talk.ts";
import { isLinux } from "../../src/platform/os.ts";
import { isRoot } from "../../src/platform/users.ts";

setLevel("serve", "error");
const ip = "127.0.71.9";

/** Says lines, and returns what comes until it matches. */
function talk(protocol: string | undefined, lines: string[], until: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket: TLSSocket = connect({
      host: ip,
      port: 443,
      servername: "mail.example",
      rejectUnauthorized: false,
      ALPNProtocols: protocol === undefined ? undefined : [protocol],
    });
    let got = "";
    socket.setEncoding("latin1");
    socket.on("data", (d: string) => {
      got += d;
      if (until.test(got)) {
        resolve(`${socket.alpnProtocol} ${got}`);
        socket.destroy();
      } else if (/\r\n$/.test(d) && lines.length > 0) {
        socket.write(lines.shift()!);
      }
    });
    socket.on("error", reject);
    socket.on("close", () => reject(new Error(`closed after ${got}`)));
    if (protocol === "http/1.1" || protocol === undefined) socket.write(lines.shift()!);
  });
}

Deno.test({
  name: "EnabledOnHTTPS: IMAP, submission and HTTPS share port 443, by what clients ask for",
  ignore: !isLinux || !isRoot(),
  async fn() {
    const dir = await Deno.makeTempDir();
    await Deno.mkdir(`${dir}/config`);
    await Deno.writeTextFile(`${dir}/config/cert.pem`, certificate.cert);
    await Deno.writeTextFile(`${dir}/config/key.pem`, certificate.key);
    await Deno.writeTextFile(
      `${dir}/config/mox.conf`,
      `DataDir: ../data
LogLevel: error
Hostname: mail.example
Listeners:
	public:
		IPs:
			- ${ip}
		TLS:
			KeyCerts:
				-
					CertFile: cert.pem
					KeyFile: key.pem
		Submissions:
			Enabled: true
			Port: 10465
			EnabledOnHTTPS: true
		IMAPS:
			Enabled: true
			Port: 10993
			EnabledOnHTTPS: true
		AccountHTTPS:
			Enabled: true
Postmaster:
	Account: ann
	Mailbox: Inbox
`,
    );
    await Deno.writeTextFile(
      `${dir}/config/domains.conf`,
      "Domains:\n\tours.example: nil\nAccounts:\n\tann:\n\t\tDomain: ours.example\n\t\tDestinations:\n\t\t\tann@ours.example: nil\n",
    );
    const config = await Config.load(`${dir}/config/mox.conf`);
    const server = await MailServer.start({ config, local: false });
    try {
      const account = await server.accounts.open("ann");
      await account.credentials.setPassword("correct horse battery");
      account.close();
      const imap = await talk(
        "imap",
        ['a LOGIN ann@ours.example "correct horse battery"\r\n', "b SELECT INBOX\r\n"],
        /b OK .*\r\n/,
      );
      assert.match(imap, /^imap \* OK \[CAPABILITY IMAP4rev2/);
      const plain = btoa("\0ann@ours.example\0correct horse battery");
      const smtp = await talk(
        "smtp",
        ["EHLO x\r\n", `AUTH PLAIN ${plain}\r\n`, "MAIL FROM:<ann@ours.example>\r\n"],
        /235 [^\r]*\r\n250 /,
      );
      assert.match(smtp, /^smtp 220 /);
      for (const protocol of ["http/1.1", undefined]) {
        const http = await talk(
          protocol,
          ["GET / HTTP/1.1\r\nHost: mail.example\r\n\r\n"],
          /<\/html>|200 OK/i,
        );
        assert.match(http, / HTTP\/1\.1 200 OK/);
      }
    } finally {
      await server.stop();
      await Deno.remove(dir, { recursive: true });
    }
  },
});
