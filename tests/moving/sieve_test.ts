/** Sieve scripts in homes as Dovecot's users have them. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { homeScripts, moveScripts } from "../../src/admin/moving/sieve.ts";
import { Config } from "../../src/config/mod.ts";
import { SieveDatabase } from "../../src/delivery/sieve/database.ts";
import { moxIn } from "../serve/instance.ts";

const mox = `DataDir: ../data
LogLevel: error
Hostname: mail.a.example
Listeners:
	local: nil
Postmaster:
	Account: ann
	Mailbox: Inbox
`;
const account = (name: string) =>
  `	${name}:
		Domain: a.example
		Destinations:
			${name}@a.example: nil
`;
const domains = `Domains:
	a.example: nil
Accounts:
${["ann", "bob", "cas", "dan"].map(account).join("")}`;

const keep = 'require "fileinto";\nfileinto "A";\n';

Deno.test("scripts of many users: names, the active one, faults told, again changes nothing", async () => {
  const dir = await Deno.makeTempDir();
  try {
    await Deno.mkdir(join(dir, "config"));
    await Deno.writeTextFile(join(dir, "config", "mox.conf"), mox);
    await Deno.writeTextFile(join(dir, "config", "domains.conf"), domains);
    const home = (user: string) => join(dir, "vmail", "a.example", user);
    for (const user of ["ann", "bob", "cas"]) {
      await Deno.mkdir(join(home(user), "sieve", "tmp"), { recursive: true });
    }
    // By ManageSieve: a link to the active one.
    await Deno.writeTextFile(join(home("ann"), "sieve", "lists.sieve"), keep);
    await Deno.writeTextFile(join(home("ann"), "sieve", "old.sieve"), "keep;\n");
    await Deno.writeTextFile(join(home("ann"), "sieve", "lists.svbin"), "compiled");
    await Deno.symlink("sieve/lists.sieve", join(home("ann"), ".dovecot.sieve"));
    // By hand: a file.
    await Deno.writeTextFile(join(home("bob"), ".dovecot.sieve"), keep);
    // With faults, and a link to nowhere.
    await Deno.writeTextFile(
      join(home("cas"), "sieve", "pipe.sieve"),
      'require "vnd.dovecot.pipe";\n',
    );
    await Deno.writeFile(join(home("cas"), "sieve", "latin.sieve"), new Uint8Array([0xe4, 0x0a]));
    await Deno.symlink("gone.sieve", join(home("cas"), ".dovecot.sieve"));
    const path = join(dir, "config", "mox.conf");
    const pattern = join(dir, "vmail", "%d", "%n");
    const tried = await moxIn(dir, [
      "-config",
      path,
      "import",
      "sieve",
      "-dryrun",
      "-home",
      pattern,
    ]);
    assert.match(tried.stdout, /^3 scripts would be taken over, 2 not$/m, tried.stderr);
    const args = ["-config", path, "import", "sieve", "-home", pattern];
    const first = await moxIn(dir, args);
    assert.equal(first.code, 1);
    assert.match(first.stdout, /^ann: script lists is active$/m);
    assert.match(first.stdout, /^bob: script dovecot is active$/m);
    assert.match(first.stdout, /^cas: script pipe: .*vnd\.dovecot\.pipe/m);
    assert.match(first.stdout, /^cas: script latin: is not in UTF-8$/m);
    assert.match(first.stdout, /^3 scripts taken over, 2 not$/m);
    const again = await moxIn(dir, args);
    assert.match(again.stdout, /^ann: script old: is there already, and stays$/m);
    assert.match(again.stdout, /^0 scripts taken over, 2 not$/m);
    const db = await SieveDatabase.open(join(dir, "data"));
    try {
      const { scripts } = db;
      assert.deepEqual(scripts.list("ann").map((s) => [s.name, s.active]), [
        ["lists", true],
        ["old", false],
      ]);
      assert.equal(scripts.get("bob", "dovecot"), keep);
      assert.deepEqual(scripts.list("cas"), []);
      // What is active here stays so; others are replaced if that is wanted.
      await scripts.setActive("ann", "old");
      await Deno.writeTextFile(join(home("ann"), "sieve", "old.sieve"), "discard;\n");
      const config = await Config.load(path);
      const o = { scripts, replace: true, dryRun: false, tell() {} };
      const source = homeScripts(config, pattern, ["ann"]);
      assert.deepEqual(await moveScripts(o, source), { stored: 2, failed: 0 });
      assert.equal(scripts.active("ann"), "old");
      assert.equal(scripts.get("ann", "old"), "discard;\n");
    } finally {
      await db.close();
    }
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
