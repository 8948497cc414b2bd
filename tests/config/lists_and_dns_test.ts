/** Mistakes in mailing lists and DNS providers: the line, and what was expected. */
import assert from "node:assert/strict";
import { Config, ConfigError } from "../../src/config/mod.ts";

const staticText = (more: string) =>
  `DataDir: data
LogLevel: error
User: 54321
Hostname: mail.ours.example
${more}Listeners:
	public:
		IPs:
			- 127.0.0.1
Postmaster:
	Account: ann
	Mailbox: Inbox
`;
const dynamicText = (domain: string, more = "") =>
  `Domains:
	ours.example:
		LocalpartCatchallSeparator: +
		Aliases:
			team-owner:
				Addresses:
					- ann@ours.example
${domain}Accounts:
	ann:
		Domain: ours.example
		Destinations:
			ann@ours.example: nil
			news-bounces@ours.example: nil
${more}`;

async function problems(s: string, d: string, own = ""): Promise<string[]> {
  const dir = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${dir}/mox.conf`, staticText(s));
    await Deno.writeTextFile(
      `${dir}/domains.conf`,
      dynamicText(d).replace("\tann:\n", `\tann:\n${own}`),
    );
    await Config.load(`${dir}/mox.conf`);
    return [];
  } catch (err) {
    if (!(err instanceof ConfigError)) throw err;
    return err.problems.map((p) => `${p.line}: ${p.message}`);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

const list = (name: string, lines = "\t\t\t\tOwners:\n\t\t\t\t\t- ann@ours.example\n") =>
  `\t\tLists:\n\t\t\t${name}:\n${lines}`;
const provider = (lines: string) => `DNSProviders:\n\tours:\n${lines}`;
const zones = "\t\tZones:\n\t\t\t- ours.example\n";
const update =
  "\t\tUpdate:\n\t\t\tServer: ns.ours.example\n\t\t\tKeyName: mox\n\t\t\tKeyFile: dns.key\n";

const cases: [what: string, s: string, d: string, ...said: (string | RegExp)[]][] = [
  ["a list that is right", "", list("talk")],
  ["a provider that is right", provider(zones + update), ""],
  [
    "a name that is an alias's with -owner",
    "",
    list("team"),
    "9: the address team-owner@ours.example is an alias already",
  ],
  [
    "a name that is an account's with -bounces",
    "",
    list("news"),
    "9: the address news-bounces@ours.example is that of account ann already",
  ],
  ["a long name", "", list("a".repeat(29)), "9: the name of a list has 28 characters at most"],
  [
    "a name with a separator",
    "",
    list("a+b"),
    /^9: the addresses of the list have the separator "\+"|^9: the name of a list/,
  ],
  [
    "a name beyond ASCII",
    "",
    list("ü"),
    "9: the name of a list has letters of ASCII, digits, and . _ - only",
  ],
  ["no owner", "", list("talk", "\t\t\t\tName: x\n"), /^9: .*Owners/],
  [
    "an owner that is nobody",
    "",
    list("talk", "\t\t\t\tOwners:\n\t\t\t\t\t- x@ours.example\n"),
    "11: x@ours.example is not an address of an account here",
  ],
  [
    "the list as its own owner",
    "",
    list("talk", "\t\t\t\tOwners:\n\t\t\t\t\t- talk@ours.example\n"),
    "11: a list can't be an owner of itself",
    "11: talk@ours.example is not an address of an account here",
  ],
  ["a word that is none", "", list("talk") + "\t\t\t\tPosting: everybody\n", /^12: .*members/],
  [
    "two lists with the same addresses",
    "",
    list("talk") + "\t\t\ttalk-owner:\n\t\t\t\tOwners:\n\t\t\t\t\t- ann@ours.example\n",
    /one of the list talk already/,
  ],
  [
    "neither Update nor Webhook",
    provider(zones),
    "",
    "6: a provider needs either Update or Webhook",
  ],
  [
    "both",
    provider(zones + update + "\t\tWebhook:\n\t\t\tURL: http://127.0.0.1/\n"),
    "",
    "6: a provider needs either Update or Webhook",
  ],
  [
    "a zone twice",
    provider(zones + "\t\t\t- ours.example\n" + update),
    "",
    "9: ours.example is there twice",
  ],
  ["no zone", provider("\t\tZones: []\n" + update), "", /^7: /],
  [
    "an algorithm that is broken",
    provider(zones + update + "\t\t\tAlgorithm: hmac-md5\n"),
    "",
    /hmac-sha256/,
  ],
  [
    "dns-01 without a provider",
    "ACME:\n\ttest:\n\t\tDirectoryURL: https://ca.example/\n\t\tContactEmail: a@ours.example\n\t\tDNS01: true\n",
    "",
    "9: needs DNSProviders, which write the records",
  ],
];

Deno.test("mailing lists and DNS providers: each mistake is told with its line", async () => {
  for (const [what, s, d, ...said] of cases) {
    const found = await problems(s, d);
    assert.equal(found.length, said.length, `${what}: ${found.join(" | ")}`);
    said.forEach((e, i) =>
      typeof e === "string" ? assert.equal(found[i], e, what) : assert.match(found[i], e, what)
    );
  }
});

Deno.test("who may send for an account: each mistake is told with its line", async () => {
  const own = (key: string, ...names: string[]) =>
    `\t\t${key}:\n${names.map((n) => `\t\t\t- ${n}\n`).join("")}`;
  assert.deepEqual(await problems("", "", own("SendAs", "bob")), [
    '11: there is no account "bob"',
  ]);
  assert.deepEqual(await problems("", "", own("SendOnBehalf", "ann")), [
    "11: an account may send as itself anyway",
  ]);
});
