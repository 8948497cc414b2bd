/** What administrators of other mail servers have reported as faults of their pages and APIs, tried here. */
import assert from "node:assert/strict";
import { AdminTokens } from "../../src/admin/mod.ts";
import { Talk } from "../support/talk.ts";
import { type AdminSite, withAdminSite } from "./admin_site.ts";

type Call = (name: string, request: unknown) => Promise<{ status: number; text: string }>;

async function callsOf(site: AdminSite, domains: string[]): Promise<Call> {
  const tokens = new AdminTokens(site.config.dataDir);
  const asked = { name: `of ${domains}`, scopes: ["all:write"], domains, days: 1 };
  const { token } = await tokens.add(asked, () => true);
  return async (name, request) => {
    const r = await fetch(`${site.origin}/admin/api/${name}`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
      body: JSON.stringify(request),
    });
    return { status: r.status, text: await r.text() };
  };
}

/** A site with the domain one.example and dora's account there; calls of the server's and the domain's administrator. */
const withDomain = (fn: (site: AdminSite, all: Call, own: Call) => Promise<void>) => () =>
  withAdminSite(async (site) => {
    const all = await callsOf(site, []);
    for (const name of ["one.example", "sub.one.example", "someone.example"]) {
      await good(all, "DomainAdd", { name, account: "ann", disabled: false });
    }
    const own = await callsOf(site, ["one.example"]);
    await good(own, "AccountAdd", { name: "dora", address: "dora@one.example" });
    await fn(site, all, own);
  }, { empty: true });

async function good(call: Call, name: string, request: unknown): Promise<string> {
  const r = await call(name, request);
  assert.equal(r.status, 200, `${name} ${JSON.stringify(request)}: ${r.text}`);
  return r.text;
}

async function refused(call: Call, name: string, request: unknown, why: RegExp): Promise<void> {
  const r = await call(name, request);
  assert.ok(r.status === 422 || r.status === 400, `${name}: ${r.status} ${r.text}`);
  assert.match(r.text, why);
}

const alias = (address: string, ...members: string[]) => ({
  ...{ address, members, postPublic: true, listMembers: false, allowMsgFrom: false },
});

const listSettings = {
  ...{ name: "", description: "", posting: "members", others: "hold", moderated: false },
  ...{ subscribing: "open", archive: "none", from: "dmarc", replyToList: false },
  ...{ subjectPrefix: "", maxMessageSize: 1_000_000, unlisted: false },
};

const loginOf = async (site: AdminSite, login: string, password: string) => {
  const t = Talk.to(site.ports.imap, "127.0.0.1");
  await t.expect(/^\* OK.*\r\n/m);
  const said = await t.say(`a LOGIN ${login} "${password}"\r\n`, /^a .*\r\n/m);
  t.close();
  return /^a (OK|NO)/m.exec(said)![1];
};

const dora = "dora@one.example";

// mjl-/mox 474, thunderbird-accounts 1297.
Deno.test(
  "a domain that was just added is removed again, and none whose name contains it",
  withDomain(async (site, all) => {
    await refused(all, "DomainRemove", { name: "one.example" }, /accounts have addresses .*dora@/);
    await good(all, "AccountRemove", { name: "dora" });
    const before = (name: string) => site.config.domain(name)?.config.DKIM.Selectors.size;
    assert.deepEqual(["sub.one.example", "someone.example"].map(before), [2, 2]);
    await good(all, "DomainRemove", { name: "one.example" });
    assert.deepEqual(["one.example", "sub.one.example", "someone.example"].map(before), [
      ...[undefined, 2, 2],
    ]);
    await good(all, "DomainAdd", { name: "one.example", account: "ann", disabled: false });
  }),
);

// mailcow 91, modoboa 1669.
Deno.test(
  "a catch-all goes away by itself",
  withDomain(async (site, all, own) => {
    await good(all, "AddressAdd", { address: "@one.example", account: "dora" });
    assert.equal(site.config.accountFor("anybody@one.example"), "dora");
    await good(own, "AddressRemove", { address: "@one.example" });
    assert.equal(site.config.accountFor("anybody@one.example"), undefined);
    assert.equal(site.config.accountFor(dora), "dora");
  }),
);

// Mailu 2695, 2718, 867; modoboa 685.
Deno.test(
  "capitals make no second account or alias of an address, unless they count",
  withDomain(async (site, all, own) => {
    await good(own, "AccountAdd", { name: "cap", address: "Cap@one.example" });
    await refused(own, "AccountAdd", { name: "two", address: "cAP@One.example" }, /of account cap/);
    await refused(own, "AliasAdd", alias("CAP@one.example", dora), /of account cap already/);
    await good(own, "AliasAdd", alias("Team@one.example", dora));
    for (const address of ["team@one.example", "TEAM@one.example"]) {
      await refused(own, "AccountAdd", { name: "team", address }, /is an alias already/);
      await refused(own, "AddressAdd", { account: "cap", address }, /is an alias already/);
      await refused(own, "AliasAdd", alias(address, dora), /an alias with this address already/);
    }
    await good(own, "AliasRemove", { address: "tEAM@one.example" });
    const settings = {
      ...{ name: "one.example", description: "", clientSettingsDomain: "", separators: ["+"] },
    };
    await good(own, "DomainSet", { ...settings, caseSensitive: true });
    await good(own, "AliasAdd", alias("J.Doe@one.example", dora));
    await good(own, "AliasAdd", alias("j.doe@one.example", "Cap@one.example"));
    void all;
    assert.equal(site.config.domain("one.example")!.config.Aliases.size, 2);
  }),
);

// docker-mailserver 2171, 1563; hestiacp 3687; postfixadmin 572; modoboa 674; simple-login 1731.
Deno.test(
  "addresses and aliases that could not be removed again are not added",
  withDomain(async (_site, all, own) => {
    await refused(all, "AccountAdd", { name: "dan", address: "daniel@test" }, /not among Domains/);
    await refused(own, "AliasAdd", alias("none@one.example"), /members/);
    await refused(own, "AliasAdd", alias("self@one.example", "self@one.example"), /not an address/);
    await refused(own, "AliasAdd", alias("bare@one.example", "joe"), /it has no @/);
    await refused(own, "AliasAdd", alias("twice@one.example", dora, "Dora@one.example"), /twice/);
    await good(own, "AliasAdd", alias("a.b@one.example", dora));
    await good(own, "AliasAdd", alias("a@one.example", dora));
    await refused(own, "AliasAdd", alias("loop@one.example", "a@one.example"), /not an address/);
    await refused(own, "AliasMembersAdd", { address: "a@one.example", members: [dora] }, /already/);
  }),
);

// modoboa 480, yunohost 2843; the text of the error is our own fault.
Deno.test(
  "an account that is removed leaves its aliases and lists; those that nobody would be left in are named",
  withDomain(async (site, all, own) => {
    await good(own, "AccountAdd", { name: "eve", address: "eve@one.example" });
    await good(own, "AliasAdd", alias("both@one.example", dora, "eve@one.example"));
    await good(own, "AliasAdd", alias("alone@one.example", dora));
    await good(all, "AliasAdd", alias("abroad@mox.example", dora));
    for (const [name, owners] of [["news", [dora]], ["talk", [dora, "eve@one.example"]]]) {
      const address = `${name}@one.example`;
      await good(own, "ListAdd", { address, settings: { ...listSettings, owners } });
    }
    // Aliases of others are not named.
    await refused(
      own,
      "AccountRemove",
      { name: "dora" },
      /only member of an alias that isn't yours/,
    );
    await refused(
      all,
      "AccountRemove",
      { name: "dora" },
      /dora is the only member of the alias abroad@mox\.example, alone@one\.example, and the only owner of the list news@one\.example: name somebody else there/,
    );
    await good(all, "AliasRemove", { address: "abroad@mox.example" });
    await good(own, "AliasRemove", { address: "alone@one.example" });
    await good(own, "ListRemove", { address: "news@one.example" });
    await good(own, "AccountRemove", { name: "dora" });
    const { Aliases, Lists } = site.config.domain("one.example")!.config;
    assert.deepEqual(Aliases.get("both")!.Addresses, ["eve@one.example"]);
    assert.deepEqual(Lists.get("talk")!.Owners, ["eve@one.example"]);
  }),
);

// stalwart 2826, 2929, 3036; mailinabox 1159.
Deno.test(
  "the password that is answered logs in, and an account made anew has its own password and no mail of the former",
  withDomain(async (site, _all, own) => {
    const { password } = JSON.parse(
      await good(own, "AccountPassword", { name: "dora" }),
    );
    assert.equal(await loginOf(site, dora, password), "OK");
    assert.equal(await loginOf(site, "dora+tag@one.example", password), "OK");
    await good(own, "AccountRemove", { name: "dora" });
    assert.equal(await loginOf(site, dora, password), "NO");
    for (;;) {
      const r = await own("AccountAdd", { name: "dora", address: dora });
      if (r.status === 200) {
        const again = JSON.parse(r.text).password;
        assert.notEqual(again, password);
        assert.equal(await loginOf(site, dora, again), "OK");
        break;
      }
      // The session of before may have the folder open still.
      assert.match(r.text, /still being removed|mail of a former account/);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assert.equal(await loginOf(site, dora, password), "NO");
  }),
);

// mailcow-dockerized 3027.
Deno.test(
  "the administrator of a domain that is removed administers nothing, and the account can be removed",
  withDomain(async (site, all) => {
    await good(all, "AddressAdd", { address: "dora@someone.example", account: "dora" });
    await good(all, "DomainAdministratorsSet", { name: "one.example", accounts: ["dora"] });
    await refused(all, "DomainRemove", { name: "one.example" }, /dora@one\.example/);
    await site.config.writeDynamic((d) =>
      void (d.Accounts.get("dora")!.Domain = "someone.example")
    );
    await good(all, "AddressRemove", { address: dora });
    await good(all, "DomainRemove", { name: "one.example" });
    assert.deepEqual(site.config.dynamic.Domains.has("one.example"), false);
    await good(all, "AccountRemove", { name: "dora" });
    await good(all, "DomainAdd", { name: "one.example", account: "ann", disabled: false });
    assert.deepEqual(site.config.domain("one.example")!.config.Administrators, []);
  }),
);
