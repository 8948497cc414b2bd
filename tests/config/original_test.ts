/** Configurations of the original: each field of its v0.0.17, and the forms that its own files have. */
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { join } from "node:path";
import { Config, readDynamic, readStatic, staticConfig } from "../../src/config/mod.ts";
import { dynamicConfig } from "../../src/config/mod.ts";
import { type MapNode, parseSconf, printSconf } from "../../src/config/sconf/sconf.ts";
import { privateKeyFromPem, withoutPemHeaders } from "../../src/platform/private_key.ts";
import { inConfigDir, smallDynamic, smallStatic, staticOf } from "./fixtures.ts";

const testdata = new URL("./testdata/original/", import.meta.url);

Deno.test("each field of the original's v0.0.17 is known", async () => {
  const s = readStatic(await Deno.readTextFile(new URL("mox.conf", testdata)));
  assert.deepEqual(s.problems, []);
  // What can't be done here, or needs one more field, is told.
  assert.deepEqual(s.warnings.map((w) => w.message).sort(), [
    "nothing is looked up: CheckUpdatesDomain names no domain to ask",
    "profiles are not served by this program",
  ]);
  const d = readDynamic(await Deno.readTextFile(new URL("domains.conf", testdata)), s.value);
  assert.deepEqual(d.problems, []);
  assert.deepEqual(d.warnings, []);
  assert(s.value.Listeners.get("internal")!.MTASTSHTTPS.Forwarded);
  assert.deepEqual(s.value.Listeners.get("nothing")!.IPs, []);
  const ann = d.value.Accounts.get("ann")!;
  assert.equal(ann.Introbox, "Introbox");
  assert.deepEqual(ann.IMAPCapabilitiesDisabled, ["NOTIFY"]);
  // Deeper by two tabs, as one of the original's files has it.
  const [rule] = ann.Destinations.get("ann@original.example")!.Rulesets;
  assert.equal(rule.HeadersRegexp.get("^list-id$"), "<x\\.lists\\.example>");
});

/** As the original's tests have them: the least that a file can say. */
const bare = (account: string, more = "") =>
  `DataDir: data
User: 1000
LogLevel: trace
Hostname: mox.example
Postmaster:
	Account: ${account}
	Mailbox: postmaster
Listeners:
	local: nil
${more}`;
const account = (name: string, address: string, more = "") =>
  `Accounts:
	${name}:
		Domain: mox.example
		Destinations:
			${address}: nil
${more}`;
const filter = `		JunkFilter:
			Threshold: 0.9999
			Params:
				Onegrams: true
				Twograms: true
				Threegrams: false
				MaxPower: .01
				TopWords: 10
				IgnoreWords: .1
				RareWords: 1
`;

/** What a file is about, mox.conf, domains.conf. */
const forms: [string, string, string][] = [
  ["bare", bare("mjl"), `Domains:\n\tmox.example: nil\n${account("mjl", "mjl@mox.example")}`],
  [
    "names outside of ASCII",
    bare("mjl\u263a"),
    `Domains:\n\tmox.example:\n\t\tLocalpartCatchallSeparator: +\n${
      account("mjl\u263a", "mjl\u263a@mox.example", filter)
    }`,
  ],
  [
    "listener without TLS, on all addresses",
    bare("mjl").replace(
      "local: nil",
      "local:\n\t\tIPs:\n\t\t\t- 0.0.0.0\n\t\tIMAP:\n\t\t\tEnabled: true\n\t\t\tPort: 1143\n\t\t\tNoRequireSTARTTLS: true",
    ),
    `Domains:\n\tmox.example:\n\t\tLocalpartCaseSensitive: false\n${
      account("mjl", "mjl@mox.example")
    }`,
  ],
  [
    "plain HTTP with policies on port 80",
    bare("mjl").replace(
      "local: nil",
      "local:\n\t\tIPs:\n\t\t\t- 0.0.0.0\n\t\tWebserverHTTP:\n\t\t\tEnabled: true\n\t\tAdminHTTP:\n\t\t\tEnabled: true\n" +
        "\t\tMTASTSHTTPS:\n\t\t\tEnabled: true\n\t\t\tPort: 80\n\t\t\tNonTLS: true",
    ),
    `Domains:\n\tmox.example: nil\n${
      account("mjl", "mjl@mox.example")
    }WebDomainRedirects:\n\tredir.mox.example: mox.example\n`,
  ],
  [
    "transports",
    bare(
      "mjl",
      "Transports:\n\tsubmit:\n\t\tSubmission:\n\t\t\t# Replaced in tests.\n\t\t\tHost: submission.example\n" +
        "\t\t\tNoSTARTTLS: true\n\t\t\tAuth:\n\t\t\t\tUsername: test\n\t\t\t\tPassword: test1234\n\t\t\t\tMechanisms:\n" +
        "\t\t\t\t\t- PLAIN\n\tsocks:\n\t\tSocks:\n\t\t\tAddress: localhost:1234\n\t\t\tRemoteIPs:\n\t\t\t\t- 127.0.0.1\n" +
        "\t\t\tRemoteHostname: localhost\n",
    ),
    `Domains:\n\tmox.example: nil\n${account("mjl", "mjl@mox.example")}`,
  ],
  [
    "a catch-all, and an address of an account's domain",
    bare("mjl"),
    `Domains:\n\tmox.example: nil\n${account("mjl", "@mox.example")}${
      account("other", "other", "\t\tSubjectPass:\n\t\t\tPeriod: 1h\n\t\tRejectsMailbox: rejects\n")
        .replace("Accounts:\n", "")
    }`,
  ],
  [
    "reports",
    bare("mjl"),
    `Domains:\n\tmox.example:\n\t\tDMARC:\n\t\t\tAccount: mjl\n\t\t\tLocalpart: dmarcreports\n\t\t\tMailbox: dmarc\n` +
    `\t\tTLSRPT:\n\t\t\tAccount: mjl\n\t\t\tLocalpart: tlsrpt\n\t\t\tMailbox: tlsrpt\n${
      account("mjl", "mjl@mox.example")
    }`,
  ],
];

Deno.test("the forms that the original's own files have", () => {
  for (const [what, staticText, dynamicText] of forms) {
    const s = readStatic(staticText);
    assert.deepEqual([...s.problems, ...s.warnings], [], what);
    const d = readDynamic(dynamicText, s.value);
    assert.deepEqual([...d.problems, ...d.warnings], [], what);
  }
});

Deno.test("four spaces are a tab, and a block may be deeper than its key", () => {
  const spaces = smallStatic.replaceAll("\t", "    ");
  assert.deepEqual(readStatic(spaces).value, staticOf(smallStatic));
  const deep = smallStatic.replaceAll(/^\t\t\t/gm, "\t\t\t\t\t");
  const read = readStatic(deep);
  assert.deepEqual(read.problems, []);
  assert.deepEqual(read.value, staticOf(smallStatic));
  assert.equal(printSconf(read.root), smallStatic);
});

Deno.test("a field of a newer version is a warning and stays, a misspelt one is a mistake", () => {
  const s = readStatic(smallStatic.replace("\t\tSMTP:\n", "\t\tQUICPort: 443\n\t\tSMTP:\n"));
  assert.deepEqual(s.problems, []);
  assert.deepEqual(s.warnings, [{
    line: 13,
    message: 'Listeners: public: unknown key "QUICPort" is passed over: no field of this version',
  }]);
  // Written back with a change elsewhere, it is still there.
  const written = printSconf(
    staticConfig.update(s.root, { ...s.value, LogLevel: "debug" }) as MapNode,
  );
  assert(written.includes("\t\tQUICPort: 443\n"));
  assert(written.includes("LogLevel: debug"));

  const block = smallDynamic.replace(
    "\tbob:\n",
    "\tbob:\n\t\tGreylist:\n\t\t\tSeconds: 5\n",
  );
  const d = readDynamic(block, staticOf(smallStatic));
  assert.deepEqual(d.problems, []);
  assert.equal(d.warnings.length, 1);
  const { root } = parseSconf(block);
  assert.equal(printSconf(dynamicConfig.update(root, d.value) as MapNode), block);

  for (
    const [key, said] of [
      ["Hostnam", "did you mean Hostname?"],
      ["LogLevels", "did you mean LogLevel?"],
      ["PackageLoglevel", "did you mean PackageLogLevels?"],
      ["Accounts", "it belongs into domains.conf"],
      ["lowercase", "expected one of the documented keys"],
    ]
  ) {
    const { problems, warnings } = readStatic(`${smallStatic}${key}: x\n`);
    assert.deepEqual(warnings, [], key);
    assert.equal(problems.length, 1, key);
    assert(problems[0].message.endsWith(said), problems[0].message);
  }
});

Deno.test("keys with a header in their PEM block load", async () => {
  const pem = generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" })
    .toString();
  const withNote = pem.replace(
    "-----\n",
    "-----\nNote: ed25519 dkim private key for x._domainkey.mox.example, generated by mox\n\n",
  );
  assert.throws(() => privateKeyFromPem("-----BEGIN PRIVATE KEY-----\nNote: x\n\nAAAA\n"));
  assert(privateKeyFromPem(withNote).equals(privateKeyFromPem(pem)));
  assert.equal(withoutPemHeaders(pem), pem);
  assert.equal(withoutPemHeaders(withNote.replaceAll("\n", "\r\n")), pem.replaceAll("\n", "\r\n"));

  const dkim = smallDynamic.replace(
    "\tmox.example:\n",
    "\tmox.example:\n\t\tDKIM:\n\t\t\tSelectors:\n\t\t\t\ta:\n\t\t\t\t\tPrivateKeyFile: a.pem\n\t\t\tSign:\n\t\t\t\t- a\n",
  );
  await inConfigDir(async (dir) => {
    await Deno.writeTextFile(join(dir, "mox.conf"), smallStatic);
    await Deno.writeTextFile(join(dir, "domains.conf"), dkim);
    await Deno.writeTextFile(join(dir, "a.pem"), withNote);
    const config = await Config.load(join(dir, "mox.conf"));
    assert.deepEqual(config.warnings, []);
  });
});
