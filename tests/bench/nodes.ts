/**
 * Mail in at 1, 2 and 3 nodes on one machine: messages a second, and processor time of the servers for each message, when it
 * comes to the account's own node and when another node passes it on.
 *
 *     deno run -A tests/bench/nodes.ts [messages] [connections]
 *
 * Messages are for each node; more than 450 a minute for one account are refused, as they come from one network. Run as
 * root on Linux, as the nodes drop their rights.
 *
 * @module
 */
import { type RunningServer, startServe } from "../serve/instance.ts";
import { makeNodeFolder } from "../serve/node_folder.ts";
import { zoneServer } from "../serve/zone.ts";
import { freePorts } from "../support/ports.ts";
import { fileURLToPath } from "node:url";

const [messages, connections] = [Number(Deno.args[0] ?? 400), Number(Deno.args[1] ?? 16)];
/** Bytes of a message. */
const size = 4096;

interface BenchNode {
  name: string;
  dir: string;
  smtp: number;
  link: number;
  key: string;
  server: RunningServer;
}

async function prepare(name: string): Promise<BenchNode> {
  const [smtp, link] = await freePorts(2);
  const { dir, key } = await makeNodeFolder(
    `mox-bench-${name}-`,
    `DataDir: ../data
LogLevel: error
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
Postmaster:
	Account: n0
	Mailbox: Postmaster
`,
  );
  return { name, dir, smtp, link, key } as BenchNode;
}

/** Seconds of processor time that a process has taken. */
function processorTime(pid: number): number {
  const fields = Deno.readTextFileSync(`/proc/${pid}/stat`).split(") ")[1].split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

async function load(port: number, to: string, count: number, conns: number): Promise<number> {
  const script = fileURLToPath(new URL("./smtp_load.ts", import.meta.url));
  const { stdout, stderr, success } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", script, `${port}`, to, `${conns}`, `${count}`, `${size}`],
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return count / Number(/[\d.]+/.exec(new TextDecoder().decode(stdout))![0]);
}

async function withNodes(n: number): Promise<void> {
  using dns = await zoneServer([{ name: "remote.test", type: "A", data: "127.0.0.1" }]);
  const nodes: BenchNode[] = [];
  for (let i = 0; i < n; i++) nodes.push(await prepare(`node${i}`));
  const accounts = nodes.flatMap((b, i) =>
    ["n", "p"].map((kind) =>
      `	${kind}${i}:\n		Domain: mox.example\n		Node: ${b.name}\n		Destinations:\n			${kind}${i}@mox.example: nil\n`
    )
  ).join("");
  const list = nodes.map((b) =>
    `	${b.name}:\n		Address: 127.0.0.1\n		Port: ${b.link}\n		Key: ${b.key}\n`
  ).join("");
  try {
    for (const b of nodes) {
      await Deno.writeTextFile(
        `${b.dir}/config/domains.conf`,
        `Domains:\n	mox.example: nil\nNodes:\n${list}Accounts:\n${accounts}`,
      );
      b.server = startServe(b.dir, { MOX_DNS_SERVERS: `127.0.0.1:${dns.server.port}` });
    }
    await Promise.all(nodes.map(async (b) => {
      for (;;) {
        try {
          (await Deno.connect({ port: b.smtp })).close();
          return;
        } catch {
          await new Promise((resolve) => setTimeout(resolve, 100));
        }
      }
    }));
    const each = messages;
    const conns = Math.max(1, Math.round(connections / n));
    const measure = async (what: string, to: (i: number) => string) => {
      await Promise.all(nodes.map((b, i) => load(b.smtp, to(i), 40, conns)));
      const cpu = () => nodes.reduce((sum, b) => sum + processorTime(b.server.pid), 0);
      const [before, began] = [cpu(), performance.now()];
      await Promise.all(nodes.map((b, i) => load(b.smtp, to(i), each, conns)));
      const seconds = (performance.now() - began) / 1000;
      const cost = (cpu() - before) * 1000 / (each * n);
      console.log(
        `${n} nodes, ${what}: ${Math.round(each * n / seconds)} messages/s, ${
          cost.toFixed(2)
        } ms of processor time a message`,
      );
    };
    await measure("at the account's node", (i) => `n${i}@mox.example`);
    if (n > 1) await measure("passed on by another", (i) => `p${(i + 1) % n}@mox.example`);
  } finally {
    for (const b of nodes) {
      await b.server?.end("SIGTERM");
      await Deno.remove(b.dir, { recursive: true });
    }
  }
}

for (const n of [1, 2, 3]) await withNodes(n);
