/** Which node something belongs to that is no account's, and what proxies are told of the nodes. */
import assert from "node:assert/strict";
import { nginxConfig } from "../../src/commands/proxy_config.ts";
import { Config } from "../../src/config/mod.ts";
import { scriptedResolver } from "../../src/dns/mod.ts";
import type { QueueItem, QueueMessage } from "../../src/queue/mod.ts";
import { addressOf } from "../../src/serve/onward/dsn.ts";
import { queueServices } from "../../src/serve/queue_services.ts";
import { listJudge } from "../../src/serve/arrival/judge.ts";
import { isRelayAddress, nodeOfAddress } from "../../src/serve/receiving/targets.ts";

const keyOf = (letter: string) => `${letter.repeat(42)}A=`;

async function configOf(node: string, listener = ""): Promise<Config> {
  const dir = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(
      `${dir}/mox.conf`,
      `DataDir: data
LogLevel: error
Hostname: mail.mox.example
Node: ${node}
Listeners:
	public:
		IPs:
			- 127.0.0.1
		TrustedProxies:
			- 127.0.0.9
${listener}		AuthHTTP:
			Enabled: true
		SMTP:
			Enabled: true
			NoSTARTTLS: true
Postmaster:
	Account: ann
	Mailbox: Postmaster
Transports:
	programs:
		LMTP:
			Host: 127.0.0.1
			Port: 8024
`,
    );
    await Deno.writeTextFile(
      `${dir}/domains.conf`,
      `Domains:
	mox.example:
		Aliases:
			outside:
				PostPublic: true
				Addresses:
					- joe@elsewhere.example
	lists.example:
		Relay:
			Transport: programs
	two.example:
		Node: two
		Lists:
			news:
				Owners:
					- joe@elsewhere.example
					- carl@mox.example
			other:
				Owners:
					- joe@elsewhere.example
Nodes:
	one:
		Address: 127.0.0.2
		Key: ${keyOf("A")}
	two:
		Address: 127.0.0.3
		Key: ${keyOf("B")}
		WebURL: https://two.mox.example
Accounts:
${
        [["ann", "one"], ["bob", "two"], ["carl", "two"]].map(([name, at]) =>
          `	${name}:
		Domain: mox.example
		Node: ${at}
		Destinations:
			${name}@mox.example: nil
`
        ).join("")
      }`,
    );
    return await Config.load(`${dir}/mox.conf`);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("nodes: what no account has is the postmaster's node's, lists are their domain's", async () => {
  const [one, two] = await Promise.all([configOf("one"), configOf("two")]);
  const at = (address: string) =>
    [one, two].map((c) => nodeOfAddress(c, addressOf(address)) ?? "here");
  assert.deepEqual(at("anybody@lists.example"), ["here", "one"]);
  assert.deepEqual(at("outside@mox.example"), ["here", "one"]);
  assert.deepEqual(at("news@two.example"), ["two", "here"]);
  assert.deepEqual(at("bob@mox.example"), ["two", "here"]);
  assert.deepEqual(at("postmaster@mail.mox.example"), ["here", "one"]);
  assert.deepEqual(at("joe@elsewhere.example"), ["here", "here"]);
  // From the queue it goes to its transport, from any node.
  assert.ok(isRelayAddress(two, addressOf("anybody@lists.example")));
  assert.ok(!isRelayAddress(two, addressOf("bob@mox.example")));
  assert.deepEqual([one.isDomainHere("two.example"), two.isDomainHere("two.example")], [
    false,
    true,
  ]);
  assert.equal(one.nodeOfDomain("mox.example"), "one");
});

Deno.test("nodes: where the postmaster's account is elsewhere, an owner's decides about mail for a list", async () => {
  const [one, two] = await Promise.all([configOf("one"), configOf("two")]);
  const judge = (c: Config, name: string) => {
    const found = c.lookupAddress(name, "two.example");
    assert.ok(found.kind === "list");
    const { account, judgeOnly } = listJudge(c, found.list);
    assert.equal(judgeOnly, true);
    return account;
  };
  assert.equal(judge(one, "news"), "ann");
  assert.equal(judge(two, "news"), "carl");
  assert.equal(judge(two, "other"), "bob");
});

Deno.test("nginx for nodes: a header names the client, or XCLIENT, and pages are there while any node is", async () => {
  const files = { certificate: "cert.pem", key: "key.pem" };
  const words = nginxConfig(await configOf("one"), files);
  assert.equal(words.match(/xclient on;/g)?.length, 3);
  assert.doesNotMatch(words, /proxy_protocol/);
  const header = nginxConfig(await configOf("one", "		ProxyProtocol: true\n"), files);
  // nginx says XCLIENT by itself, which is refused after a header.
  assert.equal(header.match(/proxy_protocol on;\n\t\txclient off;/g)?.length, 3);
  assert.doesNotMatch(header, /xclient on/);
  assert.match(
    header,
    /upstream mox_web \{\n\t\tserver 127\.0\.0\.2:80;\n\t\tserver 127\.0\.0\.3:80 backup;\n\t\}/,
  );
  assert.match(header, /two\.mox\.example 127\.0\.0\.3:80;\n\t\tdefault mox_web;/);
});

Deno.test("nodes: what waits for a member of an alias goes to the member's node, also if the account moved there meanwhile", async () => {
  const config = await configOf("one");
  let asked = 0;
  const { deliverer } = queueServices(
    {
      config,
      local: false,
      outbound: {},
      tempDir: "/",
      nodeMail: () => {
        asked++;
        return undefined;
      },
    } as unknown as Parameters<typeof queueServices>[0],
    { resolver: scriptedResolver({}), port: 1 },
  );
  const message = { mailFrom: "joe@elsewhere.example", extra: { "mox:member": "all@mox.example" } };
  const items = [{ address: "bob@mox.example" }, { address: "carl@mox.example" }];
  const results = await deliverer.deliver(
    message as unknown as QueueMessage,
    items as unknown as QueueItem[],
    new AbortController().signal,
  );
  assert.equal(asked, 1);
  assert.deepEqual(results.map((r) => [r.kind, r.text]), [
    ["temporary", "this node is starting"],
    ["temporary", "this node is starting"],
  ]);
});
