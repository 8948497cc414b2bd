import assert from "node:assert/strict";
import { join } from "node:path";
import {
  account,
  automaticJunkFlag,
  Config,
  type ConfigChange,
  ConfigError,
  destination,
  type LookupOptions,
} from "../../src/config/mod.ts";
import { setLogSink } from "../../src/log/mod.ts";
import { inConfigDir, smallDynamic, smallStatic } from "./fixtures.ts";

async function withConfig(
  f: (config: Config, dir: string) => Promise<void> | void,
  dynamicText = smallDynamic,
  staticText = smallStatic,
): Promise<void> {
  await inConfigDir(async (dir) => {
    await Deno.writeTextFile(join(dir, "mox.conf"), staticText);
    await Deno.writeTextFile(join(dir, "domains.conf"), dynamicText);
    await f(await Config.load(join(dir, "mox.conf")), dir);
  });
}

/** A lookup in short: `account mailbox canonical`, or what was found instead. */
function look(config: Config, address: string, options: LookupOptions = {}): string {
  const at = address.lastIndexOf("@");
  const [localpart, domain] = at < 0
    ? [address, ""]
    : [address.slice(0, at), address.slice(at + 1)];
  const found = config.lookupAddress(localpart, domain, options);
  if (found.kind === "account") {
    return `${found.account} ${found.destination.Mailbox} ${found.canonical}${
      found.reports ? ` ${found.reports}` : ""
    }`;
  }
  if (found.kind === "alias") {
    return `alias ${found.canonical}: ${found.alias.members.map((m) => m.account).join(" ")}`;
  }
  return found.kind;
}

Deno.test("addresses lead to accounts, aliases and catch-alls", () =>
  withConfig((config) => {
    const table: [string, string][] = [
      ["ann@mox.example", "ann Inbox ann@mox.example"],
      ["ANN@MOX.example", "ann Inbox ann@mox.example"],
      ["ann+lists@mox.example", "ann Inbox ann@mox.example"],
      ["ann++@mox.example", "ann Inbox ann@mox.example"],
      ["odd one@mox.example", 'ann Inbox "odd one"@mox.example'],
      ["bob@mox.example", "bob Private bob@mox.example"],
      ["eve@mox.example", "unknownAddress"],
      ["+x@mox.example", "unknownAddress"],
      ["team@mox.example", "alias team@mox.example: ann bob"],
      ["Team+x@mox.example", "alias team@mox.example: ann bob"],
      ["Ann@case.example", "ann Inbox Ann@case.example"],
      ["ann@case.example", "unknownAddress"],
      ["any.body@b\u00fccher.example", "bob Inbox @b\u00fccher.example"],
      ["any.body@xn--bcher-kva.example", "bob Inbox @b\u00fccher.example"],
      ["ann@other.example", "unknownDomain"],
      ["ann@-", "unknownDomain"],
      ["postmaster", "ann Postmaster postmaster"],
      ["Postmaster@mail.mox.example", "ann Postmaster postmaster"],
      ["postmaster@mox.example", "ann Postmaster postmaster"],
      ["postmaster@b\u00fccher.example", "bob Inbox @b\u00fccher.example"],
      ["ann@mail.mox.example", "unknownDomain"],
      ["ann", "unknownDomain"],
    ];
    for (const [address, expected] of table) assert.equal(look(config, address), expected, address);
    assert.equal(look(config, "postmaster", { postmaster: false }), "unknownAddress");
    assert.equal(look(config, "postmaster@mox.example", { postmaster: false }), "unknownAddress");
    assert.equal(look(config, "team@mox.example", { aliases: false }), "unknownAddress");
    assert.deepEqual(config.accountAddresses("bob"), ["bob@mox.example", "@b\u00fccher.example"]);
  }));

Deno.test("an address to log in with, and to send from", () =>
  withConfig((config) => {
    assert.equal(config.accountFor("ann+x@mox.example"), "ann");
    assert.equal(config.accountFor("whoever@b\u00fccher.example"), "bob");
    for (const address of ["team@mox.example", "postmaster@mox.example", "ann", "", "a@b@c"]) {
      assert.equal(config.accountFor(address), undefined, address);
    }
    assert.equal(config.mayUseFrom("ann", "ann+y", "mox.example"), "yes");
    assert.equal(config.mayUseFrom("bob", "ann", "mox.example"), "no");
    assert.equal(config.mayUseFrom("bob", "team", "mox.example"), "yes");
    assert.equal(config.mayUseFrom("bob", "x", "elsewhere.example"), "no");
  }));

Deno.test("a disabled domain gets no mail, but its users log in", () =>
  withConfig(
    (config) => {
      assert.equal(look(config, "ann@mox.example"), "disabledDomain");
      assert.equal(
        look(config, "ann@mox.example", { disabledDomains: true }),
        "ann Inbox ann@mox.example",
      );
      assert.equal(config.accountFor("ann@mox.example"), "ann");
      assert.equal(config.mayUseFrom("ann", "ann", "mox.example"), "disabledDomain");
    },
    smallDynamic.replace(
      "\t\tLocalpartCatchallSeparator",
      "\t\tDisabled: true\n\t\tLocalpartCatchallSeparator",
    ),
  ));

Deno.test("addresses for reports, also at another domain and of the host", () =>
  withConfig(
    (config) => {
      assert.equal(
        look(config, "dmarc-reports@mox.example"),
        "ann DMARC dmarc-reports@mox.example dmarc",
      );
      // The separator is part of the address, and can follow it too.
      assert.equal(
        look(config, "dmarc-reports-x@mox.example"),
        "ann DMARC dmarc-reports@mox.example dmarc",
      );
      assert.equal(look(config, "dmarc-x@mox.example"), "unknownAddress");
      assert.equal(look(config, "tls@mox.example"), "bob TLS tls@mox.example domainTls");
      assert.equal(
        look(config, "TLSReports@mail.mox.example"),
        "ann TLSRPT tlsreports@mail.mox.example hostTls",
      );
      // No address of an account, and none for reports: its mail does not come here.
      assert.equal(look(config, "tls@reports.example"), "unknownDomain");
      assert.equal(look(config, "postmaster@reports.example"), "unknownDomain");
      assert.equal(config.accountFor("tls@mox.example"), undefined);
    },
    smallDynamic
      .replace(
        "LocalpartCatchallSeparator: +",
        "LocalpartCatchallSeparator: -\n\t\tDMARC:\n\t\t\tLocalpart: dmarc-reports\n\t\t\tAccount: ann\n\t\t\tMailbox: DMARC",
      )
      .replace(
        "Accounts:",
        "\treports.example:\n\t\tTLSRPT:\n\t\t\tLocalpart: tls\n\t\t\tDomain: mox.example\n\t\t\tAccount: bob\n\t\t\tMailbox: TLS\nAccounts:",
      ),
    smallStatic + "HostTLSRPT:\n\tAccount: ann\n\tMailbox: TLSRPT\n\tLocalpart: tlsreports\n",
  ));

Deno.test("destinations without a domain, as old files have them, are at the account's", () =>
  withConfig((config) => {
    assert.equal(look(config, "old@mox.example"), "bob Inbox old@mox.example");
  }, smallDynamic.replace("\t\t\tbob@mox.example:", "\t\t\told: nil\n\t\t\tbob@mox.example:")));

Deno.test("paths start at the folder of mox.conf", () =>
  withConfig((config, dir) => {
    assert.equal(config.dataDir, join(dir, "..", "data"));
    assert.equal(config.dataPath("accounts", "ann"), join(dir, "..", "data", "accounts", "ann"));
    assert.throws(() => config.dataPath("accounts", ".."), { name: "PathError" });
    assert.equal(config.configPath("dkim/x.pem"), join(dir, "dkim", "x.pem"));
  }));

Deno.test("initial mailboxes, quotas and junk flags", async () => {
  await withConfig((config) => {
    assert.deepEqual(config.initialMailboxes().map((m) => `${m.name} ${m.specialUse}`), [
      "Sent Sent",
      "Archive Archive",
      "Trash Trash",
      "Drafts Drafts",
      "Junk Junk",
    ]);
    assert.equal(config.quotaMessageSize("ann"), undefined);
  });
  await withConfig(
    (config) => {
      assert.deepEqual(config.initialMailboxes(), [
        { name: "Gesendet", specialUse: "Sent" },
        { name: "Entw\u00fcrfe", specialUse: "Drafts" },
        { name: "Listen" },
      ]);
      assert.equal(config.quotaMessageSize("ann"), 1000);
      assert.equal(config.quotaMessageSize("bob"), undefined);
      assert.deepEqual(["ann", "bob"].map((a) => config.quotaMessages(a)), [20, 30]);
      assert.deepEqual(["ann", "bob"].map((a) => config.quotaMailboxes(a)), [5, undefined]);
      const bob = config.account("bob")!;
      assert.equal(automaticJunkFlag(bob, "Junk/2024"), "junk");
      assert.equal(automaticJunkFlag(bob, "INBOX"), "neutral");
      // The special use comes before the name.
      assert.equal(automaticJunkFlag(bob, "Müll"), "notJunk");
      assert.equal(automaticJunkFlag(bob, "Müll", true), "junk");
      assert.equal(automaticJunkFlag(config.account("ann")!, "Müll", true), undefined);
      assert.equal(automaticJunkFlag(bob, "Archive"), "notJunk");
      assert.equal(automaticJunkFlag(config.account("ann")!, "Junk"), undefined);
    },
    smallDynamic.replace(
      "\tbob:\n",
      "\tbob:\n\t\tQuotaMessageSize: -1\n\t\tQuotaMessages: 30\n\t\tQuotaMailboxes: -1\n\t\tAutomaticJunkFlags:\n\t\t\tEnabled: true\n\t\t\tJunkMailboxRegexp: ^junk\n\t\t\tNeutralMailboxRegexp: ^inbox\n",
    ),
    smallStatic +
      "QuotaMessageSize: 1000\nQuotaMessages: 20\nQuotaMailboxes: 5\nInitialMailboxes:\n\tSpecialUse:\n\t\tSent: Gesendet\n\t\tDraft: Entw\u00fcrfe\n\tRegular:\n\t\t- Listen\n",
  );
  await withConfig(
    (config) => {
      assert.deepEqual(config.initialMailboxes(), [
        { name: "Sent", specialUse: "Sent" },
        { name: "Stuff", specialUse: undefined },
      ]);
    },
    smallDynamic,
    smallStatic + "DefaultMailboxes:\n\t- Inbox\n\t- Sent\n\t- Stuff\n",
  );
});

Deno.test("a change by the program is on disk and in force, comments stay", () =>
  withConfig(async (config, dir) => {
    const path = join(dir, "domains.conf");
    await Deno.writeTextFile(path, smallDynamic.replace("\tbob:\n", "\t# our Bob\n\tbob:\n"));
    const seen: ConfigChange[] = [];
    const stop = config.onChange((c) => seen.push(c));
    const change = await config.writeDynamic((d) => {
      d.Accounts.set("eve", {
        ...account.zero(),
        Domain: "mox.example",
        Destinations: new Map([["eve@mox.example", destination.zero()]]),
      });
      d.Accounts.get("bob")!.FullName = "Bob B.";
    });
    assert.deepEqual(change?.accounts, { added: ["eve"], removed: [], changed: ["bob"] });
    // The comment that was added by hand is no change; the write is one.
    assert.deepEqual(seen.map((c) => c.accounts.added), [["eve"]]);
    assert.equal(look(config, "eve@mox.example"), "eve Inbox eve@mox.example");
    assert.equal(
      await Deno.readTextFile(path),
      smallDynamic
        .replace(
          "\tbob:\n\t\tDomain: mox.example\n",
          "\t# our Bob\n\tbob:\n\t\tDomain: mox.example\n\t\tFullName: Bob B.\n",
        ) +
        "\teve:\n\t\tDomain: mox.example\n\t\tDestinations:\n\t\t\teve@mox.example: nil\n",
    );
    stop();
    assert.equal(await config.writeDynamic(() => {}), undefined);
    assert.equal((await Config.load(join(dir, "mox.conf"))).accountFor("eve@mox.example"), "eve");
  }));

Deno.test("a change that breaks something is refused, and nothing has changed", () =>
  withConfig(async (config, dir) => {
    const before = await Deno.readTextFile(join(dir, "domains.conf"));
    const refused: ((d: Config["dynamic"]) => void)[] = [
      (d) => d.Accounts.delete("ann"),
      (d) => d.Domains.delete("mox.example"),
      (d) => d.Accounts.get("bob")!.FullName = "a\nDomain: b",
      (d) => d.Accounts.get("bob")!.Destinations.set("a: b@mox.example", destination.zero()),
      (d) => {
        d.Accounts.get("bob")!.FullName = "changed";
        throw new Error("changed my mind");
      },
    ];
    for (const change of refused) await assert.rejects(config.writeDynamic(change));
    await assert.rejects(
      config.writeDynamic((d) => d.Accounts.delete("ann")),
      (err: unknown) => err instanceof ConfigError && /no account "ann"/.test(err.message),
    );
    assert.equal(await Deno.readTextFile(join(dir, "domains.conf")), before);
    assert.equal(config.account("bob")!.FullName, "");
    assert.deepEqual([...Deno.readDirSync(dir)].filter((e) => e.name.includes("tmp")), []);
  }));

Deno.test("changes at the same time are made one after the other", () =>
  withConfig(async (config, dir) => {
    await Promise.all(Array.from({ length: 10 }, (_, i) =>
      config.writeDynamic((d) => {
        d.Accounts.get("ann")!.Destinations.set(`a${i}@mox.example`, destination.zero());
      })));
    const again = await Config.load(join(dir, "mox.conf"));
    for (let i = 0; i < 10; i++) assert.equal(again.accountFor(`a${i}@mox.example`), "ann");
  }));

Deno.test("an edited file is taken over; one with mistakes is not, nor written over", () =>
  withConfig(async (config, dir) => {
    const path = join(dir, "domains.conf");
    assert.equal(await config.reload(), undefined);
    await Deno.writeTextFile(path, smallDynamic.replace("Mailbox: Private", "Mailbox: Secret"));
    const change = await config.reload();
    assert.deepEqual(change?.accounts.changed, ["bob"]);
    assert.deepEqual(change?.domains, { added: [], removed: [], changed: [] });
    assert.equal(look(config, "bob@mox.example"), "bob Secret bob@mox.example");

    const wrong = smallDynamic.replace("Mailbox: Private", "Mailbax: Private, and more");
    await Deno.writeTextFile(path, wrong);
    await assert.rejects(config.reload(), /domains\.conf:24: .*did you mean Mailbox\?/);
    await assert.rejects(config.writeDynamic((d) => d.Accounts.delete("bob")), ConfigError);
    assert.equal(await Deno.readTextFile(path), wrong);
    assert.equal(look(config, "bob@mox.example"), "bob Secret bob@mox.example");
    await Deno.remove(path);
    await assert.rejects(config.reload());
    assert.equal(look(config, "bob@mox.example"), "bob Secret bob@mox.example");
  }));

Deno.test("a file that is being written in place is not taken half", () =>
  withConfig(async (config, dir) => {
    const path = join(dir, "domains.conf");
    const seen: (string | undefined)[] = [];
    const told = Promise.withResolvers<void>();
    config.onChange(() => {
      seen.push(look(config, "bob@mox.example"));
      told.resolve();
    });
    // Seen by each look as written to at that moment, until the writer is done.
    let age = 0;
    let looks = 0;
    const looked = Promise.withResolvers<void>();
    await Deno.writeTextFile(path, smallDynamic.slice(0, smallDynamic.indexOf("\t\t\t@b")));
    const stop = config.watch(1, () => {
      if (++looks === 20) looked.resolve();
      return Deno.statSync(path).mtime!.getTime() + age;
    });
    const keep = setInterval(() => {}, 1000);
    try {
      await looked.promise;
      assert.equal(look(config, "bob@mox.example"), "bob Private bob@mox.example");
      const whole = smallDynamic.replace("Mailbox: Private", "Mailbox: Secret");
      await Deno.writeTextFile(path, whole);
      age = 1000;
      await told.promise;
      assert.deepEqual(seen, ["bob Secret bob@mox.example"]);
    } finally {
      stop();
      clearInterval(keep);
    }
  }));

Deno.test("watching takes edits over, and logs a file with mistakes once", () =>
  withConfig(async (config, dir) => {
    const logged: string[] = [];
    let told = () => {};
    const restore = setLogSink((line) => {
      if (!line.includes("pkg=config")) return;
      logged.push(line);
      told();
    });
    const next = () => new Promise<void>((resolve) => told = resolve);
    const stop = config.watch(5);
    // A watch alone does not keep the process running.
    const keep = setInterval(() => {}, 1000);
    try {
      let wait = next();
      await Deno.writeTextFile(join(dir, "domains.conf"), "Domains\n");
      await wait;
      assert.match(logged[0], /l=error .*domains\.conf:1: /);
      wait = next();
      await Deno.writeTextFile(
        join(dir, "domains.conf"),
        smallDynamic.replace("Mailbox: Private", "Mailbox: Secret"),
      );
      await wait;
      assert.match(logged[1], /l=info .*reloaded/);
      assert.equal(look(config, "bob@mox.example"), "bob Secret bob@mox.example");
    } finally {
      stop();
      clearInterval(keep);
      setLogSink(restore);
    }
  }));
