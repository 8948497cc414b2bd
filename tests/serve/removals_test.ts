/** What is left of accounts and domains that were removed, when others of the same name come; and disabled accounts. */
import assert from "node:assert/strict";
import { AdminTokens } from "../../src/admin/mod.ts";
import { type AdminSite, withAdminSite } from "./admin_site.ts";

type Call = (name: string, request: unknown) => Promise<{ status: number; text: string }>;

async function tokenOf(site: AdminSite, domains: string[]): Promise<Call> {
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

const good = async (call: Call, name: string, request: unknown) => {
  const r = await call(name, request);
  assert.equal(r.status, 200, `${name}: ${r.text}`);
};
const refused = async (call: Call, name: string, request: unknown, why: RegExp) => {
  const r = await call(name, request);
  assert.equal(r.status, 422, `${name}: ${r.text}`);
  assert.match(r.text, why);
};

/** Waits until a condition holds. */
async function until(fn: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; !await fn(); i++) {
    assert.ok(i < 3000, "it never came to be");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

Deno.test("an account of a name that was just removed has neither the former one's scripts nor what was granted to it", () =>
  withAdminSite(async (site) => {
    const { server } = site;
    const call = await tokenOf(site, []);
    const bob = { name: "bob", address: "bob@mox.example" };
    await good(call, "AccountAdd", bob);
    const scripts = server.sieve!.scripts;
    await scripts.put("bob", "old", "keep;");
    await server.shares.add("ann", "bob");
    await good(call, "AccountRemove", { name: "bob" });
    await good(call, "AccountAdd", bob);
    await until(() => server.shares.owners("bob").length === 0);
    await until(() => scripts.list("bob").length === 0);
  }, { empty: true }));

Deno.test("a token of a domain ends with it, and is none of the next domain of that name", () =>
  withAdminSite(async (site) => {
    const all = await tokenOf(site, []);
    for (const name of ["one.example", "two.example"]) {
      await good(all, "DomainAdd", { name, account: "ann", disabled: false });
    }
    const one = await tokenOf(site, ["one.example"]);
    const both = await tokenOf(site, ["two.example", "one.example"]);
    await good(one, "Domain", { name: "one.example" });
    await good(all, "DomainRemove", { name: "one.example" });
    await good(all, "DomainAdd", { name: "one.example", account: "ann", disabled: false });
    const tokens = new AdminTokens(site.config.dataDir);
    await until(async () => (await tokens.list()).length === 2);
    assert.deepEqual((await tokens.list()).map((t) => t.domains), [[], ["two.example"]]);
    assert.equal((await one("Domain", { name: "one.example" })).status, 401);
    assert.equal((await both("Domain", { name: "one.example" })).status, 404);
    await good(both, "Domain", { name: "two.example" });
  }, { empty: true }));

Deno.test("an account that the server's administrator disabled stays so; one that its domain's did, they enable again", () =>
  withAdminSite(async (site) => {
    const all = await tokenOf(site, []);
    await good(all, "DomainAdd", { name: "one.example", account: "ann", disabled: false });
    const own = await tokenOf(site, ["one.example"]);
    await good(own, "AccountAdd", { name: "ida", address: "ida@one.example" });
    const disabled = () => site.config.account("ida")!.LoginDisabled;
    await good(own, "AccountDisable", { name: "ida", text: "on leave" });
    await good(own, "AccountDisable", { name: "ida", text: "on holiday" });
    await good(own, "AccountDisable", { name: "ida", text: "" });
    assert.equal(disabled(), "");
    await good(all, "AccountDisable", { name: "ida", text: "abuse" });
    for (const text of ["", "on holiday"]) {
      await refused(own, "AccountDisable", { name: "ida", text }, /by the server's administrator/);
    }
    assert.equal(disabled(), "abuse");
    // Nor do they get around it with another account of the address.
    await refused(own, "AccountRemove", { name: "ida" }, /by the server's administrator/);
    await good(all, "AddressAdd", { address: "ida2@one.example", account: "ida" });
    for (const address of ["ida@one.example", "ida2@one.example"]) {
      await refused(own, "AddressRemove", { address }, /by the server's administrator/);
    }
    await good(all, "AccountDisable", { name: "ida", text: "" });
    await good(own, "AddressRemove", { address: "ida2@one.example" });
    await good(own, "AccountDisable", { name: "ida", text: "on leave" });
    // Whoever disables it last has it.
    await good(all, "AccountDisable", { name: "ida", text: "abuse" });
    await refused(
      own,
      "AccountDisable",
      { name: "ida", text: "" },
      /by the server's administrator/,
    );
  }, { empty: true }));

Deno.test("mistakes of domains.conf name nothing of other domains to a domain's administrators", () =>
  withAdminSite(async (site) => {
    const all = await tokenOf(site, []);
    await good(all, "DomainAdd", { name: "one.example", account: "ann", disabled: false });
    const own = await tokenOf(site, ["one.example"]);
    const path = `${site.dir}/config/domains.conf`;
    const before = await Deno.readTextFile(path);
    const wrong = before.replace("FullName: Ann Example", "SendAs:\n\t\t\t- secretname");
    assert.notEqual(wrong, before);
    await Deno.writeTextFile(path, wrong);
    const ida = { name: "ida", address: "ida@one.example" };
    await refused(all, "AccountAdd", ida, /secretname/);
    const r = await own("AccountAdd", ida);
    assert.equal(r.status, 422);
    assert.match(r.text, /the server's administrator must correct them/);
    assert.doesNotMatch(r.text, /secretname|ann/);
  }, { empty: true }));

Deno.test("where copies of another domain's mail go by a catch-all, a domain's administrators give nobody that address", () =>
  withAdminSite(async (site) => {
    const all = await tokenOf(site, []);
    await good(all, "DomainAdd", { name: "one.example", account: "ann", disabled: false });
    const own = await tokenOf(site, ["one.example"]);
    await good(own, "AccountAdd", { name: "ida", address: "ida@one.example" });
    await good(all, "AccountAdd", { name: "catch", address: "catch@one.example" });
    await good(all, "AddressAdd", { address: "@one.example", account: "catch" });
    const settings = {
      ...{ name: "one.example", description: "", clientSettingsDomain: "", caseSensitive: false },
    };
    await good(own, "DomainSet", { ...settings, separators: ["+"] });
    const journal = (Address: string) =>
      site.config.writeDynamic((d) => {
        d.Domains.get("mox.example")!.Journal = { Address, Mailbox: "Journal", KeyFile: "" };
      });
    const goes = () => site.config.accountFor("Copies-all+x@one.example");
    await journal("Copies-all+x@one.example");
    assert.equal(goes(), "catch");
    const inUse = /in use by the server's administrator/;
    for (const address of ["copies-all@one.example", "COPIES-ALL@One.Example"]) {
      await refused(own, "AddressAdd", { address, account: "ida" }, inUse);
      await refused(own, "AccountAdd", { name: "eve", address }, inUse);
      const alias = { postPublic: true, listMembers: false, allowMsgFrom: false };
      await refused(own, "AliasAdd", { address, members: ["ida@one.example"], ...alias }, inUse);
    }
    for (const separators of [["-"], ["+", "-"], []]) {
      await refused(own, "DomainSet", { ...settings, separators }, inUse);
    }
    await refused(own, "DomainSet", { ...settings, separators: ["+"], caseSensitive: true }, inUse);
    await good(own, "DomainSet", { ...settings, description: "changed", separators: ["+"] });
    await good(own, "AddressAdd", { address: "copies@one.example", account: "ida" });
    assert.equal(goes(), "catch");
    // The account that has them is not theirs.
    await refused(own, "AddressRemove", { address: "@one.example" }, /looks after/);
    await good(all, "AddressAdd", { address: "copies-all@one.example", account: "ida" });
    assert.equal(goes(), "ida");
  }, { empty: true }));
