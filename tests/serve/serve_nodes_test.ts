/** `serve -nodes`: nodes on one machine that share their configuration, started and watched by one command. */
import assert from "node:assert/strict";
import { connect } from "node:net";
import { programArgsIn } from "../support/program.ts";
import { isLinux } from "../../src/platform/os.ts";
import { isRoot } from "../../src/platform/users.ts";
import { Talk } from "../support/talk.ts";
import { freePorts, moxIn } from "./instance.ts";
import { zoneServer } from "./zone.ts";

const password = "moxmoxmox";

const moxConf = (smtp: number, imap: number, pub: number) =>
  `DataDir: ../data
LogLevel: info
User: 54321
Hostname: mail.mox.example
Listeners:
	public:
		IPs:
			- 127.0.0.1
		SMTP:
			Enabled: true
			Port: ${pub}
			NoSTARTTLS: true
	proxied:
		IPs:
			- 127.0.0.1
		TrustedProxies:
			- 127.0.0.1
		SMTP:
			Enabled: true
			Port: ${smtp}
			NoSTARTTLS: true
			FirstTimeSenderDelay: 0s
		IMAP:
			Enabled: true
			Port: ${imap}
			NoRequireSTARTTLS: true
		AuthHTTP:
			Enabled: true
Postmaster:
	Account: ann
	Mailbox: Postmaster
`;

const domainsConf = (nodes: [name: string, ip: string, port: number, key: string][]) =>
  `Domains:
	mox.example: nil
Nodes:
${
    nodes.map(([name, ip, port, key]) =>
      `	${name}:\n		Address: ${ip}\n		Port: ${port}\n		Key: ${key}\n`
    ).join("")
  }Accounts:
	ann:
		Domain: mox.example
		Destinations:
			ann@mox.example: nil
	bob:
		Domain: mox.example
		Node: two
		Destinations:
			bob@mox.example: nil
`;

async function send(ip: string, port: number, to: string, subject: string): Promise<string> {
  const t = new Talk(connect({ host: ip, port, localAddress: "127.0.0.1" }));
  try {
    await t.expect(/^220 .*\r\n/m);
    await t.say("EHLO host.sender.example\r\n", /^250 .*\r\n/m);
    await t.say("MAIL FROM:<sue@sender.example>\r\n", /^250 .*\r\n/m);
    const rcpt = await t.say(`RCPT TO:<${to}@mox.example>\r\n`, /^\d{3} .*\r\n/m);
    if (!rcpt.startsWith("250")) return rcpt.slice(0, 3);
    await t.say("DATA\r\n", /^354 .*\r\n/m);
    const text = `From: <sue@sender.example>\r\nSubject: ${subject}\r\n\r\nHi.\r\n.\r\n`;
    return (await t.say(text, /^\d{3} .*\r\n/m)).slice(0, 3);
  } finally {
    t.close();
  }
}

async function subjects(ip: string, port: number, who: string): Promise<string[] | undefined> {
  const t = new Talk(connect({ host: ip, port, localAddress: "127.0.0.1" }));
  try {
    await t.expect(/^\* OK.*\r\n/m);
    const said = await t.say(
      `a LOGIN ${who}@mox.example ${password}\r\n`,
      /^a (?:OK|NO|BAD).*\r\n/m,
    );
    if (!/^a OK/m.test(said)) return undefined;
    await t.say("b SELECT INBOX\r\n", /^b OK.*\r\n/m);
    const all = await t.say("c FETCH 1:* BODY.PEEK[HEADER]\r\n", /^c (?:OK|BAD|NO).*\r\n/m);
    return [...all.matchAll(/^Subject: (\S+)/gm)].map((m) => m[1]);
  } finally {
    t.close();
  }
}

Deno.test({
  name: "serve -nodes: two processes with one configuration; one that is killed is started again",
  ignore: !isLinux || !isRoot(),
  async fn() {
    using dns = await zoneServer([{ name: "sender.example", type: "A", data: "127.0.0.1" }]);
    const dir = await Deno.makeTempDir({ prefix: "mox-nodes-" });
    await Deno.chmod(dir, 0o755);
    const [smtp, imap, pub, linkOne, linkTwo] = await freePorts(5);
    // Each node has an address of its own, and all have the same ports.
    const [one, two] = ["127.35.0.1", "127.35.0.2"];
    const conf = `${dir}/config/mox.conf`;
    const run = (args: string[], stdin?: string) =>
      moxIn(dir, ["-config", conf, ...args], { stdin });
    let server: Deno.ChildProcess | undefined;
    let reading: Promise<void> | undefined;
    try {
      await Deno.mkdir(`${dir}/config`);
      await Deno.writeTextFile(conf, moxConf(smtp, imap, pub));
      const path = `${dir}/config/domains.conf`;
      await Deno.writeTextFile(
        path,
        domainsConf([]).replace("Nodes:\n", "").replace("		Node: two\n", ""),
      );
      const keys: string[] = [];
      for (const name of ["one", "two"]) {
        const made = await run(["-node", name, "node", "key"]);
        assert.equal(made.code, 0, made.stderr);
        keys.push(made.stdout.trim());
      }
      await Deno.writeTextFile(
        path,
        domainsConf([["one", one, linkOne, keys[0]], ["two", two, linkTwo, keys[1]]]),
      );
      const few = await run(["serve", "-nodes", "3"]);
      assert.match(few.stderr, /has 2 Nodes, but 3 are to be served/);
      assert.match((await run(["serve", "-nodes", "x"])).stderr, /-nodes: x is no number of nodes/);
      assert.match((await run(["serve", "-nodes", "2"])).stderr, /run it with --allow-run=/);
      const unit = await run(["config", "printservice", "-nodes"]);
      assert.match(unit.stdout, /^ExecStart=.* -node %i serve$/m);
      assert.match(unit.stdout, new RegExp(`${dir}/data$|${dir}/data `, "m"));
      const args = programArgsIn(dir, ["-config", conf, "serve", "-nodes", "2"]);
      args.splice(1, 0, `--allow-run=${Deno.execPath()}`);
      server = new Deno.Command(Deno.execPath(), {
        args,
        env: { MOX_DNS_SERVERS: `127.0.0.1:${dns.server.port}` },
        stdin: "null",
        stdout: "null",
        stderr: "piped",
      }).spawn();
      let log = "";
      let look = () => {};
      const { stderr } = server;
      reading = (async () => {
        for await (const s of stderr.pipeThrough(new TextDecoderStream())) {
          log += s;
          look();
        }
      })();
      const running = (n: number) =>
        new Promise<void>((resolve) => {
          look = () => log.split("mox is running").length > n && resolve();
          look();
        });
      await running(2);
      for (const [name, who] of [["one", "ann"], ["two", "bob"]]) {
        const set = await run(["-node", name, "setaccountpassword", who], `${password}\n`);
        assert.equal(set.code, 0, set.stderr);
      }
      // The public listener is the first node's, which passes on.
      assert.equal(await send("127.0.0.1", pub, "bob", "public"), "250");
      assert.equal(await send(two, smtp, "ann", "proxied"), "250");
      assert.deepEqual(await subjects(two, imap, "bob"), ["public"]);
      assert.deepEqual(await subjects(one, imap, "ann"), ["proxied"]);
      const moved = await run(["-node", "one", "node", "move", "ann", "two"]);
      assert.equal(moved.code, 0, moved.stderr + moved.stdout);
      assert.equal(await subjects(one, imap, "ann"), undefined);
      assert.deepEqual(await subjects(two, imap, "ann"), ["proxied"]);
      const pid = (await Deno.readTextFile(`/proc/${server.pid}/task/${server.pid}/children`))
        .trim().split(" ").map(Number)
        .find((p) => Deno.readTextFileSync(`/proc/${p}/cmdline`).includes("\0two\0"))!;
      Deno.kill(pid, "SIGKILL");
      await running(3);
      assert.match(log, /a node has ended, and is started again.*node=two code=137/);
      assert.equal(await send("127.0.0.1", pub, "bob", "again"), "250");
      assert.deepEqual(await subjects(two, imap, "bob"), ["public", "again"]);
      server.kill("SIGTERM");
      assert.equal((await server.status).code, 0, log);
      await reading;
      assert.equal(log.split("m=stopped").length, 3, "both have stopped in order");
    } finally {
      try {
        server?.kill("SIGTERM");
      } catch {
        // It has ended.
      }
      await server?.status;
      await reading;
      await Deno.remove(dir, { recursive: true });
    }
  },
});
