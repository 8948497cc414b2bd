/**
 * The admin API over a real socket: tokens with scopes, domains and expiry; dry runs; requests that are repeated; the
 * original's form as a client of it sends it; administrators of some domains.
 */
import assert from "node:assert/strict";
import { adminCalls } from "../../webmail/admin/api/mod.ts";
import { AdminTokens } from "../../src/admin/mod.ts";
import { callRules } from "../../src/web/admin/rules.ts";
import { ownCalls } from "../../src/web/admin/own_domains.ts";
import { adminOpenApi } from "../../src/web/admin/openapi.ts";
import { adminPassword, type AdminSite, userPassword, withAdminSite } from "./admin_site.ts";
import { moxIn } from "./instance.ts";

/** What is answered, whatever its form. */
interface Answer {
  status: number;
  headers: Headers;
  // deno-lint-ignore no-explicit-any
  body: any;
}

async function post(
  site: AdminSite,
  name: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const r = await fetch(`${site.origin}/admin/api/${name}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
  return { status: r.status, headers: r.headers, body: await r.json() };
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

/** Makes a token as the page and the command do. */
async function tokenOf(
  site: AdminSite,
  name: string,
  scope: string,
  domains: string[] = [],
): Promise<string> {
  const tokens = new AdminTokens(site.config.dataDir);
  const isDomain = (d: string) => site.config.domain(d) !== undefined;
  return (await tokens.add({ name, scopes: [scope], domains, days: 1 }, isDomain)).token;
}

Deno.test("each call of the page has its rule, and those within some domains are guarded", () => {
  assert.deepEqual(Object.keys(callRules).sort(), Object.keys(adminCalls).sort());
  const guarded = new Set(ownCalls);
  for (const [name, rule] of Object.entries(callRules)) {
    assert.equal(guarded.has(name), rule.own === true, name);
  }
});

Deno.test("the description names every call for programs, with schemas", () => {
  const doc = adminOpenApi("1", "/admin/api") as {
    paths: Record<string, { post: { requestBody: { content: unknown } } }>;
  };
  const wanted = Object.entries(callRules).filter(([, r]) => !r.pageOnly).map(([n]) => `/${n}`);
  assert.deepEqual(Object.keys(doc.paths).sort(), wanted.sort());
  const text = JSON.stringify(doc);
  for (const [, ref] of text.matchAll(/"\$ref":"#\/([^"]+)"/g)) {
    let at: unknown = doc;
    for (const part of ref.split("/")) at = (at as Record<string, unknown>)[part];
    assert.ok(at, ref);
  }
});

Deno.test("the admin API for programs", (t) =>
  withAdminSite(async (site) => {
    const all = await tokenOf(site, "deploy", "all:write");
    await t.step("who has no right token is refused", async () => {
      const refused: [Record<string, string>, number, RegExp][] = [
        [{}, 403, /need a token/],
        [{ "x-mox-request": "1" }, 401, /not logged in/],
        [bearer("moxadm_nonsense"), 401, /no such token/],
        [bearer(all.slice(0, -1)), 401, /no such token/],
        [{ authorization: "Basic YW5uOnNlY3JldA==" }, 401, /takes tokens/],
        [{ ...bearer(all), "sec-fetch-site": "cross-site" }, 403, /other sites/],
      ];
      for (const [headers, status, text] of refused) {
        const r = await post(site, "Accounts", {}, headers);
        assert.equal(r.status, status, JSON.stringify(headers));
        assert.match(r.body.error.message, text);
      }
      const get = await fetch(`${site.origin}/admin/api/Accounts`, { headers: bearer(all) });
      assert.equal(get.status, 405);
      await get.body?.cancel();
    });
    await t.step("the description and its page are there for everybody", async () => {
      const doc = await (await fetch(`${site.origin}/admin/api/openapi.json`)).json();
      assert.equal(doc.servers[0].url, "/admin/api");
      const page = await (await fetch(`${site.origin}/admin/api/`)).text();
      assert.match(page, /<code>AccountAdd<\/code>/);
    });
    await t.step("an account is tried, added, and found", async () => {
      const request = { name: "cleo", address: "cleo@mox.example" };
      const tried = await post(site, "AccountAdd?dryRun=1", request, bearer(all));
      assert.equal(tried.status, 200);
      assert.equal(tried.body.dryRun, true);
      assert.equal(tried.body.changes[0].what, "Accounts.cleo");
      assert.equal(site.config.account("cleo"), undefined);
      const bad = await post(site, "AccountAdd?dryRun=1", { ...request, name: "ann" }, bearer(all));
      assert.equal(bad.status, 422);
      assert.match(bad.body.error.message, /account ann is there already/);
      const key = { "idempotency-key": "order-1" };
      const made = await post(site, "AccountAdd", request, { ...bearer(all), ...key });
      assert.equal(made.status, 200);
      assert.equal(made.body.password.length, 16);
      const again = await post(site, "AccountAdd", request, { ...bearer(all), ...key });
      assert.deepEqual(again.body, made.body);
      const other = await post(
        site,
        "AccountAdd",
        { ...request, name: "x" },
        { ...bearer(all), ...key },
      );
      assert.equal(other.status, 409);
      const unkeyed = await post(site, "AccountAdd", request, bearer(all));
      assert.equal(unkeyed.status, 422);
      const kept = await Deno.readFile(`${site.config.dataDir}/webapi.db`);
      const wal = await Deno.readFile(`${site.config.dataDir}/webapi.db-wal`).catch(() =>
        new Uint8Array()
      );
      const text = new TextDecoder("latin1").decode(kept) + new TextDecoder("latin1").decode(wal);
      assert.ok(text.includes("order-1"));
      assert.ok(!text.includes(made.body.password), "the answer is kept in clear text");
    });
    await t.step("what a change is tried with is taken back, files of keys too", async () => {
      const files = () => [...Deno.readDirSync(`${site.dir}/config/dkim`)].map((e) => e.name);
      const before = files();
      const request = { name: "new.example", account: "ann", disabled: false };
      const tried = await post(site, "DomainAdd?dryRun=1", request, bearer(all));
      assert.equal(tried.body.changes[0].what, "Domains.new.example");
      assert.deepEqual(files(), before);
      const none = await post(site, "QueueAct?dryRun=1", {
        filter: { hold: true },
        action: { do: "drop" },
      }, bearer(all));
      assert.equal(none.status, 422);
      assert.match(none.body.error.message, /no dry run/);
    });
    await t.step("scopes, domains and expiry bound a token", async () => {
      const reader = await tokenOf(site, "reader", "accounts:read");
      assert.equal((await post(site, "Accounts", {}, bearer(reader))).status, 200);
      const write = await post(site, "AccountSessionsEnd", { name: "ann" }, bearer(reader));
      assert.equal(write.status, 403);
      assert.match(write.body.error.message, /lacks the scope accounts:write/);
      assert.equal((await post(site, "Queue", {}, bearer(reader))).status, 403);
      const page = await post(site, "Tokens", {}, bearer(all));
      assert.match(page.body.error.message, /tokens can't do this/);
      const tokens = new AdminTokens(site.config.dataDir, () => Date.now() - 3 * 86_400_000);
      const old = await tokens.add(
        { name: "old", scopes: ["all:read"], domains: [], days: 2 },
        () => true,
      );
      const expired = await post(site, "Accounts", {}, bearer(old.token));
      assert.equal(expired.status, 401);
      assert.match(expired.body.error.message, /has expired/);
    });
    await t.step("the command makes, lists and withdraws tokens", async () => {
      const command = (...args: string[]) => moxIn(site.dir, ["config", "admintoken", ...args]);
      const added = await command("add", "-days", "30", "club", "accounts:read", "queue:read");
      assert.match(added.stdout, /^moxadm_[\w-]{43}\n$/, added.stderr);
      const token = added.stdout.trim();
      assert.equal((await post(site, "Accounts", {}, bearer(token))).status, 200);
      const listed = await command("list");
      assert.match(
        listed.stdout,
        /^club: accounts:read queue:read; all domains; until .*; used .* from 127\.0\.0\.1$/m,
      );
      assert.ok(!listed.stdout.includes("moxadm_"));
      assert.equal((await command("rm", "club")).code, 0);
      assert.equal((await post(site, "Accounts", {}, bearer(token))).status, 401);
      const wrong = await command("add", "x", "everything");
      assert.equal(wrong.code, 1);
      assert.match(wrong.stderr, /"everything" is not a scope: those are all:read, all:write, ser/);
      const r = await moxIn(site.dir, ["config", "account", "rm", "-dryrun", "cleo"]);
      assert.match(r.stdout, /^Accounts\.cleo: .* -> –$/m, r.stderr);
      assert.notEqual(site.config.account("cleo"), undefined);
    });
    await t.step("mistakes in a token are told", async () => {
      const tokens = new AdminTokens(site.config.dataDir);
      const right = { name: "x", scopes: ["all:read"], domains: [] as string[], days: 1 };
      const mistakes: [Partial<typeof right>, RegExp][] = [
        [{ scopes: ["accounts"] }, /is not a scope/],
        [{ scopes: [] }, /needs a scope/],
        [{ days: 0 }, /1 to 3650 days/],
        [{ days: 1.5 }, /1 to 3650 days/],
        [{ days: 3651 }, /1 to 3650 days/],
        [{ domains: ["nowhere.example"] }, /no domain nowhere\.example/],
        [{ name: " " }, /1 to 100 characters/],
        [{ name: "deploy" }, /there is a token "deploy" already/],
      ];
      for (const [part, text] of mistakes) {
        await assert.rejects(async () => {
          await tokens.add({ ...right, ...part }, (d) => site.config.domain(d) !== undefined);
        }, text);
      }
      const file = `${site.config.dataDir}/admin-tokens.json`;
      const kept = await Deno.readTextFile(file);
      assert.ok(!kept.includes(all.slice(8)), "the token itself is kept");
      if (Deno.build.os !== "windows") assert.equal(Deno.statSync(file).mode! & 0o777, 0o600);
      await Deno.writeTextFile(file, "[{}]");
      assert.equal((await post(site, "Accounts", {}, bearer(all))).status, 500);
      await Deno.writeTextFile(file, kept);
      assert.equal((await post(site, "Accounts", {}, bearer(all))).status, 200);
    });
    await t.step("bad requests", async () => {
      const bad: [string, unknown, number, RegExp][] = [
        ["Nonsense", {}, 404, /no call Nonsense/],
        ["toString", {}, 404, /no call/],
        ["Account", {}, 400, /name/],
        ["Account", { name: "ann", more: 1 }, 400, /more/],
        ["Account", "{", 400, /not JSON/],
        ["Account", [], 400, /./],
        ["Account", { name: "nobody" }, 404, /no account nobody/],
        [
          "AccountPassword",
          { name: "ann", password: "with\ncontrol" },
          422,
          /characters in password/,
        ],
        ["AccountPassword", { name: "ann", password: "short" }, 422, /at least 8/],
        ["AccountDisable", { name: "ann", text: "one\ntwo" }, 422, /must be one line/],
        ["AccountDisable", { name: "ann", text: "away " }, 422, /white space at its end/],
        ["AccountAdd", { name: "../x", address: "a@mox.example" }, 422, /can't name an account/],
        [
          "AccountAdd",
          { name: "y", address: "a@b@c" },
          422,
          /not an address|not among|there is no/,
        ],
        [
          "DomainAdministratorsSet",
          { name: "mox.example", accounts: ["who"] },
          422,
          /no account "who"/,
        ],
        [
          "DomainRoutesSet",
          {
            name: "mox.example",
            routes: [{ fromDomain: [], toDomain: [], minimumAttempts: 0, transport: "none" }],
          },
          422,
          /no "none" among Transports/,
        ],
      ];
      for (const [name, request, status, text] of bad) {
        const r = await post(site, name, request, bearer(all));
        assert.equal(r.status, status, `${name}: ${JSON.stringify(r.body)}`);
        assert.match(r.body.error.message, text);
      }
    });
    await t.step("what tokens did is in the audit log", async () => {
      const { body } = await post(site, "Audit", {}, bearer(all));
      const added = body.entries.find((e: { action: string }) => e.action === "AccountAdd");
      assert.equal(added.who, "token deploy");
      assert.equal(added.from, "127.0.0.1");
      assert.ok(!JSON.stringify(body).includes("moxadm_"));
    });
  }));

/** A client of the original's API: cookies, and the token against other sites. */
function originalClient(site: AdminSite) {
  const jar = new Map<string, string>();
  let csrf = "";
  const call = async (name: string, ...params: unknown[]) => {
    const r = await post(site, name, { params }, {
      cookie: [...jar].map(([k, v]) => `${k}=${v}`).join("; "),
      ...(csrf === "" ? {} : { "x-mox-csrf": csrf }),
    });
    for (const c of r.headers.getSetCookie()) {
      const [, k, v] = /^([^=]+)=([^;]*)/.exec(c)!;
      jar.set(k, v);
    }
    assert.equal(r.status, 200);
    return r.body;
  };
  return {
    call,
    async login(password: string) {
      csrf = "";
      const { result } = await call("LoginPrep");
      const r = await call("Login", result, password);
      csrf = r.result ?? "";
      return r;
    },
  };
}

Deno.test("the original's names and form, as its clients use them", (t) =>
  withAdminSite(async (site) => {
    const client = originalClient(site);
    const ok = async (name: string, ...params: unknown[]) => {
      const r = await client.call(name, ...params);
      assert.equal(r.error, undefined, `${name}: ${JSON.stringify(r.error)}`);
      return r.result;
    };
    await t.step("login", async () => {
      assert.equal(
        (await client.call("Login", "x".repeat(32), adminPassword)).error.code,
        "user:loginFailed",
      );
      assert.equal((await client.login("wrong")).error.code, "user:loginFailed");
      assert.equal(typeof (await client.login(adminPassword)).result, "string");
    });
    await t.step("domains", async () => {
      await ok("DomainAdd", false, "site.example", "dora", "dora");
      const found = await ok("Domains");
      assert.deepEqual(
        found.map((d: { Domain: { ASCII: string } }) => d.Domain.ASCII),
        ["mox.example", "site.example"],
      );
      await ok("DomainDescriptionSave", "site.example", "of a club");
      await ok("DomainLocalpartConfigSave", "site.example", ["+", "-"], true);
      await ok("DomainClientSettingsDomainSave", "site.example", "mail.site.example");
      await ok("DomainDisabledSave", "site.example", true);
      await ok("DomainDMARCAddressSave", "site.example", "reports", "", "dora", "DMARC");
      await ok("DomainRoutesSave", "site.example", [{
        ToDomain: ["a.example"],
        Transport: "relay",
      }]);
      const d = await ok("DomainConfig", "site.example");
      assert.equal(d.Description, "of a club");
      assert.deepEqual(d.LocalpartCatchallSeparators, ["+", "-"]);
      assert.equal(d.Disabled, true);
      assert.deepEqual(d.DMARC, {
        Localpart: "reports",
        Domain: "",
        Account: "dora",
        Mailbox: "DMARC",
      });
      assert.equal(d.Routes[0].Transport, "relay");
      await ok("DomainDMARCAddressSave", "site.example", "", "", "", "");
      assert.equal((await ok("DomainConfig", "site.example")).DMARC, null);
      assert.ok((await ok("DomainRecords", "mox.example")).some((l: string) => /\bMX\b/.test(l)));
      assert.deepEqual((await ok("DomainLocalparts", "site.example"))[0], { dora: "dora" });
    });
    await t.step("accounts and aliases", async () => {
      await ok("AccountAdd", "emil", "emil@site.example");
      await ok("SetPassword", "emil", "a good password");
      await ok("AddressAdd", "em@site.example", "emil");
      await ok("AccountSettingsSave", "emil", 10, 0, -1, false, true);
      const [a, usage] = await ok("Account", "emil");
      assert.deepEqual(Object.keys(a.Destinations), ["emil@site.example", "em@site.example"]);
      assert.equal(a.MaxOutgoingMessagesPerDay, 10);
      assert.equal(a.MaxFirstTimeRecipientsPerDay, 200);
      assert.equal(a.NoFirstTimeSenderDelay, true);
      assert.equal(usage, 0);
      await ok("AccountLoginDisabledSave", "emil", "gone");
      assert.deepEqual(await ok("Accounts"), [["ann", "dora", "emil"], ["emil"]]);
      await ok("AliasAdd", "all", "site.example", { Addresses: ["dora@site.example"] });
      await ok("AliasAddressesAdd", "all", "site.example", ["emil@site.example"]);
      await ok("AliasUpdate", "all", "site.example", true, false, false);
      await ok("AliasAddressesRemove", "all", "site.example", ["dora@site.example"]);
      const { Aliases } = await ok("DomainConfig", "site.example");
      assert.deepEqual(Aliases.all.Addresses, ["emil@site.example"]);
      assert.equal(Aliases.all.PostPublic, true);
      await ok("AliasRemove", "all", "site.example");
      await ok("AccountRemove", "emil");
    });
    await t.step("errors have the codes and words that clients look for", async () => {
      const twice = await client.call("AccountAdd", "dora", "d@site.example");
      assert.equal(twice.error.code, "user:error");
      assert.match(twice.error.message, /already/);
      for (
        const [name, ...params] of [
          ["AccountRemove", "emil"],
          ["DomainRemove", "nowhere.example"],
          ["AddressRemove", "em@site.example"],
          ["AliasRemove", "all", "site.example"],
        ]
      ) {
        const r = await client.call(name, ...params);
        assert.equal(r.error.code, "user:error");
        assert.match(r.error.message, /does not exist/, name);
      }
      assert.equal((await client.call("AccountAdd", "x")).error.code, "sherpa:badParams");
      assert.match((await client.call("Nonsense")).error.message, /no function/);
      assert.equal((await client.call("constructor")).error.code, "user:error");
    });
    await t.step("logged out, a call says so", async () => {
      await ok("Logout");
      assert.equal((await client.call("Domains")).error.code, "user:noAuth");
    });
  }, { empty: true }));

/** A session of the page. */
async function pageSession(site: AdminSite, username: string, password: string) {
  const r = await post(site, "Login", { username, password }, { "x-mox-request": "1" });
  const cookie = r.headers.getSetCookie().map((c) => c.split(";")[0]).join("; ");
  return {
    status: r.status,
    call: (name: string, request: unknown) =>
      post(site, name, request, { "x-mox-request": "1", cookie }),
  };
}

Deno.test("administrators of some domains see and change these only", (t) =>
  withAdminSite(async (site) => {
    // ben and office have addresses at concert.example, ann is the postmaster and has mox.example.
    assert.equal((await pageSession(site, "ben@concert.example", userPassword)).status, 401);
    const set = await moxIn(site.dir, [
      "config",
      "domain",
      "admins",
      "-set",
      "ben,office",
      "concert.example",
    ]);
    assert.equal(set.code, 0, set.stderr);
    assert.equal(set.stdout, "ben\noffice\n");
    const ben = await pageSession(site, "ben@concert.example", userPassword);
    const good = async (name: string, request: unknown) => {
      const r = await ben.call(name, request);
      assert.equal(r.status, 200, `${name}: ${JSON.stringify(r.body)}`);
      return r.body;
    };
    await t.step("what they see", async () => {
      assert.deepEqual((await good("Session", {})).domains, ["concert.example"]);
      const { domains } = await good("Domains", {});
      assert.deepEqual(domains.map((d: { name: string }) => d.name), ["concert.example"]);
      const { accounts } = await good("Accounts", {});
      assert.deepEqual(
        accounts.map((a: { name: string }) => a.name).sort(),
        ["archive", "ben", "office"],
      );
      await good("Domain", { name: "CONCERT.example" });
      await good("DmarcReports", { days: 30, domain: "concert.example" });
    });
    await t.step("what they do", async () => {
      const { password } = await good("AccountAdd", {
        name: "flo",
        address: "flo@concert.example",
      });
      assert.equal(password.length, 16);
      await good("AddressAdd", { address: "f@concert.example", account: "flo" });
      await good("AccountPassword", { name: "flo", password: "another password" });
      await good("AccountDisable", { name: "flo", text: "on holiday" });
      await good("AliasAdd", {
        address: "crew@concert.example",
        members: ["flo@concert.example", "someone@elsewhere.example"],
        postPublic: false,
        listMembers: false,
        allowMsgFrom: false,
      });
      await good("DkimAdd", { name: "concert.example", selector: "late", algorithm: "ed25519" });
    });
    await t.step("what they don't", async () => {
      const alias = { postPublic: true, listMembers: true, allowMsgFrom: true };
      const limits = {
        fullName: "",
        maxOutgoing: 1000,
        maxFirstTime: 200,
        quota: 0,
        noFirstTimeSenderDelay: false,
        noCustomPassword: false,
      };
      const refused: [string, unknown, number][] = [
        ["Domain", { name: "mox.example" }, 404],
        ["DomainDisable", { name: "concert.example", disabled: true }, 403],
        ["DomainRemove", { name: "concert.example" }, 403],
        ["DomainAdd", { name: "x.example", account: "ben", disabled: false }, 403],
        ["DomainAdministratorsSet", { name: "concert.example", accounts: [] }, 403],
        ["DkimAdd", { name: "mox.example", selector: "s", algorithm: "ed25519" }, 404],
        ["DomainJournalSet", { name: "concert.example", journal: null }, 403],
        ["AccountKeepingSet", { name: "flo", retention: [], legalHold: false }, 403],
        ["AccountAged", { name: "ann", retention: [], legalHold: false }, 404],
        ["DomainSet", {
          name: "concert.example",
          description: "",
          clientSettingsDomain: "mail.mox.example",
          separators: [],
          caseSensitive: false,
        }, 422],
        ["Account", { name: "ann" }, 404],
        ["AccountPassword", { name: "ann" }, 404],
        ["AccountRemove", { name: "ann" }, 404],
        ["AccountAdd", { name: "g", address: "g@mox.example" }, 404],
        ["AddressAdd", { address: "flo@mox.example", account: "flo" }, 404],
        ["AddressAdd", { address: "x@concert.example", account: "ann" }, 404],
        ["AliasAdd", { address: "x@mox.example", members: ["flo@concert.example"], ...alias }, 404],
        ["AliasAdd", { address: "x@concert.example", members: ["ann@mox.example"], ...alias }, 422],
        ["AccountSet", { name: "flo", ...limits, maxOutgoing: 1001 }, 422],
        ["AccountSet", { name: "flo", ...limits, quota: null }, 422],
        ["DmarcReports", { days: 30, domain: "" }, 422],
        ["DmarcFailures", { days: 30, domain: "" }, 422],
        ["DmarcReports", { days: 30, domain: "mox.example" }, 404],
        ["DmarcReport", { id: 1 }, 404],
        ["Queue", { filter: {}, sort: "next", descending: false, limit: 1 }, 403],
        ["ConfigFiles", {}, 403],
        ["Audit", {}, 403],
        ["Tokens", {}, 403],
        ["PasswordSet", { password: "x", current: userPassword }, 403],
        ["QueueAct", { filter: { hold: true }, action: { do: "drop" } }, 403],
      ];
      const before = await Deno.readTextFile(site.config.dynamicPath);
      for (const [name, request, status] of refused) {
        const r = await ben.call(name, request);
        assert.equal(
          r.status,
          status,
          `${name} ${JSON.stringify(request)}: ${JSON.stringify(r.body)}`,
        );
      }
      assert.equal(await Deno.readTextFile(site.config.dynamicPath), before);
      await good("AccountSet", { name: "flo", ...limits, maxOutgoing: 10 });
      await good("AccountSet", { name: "flo", ...limits, maxOutgoing: 10, maxHourly: 5 });
      for (const maxHourly of [6, 0]) {
        const request = { name: "flo", ...limits, maxOutgoing: 10, maxHourly };
        assert.equal((await ben.call("AccountSet", request)).status, 422, `${maxHourly} an hour`);
      }
      const later = await ben.call("AccountSet", { name: "flo", ...limits });
      assert.equal(later.status, 422, "limits that were lowered are raised again");
    });
    await t.step("an account that administers more than they do is not theirs", async () => {
      await site.config.writeDynamic((d) => {
        d.Domains.get("moved.example")!.Administrators = ["office"];
      });
      assert.equal((await ben.call("AccountPassword", { name: "office" })).status, 404);
      const { accounts } = await good("Accounts", {});
      assert.ok(!accounts.some((a: { name: string }) => a.name === "office"));
      // An address of it isn't theirs to take either, however it is written.
      for (
        const address of ["office@concert.example", "OFFICE@Concert.Example", "@concert.example"]
      ) {
        assert.equal((await ben.call("AddressRemove", { address })).status, 422, address);
      }
    });
    await t.step("a token of a domain has the same bounds", async () => {
      const token = bearer(await tokenOf(site, "club", "all:write", ["concert.example"]));
      assert.equal((await post(site, "Domain", { name: "concert.example" }, token)).status, 200);
      assert.equal((await post(site, "Domain", { name: "mox.example" }, token)).status, 404);
      assert.equal((await post(site, "AccountPassword", { name: "ann" }, token)).status, 404);
      assert.equal((await post(site, "ConfigFiles", {}, token)).status, 403);
      const { body } = await post(site, "Domains", { params: [] }, token);
      assert.equal(body.result.length, 1);
      const foreign = await post(site, "SetPassword", { params: ["ann", "taken over"] }, token);
      assert.match(foreign.body.error.message, /no account ann/);
      // When the domain is gone the token is of nothing, not of everything.
      await site.config.writeDynamic((d) => {
        d.Domains.get("concert.example")!.Administrators = [];
      });
    });
    await t.step("who administers no more is out at once", async () => {
      assert.equal((await ben.call("Domains", {})).status, 401);
    });
  }));
