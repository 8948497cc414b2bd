/** Block lists and this host's addresses. */
import assert from "node:assert/strict";
import { dnsblStatus } from "../../src/admin/mod.ts";
import { Config } from "../../src/config/mod.ts";
import { DnsError, scriptedResolver } from "../../src/dns/mod.ts";

async function withConfig(ips: string, fn: (c: Config) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(
      `${dir}/mox.conf`,
      `DataDir: data
LogLevel: error
Hostname: mail.mox.example
Listeners:
	public:
		IPs:
			- ${ips}
		SMTP:
			Enabled: true
			NoSTARTTLS: true
			DNSBLs:
				- bl.example
Postmaster:
	Account: ann
	Mailbox: Inbox
`,
    );
    await Deno.writeTextFile(
      `${dir}/domains.conf`,
      "Domains:\n\tmox.example: nil\nAccounts:\n\tann:\n\t\tDomain: mox.example\nMonitorDNSBLs:\n\t- watched.example\n",
    );
    await fn(await Config.load(`${dir}/mox.conf`));
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

/** The entries that every list has, by which it is known to work (RFC 5782 §5). */
const works = (list: string) => ({ [`2.0.0.127.${list}`]: { A: ["127.0.0.2"] } });
const zone = {
  ...works("bl.example"),
  ...works("watched.example"),
  "mail.mox.example": { A: ["203.0.113.7"] },
  "7.113.0.203.bl.example": { A: ["127.0.0.2"], TXT: ["see https://bl.example"] },
};

for (const [what, ips] of [["configured", "203.0.113.7"], ["of the host's name", "0.0.0.0"]]) {
  Deno.test(`addresses ${what} are looked for in all lists`, () =>
    withConfig(ips, async (config) => {
      const all = await dnsblStatus(config, scriptedResolver(zone));
      assert.deepEqual(
        all.map((d) => `${d.ip} ${d.zone} ${d.status} ${d.text}`.trim()).sort(),
        [
          "203.0.113.7 bl.example fail see https://bl.example",
          "203.0.113.7 watched.example pass",
        ],
      );
      // A resolver that knows no name at all knows of no listing either.
      const dead = await dnsblStatus(config, {
        lookup: (name, type) => Promise.reject(new DnsError("nxdomain", name, type, {})),
      });
      assert.deepEqual(
        [...new Set(dead.map((d) => d.status))],
        ips === "0.0.0.0" ? [] : ["temperror"],
      );
    }));
}
