/** On which node an account is, what a local server allows, reports of the host, files of authorities. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { Config, readDynamic } from "../../src/config/mod.ts";
import { localserveStatic } from "../../src/config/localserve.ts";
import { parseSconf } from "../../src/config/sconf/sconf.ts";
import { inConfigDir, smallDynamic, smallStatic, staticOf } from "./fixtures.ts";

/** Loads both texts as files of the folder. */
async function load(dir: string, staticText: string, dynamicText: string): Promise<Config> {
  await Deno.writeTextFile(join(dir, "mox.conf"), staticText);
  await Deno.writeTextFile(join(dir, "domains.conf"), dynamicText);
  return await Config.load(join(dir, "mox.conf"));
}

const key = (c: string) => `${c.repeat(43)}=`;
const nodes = `Nodes:
	one:
		Address: 192.0.2.1
		Key: ${key("A")}
	two:
		Address: 192.0.2.2
		Key: ${key("B")}
		Standby:
			Address: 192.0.2.3
			Key: ${key("C")}
`;

Deno.test("an account is on its own node, that of its domain, or the first; leaving ones are nowhere", async () => {
  const spread = smallDynamic.replace("	case.example:\n", "	case.example:\n\t\tNode: two\n") +
    nodes;
  const accounts = spread.replace("	bob:\n", "	bob:\n		Node: two\n").replace(
    "Nodes:\n",
    "	cas:\n		Domain: case.example\n		Destinations:\n			cas@case.example: nil\n" +
      "	dan:\n		Domain: case.example\n		Node: one\n		Destinations:\n			dan@case.example: nil\nNodes:\n",
  );
  await inConfigDir(async (dir) => {
    const config = await load(dir, `Node: one\n${smallStatic}`, accounts);
    const names = ["ann", "bob", "cas", "dan"];
    assert.deepEqual(names.map((n) => config.nodeOf(n)), ["one", "two", "two", "one"]);
    assert.deepEqual(names.map((n) => config.isHere(n)), [true, false, false, true]);
    assert.equal(config.nodeOf("nobody"), undefined);
    assert.equal(config.isHere("nobody"), false);
    config.leaving.add("ann");
    assert.equal(config.isHere("ann"), false);
    config.leaving.delete("ann");
    assert.equal(config.isHere("ann"), true);
    const alone = await load(dir, smallStatic, smallDynamic);
    assert.equal(alone.nodeOf("ann"), undefined);
    assert.equal(alone.isHere("ann"), true);
    assert.equal(alone.isHere("nobody"), false);
  });
});

Deno.test("nodes that don't fit together", () => {
  const s = staticOf(`Node: one\n${smallStatic}`);
  const said = (text: string, conf = s) =>
    readDynamic(smallDynamic + text, conf).problems.map((p) => p.message);
  assert.deepEqual(said(nodes), []);
  assert.deepEqual(said(nodes, staticOf(smallStatic)), [
    "mox.conf doesn't say which of them this server is: set Node there",
  ]);
  assert.deepEqual(said(nodes, staticOf(`Node: six\n${smallStatic}`)), [
    'there is no "six", which this server is by mox.conf',
  ]);
  assert.equal(said("").length, 1);
  assert.deepEqual(said(nodes.replace("192.0.2.2", "192.0.2.1")), ["has the place or key of one"]);
  assert.deepEqual(said(nodes.replace(key("C"), key("A"))), ["has the place or key of one"]);
  assert.deepEqual(said(nodes.replace("192.0.2.3", "192.0.2.2")), ["has the place or key of two"]);
  const odd = smallDynamic.replace("	bob:\n", "	bob:\n		Node: six\n") + nodes;
  assert.deepEqual(readDynamic(odd, s).problems.map((p) => p.message), [
    'there is no "six" among Nodes',
  ]);
});

Deno.test("a local server takes passwords without TLS, and doesn't make strangers wait", () => {
  const local = localserveStatic(["127.0.0.1"], 7).Listeners.get("local")!;
  for (const service of ["Submission", "IMAP", "ManageSieve", "POP3"] as const) {
    assert.equal(local[service].NoRequireSTARTTLS, true, service);
    assert.equal(local[service].Enabled, true, service);
  }
  assert.equal(local.SMTP.FirstTimeSenderDelay, 0);
  assert.equal(local.SMTP.Port, 1032);
  assert.equal(local.TLS?.ClientAuthDisabled, false);
  assert.deepEqual(local.IPs, ["127.0.0.1"]);
});

Deno.test("certificates of authorities are looked at, and reports about the host are for its name only", () =>
  inConfigDir(async (dir) => {
    const authorities = (file: string) =>
      smallStatic.replace(
        "Listeners:",
        `TLS:\n\tCA:\n\t\tCertFiles:\n\t\t\t- mail.crt\n\t\t\t- ${file}\nListeners:`,
      );
    for (
      const [file, wanted] of [
        ["mail.key", /mox\.conf:8: .*mail\.key has no certificate in PEM form/],
        ["none.crt", /mox\.conf:8: .*none\.crt: there is no such file/],
      ] as const
    ) await assert.rejects(load(dir, authorities(file), smallDynamic), wanted);
    const config = await load(
      dir,
      authorities("mail.crt") +
        "HostTLSRPT:\n\tAccount: ann\n\tMailbox: TLSRPT\n\tLocalpart: tlsreports\n",
      smallDynamic,
    );
    const kind = (localpart: string, domain: string) =>
      config.lookupAddress(localpart, domain).kind;
    assert.equal(kind("tlsreports", "mail.mox.example"), "account");
    assert.equal(kind("TLSREPORTS", "mail.mox.example"), "account");
    assert.equal(kind("tlsreports", "mox.example"), "unknownAddress");
    assert.equal(kind("tls", "mail.mox.example"), "unknownDomain");
  }));

Deno.test("a list where keys are expected, and a key where a list is, in each of their forms", () => {
  const said = (text: string) => parseSconf(text).problems.map((p) => `${p.line}: ${p.message}`);
  for (const item of ["- a", "-", "-: a"]) {
    assert.deepEqual(
      said(`A:\n\tB: c\n\t${item}\n`),
      ["3: a list item where keys were expected"],
      item,
    );
  }
  assert.deepEqual(said("A:\n\tB: c\n\t-a: b\n"), []);
  assert.deepEqual(said("A:\n\t- c\n\t-b\n"), ['3: a space is missing after "-"']);
  assert.deepEqual(said("A:\n\t- c\n\tb\n"), [
    '3: expected a list item starting with "-", got "b"',
  ]);
});
