/**
 * Changes by the admin API that are tried, and that are repeated: a dry run of each call that has one changes no file,
 * and with an Idempotency-Key each is carried out once, and answered twice the same.
 */
import assert from "node:assert/strict";
import { AdminTokens } from "../../src/admin/mod.ts";
import { type AdminCallName, callRules } from "../../src/web/admin/rules.ts";
import { type AdminSite, withAdminSite } from "./admin_site.ts";

const alias = { postPublic: false, listMembers: false, allowMsgFrom: false };
const list = {
  ...{ name: "News", description: "", owners: ["ann@mox.example"], posting: "members" },
  ...{ others: "hold", moderated: false, subscribing: "open", archive: "none", from: "dmarc" },
  ...{ replyToList: false, subjectPrefix: "", maxMessageSize: 1_000_000, unlisted: false },
};
const routes = [{ fromDomain: [], toDomain: [], minimumAttempts: 0, transport: "relay" }];
const name = "new.example";
const crew = "crew@new.example";
const news = "news@new.example";

/** In an order in which each can be done; all but those without a status are, with 200. */
const changes: [AdminCallName, Record<string, unknown>, status?: number][] = [
  ["BlockListsSet", { zones: ["bl.example.org"] }],
  ["DomainAdd", { name, account: "ann", disabled: false }],
  ["DomainSet", {
    ...{ name, description: "of a club", clientSettingsDomain: "mail.new.example" },
    ...{ separators: ["+"], caseSensitive: true },
  }],
  ["DomainDisable", { name, disabled: true }],
  // No listener serves policies.
  ["DomainMtaSts", { name, mode: "testing" }, 422],
  ["DomainMtaStsSet", { name, policy: { policyId: "1", mode: "none", maxAge: 1, mx: [] } }, 422],
  ["DomainReportsSet", {
    ...{ name, kind: "DMARC" },
    to: { localpart: "d", domain: "", account: "ann", mailbox: "D" },
  }],
  ["DomainJournalSet", {
    name,
    journal: { address: "ann@mox.example", mailbox: "Copies", keyFile: "", key: "" },
  }],
  ["DomainRoutesSet", { name, routes }],
  ["RoutesSet", { routes }],
  ["DkimAdd", { name, selector: "late", algorithm: "ed25519" }],
  ["DkimSign", { name, selector: "late", sign: true }],
  ["DkimSign", { name, selector: "late", sign: false }],
  ["DkimRemove", { name, selector: "late" }],
  ["AccountAdd", { name: "cleo", address: "cleo@new.example" }],
  ["DomainAdministratorsSet", { name, accounts: ["cleo"] }],
  ["AddressAdd", { address: "c@new.example", account: "cleo" }],
  ["AliasAdd", { address: crew, members: ["cleo@new.example"], ...alias }],
  ["AliasSet", { address: crew, members: ["cleo@new.example"], ...alias, postPublic: true }],
  ["AliasMembersAdd", { address: crew, members: ["ann@mox.example"] }],
  ["AliasMembersRemove", { address: crew, members: ["cleo@new.example"] }],
  ["ListAdd", { address: news, settings: list }],
  ["ListSet", { address: news, settings: { ...list, moderated: true } }],
  ["ListRemove", { address: news }],
  ["AliasRemove", { address: crew }],
  ["AccountSet", {
    ...{ name: "cleo", fullName: "Cleo", maxOutgoing: 7, maxFirstTime: 7, quota: 7000 },
    ...{ noFirstTimeSenderDelay: true, noCustomPassword: false },
  }],
  ["AccountKeepingSet", {
    ...{ name: "cleo", legalHold: true },
    retention: [{ mailbox: "Trash", days: 30 }],
  }],
  ["AccountRoutesSet", { name: "cleo", routes }],
  ["AccountDisable", { name: "cleo", text: "on holiday" }],
  ["AddressRemove", { address: "c@new.example" }],
  ["AccountRemove", { name: "cleo" }],
  ["WebServerSet", { redirects: [{ from: "www.new.example", to: "mox.example" }], handlers: [] }],
  ["WebServerSet", { redirects: [], handlers: [] }],
  ["DomainRemove", { name }],
];

/** Files of the configuration with their texts, and folders of accounts. */
async function stateOf(site: AdminSite): Promise<Record<string, string>> {
  const state: Record<string, string> = {};
  const read = async (folder: string) => {
    for await (const e of Deno.readDir(folder)) {
      const path = `${folder}/${e.name}`;
      if (e.isDirectory) await read(path);
      else state[path] = await Deno.readTextFile(path);
    }
  };
  await read(`${site.dir}/config`);
  for await (const e of Deno.readDir(`${site.config.dataDir}/accounts`)) state[e.name] = "";
  return state;
}

Deno.test("each change is tried without a trace, and made once however often it is asked for", () =>
  withAdminSite(async (site) => {
    const trial = Object.entries(callRules).filter(([, r]) => r.trial).map(([n]) => n);
    assert.deepEqual([...new Set(changes.map(([n]) => n as string))].sort(), trial.sort());
    const isDomain = () => true;
    const asked = { name: "all", scopes: ["all:write"], domains: [], days: 1 };
    const { token } = await new AdminTokens(site.config.dataDir).add(asked, isDomain);
    const post = async (path: string, request: unknown, more: Record<string, string> = {}) => {
      const r = await fetch(`${site.origin}/admin/api/${path}`, {
        method: "POST",
        headers: {
          ...{ "content-type": "application/json", authorization: `Bearer ${token}` },
          ...more,
        },
        body: JSON.stringify(request),
      });
      return { status: r.status, body: await r.json() };
    };
    for (const [i, [call, request, status = 200]] of changes.entries()) {
      const before = await stateOf(site);
      const tried = await post(`${call}?dryRun=1`, request);
      assert.equal(tried.status, status, `${call}: ${JSON.stringify(tried.body)}`);
      if (status === 200) {
        assert.equal(tried.body.dryRun, true, call);
        assert.ok(tried.body.changes.length > 0, call);
      }
      // Nor is one made that is asked for in another way.
      for (const other of ["dryRun=true", "dryRun", "dryRun=0", "dryRun=1&dryRun=0"]) {
        assert.equal((await post(`${call}?${other}`, request)).status, 400, `${call}?${other}`);
      }
      assert.deepEqual(await stateOf(site), before, `${call}: the dry run changed something`);
      const key = { "idempotency-key": `change-${i}` };
      const first = await post(call, request, key);
      assert.equal(first.status, status, `${call}: ${JSON.stringify(first.body)}`);
      const after = await stateOf(site);
      const again = await post(call, request, key);
      assert.deepEqual(again, first, call);
      assert.deepEqual(await stateOf(site), after, `${call}: it was made twice`);
      if (status === 200) assert.notDeepEqual(after, before, `${call}: nothing was changed`);
    }
  }, { empty: true }));
