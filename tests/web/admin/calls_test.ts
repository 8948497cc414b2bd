/** The calls of the admin page on a server with something in everything: what they show, and what they do. */
import assert from "node:assert/strict";
import type * as v from "valibot";
import { adminCalls } from "../../../webmail/admin/api/mod.ts";
import { CallError, makeCall } from "../../../webmail/api/client.ts";
import { currentLevels } from "../../../src/log/mod.ts";
import { generateKey } from "openpgp";
import {
  adminPassword,
  type AdminSite,
  putOldMail,
  withAdminSite,
} from "../../serve/admin_site.ts";

type Name = keyof typeof adminCalls;

/** Calls as a page that is logged in makes them. */
async function loggedIn(s: AdminSite) {
  const base = `${s.origin}/admin/`;
  const r = await fetch(`${base}api/Login`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-mox-request": "1" },
    body: JSON.stringify({ username: "", password: adminPassword }),
  });
  assert.equal(r.status, 200, await r.text());
  const cookie = r.headers.get("set-cookie")!.split(";")[0];
  return <N extends Name>(name: N, request: v.InferInput<(typeof adminCalls)[N]["request"]>) =>
    makeCall(adminCalls, name, request, { base, headers: { cookie } });
}

const refused = (message: RegExp) => (e: unknown) =>
  e instanceof CallError && e.code === "user" && message.test(e.message);

Deno.test("the admin page's calls", async (t) => {
  await withAdminSite(async (s) => {
    const call = await loggedIn(s);

    await t.step("overview: counts, figures of the metrics, disk, backup", async () => {
      const o = await call("Overview", {});
      assert.equal(o.hostname, "mail.mox.example");
      assert.deepEqual([o.domains, o.accounts, o.queue, o.held], [3, 4, 5, 2]);
      assert.ok(o.free > 0);
      assert.equal(o.backup?.destination, "/backup/mox");
      const { series } = await call("Glance", {});
      const of = (id: string) => series.find((x) => x.id === id)!;
      assert.equal(of("queue").points.at(-1), 5);
      assert.ok(of("sent").points.at(-1)! >= 2);
      assert.equal(of("connections").total > 0, true);
      const storage = await call("Storage", {});
      assert.deepEqual(storage.accounts.map((a) => a.quota), new Array(4).fill(1024 ** 3));
    });

    await t.step("block lists: what they say, and lists to watch", async () => {
      const { found } = await call("BlockLists", {});
      const listed = found!.find((f) => f.zone === "bl.example.net")!;
      assert.deepEqual([listed.ip, listed.status], ["198.51.100.7", "fail"]);
      assert.match(listed.text, /unsolicited/);
      await call("BlockListsSet", { zones: ["other.example.net"] });
      assert.deepEqual((await call("BlockLists", {})).monitored, ["other.example.net"]);
      await assert.rejects(call("BlockListsSet", { zones: ["not a zone"] }), refused(/./));
    });

    await t.step("domains: settings, keys, and a check that says what to do", async () => {
      const { domains } = await call("Domains", {});
      assert.deepEqual(domains.map((d) => [d.name, d.disabled]), [
        ["mox.example", false],
        ["concert.example", false],
        ["moved.example", true],
      ]);
      await call("DomainSet", {
        name: "mox.example",
        description: "of the family",
        clientSettingsDomain: "mail.mox.example",
        separators: ["+", "-"],
        caseSensitive: false,
      });
      await call("DkimAdd", { name: "mox.example", selector: "k1", algorithm: "ed25519" });
      let d = await call("Domain", { name: "mox.example" });
      assert.equal(d.description, "of the family");
      assert.deepEqual(d.separators, ["+", "-"]);
      assert.deepEqual(d.dkim.map((k) => [k.selector, k.signs]), [["k1", false]]);
      assert.ok(d.records.some((r) => r.name === "k1._domainkey.mox.example" && r.type === "TXT"));
      await call("DkimSign", { name: "mox.example", selector: "k1", sign: true });
      await assert.rejects(
        call("DkimRemove", { name: "mox.example", selector: "k1" }),
        refused(/stop that first/),
      );
      await call("DkimSign", { name: "mox.example", selector: "k1", sign: false });
      await call("DkimRemove", { name: "mox.example", selector: "k1" });
      d = await call("Domain", { name: "mox.example" });
      assert.deepEqual(d.dkim, []);
      await assert.rejects(
        call("DkimAdd", { name: "mox.example", selector: "../x", algorithm: "ed25519" }),
        refused(/letters, digits/),
      );
      await assert.rejects(
        call("DomainMtaSts", { name: "mox.example", mode: "none" }),
        refused(/no MTA-STS policy/),
      );
      const { parts } = await call("DomainCheck", { name: "mox.example" });
      const spf = parts.find((p) => p.name === "SPF")!;
      assert.equal(spf.state, "error");
      assert.match(spf.fix.join(), /v=spf1 mx/);
      assert.deepEqual(parts.find((p) => p.name === "MX")!.state, "ok");
    });

    await t.step("aliases are edited; an impossible one is refused with the reason", async () => {
      const address = "team@concert.example";
      const options = { postPublic: false, listMembers: false, allowMsgFrom: true };
      await call("AliasSet", { address, members: ["ben@concert.example"], ...options });
      const { aliases } = await call("Domain", { name: "concert.example" });
      assert.deepEqual(aliases, [
        { localpart: "team", members: ["ben@concert.example"], ...options },
      ]);
      await assert.rejects(
        call("AliasSet", { address, members: ["nobody@concert.example"], ...options }),
        refused(/nobody@concert\.example/),
      );
    });

    await t.step("accounts: limits are set and in force; a password; sessions end", async () => {
      await call("AccountSet", {
        name: "ben",
        fullName: "Ben Example",
        maxOutgoing: 50,
        maxFirstTime: 5,
        quota: 1_000_000,
        noFirstTimeSenderDelay: true,
        noCustomPassword: false,
      });
      assert.equal(s.config.quotaMessageSize("ben"), 1_000_000);
      let a = await call("Account", { name: "ben" });
      assert.deepEqual([a.fullName, a.maxOutgoing, a.effectiveQuota], [
        "Ben Example",
        50,
        1_000_000,
      ]);
      await call("AccountSet", { ...settingsOf(a), quota: null });
      a = await call("Account", { name: "ben" });
      assert.deepEqual([a.quota, a.effectiveQuota], [null, null]);
      const cookie = await userCookie(s, "ben@concert.example", "correct horse");
      assert.equal((await call("Account", { name: "ben" })).sessions.length, 1);
      assert.equal(await accountStatus(s, cookie), 200);
      await call("AccountPassword", { name: "ben", password: "another horse" });
      assert.equal(await accountStatus(s, cookie), 401);
      await userCookie(s, "ben@concert.example", "another horse");
      await call("AccountSessionsEnd", { name: "ben" });
      assert.equal((await call("Account", { name: "ben" })).sessions.length, 0);
      await assert.rejects(
        call("AccountPassword", { name: "ben", password: "short" }),
        refused(/8 characters/),
      );
    });

    await t.step(
      "keeping mail: what rules would remove, the rules themselves, a hold",
      async () => {
        await putOldMail(s, "ben", "Inbox", 50, 3);
        const name = "ben";
        const rules = (...retention: { mailbox: string; days: number }[]) => ({ name, retention });
        const aged = async (days: number, legalHold = false) =>
          (await call("AccountAged", { ...rules({ mailbox: "Inbox", days }), legalHold }))
            .mailboxes;
        const size = 3 * "Subject: old\r\n\r\nold\r\n".length;
        assert.deepEqual(await aged(49), [{ mailbox: "Inbox", days: 49, messages: 3, size }]);
        assert.deepEqual(await aged(51), [{ mailbox: "Inbox", days: 51, messages: 0, size: 0 }]);
        assert.deepEqual(await aged(0), []);
        assert.deepEqual(await aged(49, true), []);
        let a = await call("Account", { name });
        assert.deepEqual([a.retention, a.legalHold], [[], false], "looking changes nothing");
        const twice = rules({ mailbox: "Inbox", days: 1 }, { mailbox: "Inbox", days: 2 });
        for (const name of ["AccountAged", "AccountKeepingSet"] as const) {
          const legalHold = false;
          await assert.rejects(call(name, { ...twice, legalHold }), refused(/two rules/));
          const bin = rules({ mailbox: "\\Bin", days: 1 });
          await assert.rejects(call(name, { ...bin, legalHold }), refused(/is not one of/));
        }
        const kept = [{ mailbox: "Inbox", days: 60 }, { mailbox: "\\Trash", days: 30 }];
        await call("AccountKeepingSet", { ...rules(...kept), legalHold: true });
        a = await call("Account", { name });
        assert.deepEqual([a.retention, a.legalHold], [kept, true]);
        assert.equal(s.config.account("ben")!.Retention.get("\\Trash"), 30);
        assert.match(await Deno.readTextFile(s.config.dynamicPath), /\\Trash: 30/);
        await call("AccountSet", { ...settingsOf(a), quota: 0, maxHourly: 7 });
        await call("AccountSet", { ...settingsOf(a), quota: 0 });
        a = await call("Account", { name });
        assert.deepEqual([a.maxHourly, a.legalHold], [7, true]);
      },
    );

    await t.step("a domain's journal, with a key of which a file is made; its months", async () => {
      const name = "concert.example";
      const to = { address: "office@concert.example", mailbox: "", keyFile: "", key: "" };
      const set = (more: Partial<typeof to>) =>
        call("DomainJournalSet", { name, journal: { ...to, ...more } });
      await assert.rejects(set({ key: "no key" }), refused(/neither an OpenPGP/));
      await assert.rejects(set({ address: "office" }), refused(/office/));
      await assert.rejects(set({ keyFile: "none.asc" }), refused(/no such file/));
      await set({});
      const journal = async () => (await call("Domain", { name })).journal;
      const plain = { ...to, mailbox: "Journal", account: "office" };
      const { key: _, ...shown } = plain;
      assert.deepEqual(await journal(), shown);
      const { publicKey } = await generateKey({ userIDs: [{ email: "log@concert.example" }] });
      await assert.rejects(set({ address: "office", key: publicKey }), refused(/office/));
      const folder = s.config.configPath("journal");
      assert.deepEqual([...Deno.readDirSync(folder)], [], "the key of what was refused is gone");
      await set({ key: publicKey, mailbox: "Copies" });
      const { keyFile, mailbox } = (await journal())!;
      assert.match(keyFile, /^journal\/concert\.example\..*\.asc$/);
      assert.equal(mailbox, "Copies");
      assert.equal(
        (await Deno.readTextFile(s.config.configPath(keyFile))).trim(),
        publicKey.trim(),
      );
      await call("DomainJournalSet", { name, journal: null });
      assert.equal(await journal(), null);
      const settings = {
        name,
        description: "",
        clientSettingsDomain: "",
        separators: [],
        caseSensitive: false,
      };
      await call("DomainSet", { ...settings, monthlyReport: true });
      await call("DomainSet", settings);
      assert.equal((await call("Domain", { name })).monthlyReport, true);
    });

    await t.step("queue: filter and order, the message, actions on what fits only", async () => {
      const queue = (filter = {}) =>
        call("Queue", { filter, sort: "queued", descending: false, limit: 100 });
      const all = await queue();
      assert.deepEqual(all.items.map((i) => i.to), [
        "billing@full.example",
        "team@slow.example",
        "list@full.example",
        "reader@held.example",
        "other@held.example",
      ]);
      assert.deepEqual(all.transports, ["relay", "broken"]);
      assert.equal((await queue({ hold: true })).items.length, 2);
      const [item] = (await queue({ to: "billing@" })).items;
      assert.match(item.last!.text, /over its quota/);
      const m = await call("QueueMessage", { id: item.id });
      assert.match(m.text, /^From: Ann Example.*\r\n\r\nHello,/s);
      assert.equal(m.attempts.length, 1);
      const act = async (
        filter: Record<string, unknown>,
        action: Parameters<typeof call<"QueueAct">>[1]["action"],
      ) => (await call("QueueAct", { filter, action })).count;
      assert.equal(await act({ to: "@full.example" }, { do: "hold" }), 2);
      assert.equal(await act({ ids: [item.id] }, { do: "release" }), 1);
      const time = Date.now() + 3_600_000;
      assert.equal(await act({ ids: [item.id] }, { do: "schedule", time }), 1);
      assert.equal(await act({ ids: [item.id] }, { do: "transport", transport: "broken" }), 1);
      assert.equal(await act({ ids: [item.id] }, { do: "requiretls", value: "yes" }), 1);
      const [changed] = (await queue({ ids: [item.id] })).items;
      assert.deepEqual([changed.next, changed.transport, changed.requireTls, changed.hold], [
        time,
        "broken",
        "yes",
        false,
      ]);
      await assert.rejects(
        act({ ids: [item.id] }, { do: "transport", transport: "none" }),
        refused(/no transport none/),
      );
      await assert.rejects(act({}, { do: "drop" }), refused(/nothing is selected/));
      assert.equal(await act({ to: "@held.example" }, { do: "drop" }), 2);
      assert.equal(await act({ to: "list@" }, { do: "fail" }), 1);
      await s.server.queue.idle();
      assert.equal((await queue()).items.length, 2);
    });

    await t.step("hold rules, what has left the queue, suppressed addresses", async () => {
      const { rules } = await call("HoldRules", {});
      assert.deepEqual(rules.map((r) => r.recipientDomain), ["held.example"]);
      await call("HoldRuleAdd", { account: "ben", senderDomain: "", recipientDomain: "" });
      await assert.rejects(
        call("HoldRuleAdd", { account: "nobody", senderDomain: "", recipientDomain: "" }),
        refused(/no account nobody/),
      );
      await call("HoldRuleRemove", { id: rules[0].id });
      assert.deepEqual((await call("HoldRules", {})).rules.map((r) => r.account), ["ben"]);
      const { items, keeping } = await call("Retired", { account: "", limit: 100 });
      assert.deepEqual(keeping, ["ann"]);
      const outcomes = new Map(items.map((i) => [i.to, i.outcome]));
      assert.equal(outcomes.get("mira@good.example"), "delivered");
      assert.equal(outcomes.get("gone@good.example"), "failed");
      assert.equal(outcomes.get("list@full.example"), "failed");
      assert.equal(outcomes.get("reader@held.example"), "canceled");
      const addresses = async () => (await call("Suppressions", {})).entries.map((e) => e.address);
      assert.deepEqual((await addresses()).sort(), ["gone@good.example", "left@company.example"]);
      await call("SuppressionRemove", { account: "ann", address: "gone@good.example" });
      await call("SuppressionAdd", { account: "ann", address: "new@company.example", reason: "" });
      assert.deepEqual((await addresses()).sort(), ["left@company.example", "new@company.example"]);
    });

    await t.step(
      "webhooks: those that wait are tried or cancelled, and say what they say",
      async () => {
        await s.server.webhooks!.hooks.idle();
        const { waiting, retired } = await call("Hooks", {});
        assert.ok(waiting.length > 0 && retired.length > 0);
        assert.equal(waiting[0].results[0].code, 500);
        const { payload } = await call("HookPayload", { id: waiting[0].id, retired: false });
        assert.equal(JSON.parse(payload).Event, waiting[0].event);
        await call("HooksAct", { ids: [waiting[0].id], action: "cancel" });
        const after = await call("Hooks", {});
        assert.ok(!after.waiting.some((h) => h.id === waiting[0].id));
        assert.equal(after.retired.find((h) => h.id === waiting[0].id)?.outcome, "canceled");
      },
    );

    await t.step("DMARC: sums and days of the period, reports, what is to be sent", async () => {
      const r = await call("DmarcReports", { days: 30, domain: "" });
      assert.deepEqual(r.domains.map((d) => d.domain), ["concert.example", "mox.example"]);
      const total = r.domains.reduce((n, d) => n + d.total, 0);
      const fail = r.domains.reduce((n, d) => n + d.bothFail, 0);
      assert.ok(total > 1000 && fail > 50);
      assert.equal(r.days.length, 31);
      assert.equal(r.days.reduce((n, d) => n + d.pass + d.fail, 0), total);
      assert.equal(r.days.reduce((n, d) => n + d.fail, 0), fail);
      assert.equal(r.reports.reduce((n, x) => n + x.total, 0), total);
      assert.ok(r.sources.every((x) => x.ip === "192.0.2.77"));
      const one = await call("DmarcReports", { days: 7, domain: "concert.example" });
      assert.ok(one.reports.length > 0 && one.reports.every((x) => x.domain === "concert.example"));
      const report = await call("DmarcReport", { id: r.reports[0].id });
      assert.match(report.policy, /p=reject/);
      assert.deepEqual(report.records[0].dkimResults, ["pass mox.example (2026a)"]);
      const { failures } = await call("DmarcFailures", { days: 30, domain: "" });
      assert.deepEqual(failures.map((f) => f.subject), ["Tickets", "Invoice 4711"]);
      const own = await call("DmarcFailures", { days: 30, domain: "mox.example" });
      assert.deepEqual(own.failures.map((f) => [f.sourceIp, f.reporter, f.kind]), [
        ["192.0.2.77", "fastmail.example", "dmarc"],
      ]);
      const toSend = await call("DmarcToSend", {});
      assert.deepEqual(toSend.domains.map((d) => [d.domain, d.count, d.wanted]), [
        ["rowing.example", 2, false],
        ["studio.example", 4, true],
      ]);
      const { evaluations, addresses } = await call("DmarcEvaluations", {
        domain: "studio.example",
      });
      assert.equal(evaluations.filter((e) => !e.dkim).length, 1);
      assert.deepEqual(addresses, ["dmarc@studio.example"]);
      await call("DmarcEvaluationsRemove", { domain: "rowing.example" });
      await call("DmarcSuppress", { address: "x@studio.example", days: 3, comment: "loud" });
      await call("DmarcSuppress", { address: "reports@bounces.example", days: 0, comment: "" });
      const after = await call("DmarcToSend", {});
      assert.deepEqual(after.domains.map((d) => d.domain), ["studio.example"]);
      assert.deepEqual(after.suppressed.map((x) => x.address), ["x@studio.example"]);
    });

    await t.step("TLS: days, kinds of failures, reports, what is to be sent", async () => {
      const r = await call("TlsReports", { days: 30, domain: "" });
      const sums = (of: "pass" | "fail") => r.days.reduce((n, d) => n + d[of], 0);
      assert.equal(sums("pass"), r.reports.reduce((n, x) => n + x.success, 0));
      assert.deepEqual(r.failures, [{ type: "certificate-expired", count: sums("fail") }]);
      const report = await call("TlsReport", { id: r.reports.find((x) => x.failure > 0)!.id });
      assert.equal(report.policies[0].failures[0].text, "expired yesterday");
      const { results } = await call("TlsToSend", {});
      // Those that were there, and those of the deliveries of just now.
      const ready = results.find((x) =>
        x.policyDomain === "good.example" && x.policies[0].type === "sts"
      )!;
      assert.ok(ready.success >= 12);
      for (const { day, policyDomain, isHost } of results) {
        if (policyDomain === "good.example") {
          await call("TlsResultsRemove", { day, policyDomain, isHost });
        }
      }
      assert.ok(
        !(await call("TlsToSend", {})).results.some((x) => x.policyDomain === "good.example"),
      );
    });

    await t.step("security: attempts, connections, sessions of the page", async () => {
      const { attempts, sessions } = await call("Attempts", {});
      assert.ok(attempts.some((a) => a.service === "webadmin" && a.result === "ok"));
      assert.deepEqual(sessions.map((x) => x.current), [true]);
      const second = await loggedIn(s);
      await call("AdminSessionsEnd", {});
      await assert.rejects(second("Overview", {}), (e) => (e as CallError).code === "login");
      const { connections, counts } = await call("Connections", {});
      const own = connections.find((c) => c.port === s.ports.http)!;
      assert.deepEqual([own.protocol, own.remoteIp], ["http", "127.0.0.1"]);
      assert.match(own.cid, /^[0-9a-f]+$/);
      assert.ok(counts.some((c) => c.protocol === "http" && c.count > 0));
      assert.deepEqual((await call("Certificates", {})).certificates, []);
      assert.deepEqual((await call("StsPolicies", {})).policies, []);
    });

    await t.step("web server: handlers there and back, with mistakes told", async () => {
      const { redirects } = await call("WebServer", {});
      const base = {
        logName: "",
        domain: "www.mox.example",
        plainHttp: true,
        compress: true,
      };
      const handlers = [
        {
          ...base,
          path: "^/files/",
          action: {
            kind: "static" as const,
            stripPrefix: "/files/",
            root: "web/files",
            listFiles: true,
            continueNotFound: false,
            headers: [{ name: "X-A", value: "b: c" }],
          },
        },
        {
          ...base,
          path: "^/old/",
          action: {
            kind: "redirect" as const,
            baseUrl: "https://other.example",
            origPath: "",
            replacePath: "",
            status: 307,
          },
        },
        {
          ...base,
          path: "^/app/",
          action: {
            kind: "forward" as const,
            url: "http://127.0.0.1:1/",
            stripPath: true,
            headers: [],
          },
        },
        {
          ...base,
          path: "^/mail/",
          action: { kind: "internal" as const, basePath: "/mail/", service: "webmail" as const },
        },
      ];
      await call("WebServerSet", { redirects, handlers });
      assert.deepEqual((await call("WebServer", {})).handlers, handlers);
      const bad = [{ ...handlers[0], path: "/no" }];
      await assert.rejects(
        call("WebServerSet", { redirects, handlers: bad }),
        refused(/must start with \^/),
      );
      assert.equal((await call("WebServer", {})).handlers.length, 4);
      await call("WebServerSet", { redirects: [], handlers: [] });
    });

    await t.step(
      "domains.conf: mistakes have lines, the last editor does not win unseen",
      async () => {
        const { dynamic } = await call("ConfigFiles", {});
        const broken = dynamic.text.replace("FullName: Ann", "FulName: Ann");
        const line = broken.split("\n").findIndex((l) => l.includes("FulName")) + 1;
        const write = async (text: string, version: string, check = false) =>
          (await call("ConfigWrite", { text, version, check })).problems;
        const problems = await write(broken, dynamic.version);
        assert.equal(problems[0].line, line);
        assert.match(problems[0].message, /FulName/);
        assert.deepEqual(await write(broken, "", true), problems);
        assert.equal((await call("ConfigFiles", {})).dynamic.text, dynamic.text);
        const better = dynamic.text.replace(
          "FullName: Ann Example",
          "# of the family\n\t\tFullName: Annie",
        );
        assert.deepEqual(await write(better, dynamic.version), []);
        assert.equal(s.config.account("ann")!.FullName, "Annie");
        assert.match(await Deno.readTextFile(s.config.dynamicPath), /# of the family/);
        const late = await write(dynamic.text, dynamic.version);
        assert.match(late[0].message, /changed meanwhile/);
        assert.equal(s.config.account("ann")!.FullName, "Annie");
        assert.match((await call("ConfigHelp", {})).text, /Accounts:/);
      },
    );

    await t.step("log levels change at once, and go back", async () => {
      await call("LogLevelSet", { pkg: "tlsrpt", level: "debug" });
      assert.equal(currentLevels().tlsrpt, "debug");
      assert.ok((await call("LogLevels", {})).packages.includes("smtpserver"));
      await call("LogLevelSet", { pkg: "tlsrpt", level: "default" });
      assert.equal(currentLevels().tlsrpt, undefined);
      await assert.rejects(
        call("LogLevelSet", { pkg: "", level: "loud" }),
        refused(/no log level loud/),
      );
    });
  });
});

function settingsOf(a: {
  name: string;
  fullName: string;
  maxOutgoing: number;
  maxFirstTime: number;
  noFirstTimeSenderDelay: boolean;
  noCustomPassword: boolean;
}) {
  const { name, fullName, maxOutgoing, maxFirstTime } = a;
  const { noFirstTimeSenderDelay, noCustomPassword } = a;
  return { name, fullName, maxOutgoing, maxFirstTime, noFirstTimeSenderDelay, noCustomPassword };
}

const json = { "content-type": "application/json", "x-mox-request": "1" };

/** A session of the account page. */
async function userCookie(s: AdminSite, username: string, password: string): Promise<string> {
  const r = await fetch(`${s.origin}/api/Login`, {
    method: "POST",
    headers: json,
    body: JSON.stringify({ username, password }),
  });
  assert.equal(r.status, 200, await r.text());
  return r.headers.get("set-cookie")!.split(";")[0];
}

async function accountStatus(s: AdminSite, cookie: string): Promise<number> {
  const r = await fetch(`${s.origin}/api/Overview`, {
    method: "POST",
    headers: { ...json, cookie },
    body: "{}",
  });
  await r.body?.cancel();
  return r.status;
}
