/** An account goes from node to node while it is used; and both are killed at each step of that. */
import assert from "node:assert/strict";
import { connect } from "node:net";
import { isLinux } from "../../src/platform/os.ts";
import { isRoot } from "../../src/platform/users.ts";
import { freePorts, moxIn, type RunningServer, startServe } from "./instance.ts";
import { Talk } from "../support/talk.ts";
import { check, load, login, password, subjects } from "./moving_load.ts";
import { makeNodeFolder } from "./node_folder.ts";
import { zoneServer } from "./zone.ts";

interface TestNode {
  name: string;
  host: string;
  dir: string;
  smtp: number;
  imap: number;
  sieve: number;
  web: number;
  link: number;
  key: string;
  server: RunningServer;
}

const conf = (n: TestNode) => ["-config", `${n.dir}/config/mox.conf`];

async function prepare(name: string): Promise<TestNode> {
  const [smtp, imap, sieve, web, link] = await freePorts(5);
  const { dir, key } = await makeNodeFolder(
    `mox-move-${name}-`,
    `DataDir: ../data
LogLevel: debug
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
		IMAP:
			Enabled: true
			Port: ${imap}
			NoRequireSTARTTLS: true
		ManageSieve:
			Enabled: true
			Port: ${sieve}
			NoRequireSTARTTLS: true
		WebAPIHTTP:
			Enabled: true
			Port: ${web}
Postmaster:
	Account: carl
	Mailbox: Postmaster
`,
  );
  return {
    name,
    host: "127.0.0.1",
    dir,
    smtp,
    imap,
    sieve,
    web,
    link,
    key,
  } as TestNode;
}

const domainsConf = (nodes: readonly TestNode[]) =>
  `Domains:
	mox.example: nil
Nodes:
${
    nodes.map((n) =>
      `	${n.name}:\n		Address: 127.0.0.1\n		Port: ${n.link}\n		Key: ${n.key}\n`
    )
      .join("")
  }Accounts:
	ann:
		Domain: mox.example
		Destinations:
			ann@mox.example: nil
	carl:
		Domain: mox.example
		Destinations:
			carl@mox.example: nil
`;

async function start(n: TestNode, dns: string): Promise<void> {
  n.server = startServe(n.dir, { MOX_DNS_SERVERS: dns });
  await n.server.logged(/mox is running/);
}

async function settled(n: TestNode): Promise<void> {
  for (;;) {
    const { stdout, code } = await moxIn(n.dir, [...conf(n), "node", "move"]);
    if (code === 0 && stdout === "") return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

const exists = (path: string) => Deno.stat(path).then(() => true, () => false);

async function withNodes(
  fn: (one: TestNode, two: TestNode, again: (n: TestNode) => Promise<void>) => Promise<void>,
): Promise<void> {
  using dns = await zoneServer([{ name: "sender.example", type: "A", data: "127.0.0.1" }]);
  const at = `127.0.0.1:${dns.server.port}`;
  const nodes = await Promise.all(["one", "two"].map(prepare));
  const [one, two] = nodes;
  try {
    for (const n of nodes) {
      await Deno.writeTextFile(`${n.dir}/config/domains.conf`, domainsConf(nodes));
    }
    await Promise.all(nodes.map((n) => start(n, at)));
    const set = await moxIn(one.dir, [...conf(one), "setaccountpassword", "ann"], {
      stdin: `${password}\n`,
    });
    assert.equal(set.code, 0, set.stderr);
    await fn(one, two, (n) => start(n, at));
  } finally {
    for (const n of nodes) {
      await n.server?.end("SIGTERM");
      await Deno.remove(n.dir, { recursive: true });
    }
  }
}

const ignore = !isLinux || !isRoot();

Deno.test({
  name: "nodes: an account is moved while mail comes and programs use it; nothing is lost or twice",
  ignore,
  async fn() {
    await withNodes(async (one, two) => {
      const nodes = [one, two];
      const run = (n: TestNode, ...args: string[]) => moxIn(n.dir, [...conf(n), "node", ...args]);
      const none = await run(one, "move", "eve", "two");
      assert.match(none.stderr, /there is no eve/);
      assert.match((await run(one, "move", "ann", "three")).stderr, /there is no node three/);
      assert.match((await run(one, "move", "ann", "one")).stderr, /ann is there already/);
      assert.match((await run(two, "move", "ann", "one")).stderr, /ann is at one: move it from/);
      assert.match((await run(one, "move", "-cancel", "ann")).stderr, /ann is not being moved/);
      assert.match((await run(two, "move", "-accept", "ann")).stderr, /no whole copy of ann here/);
      const l = load(nodes, "a");
      await l.more(30);
      // A session that waits, as programs have them.
      const idle = (await login(one))!;
      await idle.say("b SELECT INBOX\r\n", /^b OK.*\r\n/m);
      idle.write("c IDLE\r\n");
      await idle.expect(/^\+ .*\r\n/m);
      const there = await run(one, "move", "ann", "two");
      assert.equal(there.code, 0, there.stderr);
      assert.match(there.stdout, /it is at two by domains\.conf, \d+ ms after it was stopped/);
      console.log(/\d+ ms after it was stopped/.exec(there.stdout)![0]);
      assert.match(await idle.ended(), /^\* BYE /m);
      await l.more(30);
      assert.equal(await exists(`${one.dir}/data/accounts/ann`), false);
      assert.equal(await login(one), undefined);
      const back = await run(two, "move", "ann", "one");
      assert.equal(back.code, 0, back.stderr);
      await l.more(30);
      await l.end();
      check(l, await subjects(one));
      assert.equal(await login(two), undefined);
      for (const n of nodes) {
        await n.server.end("SIGTERM");
        const verified = await moxIn(n.dir, ["verifydata", `${n.dir}/data`]);
        assert.equal(verified.code, 0, verified.stdout + verified.stderr);
      }
    });
  },
});

/** Each message takes it some 0.1 s, as it has to look for what isn't there. */
const slowScript = `require ["imapsieve", "imap4flags", "regex"];
${
  `if header :regex "subject" "^((a?){25}){8}$" { discard; }
`.repeat(7)
}addflag "seenhere";
`;

Deno.test({
  name: "nodes: a script that runs on appended messages goes on where the account goes (RFC 6785)",
  ignore,
  async fn() {
    await withNodes(async (one, two) => {
      const managing = new Talk(connect({ host: one.host, port: one.sieve }));
      await managing.expect(/^OK.*\r\n/m);
      const sasl = btoa(`\0ann@mox.example\0${password}`);
      await managing.say(`AUTHENTICATE "PLAIN" "${sasl}"\r\n`, /^OK.*\r\n/m);
      await managing.say(
        `PUTSCRIPT "slow" {${slowScript.length}+}\r\n${slowScript}\r\n`,
        /^OK.*\r\n/m,
      );
      managing.close();
      const messages = 60;
      const text = `Subject: ${"a".repeat(900)}\r\n\r\nhi\r\n`;
      const imap = (await login(one))!;
      await imap.say(`b SETMETADATA "" (/shared/imapsieve/script "slow")\r\n`, /^b OK.*\r\n/m);
      await imap.say(
        `c APPEND INBOX${` {${text.length}+}\r\n${text}`.repeat(messages)}\r\n`,
        /^c OK.*\r\n/m,
      );
      const moved = await moxIn(one.dir, [...conf(one), "node", "move", "ann", "two"]);
      assert.equal(moved.code, 0, moved.stderr);
      const there = (await login(two))!;
      await there.say("a SELECT INBOX\r\n", /^a OK.*\r\n/m);
      for (;;) {
        const found = await there.say("d SEARCH NOT KEYWORD seenhere\r\n", /^d OK.*\r\n/m);
        if (/^\* E?SEARCH(?: \(TAG "d"\))?(?: ALL)?\r\n/m.test(found)) break;
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
      there.close();
    });
  },
});

/** Lines of the log after which the sender ("one") or the receiver ("two") is killed. */
const allSteps: readonly [who: "one" | "two", line: RegExp][] = [
  ["one", /an account is being copied to another node/],
  ["two", /an account is being copied here/],
  ["one", /an account is stopped for its move/],
  ["two", /the copy of an account is whole/],
  ["two", /an account is ready to be taken/],
  ["one", /the other node has all of an account/],
  ["one", /an account is at another node now/],
  ["two", /domains\.conf taken from another node/],
  ["two", /rows of an account are in place/],
  ["two", /the folder of an account is in place/],
  ["two", /an account is here now/],
  ["one", /the other node has taken an account/],
];
/** MOX_TEST_LONG=1 has all of them, which take minutes; else one on either side of the change of domains.conf. */
const steps = Deno.env.get("MOX_TEST_LONG") ? allSteps : [allSteps[5], allSteps[8]];

Deno.test({
  name: "nodes: killed at each step of a move, the account is whole at one of them, and arrives",
  ignore,
  async fn(test) {
    await withNodes(async (one, two, again) => {
      const nodes = [one, two];
      const l = load(nodes, "k");
      for (const [i, [who, line]] of steps.entries()) {
        // Each time the other way.
        const [from, to] = i % 2 === 0 ? [one, two] : [two, one];
        const victim = who === "one" ? from : to;
        await test.step(`${who === "one" ? "sender" : "receiver"} after "${line.source}"`, async () => {
          await l.more(6);
          const before = victim.server.log().length;
          const moving = moxIn(from.dir, [...conf(from), "node", "move", "ann", to.name]);
          while (!line.test(victim.server.log().slice(before))) {
            await new Promise((resolve) => setTimeout(resolve, 1));
          }
          await victim.server.end("SIGKILL");
          await again(victim);
          await moving;
          await settled(from);
          const text = await Deno.readTextFile(`${from.dir}/config/domains.conf`);
          // A move that was killed before it was noted is begun again by whoever asked for it.
          if (!new RegExp(`Node: ${to.name}$`, "m").test(text)) {
            const repeated = await moxIn(from.dir, [
              ...[...conf(from), "node", "move", "ann", to.name],
            ]);
            assert.equal(repeated.code, 0, repeated.stderr);
          }
          await l.more(6);
          assert.equal(await exists(`${from.dir}/data/accounts/ann`), false, "gone there");
          assert.equal(await exists(`${to.dir}/data/accounts/ann/index.db`), true, "here");
          check({ ...l, acknowledged: new Set(l.acknowledged) }, await subjects(to));
        });
      }
      await l.end();
      const last = steps.length % 2 === 0 ? one : two;
      check(l, await subjects(last));
    });
  },
});
