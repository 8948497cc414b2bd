/** Two nodes as programs: relayed domains and messages to the postmaster, whose account is at the other node. */
import assert from "node:assert/strict";
import nodemailer from "nodemailer";
import { isLinux } from "../../src/platform/os.ts";
import { isRoot } from "../../src/platform/users.ts";
import { fakeHost } from "../smtp/fake_host.ts";
import { Talk } from "../support/talk.ts";
import { freePorts, moxIn, type RunningServer, startServe } from "./instance.ts";
import { makeNodeFolder } from "./node_folder.ts";
import { zoneServer } from "./zone.ts";

const password = "moxmoxmox";
const client = "127.0.0.9";

interface MailNode {
  name: string;
  dir: string;
  smtp: number;
  submission: number;
  imap: number;
  link: number;
  key: string;
  server: RunningServer;
}

async function prepare(name: string, program: number): Promise<MailNode> {
  const [smtp, submission, imap, link] = await freePorts(4);
  const { dir, key } = await makeNodeFolder(
    `mox-mail-${name}-`,
    `DataDir: ../data
LogLevel: info
User: 54321
Hostname: mail.mox.example
Node: ${name}
Listeners:
	public:
		IPs:
			- 127.0.0.1
		SMTP:
			Enabled: true
			Port: ${smtp}
			NoSTARTTLS: true
			FirstTimeSenderDelay: 0s
		Submission:
			Enabled: true
			Port: ${submission}
			NoRequireSTARTTLS: true
		IMAP:
			Enabled: true
			Port: ${imap}
			NoRequireSTARTTLS: true
Postmaster:
	Account: ann
	Mailbox: Postmaster
Transports:
	programs:
		LMTP:
			Host: 127.0.0.1
			Port: ${program}
`,
  );
  return { name, dir, smtp, submission, imap, link, key } as MailNode;
}

Deno.test({
  name:
    "nodes: relayed domains and the postmaster's messages, where the postmaster is at the other node",
  ignore: !isLinux || !isRoot(),
  async fn(test) {
    await using program = await fakeHost({
      lmtp: true,
      rcpt: (line) => /<talk@lists\.example>/.test(line) ? undefined : "550 5.1.1 no such list",
    });
    using dns = await zoneServer([
      { name: "sender.example", type: "TXT", data: [`v=spf1 ip4:${client} -all`] },
      { name: "sender.example", type: "A", data: client },
    ]);
    const [one, two] = await Promise.all(["one", "two"].map((n) => prepare(n, program.port)));
    const nodes = [one, two];
    const arrived = async (count: number) => {
      while (program.mails.length < count) await new Promise((go) => setTimeout(go, 50));
      return program.mails[count - 1];
    };
    try {
      for (const n of nodes) {
        await Deno.writeTextFile(
          `${n.dir}/config/domains.conf`,
          `Domains:
	mox.example: nil
	lists.example:
		Relay:
			Transport: programs
Nodes:
${
            nodes.map((m) =>
              `	${m.name}:\n		Address: 127.0.0.1\n		Port: ${m.link}\n		Key: ${m.key}\n`
            ).join("")
          }Accounts:
	ann:
		Domain: mox.example
		Destinations:
			ann@mox.example: nil
	bob:
		Domain: mox.example
		Node: two
		MaxOutgoingMessagesPerDay: 1
		Destinations:
			bob@mox.example: nil
`,
        );
        n.server = startServe(n.dir, { MOX_DNS_SERVERS: `127.0.0.1:${dns.server.port}` });
      }
      await Promise.all(nodes.map((n) => n.server.logged(/mox is running/)));
      for (const [n, account] of [[one, "ann"], [two, "bob"]] as const) {
        const conf = ["-config", `${n.dir}/config/mox.conf`];
        const set = await moxIn(n.dir, [...conf, "setaccountpassword", account], {
          stdin: `${password}\n`,
        });
        assert.equal(set.code, 0, set.stderr);
      }
      await test.step("from outside, by the node that doesn't have the postmaster", async () => {
        const t = Talk.to(two.smtp, client);
        await t.expect(/^220 .*\r\n/m);
        await t.say("EHLO host.sender.example\r\n", /^250 .*\r\n/m);
        await t.say("MAIL FROM:<sue@sender.example>\r\n", /^250 .*\r\n/m);
        await t.say("RCPT TO:<nobody@lists.example>\r\n", /^550 5\.1\.1 .*\r\n/m);
        await t.say("RCPT TO:<talk@lists.example>\r\n", /^250 .*\r\n/m);
        await t.say("DATA\r\n", /^354 .*\r\n/m);
        await t.say(
          "From: <sue@sender.example>\r\nTo: <talk@lists.example>\r\nSubject: outside\r\n" +
            "Date: Mon, 2 Nov 2026 10:00:00 +0000\r\nMessage-Id: <o@sender.example>\r\n\r\nHi.\r\n.\r\n",
          /^250 .*\r\n/m,
        );
        t.close();
        const { from, to, data } = await arrived(1);
        assert.deepEqual([from, to], ["sue@sender.example", ["talk@lists.example"]]);
        // Judged where the postmaster is, by the client that came to the other node.
        assert.match(data, /^X-Mox-Reason: no-bad-signals\r\n/);
        assert.match(data, new RegExp(`^Received-SPF: pass .*client-ip=${client}`, "ms"));
        assert.match(one.server.log(), /to=talk@lists\.example|recipients=1/);
      });
      const send = (subject: string, to = "talk@lists.example") =>
        nodemailer.createTransport({
          ...{ host: "127.0.0.1", port: two.submission, ignoreTLS: true },
          auth: { user: "bob@mox.example", pass: password },
        }).sendMail({ from: "bob@mox.example", to, subject, text: "Hi." });
      await test.step("what users send there goes from their own node", async () => {
        await send("from bob");
        assert.match((await arrived(2)).data, /^Subject: from bob\r$/m);
        assert.doesNotMatch(one.server.log(), /from bob|bob@mox\.example/);
      });
      await test.step("a notice to the postmaster comes to the other node", async () => {
        // Relayed domains are our own: only others count.
        await send("the one of today", "joe@elsewhere.example");
        await assert.rejects(send("too much", "joe@elsewhere.example"), /limit/);
        for (;;) {
          const t = Talk.to(one.imap, client);
          await t.expect(/^\* OK.*\r\n/m);
          await t.say(`a LOGIN ann@mox.example ${password}\r\n`, /^a OK.*\r\n/m);
          const there = await t.say("b SELECT Postmaster\r\n", /^b (?:OK|NO).*\r\n/m);
          if (/^\* [1-9]\d* EXISTS/m.test(there)) {
            const m = await t.say("c FETCH * BODY.PEEK[]\r\n", /^c OK.*\r\n/m);
            assert.match(m, /^Subject: Account bob has reached a limit for sending\r$/m);
            t.close();
            break;
          }
          t.close();
          await new Promise((go) => setTimeout(go, 200));
        }
      });
    } finally {
      for (const n of nodes) {
        await n.server?.end("SIGTERM");
        await Deno.remove(n.dir, { recursive: true });
      }
    }
  },
});
