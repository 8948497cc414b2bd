/** Proofs of control by records that BIND takes (dns-01): written, seen, looked at, removed. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { Authority, CertificateFiles, Proofs } from "../../src/acme/mod.ts";
import { Config } from "../../src/config/mod.ts";
import { recordsThere } from "../../src/dnsupdate/provider.ts";
import { Log, setLevel } from "../../src/log/mod.ts";
import { dnsProofs } from "../../src/serve/tls/dns_proofs.ts";
import { secret, startBind } from "../dnsupdate/bind.ts";
import { outboundTo } from "../support/outbound.ts";
import { lacks } from "../support/programs.ts";
import { TestAuthority } from "./authority.ts";

for (const pkg of ["acme", "dns"]) setLevel(pkg, "error");

Deno.test({
  name: "dns-01 by BIND",
  ignore: lacks("named"),
  async fn(t) {
    await using bind = await startBind(["ours.example", "closed.example"], {
      "closed.example": "_acme-challenge.mail CNAME one.closed.example.\n" +
        "one CNAME proof.ours.example.\n_acme-challenge.lost CNAME proof.elsewhere.example.\n",
    });
    const dir = await Deno.makeTempDir();
    const seen: string[][] = [];
    const authority = new TestAuthority({
      // Nothing is reached from outside.
      httpPort: 1,
      tlsPort: 1,
      async lookTxt(name) {
        const found = await recordsThere(bind.resolver(), name, "TXT");
        seen.push(found);
        return found;
      },
    });
    try {
      await Deno.writeTextFile(`${dir}/dns.key`, secret);
      await Deno.writeTextFile(
        `${dir}/mox.conf`,
        `DataDir: data
LogLevel: error
User: 54321
Hostname: mail.ours.example
DNSProviders:
	ours:
		Zones:
			- ours.example
		Update:
			Server: 127.0.0.1
			Port: ${bind.port}
			KeyName: mox
			KeyFile: dns.key
		Timeout: 4s
ACME:
	test:
		DirectoryURL: ${authority.directory}
		ContactEmail: postmaster@ours.example
		DNS01: true
Listeners:
	public:
		IPs:
			- 127.0.0.1
Postmaster:
	Account: ann
	Mailbox: Inbox
`,
      );
      await Deno.writeTextFile(
        `${dir}/domains.conf`,
        "Domains:\n\tours.example: nil\nAccounts:\n\tann:\n\t\tDomain: ours.example\n\t\tDestinations:\n\t\t\tann@ours.example: nil\n",
      );
      const config = await Config.load(`${dir}/mox.conf`);
      const make = (fresh = bind.resolver) =>
        new Authority({
          config: config.static.ACME.get("test")!,
          files: new CertificateFiles(join(dir, "acme")),
          proofs: new Proofs(),
          outbound: outboundTo(),
          patience: { least: 20, most: 50, looks: 20 },
          dns: dnsProofs(config, outboundTo(), new Log("acme"), fresh),
        });
      const left = () => recordsThere(bind.resolver(), "_acme-challenge.mail.ours.example", "TXT");
      await t.step("a certificate, and no record is left", async () => {
        const pair = await make().obtain("mail.ours.example", undefined, "dns-01");
        assert.match(pair.cert, /BEGIN CERTIFICATE/);
        assert.deepEqual(authority.proofs, ["dns-01"]);
        assert.equal(seen[0].length, 1);
        assert.deepEqual(await left(), []);
      });
      await t.step("a name of another zone is not tried that way", async () => {
        await assert.rejects(make().obtain("mail.other.example", undefined, "dns-01"));
        assert.deepEqual(authority.proofs, ["dns-01"]);
      });
      await t.step(
        "of a zone that nobody may write to, the record is an alias into one that may",
        async () => {
          const before = seen.length;
          await make().obtain("mail.closed.example", undefined, "dns-01");
          assert.deepEqual(authority.proofs, ["dns-01", "dns-01"]);
          assert.equal(seen[before].length, 1);
          assert.deepEqual(await recordsThere(bind.resolver(), "proof.ours.example", "TXT"), []);
          await assert.rejects(make().obtain("lost.closed.example", undefined, "dns-01"));
          assert.deepEqual(authority.proofs, ["dns-01", "dns-01"]);
        },
      );
      await t.step("what isn't seen in time is said, and removed", async () => {
        const blind = () => ({ lookup: () => Promise.reject(new Error("away")) });
        await assert.rejects(
          make(blind as unknown as typeof bind.resolver).obtain(
            "mail.ours.example",
            undefined,
            "dns-01",
          ),
          /_acme-challenge\.mail\.ours\.example was written, but is not seen in the DNS after 4 s/,
        );
        assert.deepEqual(await left(), []);
      });
    } finally {
      await authority.stop();
      await Deno.remove(dir, { recursive: true });
    }
  },
});
