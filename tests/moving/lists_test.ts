/** Users and aliases of other servers: what lists say, what becomes of it, and that it can come again. */
import assert from "node:assert/strict";
import { planAliases } from "../../src/admin/moving/plan_aliases.ts";
import { planUsers } from "../../src/admin/moving/plan_users.ts";
import { readPostfixMap } from "../../src/admin/moving/postfix_map.ts";
import { formatOf, parseSize, readUsers } from "../../src/admin/moving/users.ts";
import { Config, type Dynamic, readDynamic } from "../../src/config/mod.ts";
import { dynamicConfig } from "../../src/config/mod.ts";
import { printSconf } from "../../src/config/sconf/sconf.ts";
import { moxIn } from "../serve/instance.ts";
import { dynamicOf, staticOf } from "../config/fixtures.ts";

const sha512 =
  "$6$HXgk247e1USPZY.8$MRDyl9e5sOwAG74i1y6wP45Sh/9b3hRs2CCBxOihxUjBfL3z/VvAiO/CygRFPD900fVhwFiJMekuslx3aXn43/";
const bcrypt = "{BLF-CRYPT}$2y$05$GvfFyVh4UhNuC3Vo6Yn6Q.nu26QYpqikK8wcNw7KtF1vI.wR2YQBm";

const mox = `DataDir: ../data
LogLevel: error
Hostname: mail.a.example
Listeners:
	local: nil
Postmaster:
	Account: root
	Mailbox: Inbox
`;
const domains = `Domains:
	a.example: nil
	b.example: nil
Accounts:
	root:
		Domain: a.example
		Destinations:
			root@a.example: nil
	ann:
		Domain: a.example
		Destinations:
			ann@a.example: nil
	bob:
		Domain: a.example
		Destinations:
			bob@a.example: nil
`;
const current = () => dynamicOf(domains, staticOf(mox));

Deno.test("users from a passwd-file, as of Dovecot, shadow and docker-mailserver", () => {
  const text = `# users
ann@a.example:${bcrypt}:5000:5000:Ann Example,,,:/home/ann::userdb_quota_rule=*:storage=2G
carl:${sha512}:19000:0:99999:7:::
dora@b.example|{SHA512-CRYPT}${sha512}
erik@a.example:{PLAIN}se:cret word
locked@a.example:!${sha512}:19000
nothing
plain@a.example:hunter2hunter2
`;
  assert.equal(formatOf(text), "passwd");
  const { users, problems } = readUsers(text, "passwd", "a.example");
  assert.deepEqual(
    users.map((u) => [u.line, u.address, u.hash !== "", u.password, u.fullName, u.quota]),
    [
      [2, "ann@a.example", true, "", "Ann Example", 2 * 1024 ** 3],
      [3, "carl@a.example", true, "", "", 0],
      [4, "dora@b.example", true, "", "", 0],
      [5, "erik@a.example", false, "se", "", 0],
      [6, "locked@a.example", false, "", "", 0],
      [8, "plain@a.example", true, "", "", 0],
    ],
  );
  assert.deepEqual(problems.map((p) => p.line), [7]);
  const plan = planUsers(current(), users);
  // What is no known hash might be a password, or a hash that would let nobody in: nothing is guessed.
  assert.deepEqual(plan.problems.map((p) => p.line), [8]);
  assert.match(plan.problems[0].message, /is it the password itself\? Write \{PLAIN\} before it/);
  assert.doesNotMatch(plan.problems[0].message, /hunter2/);
  assert.deepEqual(plan.changes, [
    "account carl (carl@a.example)",
    "account dora (dora@b.example)",
    "account erik (erik@a.example)",
    "account locked (locked@a.example)",
  ]);
  assert.deepEqual(plan.passwords.map((p) => p.account), ["ann", "carl", "dora", "erik"]);
});

Deno.test("users from CSV and JSON, with aliases, quotas and those who are not active", () => {
  const csv = `address,hash,name,quota,aliases,active
"fred@c.example","${sha512}","Fred ""F"" X",512M,"f@c.example fredy@c.example",1
gina@c.example,,Gina,,ann@a.example,0
fred@c.example,,again,,,
`;
  assert.equal(formatOf(csv), "csv");
  const { users, problems } = readUsers(csv, "csv", "");
  assert.equal(users[0].fullName, 'Fred "F" X');
  assert.equal(users[0].quota, 512 * 1024 ** 2);
  assert.deepEqual(problems, [{
    line: 4,
    message: "fred@c.example is there already, in line 2",
  }]);
  const plan = planUsers(current(), users);
  assert.deepEqual(plan.domains, ["c.example"]);
  assert.deepEqual(plan.changes, [
    "account fred (fred@c.example)",
    "address f@c.example of account fred",
    "address fredy@c.example of account fred",
    "account gina (gina@c.example), login disabled",
  ]);
  assert.deepEqual(plan.problems, [{
    line: 3,
    message: "ann@a.example is an address of ann already",
  }]);

  const json = JSON.stringify([
    { username: "hans@a.example", password: "correct horse", quota: 1000, extra: { x: 1 } },
    { email: "ann@b.example" },
  ]);
  assert.equal(formatOf(json), "json");
  const more = readUsers(json, "json", "");
  const p = planUsers(current(), more.users);
  // The name ann is taken, by somebody else.
  assert.deepEqual(p.changes, [
    "account hans (hans@a.example)",
    "account ann.b.example (ann@b.example)",
  ]);
  assert.deepEqual(readUsers("{", "json", "").users, []);
  assert.match(readUsers("{", "json", "").problems[0].message, /not a JSON list/);
  assert.match(
    readUsers("address,pasword\nx@a.example,y", "csv", "").problems[0].message,
    /"pasword" is unknown/,
  );
  assert.deepEqual([parseSize("2G"), parseSize("10"), parseSize("1.5G")], [2 ** 31, 10, undefined]);
});

/** The configuration after a table was taken over, and again. */
function withMap(text: string, domain = ""): { d: Dynamic; changes: string[]; problems: string[] } {
  const read = readPostfixMap(text, domain);
  const d = current();
  const plan = planAliases(d, read.entries);
  for (const name of plan.domains) {
    d.Domains.set(name, structuredClone(d.Domains.get("a.example")!));
  }
  plan.apply(d);
  const node = dynamicConfig.toNode(d);
  assert(node.kind === "map");
  const checked = readDynamic(printSconf(node), staticOf(mox));
  assert.deepEqual(checked.problems, []);
  assert.deepEqual(planAliases(checked.value, read.entries).changes, [], "nothing is left to do");
  return {
    d,
    changes: plan.changes,
    problems: [...read.problems, ...plan.problems].map((p) => `${p.line}: ${p.message}`),
  };
}

Deno.test("Postfix's virtual table: addresses, aliases, forwarding, catch-all, domains", () => {
  const { d, changes, problems } = withMap(`
# comment
c.example anything
sales@a.example   ann@a.example
team@a.example    ann@a.example, bob@a.example,
    out@elsewhere.example
outside@c.example someone@elsewhere.example
nested@a.example  team@a.example
ann@a.example     ann@a.example, ann@gmail.example
bob@a.example     bob@gmail.example
@c.example        ann@a.example
@d.example        @a.example
@b.example        x@elsewhere.example
gone@a.example    nobody@a.example
loop@a.example    loop2@a.example
loop2@a.example   loop@a.example
`);
  assert.deepEqual(changes, [
    "address sales@a.example of account ann",
    "alias team@a.example: ann@a.example, bob@a.example, out@elsewhere.example",
    "alias outside@c.example: someone@elsewhere.example",
    "alias nested@a.example: ann@a.example, bob@a.example, out@elsewhere.example",
    "mail of account ann (ann@a.example) is forwarded to ann@gmail.example, and kept",
    "mail of account bob (bob@a.example) is forwarded to bob@gmail.example",
    "catch-all @c.example of account ann",
    "address root@d.example of account root",
    "address ann@d.example of account ann",
    "address bob@d.example of account bob",
    "address sales@d.example of account ann",
  ]);
  assert.deepEqual(problems.map((p) => p.split(":")[0]), ["14", "15", "16", "12", "13"]);
  assert.equal(d.Accounts.get("bob")!.ForwardOnly, true);
  assert.equal(d.Accounts.get("ann")!.ForwardOnly, false);
  assert.equal(d.Domains.get("a.example")!.Aliases.get("team")!.PostPublic, true);
});

Deno.test("Exim's alias file of a domain: catch-all with *, words that aren't addresses", () => {
  const { d, problems } = withMap(
    `# /etc/exim4/virtual/b.example
sales: ann@a.example
info@b.example: ann@a.example , bob@a.example
old: :fail: "moved away"
later: :defer: later
trash: :blackhole:
list: :include:/etc/exim4/list, ann@a.example
*: bob@a.example
`,
    "b.example",
  );
  assert.deepEqual(problems.map((p) => /^(\d+): (\w+): (?:.*?)(:\w+:)/.exec(p)?.slice(1)), [
    ["4", "old", ":fail:"],
    ["5", "later", ":defer:"],
    ["6", "trash", ":blackhole:"],
    ["7", "list", ":include:"],
  ]);
  assert.ok(d.Accounts.get("ann")!.Destinations.has("sales@b.example"));
  assert.ok(d.Accounts.get("bob")!.Destinations.has("@b.example"));
  assert.ok(d.Domains.get("b.example")!.Aliases.has("info"));
  // One file for all domains, as lsearch* and nwildlsearch read it.
  const all = readPostfixMap("*@a.example: ann@a.example\n*: bob@a.example\n", "");
  assert.deepEqual(all.entries.map((e) => e.key), ["@a.example"]);
  assert.match(all.problems[0].message, /^\* has no domain/);
});

Deno.test("lists from Windows and tables with regular expressions", () => {
  const { entries, problems } = readPostfixMap(
    "\ufeffinfo@a.example ann@a.example\r\n/^(?!info)\\S+@a.example/ bob@a.example\r\n" +
      "if /@b.example$/\r\n!/^x/ ann@a.example\r\nendif\r\n",
    "",
  );
  assert.deepEqual(entries.map((e) => [e.key, e.values]), [["info@a.example", ["ann@a.example"]]]);
  assert.deepEqual(problems.map((p) => p.line), [2, 3, 4, 5]);
  for (const p of problems) assert.match(p.message, /regular expressions .* catch-all/);

  const table = "\ufeffemail\tpassword\tname\r\nnew@a.example\tse;cr,et\tNew One\r\n";
  assert.equal(formatOf(table), "csv");
  const [user] = readUsers(table, "csv", "").users;
  assert.deepEqual([user.address, user.password, user.fullName], [
    "new@a.example",
    "se;cr,et",
    "New One",
  ]);
  const passwd = "\ufeffnew@a.example:{PLAIN}secret\r\n";
  assert.equal(readUsers(passwd, formatOf(passwd), "").users[0].address, "new@a.example");
  const json = '\ufeff[{"email":"new@a.example","password":"x"}]';
  assert.equal(readUsers(json, formatOf(json), "").users[0].password, "x");
});

Deno.test("/etc/aliases: names at the domain, programs and files are told", () => {
  const { changes, problems } = withMap(
    `postmaster: root\nwebmaster:\tann, bob\nlogs: "|/usr/bin/logger"\nlist: :include:/etc/list\nfile: /dev/null\n`,
    "a.example",
  );
  assert.deepEqual(changes, [
    "address postmaster@a.example of account root",
    "alias webmaster@a.example: ann@a.example, bob@a.example",
  ]);
  assert.equal(problems.length, 3);
  assert.match(problems[0], /^3: logs: programs, files and lists/);
});

Deno.test("by command: a dry run changes nothing, a second run neither, and hashes stay ours", async () => {
  const dir = await Deno.makeTempDir({ prefix: "mox-lists-" });
  try {
    await Deno.mkdir(`${dir}/config`);
    await Deno.writeTextFile(`${dir}/config/mox.conf`, mox);
    await Deno.writeTextFile(`${dir}/config/domains.conf`, domains);
    const list = `carl@c.example:{SHA512-CRYPT}${sha512}::::::\nann@a.example:${bcrypt}::::::\n`;
    await Deno.writeTextFile(`${dir}/users`, list);
    await Deno.writeTextFile(
      `${dir}/virtual`,
      "all@c.example carl@c.example, x@elsewhere.example\n",
    );
    const dry = await moxIn(dir, ["import", "accounts", "-dryrun", "users"]);
    assert.equal(dry.code, 0, dry.stderr);
    assert.match(
      dry.stdout,
      /domain c\.example\naccount carl \(carl@c\.example\)\n1 changes would be made/,
    );
    assert.equal(await Deno.readTextFile(`${dir}/config/domains.conf`), domains);
    const run = await moxIn(dir, ["import", "accounts", "users"]);
    assert.equal(run.code, 0, run.stderr);
    assert.match(
      run.stdout,
      /carl: password hash \(shaCrypt\) set\nann: password hash \(bcrypt\) set\n/,
    );
    const again = await moxIn(dir, ["import", "accounts", "-"], { stdin: list });
    assert.match(again.stdout, /^0 changes made, 0 passwords set\n$/);
    const aliases = await moxIn(dir, ["import", "aliases", "virtual"]);
    assert.match(aliases.stdout, /alias all@c\.example: carl@c\.example, x@elsewhere\.example/);
    const config = await Config.load(`${dir}/config/mox.conf`);
    const all = config.lookupAddress("all", "c.example");
    assert(all.kind === "alias");
    assert.deepEqual(all.alias.outside, ["x@elsewhere.example"]);
    // A password that looks like a hash is asked about.
    const set = (args: string[], stdin: string) =>
      moxIn(dir, ["setaccountpassword", ...args, "bob"], { stdin });
    const refused = await set([], `${sha512}\n`);
    assert.equal(refused.code, 1);
    assert.match(
      refused.stderr,
      /looks like the hash of a password: set it with -hash, or with -plain/,
    );
    assert.equal((await set(["-hash"], `${sha512}\n`)).code, 0);
    assert.match((await set(["-hash"], "not a hash\n")).stderr, /can't be verified here/);
    assert.equal((await set(["-plain"], `${sha512}\n`)).code, 0);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
