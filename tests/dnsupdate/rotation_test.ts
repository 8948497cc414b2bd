/** DKIM keys are changed step by step, by BIND or by hand; what is watched is told when it breaks and when it is well. */
import assert from "node:assert/strict";
import { createPrivateKey } from "node:crypto";
import { beginDkimRotation, continueDkimRotations, dkimRotations } from "../../src/admin/mod.ts";
import { Config } from "../../src/config/mod.ts";
import { scriptedResolver, type Zone } from "../../src/dns/mod.ts";
import { recordsThere, type WriteServices } from "../../src/dnsupdate/provider.ts";
import { Log, setLevel } from "../../src/log/mod.ts";
import { compare } from "../../src/serve/dns/watch.ts";
import { makeDkimKey } from "../../src/admin/dkim_keys.ts";
import { outboundTo } from "../support/outbound.ts";
import { lacks } from "../support/programs.ts";
import { keyRecord } from "../senderauth/messages.ts";
import { secret, startBind } from "./bind.ts";

setLevel("dns", "error");
setLevel("dkim", "error");
const day = 86_400_000;

/** A domain that signs with one key of Ed25519. */
async function signing(
  port: number | undefined,
  after = "",
): Promise<WriteServices & AsyncDisposable> {
  const dir = await Deno.makeTempDir({ prefix: "mox-rotate-" });
  await Deno.writeTextFile(`${dir}/dns.key`, secret);
  await Deno.writeTextFile(`${dir}/old.pem`, await makeDkimKey("ed25519"));
  const providers = port === undefined ? "" : `DNSProviders:
	ours:
		Zones:
			- ours.example
		Update:
			Server: 127.0.0.1
			Port: ${port}
			KeyName: mox
			KeyFile: dns.key
`;
  await Deno.writeTextFile(
    `${dir}/mox.conf`,
    `DataDir: data
LogLevel: error
User: 54321
Hostname: mail.ours.example
${providers}Listeners:
	public:
		IPs:
			- 127.0.0.1
		SMTP:
			Enabled: true
			NoSTARTTLS: true
Postmaster:
	Account: ann
	Mailbox: Inbox
`,
  );
  await Deno.writeTextFile(
    `${dir}/domains.conf`,
    `Domains:
	ours.example:
		DKIM:
			Selectors:
				old:
					PrivateKeyFile: old.pem
			Sign:
				- old
${after}Accounts:
	ann:
		Domain: ours.example
		Destinations:
			ann@ours.example: nil
`,
  );
  await Deno.mkdir(`${dir}/data`);
  return {
    config: await Config.load(`${dir}/mox.conf`),
    outbound: outboundTo(),
    log: new Log("dkim"),
    [Symbol.asyncDispose]: () => Deno.remove(dir, { recursive: true }),
  };
}

const dkim = (s: WriteServices) => s.config.domain("ours.example")!.config.DKIM;

Deno.test({
  name: "by BIND: published, seen, used, and the old one withdrawn a week later",
  ignore: lacks("named"),
  async fn() {
    await using bind = await startBind(["ours.example"]);
    await using s = await signing(bind.port);
    const now = Date.now();
    const { selectors: [name] } = await beginDkimRotation(s.config, "ours.example", now);
    assert.match(name, /^e\d{8}$/);
    await assert.rejects(beginDkimRotation(s.config, "ours.example"), /being changed already/);
    // It doesn't sign before its record is there.
    assert.deepEqual(dkim(s).Sign, ["old"]);
    const step = (at: number) => continueDkimRotations(s, bind.resolver(), at);
    const [used] = await step(now);
    assert.match(used.text, /sign from now on/);
    assert.deepEqual(dkim(s).Sign, [name]);
    const record = `${name}._domainkey.ours.example`;
    assert.match((await recordsThere(bind.resolver(), record, "TXT"))[0], /^v=DKIM1;k=ed25519;p=/);
    assert.deepEqual(await step(now + 6 * day), []);
    assert.ok(dkim(s).Selectors.has("old"));
    const [gone] = await step(now + 8 * day);
    assert.match(gone.text, /old are withdrawn/);
    assert.equal(gone.lines, undefined);
    assert.deepEqual([...dkim(s).Selectors.keys()], [name]);
    assert.deepEqual(await dkimRotations(s.config), {});
    assert.deepEqual(await step(now + 9 * day), []);
  },
});

Deno.test("by hand: the records are told, and nothing changes until they are seen", async () => {
  await using s = await signing(undefined);
  const now = Date.now();
  const zone: Zone = {};
  const step = (at: number) => continueDkimRotations(s, scriptedResolver(zone), at);
  const { selectors: [name] } = await beginDkimRotation(s.config, "ours.example", now);
  const [told] = await step(now);
  assert.match(
    told.lines!.at(-1)!,
    new RegExp(`^${name}\\._domainkey\\.ours\\.example\\. TXT "v=DKIM1`),
  );
  assert.deepEqual(await step(now + day), []);
  assert.deepEqual(dkim(s).Sign, ["old"]);
  assert.match((await dkimRotations(s.config))["ours.example"].problem, /not seen in the DNS yet/);
  // Another key there is not this one.
  const record = `${name}._domainkey.ours.example`;
  zone[record] = { TXT: [keyRecord(createPrivateKey(await makeDkimKey("ed25519")))] };
  assert.deepEqual(await step(now + 2 * day), []);
  assert.deepEqual(dkim(s).Sign, ["old"]);
  zone[record] = { TXT: [JSON.parse(told.lines!.at(-1)!.replace(/^\S+ TXT /, ""))] };
  assert.match((await step(now + 3 * day))[0].text, /sign from now on/);
  assert.deepEqual(dkim(s).Sign, [name]);
  const [gone] = await step(now + 11 * day);
  assert.match(gone.lines!.at(-1)!, /^old\._domainkey\.ours\.example\. TXT$/);
});

Deno.test("by themselves when they are old enough, and not again at once", async () => {
  await using s = await signing(undefined, "\t\t\tRotateAfter: 720h\n");
  const now = Date.now();
  const step = (at: number) => continueDkimRotations(s, scriptedResolver({}), at);
  assert.deepEqual(await step(now + 29 * day), []);
  assert.match((await step(now + 31 * day))[0].text, /new DKIM keys are made/);
  assert.deepEqual(await step(now + 32 * day), []);
  assert.equal(dkim(s).Selectors.size, 2);
});

Deno.test("rotations that can't begin, and a file that can't be read, say why", async () => {
  await using s = await signing(undefined);
  await assert.rejects(beginDkimRotation(s.config, "other.example"), /no domain other\.example/);
  await Deno.writeTextFile(`${s.config.dataDir}/dkimrotation.json`, "{");
  await assert.rejects(
    beginDkimRotation(s.config, "ours.example"),
    /dkimrotation\.json can't be read/,
  );
  await Deno.remove(`${s.config.dataDir}/dkimrotation.json`);
  await s.config.writeDynamic((d) => void (d.Domains.get("ours.example")!.DKIM.Sign = []));
  await assert.rejects(beginDkimRotation(s.config, "ours.example"), /doesn't sign/);
});

Deno.test("what is watched: seen twice it is told, once; well again too; what flaps is not", () => {
  const state = {};
  const look = (...bad: string[]) => {
    const found = new Map(["a", "b"].map((n) => [n, bad.includes(n) ? `${n} is bad` : ""]));
    const { broken, well, unsure } = compare(state, found, 0);
    return [broken.map(([what, text]) => `${what}: ${text}`).join(), well.join(), unsure];
  };
  assert.deepEqual(look(), ["", "", false]);
  assert.deepEqual(look("a"), ["", "", true]);
  assert.deepEqual(look(), ["", "", true]);
  assert.deepEqual(look("a"), ["", "", true]);
  assert.deepEqual(look("a"), ["a: a is bad", "", false]);
  assert.deepEqual(look("a"), ["", "", false]);
  assert.deepEqual(look("a", "b"), ["", "", true]);
  assert.deepEqual(look("b"), ["b: b is bad", "", true]);
  assert.deepEqual(look("b"), ["", "a", false]);
  assert.deepEqual(look("b"), ["", "", false]);
});
