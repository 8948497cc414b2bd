/**
 * An administrator's first hour with a built program, on Linux, as root: two servers are set up by quickstart, one
 * that is started as root and becomes its user, one that is started as that user with the right to low ports.
 * They get certificates by ACME, exchange mail with MTA-STS, DKIM and DMARC, call webhooks and other servers
 * by HTTPS, report, are backed up, restored and brought up to date.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { gunzipSync } from "node:zlib";
import { request } from "node:https";
import { ImapFlow } from "imapflow";
import { testPassword } from "../../src/commands/test_data.ts";
import { packedFolders, unpackTestData } from "../../tests/upgrade/unpack.ts";
import { run, startServer } from "./program.ts";
import { Site } from "./site.ts";
import { makeWorld, type World } from "./world.ts";

export interface FirstHourOptions {
  /** Path of the program, with arguments that stand before a subcommand. Its folder is readable for all. */
  program: readonly string[];
  /** An empty folder. */
  dir: string;
  /** Is told of each step when it is done. */
  done(step: string, cameBack: string): void;
  /** Milliseconds that certificates may take; 60 s if not given. */
  patience?: number;
}

const ips = { one: "127.0.73.1", two: "127.0.73.2", old: "127.0.73.3" };
const internal = { one: "127.0.73.11", two: "127.0.73.12" };
const uids = { one: 54_321, two: 54_322 };

/** Why the first hour can't be tried here; undefined if it can. */
export function hindrance(): string | undefined {
  if (Deno.build.os !== "linux") return "it is for Linux";
  if (Deno.uid() !== 0) return "it needs root, for low ports and users";
  for (const hostname of [...Object.values(ips), ...Object.values(internal)]) {
    for (const port of [25, 80, 443, 465, 993, 8010]) {
      try {
        Deno.listen({ hostname, port }).close();
      } catch {
        return `port ${port} of ${hostname} is in use`;
      }
    }
  }
  return undefined;
}

function expect(found: boolean, what: string): void {
  if (!found) throw new Error(what);
}

async function until<T>(ms: number, what: () => Promise<T>): Promise<T> {
  for (const end = Date.now() + ms;;) {
    try {
      return await what();
    } catch (err) {
      if (Date.now() > end) throw err;
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }
}

/** Goes through it. @throws Error with the step's name and what the servers said */
export async function firstHour(options: FirstHourOptions): Promise<void> {
  const ipOf = (name: string) => name.endsWith("two.example") ? ips.two : ips.one;
  const world = await makeWorld(
    ipOf,
    (name) => [name.endsWith("two.example") ? "http-01" : "tls-alpn-01"],
  );
  const make = async (name: "one" | "two", asRoot: boolean) => {
    const dir = join(options.dir, name);
    await Deno.mkdir(dir, { mode: 0o755 });
    const domain = `${name}.example`;
    const common = { program: options.program, dir, domain, uid: uids[name], asRoot };
    return new Site({ ...common, ip: ips[name], internalIp: internal[name] }, world);
  };
  const one = await make("one", true);
  const two = await make("two", false);
  let current = "";
  const step = async (name: string, what: () => Promise<string>) => {
    current = name;
    options.done(name, await what());
  };
  try {
    await setUp(step, one, two, world, options.patience ?? 60_000);
    await exchange(step, one, two);
    await outgoingHttps(step, one, two, world);
    await policyFailure(step, one, two, world);
    await reports(step, one, two, world);
    await backups(step, one, two);
    await step("data of an earlier version are brought up to date", () => upgrade(options));
  } catch (err) {
    const logs = [one, two].map((s) => s.server?.said() ?? "").join("\n---\n");
    const text = err instanceof Error ? err.message : String(err);
    throw new Error(`${current}: ${text}\n${logs}`, { cause: err });
  } finally {
    for (const s of [one, two]) await s.stop().catch(() => {});
    await world.close();
  }
}

type Step = (name: string, what: () => Promise<string>) => Promise<void>;

async function setUp(
  step: Step,
  one: Site,
  two: Site,
  world: World,
  patience: number,
): Promise<void> {
  await step("quickstart looks at the DNS, and writes a configuration", async () => {
    for (const s of [one, two]) await s.setUp();
    return `config of ${one.o.domain} and ${two.o.domain}, in order by "config test"`;
  });
  await step("serve starts: as root, and as a user with CAP_NET_BIND_SERVICE", async () => {
    for (const s of [one, two]) await s.start();
    expect(/privileges dropped/.test(one.server!.said()), "the first did not drop privileges");
    expect(!/privileges dropped/.test(two.server!.said()), "the second had privileges");
    const { uid } = await Deno.stat(join(one.o.dir, "data"));
    expect(uid === one.o.uid, `data belongs to ${uid}`);
    return `users ${one.o.uid} and ${two.o.uid}`;
  });
  await step("certificates by ACME over HTTPS, proofs by TLS (tls-alpn-01) and HTTP", async () => {
    for (const s of [one, two]) {
      for (const [name, port] of [[s.host, 993], [`mta-sts.${s.o.domain}`, 443]] as const) {
        await until(patience, () => s.certificate(name, port));
      }
      await until(patience, () => s.certificate(`www.${s.o.domain}`, 443));
    }
    const kinds = [...new Set(world.authority.proofs)].sort();
    expect(kinds.join() === "http-01,tls-alpn-01", `proofs: ${kinds}`);
    return `${world.authority.issued.length} certificates, proofs ${kinds.join(" and ")}`;
  });
  await step("config dnscheck finds the zone as quickstart printed it", async () => {
    let text = "";
    for (const s of [one, two]) text += await s.mox("config", "dnscheck", s.o.domain);
    expect(/policy with mode/.test(text), `no policy was fetched: ${text}`);
    return "no errors, policies fetched";
  });
}

async function exchange(step: Step, one: Site, two: Site): Promise<void> {
  await step("mail in both directions: TLS, MTA-STS enforced, DKIM, SPF, DMARC", async () => {
    for (const [from, to] of [[one, two], [two, one]] as const) {
      const subject = `Hello from ${from.o.domain}`;
      await from.send(to, subject);
      const source = (await to.received(subject)).replaceAll(/\r\n[ \t]+/g, " ");
      for (const method of ["dkim", "spf", "dmarc"]) {
        expect(
          new RegExp(`^Authentication-Results: .*\\b${method}=pass`, "m").test(source),
          `${method} did not pass: ${source}`,
        );
      }
      expect(/^Received: from .*\bESMTPS\b/m.test(source), `not over TLS: ${source}`);
      const metrics = await from.metrics();
      expect(/^mox_mtasts_fetch_total\{result="ok"\} 1$/m.test(metrics), "no policy was fetched");
      expect(
        /^mox_tlspolicy_connections_total\{policy="mtasts",result="ok"\} [1-9]/m.test(metrics),
        "no connection by a policy",
      );
    }
    return "dkim=pass spf=pass dmarc=pass, ESMTPS, policies in force";
  });
}

async function outgoingHttps(step: Step, one: Site, two: Site, world: World): Promise<void> {
  await step("a webhook by HTTPS", async () => {
    const call = await until(15_000, () => {
      const found = world.posted.filter((p) => p.host === "hooks.example");
      if (found.length < 2) throw new Error(`${found.length} calls of webhooks came`);
      return Promise.resolve(found[0]);
    });
    const body = JSON.parse(new TextDecoder().decode(call.body)) as { Subject?: string };
    expect(/^Hello from/.test(body.Subject ?? ""), `it says ${JSON.stringify(body)}`);
    return `${call.path} with "${body.Subject}"`;
  });
  await step("WebForward to HTTPS", async () => {
    let text = "";
    for (const s of [one, two]) text += await page(s, world);
    expect(text === "hello from elsewhere".repeat(2), `it answers ${text}`);
    return "200, the page of the other server";
  });
  await step("mtasts lookup and smtp dial go by the server's configuration", async () => {
    const policy = await one.mox("mtasts", "lookup", two.o.domain);
    expect(/mode enforce/.test(policy), policy);
    const dial = await one.mox("smtp", "dial", "-tls", "required", "-verify", `${two.host}:25`);
    expect(/, verified/.test(dial), dial);
    return "mode enforce; TLS verified";
  });
}

function page(site: Site, world: World): Promise<string> {
  return new Promise((resolve, reject) => {
    const servername = `www.${site.o.domain}`;
    const headers = { host: servername };
    const ca = world.authority.ca.root;
    const r = request(
      { host: site.o.ip, port: 443, servername, headers, ca, agent: false },
      (res) => {
        let text = "";
        res.setEncoding("utf8");
        res.on("data", (t: string) => text += t);
        res.on("end", () => resolve(res.statusCode === 200 ? text : `${res.statusCode} ${text}`));
      },
    );
    r.on("error", reject);
    r.end();
  });
}

async function policyFailure(step: Step, one: Site, two: Site, world: World): Promise<void> {
  const mx = world.zone.find((r) => r.type === "MX" && r.name === two.o.domain)! as {
    data: { preference: number; exchange: string };
  };
  await step(
    "a host that the policy doesn't name gets no mail, and it goes on when that is mended",
    async () => {
      const right = mx.data;
      const elsewhere = `elsewhere.${two.o.domain}`;
      world.zone.push({ name: elsewhere, type: "A", data: two.o.ip, ttl: 60 });
      mx.data = { preference: 10, exchange: elsewhere };
      // The old answer is remembered for as long as it may be.
      await one.stop();
      await one.start();
      await one.send(two, "Held back");
      const waiting = await until(20_000, async () => {
        const list = await one.mox("queue", "list");
        if (!/MTA-STS|policy/i.test(list)) throw new Error(`the queue has: ${list}`);
        return list;
      });
      mx.data = right;
      await one.stop();
      await one.start();
      await one.mox("queue", "schedule", "-all", "now");
      await two.received("Held back");
      return /[^\n]*(?:MTA-STS|policy)[^\n]*/i.exec(waiting)![0].trim().slice(0, 140);
    },
  );
}

async function reports(step: Step, one: Site, two: Site, world: World): Promise<void> {
  await step("TLS reports by HTTPS", async () => {
    const name = `_smtp._tls.${two.o.domain}`;
    const at = world.zone.findIndex((r) => r.name === name && r.type === "TXT");
    if (at >= 0) world.zone.splice(at, 1);
    const rua = `https://reports.example:${world.httpsPort}/tls`;
    world.zone.push({ name, type: "TXT", data: [`v=TLSRPTv1; rua=${rua}`] });
    await one.stop();
    // Reports are about days that have ended: this one becomes yesterday.
    const yesterday = new Date(Date.now() - 24 * 3600_000).toISOString().slice(0, 10).replaceAll(
      "-",
      "",
    );
    const db = new DatabaseSync(join(one.o.dir, "data", "tlsrptresult.db"));
    db.prepare("UPDATE results SET day = ?").run(yesterday);
    db.close();
    await one.start();
    const told = await one.mox("reports", "send");
    expect(told.includes(two.o.domain), `reported to: ${told}`);
    const post = await until(15_000, () => {
      const found = world.posted.find((p) => p.host === "reports.example");
      if (!found) throw new Error("no report came");
      return Promise.resolve(found);
    });
    expect(post.type === "application/tlsrpt+gzip", `its type is ${post.type}`);
    const report = JSON.parse(gunzipSync(Buffer.from(post.body)).toString()) as {
      policies: { summary: Record<string, number> }[];
    };
    const [{ summary }] = report.policies;
    expect(Object.values(summary).every((n) => n > 0), `it says ${JSON.stringify(report)}`);
    return `TLSRPT with ${summary["total-successful-session-count"]} successful and ` +
      `${summary["total-failure-session-count"]} failed connections`;
  });
}

async function backups(step: Step, one: Site, two: Site): Promise<void> {
  const data = join(two.o.dir, "data");
  const copy = join(two.o.dir, "copy");
  await step("backup while it runs, verifydata, restore", async () => {
    await Deno.mkdir(copy);
    await Deno.chown(copy, two.o.uid, two.o.uid);
    await two.mox("backup", copy);
    const verified = await two.mox("verifydata", copy);
    expect(/all is well/.test(verified), verified);
    await one.send(two, "After the backup");
    await two.received("After the backup");
    await two.stop();
    await Deno.rename(data, `${data}.lost`);
    await Deno.rename(copy, data);
    await two.start();
    const subjects = ["Hello from one.example", "Held back"];
    for (const s of subjects) await two.received(s);
    await two.received("After the backup", 0).then(
      () => expect(false, "what came after the backup is in it"),
      () => {},
    );
    await one.send(two, "After the restore");
    await two.received("After the restore");
    return `all is well; ${subjects.length} messages are there again, and new mail comes`;
  });
}

/** Serves each packed folder of an earlier version, reads mail in it, and looks through it afterwards. */
async function upgrade(options: FirstHourOptions): Promise<string> {
  const said: string[] = [];
  for (const name of packedFolders) {
    const dir = join(options.dir, name);
    await Deno.mkdir(dir, { mode: 0o755 });
    await unpackTestData(name, dir);
    const path = join(dir, "config", "mox.conf");
    const text = (await Deno.readTextFile(path)).replace("- 127.0.0.1", `- ${ips.old}`)
      .replace(/Port: \d+/, "Port: 25").replace(/Port: \d{5}/, "Port: 143");
    await Deno.writeTextFile(path, `User: ${uids.one}\n${text}`);
    const server = startServer(options.program, ["serve"], { cwd: dir });
    await server.says("mox is running");
    const client = new ImapFlow({
      host: ips.old,
      port: 143,
      secure: false,
      doSTARTTLS: false,
      auth: { user: "test1@mox.example", pass: testPassword },
      logger: false,
    });
    client.on("error", () => {});
    await client.connect();
    const status = await client.status("INBOX", { messages: true });
    await client.logout();
    expect(status !== false && (status.messages ?? 0) > 0, `${name}: no mail`);
    const code = await server.end();
    expect(code === 0, `${name}: it ends with ${code}: ${server.said()}`);
    const verified = await run(options.program, ["verifydata", join(dir, "data")], { cwd: dir });
    said.push(`${name.replace(/\..*/, "")} ${verified.trim().split("\n").at(-1)}`);
    expect(/all is well/.test(verified), `${name}: ${verified}`);
  }
  return said.join("; ");
}
