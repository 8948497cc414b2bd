/** What an administrator does: domains, accounts, addresses, aliases; DNS records and their check. */
import assert from "node:assert/strict";
import { join } from "node:path";
import * as admin from "../../src/admin/mod.ts";
import { Config } from "../../src/config/mod.ts";
import { scriptedResolver, type Zone } from "../../src/dns/mod.ts";
import { Log } from "../../src/log/mod.ts";
import { accountRules } from "../../src/serve/rules.ts";
import { Accounts } from "../../src/store/account/accounts.ts";

const mtasts = "\t\tMTASTSHTTPS:\n\t\t\tEnabled: true\n\t\t\tNonTLS: true\n";

async function withConfig(
  fn: (config: Config, accounts: Accounts, dir: string) => Promise<void>,
  services = "",
): Promise<void> {
  const dir = await Deno.makeTempDir();
  await Deno.writeTextFile(
    join(dir, "mox.conf"),
    `DataDir: data
LogLevel: info
Hostname: mail.mox.example
AdminPasswordFile: adminpasswd
Listeners:
	public:
		IPs:
			- 192.0.2.10
			- 2001:db8::10
		SMTP:
			Enabled: true
			NoSTARTTLS: true
${services}Postmaster:
	Account: ann
	Mailbox: Postmaster
`,
  );
  await Deno.writeTextFile(
    join(dir, "domains.conf"),
    `Domains:
	mox.example: nil
Accounts:
	# The first one.
	ann:
		Domain: mox.example
		Destinations:
			ann@mox.example: nil
`,
  );
  const config = await Config.load(join(dir, "mox.conf"));
  const accounts = new Accounts(
    config.dataPath("accounts"),
    new Log("store"),
    (n) => accountRules(config, n),
  );
  try {
    await fn(config, accounts, dir);
  } finally {
    await accounts.closeAll();
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("a domain is added with keys and report addresses, and removed with them", () =>
  withConfig(async (config, _, dir) => {
    await admin.addDomain(config, "other.example", { account: "ann", selectorPrefix: "k" });
    const d = config.dynamic.Domains.get("other.example")!;
    assert.deepEqual([...d.DKIM.Selectors.keys()], ["ka", "kb"]);
    assert.deepEqual(d.DKIM.Sign, ["ka", "kb"]);
    for (const { Canonicalization } of d.DKIM.Selectors.values()) {
      assert.deepEqual({ ...Canonicalization }, { HeaderRelaxed: true, BodyRelaxed: true });
    }
    assert.equal(d.DMARC!.Account, "ann");
    assert.equal(d.TLSRPT!.Localpart, "tlsreports");
    assert.equal(d.MTASTS, undefined, "no listener serves policies");
    // What was written loads, with the keys.
    const again = await Config.load(join(dir, "mox.conf"));
    assert.ok(again.domain("other.example"));
    assert.match(await Deno.readTextFile(config.dynamicPath), /# The first one\./);
    const keys = [...d.DKIM.Selectors.values()].map((s) => s.PrivateKeyFile);
    assert.equal(Deno.statSync(join(dir, keys[0])).mode! & 0o777, 0o600);

    await assert.rejects(
      admin.addDomain(config, "OTHER.example", { account: "ann" }),
      /is there already/,
    );
    await assert.rejects(admin.addDomain(config, "x.example", { account: "no" }), /no account no/);
    await assert.rejects(admin.addDomain(config, "-x", { account: "ann" }), /is not a domain/);

    await admin.addAddress(config, "ann@other.example", "ann");
    await assert.rejects(
      admin.removeDomain(config, "other.example"),
      /have addresses at other\.example: .*ann@other\.example/,
    );
    await admin.removeAddress(config, "ann@other.example");
    await admin.setDomainDisabled(config, "other.example", true);
    assert.equal(config.dynamic.Domains.get("other.example")!.Disabled, true);
    await admin.removeDomain(config, "other.example");
    assert.equal(config.domain("other.example"), undefined);
    assert.equal([...Deno.readDirSync(join(dir, "dkim/old"))].length, 2);
    await assert.rejects(admin.removeDomain(config, "other.example"), admin.AdminError);
  }));

Deno.test("a domain gets an MTA-STS policy where a listener serves those", () =>
  withConfig(async (config) => {
    await admin.addDomain(config, "other.example", { account: "ann" });
    const policy = config.dynamic.Domains.get("other.example")!.MTASTS!;
    assert.equal(policy.Mode, "enforce");
    assert.deepEqual(policy.MX, ["mail.mox.example"]);
    assert.match(policy.PolicyID, /^\d{8}T\d{6}$/);
  }, mtasts));

Deno.test("accounts and addresses: added, removed with their mail, logins stopped", () =>
  withConfig(async (config, accounts, dir) => {
    await admin.addAccount(config, accounts, "bob", "Bob@mox.example");
    assert.equal(config.accountFor("bob@mox.example"), "bob");
    await assert.rejects(admin.addAccount(config, accounts, "bob", "b@mox.example"), /already/);
    await assert.rejects(admin.addAccount(config, accounts, "../x", "x@mox.example"), /can't name/);
    await assert.rejects(
      admin.addAccount(config, accounts, "eve", "eve@nowhere.example"),
      (err: Error) => err instanceof admin.AdminError && /nowhere\.example/.test(err.message),
    );
    await admin.addAddress(config, "@mox.example", "bob");
    assert.equal(config.lookupAddress("any", "mox.example").kind, "account");
    await assert.rejects(admin.removeAddress(config, "nobody@mox.example"), /no account has/);
    await admin.disableLogin(config, "bob", "moved away");
    assert.equal(config.account("bob")!.LoginDisabled, "moved away");
    await admin.enableLogin(config, "bob");
    assert.equal(config.account("bob")!.LoginDisabled, "");

    const session = await accounts.open("bob");
    assert.equal(await admin.removeAccount(config, accounts, "bob"), false, "a session has it");
    assert.equal(config.account("bob"), undefined);
    await assert.rejects(
      admin.addAccount(config, accounts, "bob", "bob@mox.example"),
      /still being removed/,
    );
    assert.deepEqual(await admin.finishRemovals(config, accounts, new Log("store")), ["bob"]);
    session.close();
    assert.deepEqual(await admin.finishRemovals(config, accounts, new Log("store")), []);
    await assert.rejects(Deno.stat(join(dir, "data/accounts/bob")), Deno.errors.NotFound);
    // The postmaster's mail needs an account.
    await assert.rejects(admin.removeAccount(config, accounts, "ann"), admin.AdminError);
    assert.ok(config.account("ann"));
  }));

Deno.test("aliases: added, changed, removed", () =>
  withConfig(async (config, accounts) => {
    await admin.addAccount(config, accounts, "bob", "bob@mox.example");
    await admin.addAlias(config, "team@mox.example", ["ann@mox.example"], { postPublic: true });
    await admin.addAliasMembers(config, "team@mox.example", ["bob@mox.example"]);
    const alias = () => config.dynamic.Domains.get("mox.example")!.Aliases.get("team")!;
    assert.deepEqual(alias().Addresses, ["ann@mox.example", "bob@mox.example"]);
    assert.equal(alias().PostPublic, true);
    await admin.updateAlias(config, "team@mox.example", { postPublic: false, listMembers: true });
    assert.deepEqual([alias().PostPublic, alias().ListMembers], [false, true]);
    await admin.removeAddress(config, "bob@mox.example");
    assert.deepEqual(alias().Addresses, ["ann@mox.example"]);
    await assert.rejects(
      admin.removeAddress(config, "ann@mox.example"),
      /only member of the alias/,
    );
    await assert.rejects(
      admin.removeAliasMembers(config, "team@mox.example", ["ann@mox.example"]),
      /at least one member/,
    );
    await assert.rejects(admin.addAlias(config, "x@mox.example", ["nobody@mox.example"]));
    await assert.rejects(admin.addAlias(config, "x@mox.example", ["no address"]));
    await admin.removeAlias(config, "team@mox.example");
    await assert.rejects(admin.removeAlias(config, "team@mox.example"), /no alias/);
  }));

/** The zone of the suggested records, as a resolver would answer. */
function zoneOf(records: admin.DnsRecord[]): Zone {
  const zone: Zone = {};
  for (const r of records) {
    const name = zone[r.name] ??= {};
    const data = r.data.replace(/\.$/, "");
    if (r.type === "A" || r.type === "AAAA" || r.type === "TXT") {
      (name[r.type] ??= []).push(r.data);
    } else if (r.type === "MX") (name.MX ??= []).push(data);
    else if (r.type === "CNAME") name.CNAME = data;
    else if (r.type === "SRV") {
      const [priority, weight, port, target] = r.data.split(" ");
      const host = target === "." ? "" : target.slice(0, -1);
      (name.SRV ??= []).push({
        priority: +priority,
        weight: +weight,
        port: +port,
        target: host,
      });
    } else if (r.type === "TLSA") {
      const [usage, selector, matchingType, hex] = r.data.split(" ");
      (name.TLSA ??= []).push({
        usage: +usage,
        selector: +selector,
        matchingType: +matchingType,
        data: Uint8Array.fromHex(hex),
      });
    }
  }
  return zone;
}

Deno.test("with the suggested records, and reverse names, the check finds nothing", () =>
  withConfig(async (config) => {
    await admin.addDomain(config, "other.example", { account: "ann" });
    const records = await admin.domainRecords(config, "other.example");
    const resolver = scriptedResolver(zoneOf(records), { authenticated: true });
    resolver.add({
      "com": { NS: ["a.gtld-servers.net"] },
      "10.2.0.192.in-addr.arpa": { PTR: ["mail.mox.example"] },
      [`0.1${".0".repeat(22)}.8.b.d.0.1.0.0.2.ip6.arpa`]: { PTR: ["mail.mox.example"] },
    });
    const mode = "mode: enforce\n";
    const check = await admin.checkDomainDns(config, "other.example", {
      resolver,
      fetchPolicy: () => Promise.resolve(`version: STSv1\n${mode}`),
    });
    const bad = check.parts.filter((p) => p.state === "warning" || p.state === "error");
    assert.deepEqual(bad, []);
    assert.ok(check.parts.filter((p) => p.state === "ok").length >= 8);
    const zone = admin.formatZone(records);
    assert.match(zone, /^other\.example\.\s+MX\s+10 mail\.mox\.example\.$/m);
    assert.match(zone, /^_imaps\._tcp\.other\.example\.\s+SRV\s+0 0 0 \.$/m);
    // Strings of a TXT record have 255 bytes at most (RFC 1035 §3.3).
    for (const [, s] of zone.matchAll(/"((?:[^"\\]|\\.)*)"/g)) assert.ok(s.length <= 255);
  }, mtasts));

Deno.test("SRV records name the ports as they are, and policies may be kept for a week", () => {
  const on = (name: string, port: number) =>
    `\t\t${name}:\n\t\t\tEnabled: true\n\t\t\tPort: ${port}\n`;
  const services = mtasts + "\t\tIMAP:\n\t\t\tEnabled: true\n\t\t\tNoRequireSTARTTLS: true\n" +
    `${on("AutoconfigHTTPS", 8443)}\t\t\tNonTLS: true\n` +
    `${on("Submission", 10587)}\t\t\tNoRequireSTARTTLS: true\n`;
  return withConfig(async (config) => {
    await admin.addDomain(config, "other.example", { account: "ann" });
    assert.equal(config.domain("other.example")!.config.MTASTS!.MaxAge, 7 * 86_400_000);
    const srv = async () =>
      (await admin.domainRecords(config, "other.example")).filter((r) => r.type === "SRV")
        .map((r) => `${r.name.split(".")[0]} ${r.data.split(" ")[2]}`);
    assert.deepEqual(await srv(), [
      // Something else has port 443, and passes it on in clear text.
      "_autodiscover 443",
      "_imaps 0",
      "_submissions 0",
      "_imap 143",
      "_submission 10587",
      "_pop3 0",
      "_pop3s 0",
    ]);
    config.static.Listeners.get("public")!.AutoconfigHTTPS.NonTLS = false;
    assert.equal((await srv())[0], "_autodiscover 8443");
  }, services);
});

Deno.test("an empty zone, a wrong one and a silent resolver: each finding says what to do", () =>
  withConfig(async (config) => {
    await admin.addDomain(config, "other.example", { account: "ann", selectorPrefix: "k" });
    const empty = await admin.checkDomainDns(config, "other.example", {
      resolver: scriptedResolver({}),
    });
    const state = (c: admin.DomainCheck) =>
      Object.fromEntries(c.parts.map((p) => [p.name, p.state]));
    assert.deepEqual(state(empty), {
      dnssec: "warning",
      host: "error",
      iprev: "error",
      dnsbl: "skipped",
      mx: "error",
      spf: "error",
      dkim: "error",
      dmarc: "error",
      mtasts: "error",
      tlsrpt: "error",
      dane: "skipped",
      clients: "error",
      services: "ok",
    });
    for (const p of empty.parts) assert.equal(p.findings.length > 0, p.fix.length > 0, p.name);

    const wrong = await admin.checkDomainDns(config, "other.example", {
      resolver: scriptedResolver({
        "mail.mox.example": { A: ["192.0.2.99"], TXT: ["v=spf1 +all"] },
        "10.2.0.192.in-addr.arpa": { PTR: ["host.provider.example"] },
        "host.provider.example": { A: ["192.0.2.10"] },
        "other.example": { MX: ["10 mx.elsewhere.example"], TXT: ["v=spf1 -all", "v=spf1 ~all"] },
        "ka._domainkey.other.example": { TXT: ["v=DKIM1;p="] },
        "kb._domainkey.other.example": {
          TXT: [admin.dkimRecordText(await admin.makeDkimKey("ed25519"))],
        },
        "_dmarc.other.example": { TXT: ["v=DMARC1; p=none"] },
        "_mta-sts.other.example": { TXT: ["v=STSv1; id=old"] },
        "_imaps._tcp.other.example": {
          SRV: [{ priority: 0, weight: 1, port: 993, target: "imap.elsewhere.example" }],
        },
      }),
    });
    const text = admin.formatDomainCheck(wrong);
    for (
      const expected of [
        /192\.0\.2\.99, on which no listener takes mail/,
        /is called host\.provider\.example, not mail\.mox\.example/,
        /No MX record of the domain names this host/,
        /other\.example has 2 records for SPF/,
        /lets all the world send/,
        /ka\._domainkey\.other\.example: key was revoked/,
        /kb\._domainkey\.other\.example has another key/,
        /With p=none anybody can send/,
        /announced policy has id old/,
        /_imaps\._tcp\.other\.example names imap\.elsewhere\.example, but the service is not on/,
        /do: Add to the zone: other\.example\. MX 10 mail\.mox\.example\./,
      ]
    ) assert.match(text, expected);

    const silent = await admin.checkDomainDns(config, "other.example", {
      resolver: { lookup: () => new Promise(() => {}) },
      timeout: 20,
    });
    assert.equal(silent.parts.find((p) => p.name === "mx")!.state, "error");
    assert.match(admin.formatDomainCheck(silent), /did not answer in time/);
  }, mtasts));

Deno.test("the administrator's password is written as a hash", () =>
  withConfig(async (config, _, dir) => {
    await assert.rejects(admin.writeAdminPassword(config, "short"), /8 characters/);
    await admin.writeAdminPassword(config, admin.randomPassword());
    const text = await Deno.readTextFile(join(dir, "adminpasswd"));
    assert.match(text, /^\$argon2id\$/);
    assert.notEqual(admin.randomPassword(), admin.randomPassword());
  }));
