/**
 * Run by failover_test.ts in the clients' network: a node and its standby in networks of their own, and HAProxy in a third,
 * which is all that the clients know.
 */
import assert from "node:assert/strict";
import { programArgsIn } from "../support/program.ts";
import { sh, type SpaceProgram, startIn } from "../support/net_spaces.ts";
import { moxIn } from "./instance.ts";
import { check, load, password, subjects } from "./moving_load.ts";
import { makeNodeFolder } from "./node_folder.ts";
import { caughtUp } from "./standby_pair.ts";
import { zoneServer } from "./zone.ts";

const [prefix] = Deno.args;
const net = "10.36.0";
const clientIp = `${net}.9`;
const proxyIp = `${net}.3`;

interface Machine {
  name: "home" | "away";
  host: string;
  dir: string;
  key: string;
  program: SpaceProgram;
}

const conf = (m: Machine) => ["-config", `${m.dir}/config/mox.conf`];

async function prepare(name: Machine["name"], host: string): Promise<Machine> {
  const { dir, key } = await makeNodeFolder(
    `mox-net-${name}-`,
    `DataDir: ../data
LogLevel: info
User: 54321
Hostname: mail.mox.example
Node: one
Listeners:
	public:
		IPs:
			- ${host}
		TrustedProxies:
			- ${proxyIp}
		ProxyProtocol: true
		SMTP:
			Enabled: true
			NoSTARTTLS: true
			FirstTimeSenderDelay: 0s
		IMAP:
			Enabled: true
			NoRequireSTARTTLS: true
Postmaster:
	Account: ann
	Mailbox: Postmaster
`,
    ...(name === "away" ? ["-standby"] : []),
  );
  return { name, host, dir, key } as Machine;
}

using dns = await zoneServer([{ name: "sender.example", type: "A", data: clientIp }], clientIp);
const env = { MOX_DNS_SERVERS: `${clientIp}:${dns.server.port}` };

async function start(m: Machine, command: "serve" | "standby"): Promise<void> {
  const args = programArgsIn(m.dir, [...conf(m), command]);
  m.program = startIn(`${prefix}-${m.name}`, [Deno.execPath(), ...args], env);
  await m.program.logged(command === "serve" ? /mox is running/ : /the copy is whole/);
}

const home = await prepare("home", `${net}.1`);
const away = await prepare("away", `${net}.2`);
const machines = [home, away];
const proxyDir = await Deno.makeTempDir({ prefix: "mox-net-proxy-" });
let proxy: SpaceProgram | undefined;
/** What the clients know. */
const front = { name: "haproxy", host: proxyIp, smtp: 25, imap: 143 };
try {
  for (const m of machines) {
    await Deno.writeTextFile(
      `${m.dir}/config/domains.conf`,
      `Domains:
	mox.example: nil
Nodes:
	one:
		Address: ${home.host}
		Key: ${home.key}
		Standby:
			Address: ${away.host}
			Key: ${away.key}
Accounts:
	ann:
		Domain: mox.example
		Destinations:
			ann@mox.example: nil
`,
    );
  }
  const section = (name: string, port: number) =>
    `listen ${name}
	bind ${proxyIp}:${port}
	default-server send-proxy-v2 check check-send-proxy inter 300ms fall 2 rise 1 on-marked-down shutdown-sessions
	server home ${home.host}:${port}
	server away ${away.host}:${port} backup
`;
  await Deno.writeTextFile(
    `${proxyDir}/haproxy.cfg`,
    `defaults
	mode tcp
	timeout connect 1s
	timeout client 60s
	timeout server 60s
${section("smtp", 25)}${section("imap", 143)}`,
  );
  await start(home, "serve");
  const set = await moxIn(home.dir, [...conf(home), "setaccountpassword", "ann"], {
    stdin: `${password}\n`,
  });
  assert.equal(set.code, 0, set.stderr);
  await start(away, "standby");
  proxy = startIn(`${prefix}-proxy`, ["haproxy", "-f", `${proxyDir}/haproxy.cfg`, "-db"]);
  const l = load([front, front], "f");
  await l.more(30);

  // Asked: the node hands over while its clients go on trying.
  let asked = performance.now();
  const handed = await moxIn(away.dir, [...conf(away), "promote"]);
  assert.equal(handed.code, 0, handed.stderr + handed.stdout);
  assert.equal(await home.program.ended, 0);
  assert.equal(await away.program.ended, 0);
  await start(away, "serve");
  await l.more(1);
  console.log(`handed over: clients went on after ${Math.round(performance.now() - asked)} ms`);
  await l.more(20);
  check({ ...l, acknowledged: new Set(l.acknowledged) }, await subjects(front));
  console.log(`${l.acknowledged.size} acknowledged, none lost, none twice`);
  // The client's address is known behind the proxy at either machine.
  assert.match(away.program.log(), new RegExp(`remote=${clientIp.replaceAll(".", "\\.")}\\b`));

  // Cut off: nobody can ask it. What it has sent by then is all that the other has.
  await start(home, "standby");
  await l.more(10);
  const sure = new Set(l.acknowledged);
  await caughtUp(home);
  await sh("ip link set v-away down");
  const cut = performance.now();
  const before = new Set(l.acknowledged);
  const forced = await moxIn(home.dir, [...conf(home), "promote", "-force"]);
  assert.equal(forced.code, 0, forced.stderr + forced.stdout);
  assert.equal(await home.program.ended, 0);
  await start(home, "serve");
  await l.more(1);
  console.log(`cut off: clients went on after ${Math.round(performance.now() - cut)} ms`);
  await l.more(20);

  // It is there again: it stops by itself, and the proxy sends nobody to it.
  await sh("ip link set v-away up");
  asked = performance.now();
  const code = await away.program.ended;
  console.log(`it stopped ${Math.round(performance.now() - asked)} ms after it could ask again`);
  assert.notEqual(code, undefined);
  assert.match(away.program.log(), /serves in this node's place: this one stops/);
  await l.end();
  const there = await subjects(front);
  const missing = [...before].filter((id) => !there.includes(id));
  console.log(
    `${l.acknowledged.size} acknowledged, ${missing.length} of them in the last moment before the cut, on the other disk only`,
  );
  assert.deepEqual(missing.filter((id) => sure.has(id)), [], "the standby had these");
  check(
    { ...l, acknowledged: new Set([...l.acknowledged].filter((id) => !missing.includes(id))) },
    there,
  );
} finally {
  await sh("ip link set v-away up").catch(() => {});
  await proxy?.end("SIGTERM");
  for (const m of machines) {
    await m.program?.end("SIGTERM");
    await Deno.remove(m.dir, { recursive: true });
  }
  await Deno.remove(proxyDir, { recursive: true });
}
