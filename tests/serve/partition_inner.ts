/**
 * Run by partition_test.ts in the clients' network: two nodes in networks of their own, whose links are cut while an
 * account moves from one to the other.
 */
import assert from "node:assert/strict";
import { programArgsIn } from "../support/program.ts";
import { moxIn } from "./instance.ts";
import { check, load, password, subjects } from "./moving_load.ts";
import { makeNodeFolder } from "./node_folder.ts";
import { zoneServer } from "./zone.ts";

const [prefix] = Deno.args;
const clientIp = "10.35.0.9";

async function sh(...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(args[0], { args: args.slice(1) }).output();
  assert.ok(success, `${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
}

interface NetNode {
  name: string;
  host: string;
  smtp: number;
  imap: number;
  dir: string;
  key: string;
  log: () => string;
  end: () => Promise<void>;
}

const conf = (n: NetNode) => ["-config", `${n.dir}/config/mox.conf`];

async function prepare(name: string, host: string): Promise<NetNode> {
  const { dir, key } = await makeNodeFolder(
    `mox-net-${name}-`,
    `DataDir: ../data
LogLevel: debug
User: 54321
Hostname: mail.mox.example
Node: ${name}
Listeners:
	public:
		IPs:
			- ${host}
		SMTP:
			Enabled: true
			NoSTARTTLS: true
			FirstTimeSenderDelay: 0s
		IMAP:
			Enabled: true
			NoRequireSTARTTLS: true
Postmaster:
	Account: carl
	Mailbox: Postmaster
`,
  );
  return { name, host, smtp: 25, imap: 143, dir, key } as NetNode;
}

/** Starts a node in its own network; what it logs is in `log`. */
async function start(n: NetNode, dns: string): Promise<void> {
  const child = new Deno.Command("ip", {
    args: [
      ...["netns", "exec", `${prefix}-${n.name}`, Deno.execPath()],
      ...programArgsIn(n.dir, [...conf(n), "serve"]),
    ],
    env: { MOX_DNS_SERVERS: dns },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  let log = "";
  const reading = (async () => {
    for await (const s of child.stderr.pipeThrough(new TextDecoderStream())) log += s;
  })();
  n.log = () => log;
  n.end = async () => {
    try {
      child.kill("SIGTERM");
    } catch {
      // It has ended.
    }
    await child.status;
    await reading;
  };
  while (!log.includes("mox is running")) {
    await Promise.race([child.status.then(() => assert.fail(log)), pause()]);
  }
}

const pause = () => new Promise((resolve) => setTimeout(resolve, 50));

const link = (n: NetNode, state: "up" | "down") => sh("ip", "link", "set", `v-${n.name}`, state);

using dns = await zoneServer([{ name: "sender.example", type: "A", data: clientIp }], clientIp);
const at = `${clientIp}:${dns.server.port}`;
const [one, two] = await Promise.all([prepare("one", "10.35.0.1"), prepare("two", "10.35.0.2")]);
const nodes = [one, two];
try {
  for (const n of nodes) {
    await Deno.writeTextFile(
      `${n.dir}/config/domains.conf`,
      `Domains:
	mox.example: nil
Nodes:
${nodes.map((m) => `	${m.name}:\n		Address: ${m.host}\n		Key: ${m.key}\n`).join("")}Accounts:
	ann:
		Domain: mox.example
		Destinations:
			ann@mox.example: nil
	carl:
		Domain: mox.example
		Destinations:
			carl@mox.example: nil
`,
    );
  }
  await Promise.all(nodes.map((n) => start(n, at)));
  const set = await moxIn(one.dir, [...conf(one), "setaccountpassword", "ann"], {
    stdin: `${password}\n`,
  });
  assert.equal(set.code, 0, set.stderr);
  const l = load(nodes, "p");
  await l.more(10);
  // Cut at different moments: before the account stops, as it does, and when the other node has been given all of it.
  const cuts = [
    /an account is being copied to another node/,
    /an account is stopped for its move/,
    /an account is at another node now/,
  ];
  for (const [i, cut] of cuts.entries()) {
    const [from, to] = i % 2 === 0 ? [one, two] : [two, one];
    const before = from.log().length;
    const moving = moxIn(from.dir, [...conf(from), "node", "move", "ann", to.name]);
    while (!cut.test(from.log().slice(before))) await pause();
    await link(to, "down");
    // Until the sending node has seen it.
    const seen = from.log().length;
    while (
      !/can't be reached|too slow|tried again|moving an account/.test(from.log().slice(seen))
    ) {
      await pause();
    }
    await link(to, "up");
    const moved = await moving;
    assert.equal(moved.code, 0, moved.stderr + moved.stdout);
    await l.more(10);
    check({ ...l, acknowledged: new Set(l.acknowledged) }, await subjects(to));
    console.log(`cut ${cut.source}: ${l.acknowledged.size} acknowledged, none lost`);
  }
  await l.end();
  check(l, await subjects(two));
} finally {
  for (const n of nodes) {
    await link(n, "up").catch(() => {});
    await n.end?.();
    await Deno.remove(n.dir, { recursive: true });
  }
}
