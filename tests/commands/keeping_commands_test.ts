/** Commands on how long mail is kept and on journals, with their dry runs. */
import assert from "node:assert/strict";
import { generateKey } from "openpgp";
import { configKeeping } from "../../src/commands/config_keeping.ts";
import { Config } from "../../src/config/mod.ts";
import { Log } from "../../src/log/mod.ts";
import { runAdminCommand } from "../../src/serve/control/admin_commands.ts";
import { accountRules } from "../../src/serve/rules.ts";
import { Accounts } from "../../src/store/account/accounts.ts";
import { moxIn, writeSmallConfig } from "../serve/instance.ts";

type Json = Parameters<typeof runAdminCommand>[2];

async function withCommands(
  fn: (run: (name: string, args: Json) => Promise<string>, config: Config) => Promise<void>,
) {
  const dir = await Deno.makeTempDir();
  await writeSmallConfig(dir, { ports: { smtp: 25, imap: 143 } });
  const config = await Config.load(`${dir}/config/mox.conf`);
  const log = new Log("admin");
  const accounts = new Accounts(`${dir}/data/accounts`, log, (name) => accountRules(config, name));
  try {
    await fn(async (name, args) => {
      let printed = "";
      await runAdminCommand({ config, accounts, log }, name, args, (text) => printed += text);
      return printed;
    }, config);
  } finally {
    await accounts.closeAll();
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("retention and hold of an account by commands", () =>
  withCommands(async (run, config) => {
    const [account] = config.dynamic.Accounts.keys();
    const retention = (...rules: string[]) => run("config account retention", { account, rules });
    assert.equal(await retention(), "");
    const would = await run("config account retention", {
      account,
      rules: ["\\Trash=30"],
      dryRun: true,
    });
    assert.match(would, /Trash.*30/);
    assert.equal(await retention(), "");
    await retention("\\Trash=30", "Lists/a=b=7", "Lists/News=0");
    assert.equal(await retention(), "\\Trash=30\nLists/a=b=7\nLists/News=0\n");
    await retention("\\Trash=none", "Lists/News=90");
    assert.equal(await retention(), "Lists/a=b=7\nLists/News=90\n");
    await run("config account legalhold", { account, on: true });
    assert.equal(config.account(account)!.LegalHold, true);
    assert.match(await retention(), /Lists\/News=90\n# legal hold/);
    await retention("Lists/News=none");
    assert.equal(config.account(account)!.LegalHold, true, "rules leave the hold alone");
    await run("config account legalhold", { account, on: false });
    assert.equal(config.account(account)!.LegalHold, false);
    for (
      const [rule, said] of [
        ["Trash", /"Trash" is not of the form mailbox=days/],
        ["=3", /not of the form/],
        ["x=-3", /not of the form/],
        ["x=3.5", /not of the form/],
        ["nosuch=none", /no rule for nosuch/],
        ["\\Nosuch=3", /\\\\Nosuch|special use/],
      ] as const
    ) await assert.rejects(retention(rule), said, rule);
    assert.equal(await retention(), "Lists/a=b=7\n");
    await assert.rejects(run("config account retention", { account: "eve" }), /no account eve/);
    await assert.rejects(run("config account legalhold", { account: "eve" }), /no account eve/);
  }));

Deno.test("a domain's journal by commands, its key kept until another is given", () =>
  withCommands(async (run, config) => {
    const [domain] = config.dynamic.Domains.keys();
    const [account] = config.dynamic.Accounts.keys();
    const [address] = config.accountAddresses(account);
    const journal = (more: { [name: string]: string | boolean } = {}) =>
      run("config domain journal", { domain, ...more });
    assert.equal(await journal(), `${domain} has no journal\n`);
    await assert.rejects(journal({ off: true }), /has no journal/);
    await assert.rejects(journal({ address: "nobody" }), /nobody/);
    await assert.rejects(journal({ address, key: "no key" }), /neither an OpenPGP/);
    await journal({ address, dryRun: true });
    assert.equal(await journal(), `${domain} has no journal\n`);
    await journal({ address, mailbox: "Copies" });
    assert.equal(await journal(), `copies go to ${address} Copies\n`);
    const { publicKey } = await generateKey({ userIDs: [{ email: address }] });
    await journal({ address, key: publicKey });
    const encrypted = /^copies go to \S+ Journal, encrypted to the key in journal\/.*\.asc\n$/;
    assert.match(await journal(), encrypted);
    await journal({ address: "archive@elsewhere.example" });
    assert.match(
      await journal(),
      /^copies go to archive@elsewhere\.example, encrypted to the key /,
    );
    await journal({ address, plain: true });
    assert.equal(await journal(), `copies go to ${address} Journal\n`);
    await journal({ off: true });
    assert.equal(config.domain(domain)!.config.Journal, undefined);
    await assert.rejects(run("config domain journal", { domain: "no.example" }), /no domain/);
  }));

Deno.test("the commands as they are typed: wrong flags, and one change without a server", async () => {
  const named = (name: string) => configKeeping.find((c) => c.name === name)!;
  for (
    const [name, args] of [
      ["config account legalhold", ["ann", "perhaps"]],
      ["config domain journal", ["-off", "mox.example", "ann@mox.example"]],
      ["config domain journal", ["-key", "-plain", "mox.example", "ann@mox.example"]],
      ["config domain journal", ["-plain", "mox.example"]],
    ] as const
  ) {
    await assert.rejects(
      Promise.resolve(named(name).run([...args])),
      { name: "UsageError" },
      args.join(" "),
    );
  }
  const dir = await Deno.makeTempDir();
  try {
    await writeSmallConfig(dir, { ports: { smtp: 25, imap: 143 } });
    const config = await Config.load(`${dir}/config/mox.conf`);
    const [account] = config.dynamic.Accounts.keys();
    const done = await moxIn(dir, ["config", "account", "retention", account, "\\Junk=14"]);
    assert.equal(done.code, 0, done.stderr);
    await config.reload();
    assert.deepEqual([...config.account(account)!.Retention], [["\\Junk", 14]]);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
