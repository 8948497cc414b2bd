/**
 * Who may make which call of the admin API, over HTTP: every call has a verdict here. Administrators of a domain, and
 * tokens of one, try to reach other domains, their accounts, and accounts that are theirs in part only; tokens of one
 * scope try all calls.
 */
import assert from "node:assert/strict";
import { AdminTokens } from "../../src/admin/mod.ts";
import { type AdminCallName, callRules } from "../../src/web/admin/rules.ts";
import { adminPassword, type AdminSite, userPassword, withAdminSite } from "./admin_site.ts";

interface Answer {
  status: number;
  // deno-lint-ignore no-explicit-any
  body: any;
}
type Call = (name: string, request: unknown) => Promise<Answer>;

async function post(
  site: AdminSite,
  name: string,
  request: unknown,
  headers: Record<string, string>,
): Promise<Answer & { cookie: string }> {
  const r = await fetch(`${site.origin}/admin/api/${name}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(request),
  });
  const cookie = r.headers.getSetCookie().map((c) => c.split(";")[0]).join("; ");
  return { status: r.status, body: await r.json(), cookie };
}

async function loggedIn(site: AdminSite, username: string, password: string): Promise<Call> {
  const login = await post(site, "Login", { username, password }, { "x-mox-request": "1" });
  assert.equal(login.status, 200, JSON.stringify(login.body));
  const headers = { "x-mox-request": "1", cookie: login.cookie };
  return (name, request) => post(site, name, request, headers);
}

async function tokenOf(site: AdminSite, scope: string, domains: string[] = []): Promise<Call> {
  const tokens = new AdminTokens(site.config.dataDir);
  const asked = { name: `${scope} ${domains}`, scopes: [scope], domains, days: 1 };
  const { token } = await tokens.add(asked, () => true);
  return (name, request) => post(site, name, request, { authorization: `Bearer ${token}` });
}

/** The attackers have concert.example. Domains of others, in whatever form. */
const foreignDomains = [
  "mox.example",
  "MOX.Example",
  "bücher.example",
  "BÜCHER.example",
  "xn--bcher-kva.example",
  "moved.example",
  "team.concert.example",
];
/** Answered as all of the above. */
const noDomain = "nowhere.example";

/** Accounts that they mustn't touch, and why. */
const foreignAccounts = {
  ann: "the postmaster",
  both: "addresses at both domains",
  mixed: "an address of a domain of others, in a domain of theirs",
  mira: "its Domain is another's",
  journal: "copies of another domain's mail go to it",
  dmarc: "DMARC reports of another domain go to it",
  tlsrpt: "TLS reports of another domain go to it",
  mailman: "it sends for another domain",
  office: "it administers another domain",
};

const settings = {
  description: "",
  clientSettingsDomain: "",
  separators: [],
  caseSensitive: false,
};
const limits = {
  fullName: "x",
  maxOutgoing: 1,
  maxFirstTime: 1,
  quota: 1,
  noFirstTimeSenderDelay: false,
  noCustomPassword: false,
};
const alias = { postPublic: true, listMembers: true, allowMsgFrom: true };
const list = {
  ...{ name: "", description: "", owners: ["ben@concert.example"], posting: "members" },
  ...{ others: "hold", moderated: false, subscribing: "open", archive: "none", from: "dmarc" },
  ...{ replyToList: false, subjectPrefix: "", maxMessageSize: 1_000_000, unlisted: false },
};
const keeping = { retention: [], legalHold: false };

/** What is tried, and what it must be answered with. */
type Try = [request: Record<string, unknown>, status: number];
type Verdict =
  /** For who sees all. */
  | "server"
  /** About oneself. */
  | "everybody"
  /** For administrators of domains too: these tries are refused. */
  | Try[]
  /** The same; nothing in the answer is of others. */
  | "cut";

const domain = (more: Record<string, unknown> = {}): Try[] =>
  [...foreignDomains, noDomain].map((name) => [{ name, ...more }, 404]);
const address = (more: Record<string, unknown> = {}, localpart = "all"): Try[] =>
  [...foreignDomains, noDomain].map((d) => [{ address: `${localpart}@${d}`, ...more }, 404]);
const account = (more: Record<string, unknown> = {}): Try[] =>
  [...Object.keys(foreignAccounts), "nobody"].map((name) => [{ name, ...more }, 404]);
const reports: Try[] = [
  ...[...foreignDomains, noDomain].map((d): Try => [{ domain: d, days: 30 }, 404]),
  [{ domain: "", days: 30 }, 422],
];
const theirs = "crew@concert.example";
/** Members of others among their own. */
const mixed = [
  ["ben@concert.example", "ann@mox.example"],
  ["ben@concert.example", "ann@MOX.EXAMPLE"],
  ["ben@concert.example", "ann@mox.example "],
  ["x@xn--bcher-kva.example", "ben@concert.example"],
  ["x@bücher.example"],
  ["ann@moved.example"],
];
const mixedMembers = (more: Record<string, unknown> = {}): Try[] =>
  mixed.map((members) => [{ address: theirs, members, ...more }, 422]);
const mixedOwners: Try[] = mixed.map((owners) => [{
  address: "news@concert.example",
  settings: { ...list, owners },
}, 422]);

const verdicts: Record<AdminCallName, Verdict> = {
  Login: "everybody",
  Session: "everybody",
  Logout: "everybody",
  Overview: "server",
  Status: "server",
  Glance: "server",
  Storage: "server",
  BlockLists: "server",
  BlockListsSet: "server",
  Domains: "cut",
  Domain: domain(),
  DomainAdd: "server",
  DomainRemove: "server",
  DomainDisable: "server",
  DomainSet: [
    ...domain(settings),
    [
      { name: "concert.example", ...settings, clientSettingsDomain: "mail.team.concert.example" },
      422,
    ],
    [{ name: "concert.example", ...settings, clientSettingsDomain: "mail.MOX.example" }, 422],
  ],
  DomainJournalSet: "server",
  DomainMtaSts: domain({ mode: "none" }),
  DomainMtaStsSet: "server",
  DomainReportsSet: "server",
  DomainAdministratorsSet: "server",
  DomainRoutesSet: "server",
  RoutesSet: "server",
  DkimAdd: domain({ selector: "s1", algorithm: "ed25519" }),
  DkimSign: domain({ selector: "s1", sign: false }),
  DkimRemove: domain({ selector: "s1" }),
  DomainCheck: domain(),
  AliasAdd: [
    ...address({ members: ["ben@concert.example"], ...alias }),
    ...mixed.map((members): Try => [
      { address: "new@concert.example", members, ...alias },
      422,
    ]),
  ],
  AliasSet: [...address({ members: ["ben@concert.example"], ...alias }), ...mixedMembers(alias)],
  AliasMembersAdd: [...address({ members: ["ben@concert.example"] }), ...mixedMembers()],
  AliasMembersRemove: address({ members: ["ann@mox.example"] }),
  AliasRemove: address(),
  DnsPlan: domain(),
  DnsWrite: "server",
  DkimRotate: domain(),
  DkimRotations: "cut",
  Lists: [...foreignDomains, noDomain].map((d) => [{ domain: d }, 404]),
  ListAdd: [
    ...address({ settings: list }, "fresh"),
    ...mixed.map((owners): Try => [
      { address: "fresh@concert.example", settings: { ...list, owners } },
      422,
    ]),
  ],
  ListSet: [...address({ settings: list }, "talk"), ...mixedOwners],
  ListRemove: address({}, "talk"),
  ListMembers: address({ after: 0 }, "talk"),
  ListMembersAdd: address({ members: ["ben@concert.example"] }, "talk"),
  ListMembersRemove: address({ members: ["ann@mox.example"] }, "talk"),
  ListMemberResume: address({ member: "ann@mox.example" }, "talk"),
  ListHeld: address({}, "talk"),
  ListDecide: address({ id: 1, verdict: "discard" }, "talk"),
  Accounts: "cut",
  Account: account(),
  AccountAdd: [
    ...[...foreignDomains, noDomain].map((d): Try => [
      { name: "fresh", address: `fresh@${d}` },
      404,
    ]),
    [{ name: "fresh", address: "@mox.example" }, 404],
    // Somebody's, and a name that mail is left of.
    [{ name: "ann", address: "fresh@concert.example" }, 422],
    [{ name: "former", address: "fresh@concert.example" }, 422],
  ],
  AccountRemove: [...account(), [{ name: "held" }, 422]],
  AccountDisable: account({ text: "out" }),
  AccountSet: account(limits),
  AccountKeepingSet: "server",
  AccountAged: account(keeping),
  AccountRoutesSet: "server",
  AccountPassword: account({ password: "taken over" }),
  AccountSessionsEnd: account(),
  AddressAdd: [
    ...address({ account: "ben" }),
    [{ address: "@mox.example", account: "ben" }, 404],
    ...Object.keys(foreignAccounts).map((name): Try => [
      { address: "fresh@concert.example", account: name },
      404,
    ]),
  ],
  AddressRemove: [
    ...address({}, "ann"),
    ...["both", "BOTH", '"both"', "mixed", "journal", "dmarc", "tlsrpt", "mailman", "office"].map((
      localpart,
    ): Try => [{ address: `${localpart}@concert.example` }, 422]),
    [{ address: "@concert.example" }, 422],
    // An alias of others would be left without members.
    [{ address: "lone@concert.example" }, 422],
  ],
  SecondFactorRemove: account(),
  MoveUsers: "server",
  MoveAliases: "server",
  MoveByImap: "server",
  MoveMaildirs: "server",
  MoveCyrus: "server",
  MoveScripts: "server",
  MoveState: "server",
  MoveStop: "server",
  Nodes: "server",
  NodesPush: "server",
  NodeMove: "server",
  NodeMoveCancel: "server",
  Queue: "server",
  QueueAct: "server",
  QueueMessage: "server",
  HoldRules: "server",
  HoldRuleAdd: "server",
  HoldRuleRemove: "server",
  Retired: "server",
  Suppressions: "server",
  SuppressionAdd: "server",
  SuppressionRemove: "server",
  Hooks: "server",
  HooksAct: "server",
  HookPayload: "server",
  DmarcReports: reports,
  // Those of concert.example are read below.
  DmarcReport: [[{ id: 1 }, 404], [{ id: 1_000_000 }, 404]],
  DmarcFailures: reports,
  DmarcToSend: "server",
  DmarcEvaluations: "server",
  DmarcEvaluationsRemove: "server",
  DmarcSuppress: "server",
  TlsReports: reports,
  TlsReport: [[{ id: 1 }, 404], [{ id: 2 }, 404], [{ id: 1_000_000 }, 404]],
  TlsToSend: "server",
  TlsResultsRemove: "server",
  Attempts: "server",
  Audit: "server",
  AdminSecondFactorBegin: "server",
  AdminSecondFactorOn: "server",
  AdminSecondFactorOff: "server",
  AdminSessionsEnd: "server",
  Connections: "server",
  Scanners: "server",
  Certificates: "server",
  StsPolicies: "server",
  Tokens: "server",
  TokenAdd: "server",
  TokenRemove: "server",
  ConfigFiles: "server",
  ConfigWrite: "server",
  ConfigHelp: "server",
  WebServer: "server",
  WebServerSet: "server",
  LogLevels: "server",
  LogLevelSet: "server",
  PasswordSet: "server",
};
const calls = Object.entries(verdicts) as [AdminCallName, Verdict][];

/** Objects of others, by the server's administrator. */
async function furnish(site: AdminSite): Promise<void> {
  const admin = await loggedIn(site, "", adminPassword);
  const good = async (name: AdminCallName, request: unknown) => {
    const r = await admin(name, request);
    assert.equal(r.status, 200, `${name} ${JSON.stringify(request)}: ${JSON.stringify(r.body)}`);
  };
  for (const name of ["bücher.example", "team.concert.example"]) {
    await good("DomainAdd", { name, account: "ann", disabled: false });
  }
  for (
    const name of ["both", "mixed", "journal", "dmarc", "tlsrpt", "mailman", "held", "lone"]
  ) await good("AccountAdd", { name, address: `${name}@concert.example` });
  await good("AccountAdd", { name: "mira", address: "mira@mox.example" });
  await good("AddressAdd", { address: "both@mox.example", account: "both" });
  await good("AddressAdd", { address: "x@bücher.example", account: "mixed" });
  await good("AddressAdd", { address: "mira@concert.example", account: "mira" });
  await good("AddressRemove", { address: "mira@mox.example" });
  await good("AliasAdd", { address: theirs, members: ["ben@concert.example"], ...alias });
  for (const d of ["mox.example", "bücher.example"]) {
    const members = ["ann@mox.example", "both@mox.example"];
    await good("AliasAdd", { address: `all@${d}`, members, ...alias });
    const owned = { ...list, owners: ["ann@mox.example"] };
    await good("ListAdd", { address: `talk@${d}`, settings: owned });
    await good("ListMembersAdd", { address: `talk@${d}`, members: ["ann@mox.example"] });
  }
  const lone = { address: "lone@mox.example", members: ["lone@concert.example"] };
  await good("AliasAdd", { ...lone, ...alias });
  await good("ListAdd", { address: "news@concert.example", settings: list });
  await site.config.writeDynamic((d) => {
    const of = (name: string) => d.Domains.get(name)!;
    of("mox.example").Journal = {
      ...{ Address: "journal@concert.example", Mailbox: "Journal", KeyFile: "" },
    };
    const to = { Localpart: "r", Domain: "", Mailbox: "Reports" };
    of("bücher.example").DMARC = { ...to, Account: "dmarc" };
    of("mox.example").TLSRPT = { ...to, Account: "tlsrpt" };
    of("moved.example").Administrators = ["office"];
    of("moved.example").Relay = { Transport: "relay", AllAddresses: true, Senders: ["mailman"] };
    of("concert.example").Administrators = ["ben"];
    d.Accounts.get("held")!.LegalHold = true;
  });
  // As of an account that was taken out of domains.conf by hand.
  await Deno.mkdir(`${site.config.dataDir}/accounts/former`);
}

/** All that calls could have changed. */
async function stateOf(site: AdminSite): Promise<unknown> {
  const names = (path: string) => [...Deno.readDirSync(path)].map((e) => e.name).sort();
  return {
    conf: await Deno.readTextFile(site.config.dynamicPath),
    accounts: names(`${site.config.dataDir}/accounts`),
    keys: names(`${site.dir}/config/dkim`),
    members: site.server.lists.db.members.count("talk@mox.example"),
  };
}

Deno.test("each call of the admin API has a verdict", () => {
  assert.deepEqual(Object.keys(verdicts).sort(), Object.keys(callRules).sort());
  for (const [name, verdict] of calls) {
    assert.equal(callRules[name].own === true, verdict === "cut" || Array.isArray(verdict), name);
  }
});

Deno.test("who administers a domain reaches nothing of others by any call", (t) =>
  withAdminSite(async (site) => {
    await furnish(site);
    const ben = await loggedIn(site, "ben@concert.example", userPassword);
    const club = await tokenOf(site, "all:write", ["CONCERT.example"]);
    const before = await stateOf(site);
    for (const [who, call] of [["a domain's administrator", ben], ["a domain's token", club]]) {
      await t.step(`${who}: what is the server's`, async () => {
        for (const [name, verdict] of calls) {
          if (verdict !== "server") continue;
          const r = await (call as Call)(name, {});
          assert.equal(r.status, 403, `${name}: ${JSON.stringify(r.body)}`);
        }
      });
      await t.step(`${who}: what is of others`, async () => {
        for (const [name, verdict] of calls) {
          if (!Array.isArray(verdict)) continue;
          for (const [request, status] of verdict) {
            const r = await (call as Call)(name, request);
            const what = `${name} ${JSON.stringify(request)}: ${JSON.stringify(r.body)}`;
            assert.equal(r.status, status, what);
          }
        }
      });
      await t.step(`${who}: lists have their own only`, async () => {
        const { body: d } = await (call as Call)("Domains", {});
        assert.deepEqual(d.domains.map((x: { name: string }) => x.name), ["concert.example"]);
        const { body: a } = await (call as Call)("Accounts", {});
        assert.deepEqual(
          a.accounts.map((x: { name: string }) => x.name).sort(),
          ["archive", "ben", "held", "lone"],
        );
        assert.deepEqual((await (call as Call)("DkimRotations", {})).body.rotations, []);
      });
      await t.step(`${who}: reports by guessed ids`, async () => {
        let own = 0;
        for (let id = 1; id <= 130; id++) {
          const { status, body } = await (call as Call)("DmarcReport", { id });
          if (status !== 404) {
            assert.equal(body.domain, "concert.example", `${id}`);
            own++;
          }
        }
        assert.ok(own > 0);
      });
    }
    await t.step("nothing has changed, and nobody was let out or in", async () => {
      assert.deepEqual(await stateOf(site), before);
      const user = await fetch(`${site.origin}/api/Login`, {
        method: "POST",
        headers: { "content-type": "application/json", "x-mox-request": "1" },
        body: JSON.stringify({ username: "ann@mox.example", password: userPassword }),
      });
      assert.equal(user.status, 200, await user.text());
    });
    await t.step("of others and of nothing, the answer is the same", async () => {
      const said = async (name: string) => {
        const { body } = await ben("Domain", { name });
        return body.error.message.replaceAll(name, "NAME");
      };
      for (const name of foreignDomains) assert.equal(await said(name), await said(noDomain));
    });
    await t.step("of a domain that is renamed, the token is withdrawn", async () => {
      await site.config.writeDynamic((d) => {
        const concert = d.Domains.get("concert.example")!;
        for (const a of d.Accounts.values()) {
          const kept = [...a.Destinations].map(([k, x]) =>
            [k.replace("@concert.", "@renamed."), x] as const
          );
          a.Destinations = new Map(kept);
          if (a.Domain === "concert.example") a.Domain = "renamed.example";
        }
        const text = (list: string[]) => list.map((x) => x.replace("@concert.", "@renamed."));
        for (const x of d.Domains.values()) {
          for (const y of x.Aliases.values()) y.Addresses = text(y.Addresses);
          for (const y of x.Lists.values()) y.Owners = text(y.Owners);
          if (x.Journal) x.Journal.Address = x.Journal.Address.replace("@concert.", "@renamed.");
        }
        d.Domains.delete("concert.example");
        d.Domains.set("renamed.example", concert);
      });
      // Its only domain is gone: soon it is withdrawn, and has nothing until then.
      for (;;) {
        const { status, body } = await club("Accounts", {});
        if (status === 401) break;
        assert.deepEqual(body, { accounts: [] });
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      assert.equal((await club("Domains", {})).status, 401);
      assert.equal((await club("Account", { name: "ben" })).status, 401);
      // The address that the session began with is no more; the domain has its administrators still.
      assert.equal((await ben("Domains", {})).status, 401);
      const again = await loggedIn(site, "ben@renamed.example", userPassword);
      const { body } = await again("Domains", {});
      assert.deepEqual(body.domains.map((x: { name: string }) => x.name), ["renamed.example"]);
      assert.equal((await again("Account", { name: "lone" })).status, 200);
    });
  }));

Deno.test("a token of one scope has the calls of that area, and no others", () =>
  withAdminSite(async (site) => {
    const areas = [...new Set(Object.values(callRules).map((r) => r.area))];
    for (const area of areas) {
      const write = await tokenOf(site, `${area}:write`);
      const read = await tokenOf(site, `${area}:read`);
      for (const [name, verdict] of calls) {
        if (verdict === "everybody") continue;
        const rule = callRules[name];
        const own = rule.area === area && !rule.pageOnly;
        // A request that fits no call: who may make it is told so, and nothing is done.
        const w = await write(name, null);
        assert.equal(w.status, own ? 400 : 403, `${area}:write ${name}: ${JSON.stringify(w.body)}`);
        const r = await read(name, null);
        const may = own && rule.kind === "read";
        assert.equal(r.status, may ? 400 : 403, `${area}:read ${name}: ${JSON.stringify(r.body)}`);
      }
    }
  }, { empty: true }));

Deno.test("a token is good up to its last millisecond", async () => {
  const dir = await Deno.makeTempDir({ prefix: "mox-tokens-" });
  try {
    let now = Date.UTC(2026, 10, 30, 12);
    const tokens = new AdminTokens(dir, () => now);
    const asked = { name: "x", scopes: ["all:read"], domains: [], days: 1 };
    const { token, made } = await tokens.add(asked, () => true);
    assert.equal(made.expires, now + 86_400_000);
    now = made.expires - 1;
    const last = await tokens.find(token, "192.0.2.1");
    assert.equal(typeof last === "string" ? last : last.id, made.id);
    now = made.expires;
    assert.equal(await tokens.find(token, "192.0.2.1"), "expired");
    assert.equal(await tokens.remove(made.id), true);
    assert.equal(await tokens.find(token, "192.0.2.1"), "unknown");
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
