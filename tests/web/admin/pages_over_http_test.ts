/**
 * The account and admin pages over HTTP: their policy, other sites, sessions that end, guessing, and what is served
 * at "/".
 */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { registry } from "../../../src/metrics/mod.ts";
import { adminPassword, type AdminSite, withAdminSite } from "../../serve/admin_site.ts";

type Page = "admin" | "account";
const pages: readonly Page[] = ["admin", "account"];
const pathOf = { admin: "/admin/", account: "/" };
const login = {
  admin: { username: "", password: adminPassword },
  account: { username: "ann@mox.example", password: "correct horse" },
};
const ours = { "content-type": "application/json", "x-mox-request": "1" };

function call(
  s: AdminSite,
  page: Page,
  name: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(`${s.origin}${pathOf[page]}api/${name}`, {
    method: "POST",
    headers: { ...ours, ...headers },
    body: JSON.stringify(body),
  });
}

/** The cookie of a new session. */
async function cookieOf(s: AdminSite, page: Page): Promise<string> {
  const r = await call(s, page, "Login", login[page]);
  assert.equal(r.status, 200, await r.text());
  return r.headers.get("set-cookie")!;
}

async function statusOf(answer: Promise<Response>): Promise<number> {
  const r = await answer;
  await r.body?.cancel();
  return r.status;
}

/** Logins that the limit has refused so far. */
async function limited(kind: string): Promise<number> {
  const metrics = await registry.getMetricsAsJSON();
  const values = metrics.find((m) => m.name === "mox_authentication_ratelimited_total")!.values;
  return values.find((v) => (v.labels as Record<string, string>).kind === kind)!.value;
}

Deno.test("account and admin page over HTTP", async (t) => {
  await withAdminSite(async (s) => {
    for (const page of pages) {
      await t.step(`${page}: nothing runs or is shown but what is in the page`, async () => {
        const r = await fetch(`${s.origin}${pathOf[page]}`);
        const html = await r.text();
        const policy = Object.fromEntries(
          r.headers.get("content-security-policy")!.split("; ").map((d) => {
            const [name, ...values] = d.split(" ");
            return [name, values.join(" ")];
          }),
        );
        assert.equal(policy["default-src"], "'none'");
        assert.match(policy["script-src"], /^'sha256-[A-Za-z0-9+/=]+'$/);
        assert.match(policy["style-src"], /^'sha256-[A-Za-z0-9+/=]+'$/);
        assert.equal(policy["connect-src"], "'self'");
        assert.equal(policy["frame-ancestors"], "'none'");
        assert.equal(policy["base-uri"], "'none'");
        assert.equal(policy["form-action"], "'self'");
        assert.equal(r.headers.get("x-content-type-options"), "nosniff");
        assert.equal(r.headers.get("referrer-policy"), "no-referrer");
        // Style as an attribute would not be applied.
        assert.doesNotMatch(html.slice(0, html.indexOf("<script")), / style=/);
      });

      await t.step(`${page}: the cookie is for the page alone, and not for scripts`, async () => {
        const cookie = await cookieOf(s, page);
        assert.match(cookie, new RegExp(`^mox-${page}=[\\w-]{43}; Path=${pathOf[page]}; `));
        assert.match(cookie, /; HttpOnly; SameSite=Strict$/);
      });

      await t.step(`${page}: other sites and forms can't make calls`, async () => {
        const cookie = (await cookieOf(s, page)).split(";")[0];
        const as = (headers: Record<string, string>) =>
          statusOf(call(s, page, "Overview", {}, { cookie, ...headers }));
        assert.equal(await as({}), 200);
        assert.equal(await as({ "sec-fetch-site": "same-origin" }), 200);
        assert.equal(await as({ "sec-fetch-site": "cross-site" }), 403);
        assert.equal(await as({ "sec-fetch-site": "same-site" }), 403);
        assert.equal(await as({ origin: "https://evil.example" }), 403);
        const form = await fetch(`${s.origin}${pathOf[page]}api/Logout`, {
          method: "POST",
          headers: { cookie, "content-type": "application/x-www-form-urlencoded" },
          body: "a=b",
        });
        assert.equal(form.status, 403);
        await form.body?.cancel();
        assert.equal(
          await statusOf(fetch(`${s.origin}${pathOf[page]}api/Overview`, { headers: { cookie } })),
          405,
        );
        assert.equal(await as({ "content-type": "text/plain" }), 400);
        // None of it has logged out.
        assert.equal(await as({}), 200);
      });

      await t.step(
        `${page}: without a session, after logout, or unused for long: 401`,
        async () => {
          assert.equal(await statusOf(call(s, page, "Overview", {})), 401);
          const cookie = (await cookieOf(s, page)).split(";")[0];
          const as = () => statusOf(call(s, page, "Overview", {}, { cookie }));
          assert.equal(await as(), 200);
          using db = new DatabaseSync(`${s.config.dataDir}/sessions.db`);
          const age = (hours: number) =>
            db.prepare("UPDATE sessions SET last_used = last_used - ? WHERE service = ?").run(
              hours * 3_600_000,
              page,
            );
          age(page === "admin" ? 11 : 23);
          assert.equal(await as(), 200);
          age(25);
          assert.equal(await as(), 401);
          const other = (await cookieOf(s, page)).split(";")[0];
          assert.equal(await statusOf(call(s, page, "Logout", {}, { cookie: other })), 200);
          assert.equal(await statusOf(call(s, page, "Overview", {}, { cookie: other })), 401);
        },
      );
    }

    await t.step("a cookie of one page opens no other", async () => {
      const cookie = (await cookieOf(s, "account")).split(";")[0];
      const { value } = /=(?<value>.*)/.exec(cookie)!.groups!;
      assert.equal(
        await statusOf(call(s, "admin", "Overview", {}, { cookie: `mox-admin=${value}` })),
        401,
      );
    });

    await t.step(
      "guessing is stopped after ten attempts, and counted",
      async () => {
        const before = await limited("webadmin");
        const statuses = await Promise.all(Array.from({ length: 10 }, (_, i) => {
          const form = { username: "", password: `guess number ${i}` };
          return statusOf(call(s, "admin", "Login", form));
        }));
        assert.deepEqual(statuses, new Array(10).fill(401));
        const refused = await call(s, "admin", "Login", login.admin);
        assert.equal(refused.status, 429);
        assert.match(refused.headers.get("retry-after") ?? "", /^[1-6]$/);
        assert.match((await refused.json()).error.message, /too many failed logins/);
        // It keeps nobody else out who has logged in from here before.
        assert.equal(await statusOf(call(s, "account", "Login", login.account)), 200);
        assert.equal(await limited("webadmin"), before + 1);
      },
    );
    // Time stands for the limit: guesses take as long as they take.
  }, { empty: true, loginClock: () => 1_700_000_000_000 });
});

const listener = (...names: string[]) =>
  names.map((n) => `		${n}HTTP:\n			Enabled: true\n			Port: PORT`).join("\n");

for (
  const [names, at] of [
    [["Account", "Admin"], "account"],
    [["Admin", "Webmail"], "/admin/"],
    [["Webmail"], "/webmail/"],
  ] as const
) {
  Deno.test(`"/" of a listener with ${names.join(" and ")}`, () =>
    withAdminSite(async (s) => {
      const r = await fetch(`${s.origin}/`, { redirect: "manual" });
      const text = await r.text();
      if (at === "account") {
        assert.equal(r.status, 200);
        assert.match(text, /<title>Account<\/title>/);
        return;
      }
      assert.equal(r.status, 307);
      assert.equal(new URL(r.headers.get("location")!, s.origin).pathname, at);
      const followed = await fetch(`${s.origin}${at}`);
      assert.match(await followed.text(), /<title>(Administration|Webmail)<\/title>/);
      // A page without its last slash is found, and nothing else is made up.
      assert.equal(
        await statusOf(fetch(`${s.origin}${at.slice(0, -1)}`, { redirect: "manual" })),
        308,
      );
      assert.equal(await statusOf(fetch(`${s.origin}/else`, { redirect: "manual" })), 404);
    }, { empty: true, pages: listener(...names) }));
}
