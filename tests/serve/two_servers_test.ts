/**
 * Two servers on this machine, each set up by quickstart with addresses, names, certificates and a zone of
 * its own, write to each other: on the real ports, as MX records know no others.
 */
import assert from "node:assert/strict";
import type { Answer } from "dns-packet";
import { ImapFlow } from "imapflow";
import nodemailer from "nodemailer";
import { selfSignedCertificate } from "../../src/net/mod.ts";
import { isLinux } from "../../src/platform/os.ts";
import { isRoot } from "../../src/platform/users.ts";
import { moxIn, startServe } from "./instance.ts";
import { readZone, zoneServer } from "./zone.ts";

interface Site {
  dir: string;
  ip: string;
  domain: string;
  host: string;
  address: string;
  password: string;
}

/** Runs quickstart, and changes the configuration as an administrator of such a site would. */
async function setUp(ip: string, domain: string, zone: Answer[]): Promise<Site> {
  const dir = await Deno.makeTempDir({ prefix: "mox-site-" });
  await Deno.chmod(dir, 0o755);
  const host = `mail.${domain}`;
  const address = `user@${domain}`;
  const r = await moxIn(
    dir,
    [
      "quickstart",
      "-skipdns",
      "-existing-webserver",
      "-hostname",
      host,
      "-ip",
      ip,
      address,
      "54321",
    ],
  );
  assert.equal(r.code, 0, r.stderr);
  zone.push(...readZone(r.stdout));
  zone.push({ name: `${ip.split(".").reverse().join(".")}.in-addr.arpa`, type: "PTR", data: host });
  const path = `${dir}/config/mox.conf`;
  let text = await Deno.readTextFile(path);
  // Both are on one machine: no addresses in common. The policy for MTA-STS is served here.
  text = text.replace("\t\t\t- 127.0.0.1\n\t\t\t- ::1\n", `\t\t\t- ${ip}\n`)
    .replace("\t\t\t- 127.0.0.1\n", `\t\t\t- ${ip}\n`);
  const at = text.lastIndexOf("\t\tSMTP:\n");
  text = `${text.slice(0, at)}\t\tMTASTSHTTPS:\n\t\t\tEnabled: true\n` +
    text.slice(at).replace("\t\tSMTP:\n", "\t\tSMTP:\n\t\t\tFirstTimeSenderDelay: 0s\n");
  // Both are on this machine.
  text = text.replace("Listeners:\n", "AllowedUserNetworks:\n\t- 127.0.0.0/8\nListeners:\n");
  text += "TLS:\n\tCA:\n\t\tCertFiles:\n\t\t\t- ../authorities.pem\n";
  await Deno.writeTextFile(path, text);
  return {
    dir,
    ip,
    domain,
    host,
    address,
    password: /account user \(\S+\): (\S+)/.exec(r.stdout)![1],
  };
}

/** Gives each site a certificate that all of them trust. */
async function certify(sites: Site[]): Promise<void> {
  let all = "";
  for (const s of sites) {
    const { cert, key } = await selfSignedCertificate({
      names: [s.host, `mta-sts.${s.domain}`],
      authority: true,
    });
    await Deno.writeTextFile(`${s.dir}/config/tls/mail.crt.pem`, cert);
    await Deno.writeTextFile(`${s.dir}/config/tls/mail.key.pem`, key);
    all += cert;
  }
  for (const s of sites) {
    const path = `${s.dir}/authorities.pem`;
    await Deno.writeTextFile(path, all);
    // For the server's own user too, whatever the umask is here.
    await Deno.chmod(path, 0o644);
  }
}

async function send(from: Site, to: Site, subject: string): Promise<void> {
  await nodemailer.createTransport({
    host: from.ip,
    port: 465,
    secure: true,
    auth: { user: from.address, pass: from.password },
    tls: { rejectUnauthorized: false },
  }).sendMail({ from: from.address, to: to.address, subject, text: `${subject}, you there\n` });
}

/** Waits for the first message in the Inbox, and returns its source. */
async function firstMessage(site: Site): Promise<string> {
  const client = new ImapFlow({
    host: site.ip,
    port: 993,
    secure: true,
    auth: { user: site.address, pass: site.password },
    tls: { rejectUnauthorized: false },
    logger: false,
  });
  client.on("error", () => {});
  await client.connect();
  const lock = await client.getMailboxLock("INBOX");
  try {
    const mailbox = client.mailbox;
    if (mailbox && mailbox.exists === 0) {
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error("no mail came")), 20_000);
        client.on("exists", () => {
          clearTimeout(timer);
          resolve();
        });
        client.idle().catch(reject);
      });
    }
    const message = await client.fetchOne("1", { source: true });
    return message ? message.source!.toString() : "";
  } finally {
    lock.release();
    await client.logout();
  }
}

/** True if the ports of a site can be had: root's, and nobody else's. */
async function portsFree(ip: string): Promise<boolean> {
  for (const port of [25, 81, 443, 465, 993, 1080, 8010]) {
    try {
      Deno.listen({ hostname: ip, port }).close();
    } catch {
      return false;
    }
  }
  return await Promise.resolve(true);
}

const ips = ["127.0.71.1", "127.0.71.2"];

Deno.test({
  name: "two sites, set up by quickstart, write to each other over TLS, with MTA-STS enforced",
  ignore: !isLinux || !isRoot() || !(await Promise.all(ips.map(portsFree))).every(Boolean),
  async fn() {
    const zone: Answer[] = [{ name: "com", type: "NS", data: "a.gtld.example" }];
    const sites = [
      await setUp(ips[0], "one.example", zone),
      await setUp(ips[1], "two.example", zone),
    ];
    await certify(sites);
    using dns = await zoneServer(zone);
    const env = { MOX_DNS_SERVERS: `127.0.0.1:${dns.server.port}` };
    const servers = sites.map((s) => startServe(s.dir, env));
    try {
      for (const s of servers) await s.logged(/mox is running/);
      for (const [from, to] of [[sites[0], sites[1]], [sites[1], sites[0]]]) {
        await send(from, to, "Hello");
        const source = await firstMessage(to);
        assert.match(source, /Hello, you there/);
        assert.match(source, new RegExp(`^DKIM-Signature: [^:]*d=${from.domain};`, "m"));
        const received = /^Received: from [^]*?;/m.exec(source)![0];
        assert.match(received, new RegExp(`from ${from.host} `));
        assert.match(received, /ESMTPS|TLS/);
      }
      for (const s of sites) {
        // The other's policy was fetched by HTTPS, enforces, and was satisfied.
        const metrics = await (await fetch(`http://${s.ip}:8010/metrics`)).text();
        assert.match(metrics, /^mox_mtasts_fetch_total\{result="ok"\} 1$/m);
        assert.match(
          metrics,
          /^mox_tlspolicy_connections_total\{policy="mtasts",result="ok"\} [1-9]/m,
        );
      }
      // With a certificate that nobody trusts, mail stays in the queue instead of going to it.
      const [one, two] = sites;
      const { cert, key } = await selfSignedCertificate({ names: [two.host], authority: true });
      await Deno.writeTextFile(`${two.dir}/config/tls/mail.crt.pem`, cert);
      await Deno.writeTextFile(`${two.dir}/config/tls/mail.key.pem`, key);
      await servers[1].end("SIGTERM");
      servers[1] = startServe(two.dir, env);
      await servers[1].logged(/mox is running/);
      await send(one, two, "Held");
      await servers[0].logged(/certificate|self.signed|unknown issuer/i);
      const list = await moxIn(one.dir, ["queue", "list"], { env });
      assert.match(list.stdout, /user@two\.example/);
    } catch (err) {
      const logs = servers.map((s) => s.log()).join("\n---\n");
      throw new Error(`${err instanceof Error ? err.stack : err}\n${logs}`);
    } finally {
      for (const s of servers) await s.end("SIGTERM").catch(() => {});
      for (const s of sites) await Deno.remove(s.dir, { recursive: true });
    }
  },
});
