/** The postmaster hears what breaks in the DNS, and when it is well again. */
import assert from "node:assert/strict";
import type { Zone } from "../../src/dns/mod.ts";
import { scriptedResolver } from "../../src/dns/mod.ts";
import { setLevel } from "../../src/log/mod.ts";
import { DnsWatch } from "../../src/serve/dns/watch.ts";
import { startReceiver } from "../serve/receiver.ts";
import { outboundTo } from "../support/outbound.ts";

setLevel("dnswatch", "error");

const domains = `Domains:
	ours.example: nil
MonitorDNSBLs:
	- bl.example
Accounts:
	ann:
		Domain: ours.example
		Destinations:
			ann@ours.example: nil
`;

Deno.test("reverse DNS and a block list: told once when they break, and once when they are well", async () => {
  const well: Zone = {
    "mail.example": { A: ["192.0.2.7"] },
    "ours.example": { MX: ["10 mail.example."], TXT: ["v=spf1 mx ~all"] },
    "7.2.0.192.in-addr.arpa": { PTR: ["mail.example."] },
    "2.0.0.127.bl.example": { A: ["127.0.0.2"] },
  };
  const zone: Zone = { ...well };
  await using r = await startReceiver({
    domains,
    smtp: "		NATIPs:\n			- 192.0.2.7\nWatchDNS: true\n",
  });
  const { config, accounts } = r.server;
  const watch = new DnsWatch({
    config,
    accounts,
    tempDir: `${r.dir}/data/tmp`,
    resolver: { lookup: (...a) => scriptedResolver(zone).lookup(...a) },
    outbound: outboundTo(),
  });
  const inbox = async () =>
    (await r.messages("ann", "Inbox")).map((m) => /^Subject: (.*)\r$/m.exec(m)![1]);
  while (await watch.look());
  const before = (await inbox()).length;
  assert.doesNotMatch((await inbox()).join("\n"), /Reverse|bl\.example/);
  // One look that finds nothing is no news.
  delete zone["7.2.0.192.in-addr.arpa"];
  assert.equal(await watch.look(), true);
  zone["7.2.0.192.in-addr.arpa"] = well["7.2.0.192.in-addr.arpa"];
  while (await watch.look());
  assert.equal((await inbox()).length, before);
  delete zone["7.2.0.192.in-addr.arpa"];
  zone["7.2.0.192.bl.example"] = { A: ["127.0.0.2"], TXT: ["spam from there"] };
  while (await watch.look());
  await watch.look();
  const told = (await r.messages("ann", "Inbox")).at(-1)!;
  assert.equal((await inbox()).length, before + 1);
  assert.match(told, /Reverse DNS of this server is broken:/);
  assert.match(told, /192\.0\.2\.7 is listed by bl\.example/);
  Object.assign(zone, well);
  delete zone["7.2.0.192.bl.example"];
  while (await watch.look());
  await watch.look();
  assert.equal((await inbox()).length, before + 2);
  assert.match(
    (await r.messages("ann", "Inbox")).at(-1)!,
    /Reverse DNS of this server is well again\./,
  );
  await watch.end();
});
