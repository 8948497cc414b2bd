/** A server set up by quickstart gets its certificates from an authority, on the real ports. */
import assert from "node:assert/strict";
import type { Answer } from "dns-packet";
import { connect } from "node:tls";
import { isLinux } from "../../src/platform/os.ts";
import { isRoot } from "../../src/platform/users.ts";
import { TestAuthority } from "../acme/authority.ts";
import { lacks } from "../support/programs.ts";
import { moxIn, startServe } from "./instance.ts";
import { readZone, zoneServer } from "./zone.ts";

const ip = "127.0.71.3";
const domain = "three.example";
const host = `mail.${domain}`;

function portsFree(): boolean {
  for (const port of [25, 80, 443, 465, 993, 8010]) {
    try {
      Deno.listen({ hostname: ip, port }).close();
    } catch {
      return false;
    }
  }
  return true;
}

/** Makes a handshake in which the certificate is verified; serial number of the certificate. */
function verified(port: number, name: string, ca: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: ip, port, servername: name, ca }, () => {
      resolve(socket.getPeerCertificate().serialNumber);
      socket.destroy();
    });
    socket.on("error", reject);
  });
}

async function withTimeout<T>(ms: number, what: () => Promise<T>): Promise<T> {
  const end = Date.now() + ms;
  for (;;) {
    try {
      return await what();
    } catch (err) {
      if (Date.now() > end) throw err;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

Deno.test({
  name: "serve gets certificates by ACME for the host and the policy of its domain, and keeps them",
  ignore: !isLinux || !isRoot() || lacks("python3") || !portsFree(),
  async fn() {
    const dir = await Deno.makeTempDir({ prefix: "mox-site-" });
    await Deno.chmod(dir, 0o755);
    const authority = new TestAuthority({ host: ip, httpPort: 80, tlsPort: 443 });
    const zone: Answer[] = [{ name: "com", type: "NS", data: "a.gtld.example" }];
    using dns = await zoneServer(zone);
    const args = ["-skipdns", "-hostname", host, "-ip", ip, `user@${domain}`, "54321"];
    const r = await moxIn(dir, ["quickstart", ...args]);
    assert.equal(r.code, 0, r.stderr);
    zone.push(...readZone(r.stdout));
    for (const name of [host, `mta-sts.${domain}`]) {
      if (!zone.some((z) => z.name === name)) zone.push({ name, type: "A", data: ip, ttl: 60 });
    }
    const path = `${dir}/config/mox.conf`;
    let text = await Deno.readTextFile(path);
    text = text.replace(/DirectoryURL: .*/, `DirectoryURL: ${authority.directory}`)
      .replace("\t\t\t- 127.0.0.1\n\t\t\t- ::1\n", "\t\t\t- 127.0.71.4\n")
      .replace("\t\t\t- 127.0.0.1\n", "\t\t\t- 127.0.71.4\n");
    await Deno.writeTextFile(path, text);
    const env = { MOX_DNS_SERVERS: `127.0.0.1:${dns.server.port}` };
    let server = startServe(dir, env);
    try {
      await server.logged(/mox is running/);
      const { root } = authority.ca;
      const serial = await withTimeout(20_000, () => verified(993, host, root));
      await withTimeout(20_000, () => verified(443, `mta-sts.${domain}`, root));
      assert.ok(authority.proofs.includes("tls-alpn-01"), authority.proofs.join());
      const key = await Deno.stat(`${dir}/data/acme/letsencrypt/account.key.pem`);
      assert.deepEqual([key.mode! & 0o777, key.uid], [0o600, 54321]);
      assert.equal(await server.end("SIGTERM"), 0);

      const issued = authority.issued.length;
      server = startServe(dir, env);
      await server.logged(/mox is running/);
      assert.equal(await withTimeout(5_000, () => verified(993, host, root)), serial);
      assert.equal(authority.issued.length, issued);
    } catch (err) {
      throw new Error(`${err instanceof Error ? err.stack : err}\n${server.log()}`);
    } finally {
      await server.end("SIGTERM");
      await authority.stop();
      await Deno.remove(dir, { recursive: true });
    }
  },
});
