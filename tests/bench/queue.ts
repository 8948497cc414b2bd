/**
 * The outgoing queue beside Postfix: messages that wait are let go, to a sink (smtp-sink of Postfix) that
 * takes all; and with a long queue for hosts that are dead, what a message to one that lives waits and the
 * memory that the process takes.
 *
 * usage: deno run --allow-all tests/bench/queue.ts [messages] [messages that wait] [rounds] [dead domains]
 *
 * @module
 */
import { join } from "node:path";
import { Config } from "../../src/config/mod.ts";
import { scriptedResolver, type Zone } from "../../src/dns/mod.ts";
import { Log, setLevel } from "../../src/log/mod.ts";
import { Queue, remoteDeliverer } from "../../src/queue/mod.ts";
import { opportunistic } from "../../src/tlspolicy/opportunistic.ts";
import { must, startPostfix } from "../support/postfix.ts";
import { freePort, waitForPort } from "./peers/types.ts";

const messages = Number(Deno.args[0] ?? 5000);
const waiting = Number(Deno.args[1] ?? 100_000);
const rounds = Number(Deno.args[2] ?? 3);
/** The messages that wait are for so many domains; with 1 all are for one that refuses. */
const deadDomains = Number(Deno.args[3] ?? 20);
const domains = 20;
/** Messages are queued by so many at a time. */
const senders = 128;
/** Messages to a host that lives, one after the other. */
const timed = 200;

setLevel("queue", "error");
setLevel("smtpclient", "error");

const body = `From: <a@mox.example>\r\nSubject: bench\r\n\r\n${"x".repeat(78)}\r\n`
  .padEnd(4000, "line of text\r\n");

/** Where connections are taken and nothing is ever said. */
const silentHost = "127.0.0.3";

async function openQueue(dir: string, port: number): Promise<Queue> {
  await Deno.mkdir(join(dir, "config"), { recursive: true });
  await Deno.writeTextFile(
    join(dir, "config", "mox.conf"),
    "DataDir: ../data\nLogLevel: error\nHostname: mail.mox.example\nListeners:\n\tx:\n\t\tIPs:\n" +
      "\t\t\t- 127.0.0.1\nPostmaster:\n\tAccount: a\n\tMailbox: Inbox\n",
  );
  await Deno.writeTextFile(
    join(dir, "config", "domains.conf"),
    "Domains:\n\tmox.example: nil\nAccounts:\n\ta:\n\t\tDomain: mox.example\n",
  );
  const zone: Zone = {};
  for (let i = 0; i < domains; i++) {
    zone[`d${i}.example`] = { A: ["127.0.0.1"] };
  }
  for (let i = 0; i < deadDomains; i++) {
    // Half of the dead refuse, half never answer.
    zone[`dead${i}.example`] = { A: [i % 2 === 0 ? "127.0.0.2" : silentHost] };
  }
  return await Queue.open(join(dir, "data"), {
    log: new Log("queue"),
    deliverer: remoteDeliverer({
      log: new Log("smtpclient"),
      config: await Config.load(join(dir, "config", "mox.conf")),
      resolver: scriptedResolver(zone),
      tlsPolicy: opportunistic,
      sources: [],
      port,
    }),
    onDsn: () => Promise.reject(new Error("a delivery failed")),
  });
}

/** Queues messages on hold; milliseconds that it took. */
async function fill(
  queue: Queue,
  dir: string,
  count: number,
  to = "d",
  among = domains,
): Promise<number> {
  await queue.addHoldRule({
    account: undefined,
    senderDomain: undefined,
    recipientDomain: undefined,
  });
  const bytes = new TextEncoder().encode(body);
  const file = join(dir, "message");
  await Deno.writeFile(file, bytes);
  const start = performance.now();
  let n = 0;
  await Promise.all(Array.from({ length: senders }, async () => {
    while (n < count) {
      const i = n++;
      await queue.add({
        senderAccount: "a",
        mailFrom: "a@mox.example",
        recipients: [{ address: `x${i}@${to}${i % among}.example` }],
        file,
        fileSize: bytes.length,
        prefix: new Uint8Array(0),
        smtputf8: false,
        has8bit: false,
        requireTls: false,
      });
    }
  }));
  return performance.now() - start;
}

/** Deliveries a second of this queue. */
async function ours(port: number): Promise<number> {
  const dir = await Deno.makeTempDir({ prefix: "bench-" });
  const queue = await openQueue(dir, port);
  try {
    await fill(queue, dir, messages);
    await queue.start();
    const start = performance.now();
    await queue.hold({}, false);
    while (queue.count() > 0) await new Promise((r) => setTimeout(r, 5));
    return messages / (performance.now() - start) * 1000;
  } finally {
    await queue.stop();
    await Deno.remove(dir, { recursive: true });
  }
}

/** Files in Postfix's queues. */
function inSpool(dir: string): number {
  let n = 0;
  for (const name of ["incoming", "active", "deferred", "maildrop"]) n += files(join(dir, name));
  return n;
}
function files(dir: string): number {
  let n = 0;
  try {
    for (const e of Deno.readDirSync(dir)) n += e.isFile ? 1 : files(join(dir, e.name));
  } catch (err) {
    // Folders come and go with the messages.
    if (!(err instanceof Deno.errors.NotFound)) throw err;
  }
  return n;
}

/** Deliveries a second of Postfix. */
async function theirs(sink: number): Promise<number> {
  const dir = await Deno.makeTempDir({ prefix: "bench-" });
  await Deno.chmod(dir, 0o755);
  const port = freePort();
  await using _postfix = await startPostfix(`${dir}/instance`, {
    address: "127.0.0.1",
    port,
    main: `
myhostname = bench.test
mydestination =
relayhost = [127.0.0.1]:${sink}
defer_transports = smtp
smtpd_client_connection_count_limit = 0
default_process_limit = 100
`,
  });
  const config = `${dir}/instance/postfix`;
  try {
    await must(
      "smtp-source",
      ...["-m", String(messages), "-s", "20", "-l", "4000"],
      ...["-f", "a@mox.example", "-t", "x@d.example", `127.0.0.1:${port}`],
    );
    const spool = `${dir}/instance/spool`;
    while (files(`${spool}/deferred`) < messages) await new Promise((r) => setTimeout(r, 50));
    await must("postconf", "-c", config, "-e", "defer_transports=");
    await must("postfix", "-c", config, "reload");
    const start = performance.now();
    await must("postqueue", "-c", config, "-f");
    while (inSpool(spool) > 0) await new Promise((r) => setTimeout(r, 20));
    return messages / (performance.now() - start) * 1000;
  } finally {
    await must("postfix", "-c", config, "stop").catch(() => {});
    await Deno.remove(dir, { recursive: true });
  }
}

/** Milliseconds from queueing a message to a living host until it is delivered, sorted. */
async function latencies(queue: Queue, dir: string): Promise<number[]> {
  const bytes = new TextEncoder().encode(body);
  const file = join(dir, "live");
  await Deno.writeFile(file, bytes);
  const before = queue.count();
  const times: number[] = [];
  for (let i = 0; i < timed; i++) {
    const start = performance.now();
    await queue.add({
      senderAccount: "a",
      mailFrom: "a@mox.example",
      recipients: [{ address: `live${i}@d${i % domains}.example` }],
      file,
      fileSize: bytes.length,
      prefix: new Uint8Array(0),
      smtputf8: false,
      has8bit: false,
      requireTls: false,
    });
    // Those for dead hosts stay.
    while (queue.count() > before) await new Promise((r) => setTimeout(r, 1));
    times.push(performance.now() - start);
  }
  return times.sort((a, b) => a - b);
}

/** Milliseconds for which the event loop was held at most, until it is stopped. */
function watchLoop(): () => number {
  let longest = 0;
  let last = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    longest = Math.max(longest, now - last - 1);
    last = now;
  }, 1);
  return () => {
    clearInterval(timer);
    return longest;
  };
}

function percentiles(times: readonly number[]): string {
  const at = (part: number) => times[Math.floor((times.length - 1) * part)].toFixed(1);
  return `median ${at(0.5)} ms, 95 % ${at(0.95)} ms, longest ${at(1)} ms`;
}

/** With a long queue for dead hosts: what a message to a living one waits, and the memory. */
async function longQueue(port: number): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "bench-" });
  const silent = Deno.listen({ hostname: silentHost, port });
  const taken: Deno.Conn[] = [];
  const taking = (async () => {
    for await (const c of silent) taken.push(c);
  })();
  const mib = (n: number) => `${(n / 1048576).toFixed(0)} MiB`;
  const memory = () => {
    const m = Deno.memoryUsage();
    return `${mib(m.rss)} resident, heap ${mib(m.heapUsed)}`;
  };
  let queue = await openQueue(dir, port);
  try {
    await queue.start();
    await latencies(queue, dir);
    let held = watchLoop();
    console.log(`to a living host, queue empty: ${percentiles(await latencies(queue, dir))}`);
    console.log(`event loop held for ${held().toFixed(0)} ms at most`);
    console.log(`memory: ${memory()}`);
    const took = await fill(queue, dir, waiting, "dead", deadDomains);
    console.log(`${waiting} queued: ${(waiting / took * 1000).toFixed(0)}/s, durable`);
    await queue.stop();
    queue = await openQueue(dir, port);
    console.log(`memory with ${waiting}, opened anew: ${memory()}`);
    for (const r of queue.holdRules()) await queue.removeHoldRule(r.id);
    let start = performance.now();
    await queue.hold({}, false);
    console.log(`let go: ${(performance.now() - start).toFixed(0)} ms`);
    held = watchLoop();
    await queue.start();
    const times = await latencies(queue, dir);
    console.log(
      `to a living host, ${waiting} due to dead ones (${deadDomains} domains): ${
        percentiles(times)
      }`,
    );
    console.log(`event loop held for ${held().toFixed(0)} ms at most`);
    const tried = queue.list({}, { limit: waiting }).filter((i) => i.attempts > 0).length;
    console.log(`${tried} of those for dead ones tried meanwhile`);
    console.log(`memory: ${memory()}`);
    start = performance.now();
    queue.list({ to: "x99@" });
    console.log(`one found in the list: ${(performance.now() - start).toFixed(0)} ms`);
  } finally {
    silent.close();
    await taking;
    for (const c of taken) c.close();
    await queue.stop();
    await Deno.remove(dir, { recursive: true });
  }
}

const sink = freePort();
const sinkProcess = new Deno.Command("smtp-sink", {
  // As root it wants to be told whom to become.
  args: ["-u", "nobody", `127.0.0.1:${sink}`, "1000"],
  stdout: "null",
  stderr: "null",
}).spawn();
try {
  await waitForPort(sink);
  for (let i = 0; i < rounds; i++) {
    const a = await ours(sink);
    const b = await theirs(sink);
    console.log(`round ${i + 1}: ${a.toFixed(0)}/s here, ${b.toFixed(0)}/s Postfix`);
  }
  if (waiting > 0) await longQueue(sink);
} finally {
  sinkProcess.kill("SIGTERM");
  await sinkProcess.status;
}
