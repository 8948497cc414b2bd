/** Sessions, logins and calls of pages at their edges, called directly. */
import assert from "node:assert/strict";
import qrcode from "qrcode-generator";
import * as v from "valibot";
import { Buffer } from "node:buffer";
import { Log } from "../../../src/log/mod.ts";
import { LoginGuard } from "../../../src/net/mod.ts";
import { HttpError, type WebRequest } from "../../../src/web/http/mod.ts";
import { UserError } from "../../../src/web/http/mod.ts";
import { confirm } from "../../../src/web/login/confirm.ts";
import { coseKey } from "../../../src/web/login/cose.ts";
import type { LoginFailure } from "../../../src/web/http/limited_login.ts";
import type { LoginOptions } from "../../../src/web/login/login.ts";
import { Challenges, Login, type LoginService, Sessions } from "../../../src/web/login/mod.ts";
import { checkedKey, newFactor, qrPath } from "../../../src/web/login/new_factor.ts";
import { type PageContext, pageHandler } from "../../../src/web/login/page_calls.ts";

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

async function withSessions(fn: (s: Sessions, clock: { now: number }) => Promise<void> | void) {
  const dir = await Deno.makeTempDir();
  const clock = { now: Date.UTC(2026, 0, 1) };
  const sessions = await Sessions.open(dir, () => clock.now);
  try {
    await fn(sessions, clock);
  } finally {
    await sessions.close();
    await Deno.remove(dir, { recursive: true });
  }
}

/** A request of a page at /webmail/. */
function request(over: Partial<WebRequest> & { cookie?: string; json?: unknown } = {}): WebRequest {
  const { cookie, json, ...rest } = over;
  const headers = new Headers({
    "user-agent": "browser",
    "content-type": "application/json",
    "x-mox-request": "1",
  });
  if (cookie !== undefined) headers.set("cookie", cookie);
  const path = over.path ?? "/";
  const none = new AbortController().signal;
  const base: Omit<WebRequest, "raw"> = {
    method: json === undefined ? "GET" : "POST",
    url: new URL(`http://mail.example/webmail${path}`),
    origin: "http://mail.example",
    path,
    headers,
    remoteIp: "192.0.2.1",
    secure: false,
    signal: none,
    cid: 1,
    log: new Log("httptest"),
    stopping: none,
    body: () => Promise.resolve(new TextEncoder().encode(JSON.stringify(json))),
    stream: () => new ReadableStream(),
    sibling: () => undefined,
    rawHeaders: [],
    hasBody: json !== undefined,
  };
  return { ...base, ...rest } as WebRequest;
}

const ann = {
  service: "webmail" as LoginService,
  account: "ann",
  login: "ann@x",
  remoteIp: "192.0.2.1",
  userAgent: "b",
};

Deno.test("sessions live their time, unused and in all, to the millisecond", () =>
  withSessions((s, clock) => {
    const start = clock.now;
    const lives: [LoginService, number][] = [["webmail", 14 * day], ["account", day], [
      "admin",
      12 * hour,
    ]];
    for (const [service, life] of lives) {
      clock.now = start;
      const [a, b] = [s.create({ ...ann, service }), s.create({ ...ann, service })];
      clock.now = start + life;
      s.create({ ...ann, account: "other", service });
      assert.ok(s.find(service, a), `${service}, its last moment`);
      clock.now = start + life + 1;
      assert.equal(s.find(service, b), undefined, service);
      assert.equal(s.list("ann").filter((x) => x.service === service).length, 1, "it is forgotten");
      s.endAll("ann");
    }
    // However much it is used it ends after ninety days.
    clock.now = start;
    let token = s.create(ann);
    for (let d = 10; d <= 90; d += 10) {
      clock.now = start + d * day;
      token = s.find("webmail", token)!.newToken ?? token;
    }
    clock.now++;
    assert.equal(s.find("webmail", token), undefined);
  }));

Deno.test("a token changes once a day; the one before works for another minute", () =>
  withSessions((s, clock) => {
    const first = s.create(ann);
    assert.match(first, /^[\w-]{43}$/);
    clock.now += day;
    assert.equal(s.find("webmail", first)!.newToken, undefined);
    clock.now++;
    const second = s.find("webmail", first)!.newToken!;
    assert.match(second, /^[\w-]{43}$/);
    assert.equal(s.find("webmail", first)!.newToken, undefined, "on its way already");
    clock.now += minute - 1;
    assert.ok(s.find("webmail", first));
    assert.equal(s.find("webmail", second)!.newToken, undefined);
    clock.now++;
    assert.equal(s.find("webmail", first), undefined);
    assert.equal(s.find("webmail", second)!.account, "ann");
    assert.equal(s.find("account", second), undefined, "of another page");
    for (const bad of ["", second.slice(1), `${second}x`, "x".repeat(43)]) {
      assert.equal(s.find("webmail", bad), undefined);
    }
  }));

Deno.test("when a session was used is noted once a minute; lists have the last used first", () =>
  withSessions((s, clock) => {
    const [a, b] = [
      s.create({ ...ann, userAgent: "u".repeat(400) }),
      s.create({ ...ann, login: "two" }),
    ];
    const start = clock.now;
    assert.deepEqual(
      s.list("ann").map((x) => x.login),
      ["two", "ann@x"],
      "the newest of the same time",
    );
    clock.now += minute;
    s.find("webmail", a);
    assert.equal(s.list("ann")[1].lastUsed, start);
    clock.now++;
    s.find("webmail", a);
    assert.deepEqual(s.list("ann").map((x) => [x.login, x.lastUsed]), [["ann@x", clock.now], [
      "two",
      start,
    ]]);
    assert.equal(s.list("ann")[0].userAgent.length, 300);
    assert.ok(b);
    const [{ id, ...rest }] = s.list("ann");
    assert.equal(typeof id, "number");
    assert.deepEqual({ ...rest, userAgent: "" }, {
      ...ann,
      userAgent: "",
      created: start,
      lastUsed: clock.now,
    });
    s.create({ ...ann, account: "bob" });
    s.create({ ...ann, account: "bob", service: "account" });
    assert.deepEqual(s.accounts().sort(), ["ann", "bob"]);
  }));

Deno.test("of a hundred sessions of an account and page the one unused for longest goes first", () =>
  withSessions((s, clock) => {
    const other = s.create({ ...ann, service: "account" });
    const oldest = s.create(ann);
    clock.now++;
    const tokens = Array.from({ length: 99 }, () => s.create(ann));
    assert.ok(s.find("webmail", oldest));
    clock.now++;
    s.create(ann);
    assert.equal(s.find("webmail", oldest), undefined);
    assert.ok(s.find("webmail", tokens[0]));
    assert.ok(s.find("account", other));
  }));

Deno.test("sessions that end are told of: one, or all but one", () =>
  withSessions((s) => {
    const told: string[] = [];
    const unwatch = s.watch((account) => told.push(account));
    const tokens = [s.create(ann), s.create(ann), s.create({ ...ann, account: "bob" })];
    const [a, b] = tokens.map((t) => s.find("webmail", t)!.id);
    assert.equal(s.end("bob", a), false, "of another");
    assert.equal(s.end("ann", a), true);
    assert.equal(s.end("ann", a), false);
    s.endAll("ann", b);
    assert.ok(s.find("webmail", tokens[1]));
    s.endAll("ann");
    assert.equal(s.find("webmail", tokens[1]), undefined);
    assert.ok(s.find("webmail", tokens[2]));
    assert.deepEqual(told, ["ann", "ann", "ann"]);
    unwatch();
    s.endAll("bob");
    assert.equal(told.length, 3);
  }));

function loginOf(sessions: Sessions, over: Partial<LoginOptions> = {}): Login {
  return new Login({
    service: "webmail",
    sessions,
    limiter: new LoginGuard({ exemptLoopback: true, sleep: () => Promise.resolve() }),
    check: (f) =>
      Promise.resolve(
        f.password === "right" ? { account: f.username } : f.password as LoginFailure,
      ),
    allowed: () => true,
    ...over,
  });
}

const httpError = (status: number, header?: string) => (e: unknown) => {
  assert.ok(e instanceof HttpError, String(e));
  assert.equal(e.status, status);
  assert.equal(new Headers(e.headers ?? {}).get("x-mox-second-factor"), header ?? null);
  return true;
};

Deno.test("how a login ends: a cookie for ninety days, or a status that says why not", () =>
  withSessions(async (s) => {
    const login = loginOf(s);
    const { account, cookie } = await login.login(request({ path: "/api/Login" }), {
      username: "ann",
      password: "right",
    });
    assert.equal(account, "ann");
    assert.match(
      cookie,
      /^mox-webmail=[\w-]{43}; Path=\/webmail\/; Max-Age=7776000; HttpOnly; SameSite=Strict$/,
    );
    const secure = await login.login(request({ secure: true }), {
      username: "ann",
      password: "right",
    });
    assert.match(secure.cookie, /^__Secure-mox-webmail=.*; SameSite=Strict; Secure$/);
    assert.deepEqual(s.list("ann").map((x) => [x.login, x.remoteIp, x.userAgent, x.service]), [
      ["ann", "192.0.2.1", "browser", "webmail"],
      ["ann", "192.0.2.1", "browser", "webmail"],
    ]);
    const fails = (password: string) => login.login(request(), { username: "ann", password });
    await assert.rejects(fails("wrong"), httpError(401));
    await assert.rejects(fails("disabled"), httpError(403));
    await assert.rejects(fails("second"), httpError(401, "required"));
    await assert.rejects(fails("wrongCode"), httpError(401, "required"));
    const token = cookie.split(";")[0];
    const req = request({ cookie: `other=x; ${token}; more=y` });
    assert.equal(login.session(req)!.account, "ann");
    assert.equal(login.require(req).account, "ann");
    assert.equal(login.session(request({ cookie: `x${token}` })), undefined);
    assert.equal(
      login.session(request({ cookie: token, secure: true })),
      undefined,
      "of HTTP only",
    );
    assert.throws(() => login.require(request()), httpError(401));
    assert.match(login.logout(req), /^mox-webmail=; Path=\/webmail\/; Max-Age=0;/);
    assert.equal(login.session(req), undefined);
    const response = login.renew(req, undefined, new Response("x"));
    assert.deepEqual(response.headers.getSetCookie(), []);
    const renewed = login.renew(req, { ...s.list("ann")[0], newToken: "t" }, new Response("x"));
    assert.match(renewed.headers.getSetCookie()[0], /^mox-webmail=t; .*Max-Age=7776000/);
  }));

Deno.test("a session of an account that may not log in any more ends", () =>
  withSessions(async (s) => {
    let allowed = true;
    const login = loginOf(s, { allowed: () => allowed });
    const { cookie } = await login.login(request(), { username: "ann", password: "right" });
    const req = request({ cookie: cookie.split(";")[0] });
    assert.ok(login.session(req));
    allowed = false;
    assert.equal(login.session(req), undefined);
    assert.deepEqual(s.list("ann"), []);
  }));

Deno.test("where nobody has to log in, a session begins by itself, and its cookie is set", () =>
  withSessions((s) => {
    const login = loginOf(s, {
      withoutLogin: (req) =>
        req.remoteIp === "192.0.2.1" ? { account: "mox", login: "mox@x" } : undefined,
      allowed: (who) => who.account === "mox",
    });
    const found = login.session(request())!;
    assert.deepEqual([found.account, found.login, found.newToken!.length], ["mox", "mox@x", 43]);
    assert.equal(login.session(request({ remoteIp: "198.51.100.1" })), undefined);
    const again = login.session(request({ cookie: `mox-webmail=${found.newToken}` }))!;
    assert.deepEqual([again.id, again.newToken], [found.id, undefined]);
    assert.equal(login.session(request({ cookie: "mox-webmail=unknown" }))!.account, "mox");
    assert.equal(
      loginOf(s, { withoutLogin: () => ({ account: "x", login: "x" }), allowed: () => false })
        .session(request()),
      undefined,
    );
  }));

Deno.test("passkeys: who it is comes with the answer, and each failure has its status", () =>
  withSessions(async (s) => {
    const seen: unknown[] = [];
    const answers: unknown[] = [{ account: "ann", login: "ann@x" }, "wrong", "disabled"];
    const login = loginOf(s, {
      checkPasskey: (_a, place, challenges) => {
        seen.push([place, challenges.open(login.challenge())]);
        return Promise.resolve(answers.shift() as "wrong");
      },
    });
    const answer = {
      id: "",
      clientData: "",
      authenticatorData: "",
      signature: "",
      userHandle: Buffer.from("ann").toString("base64url"),
    };
    const ok = await login.loginWithPasskey(request(), answer);
    assert.deepEqual([ok.account, ok.login], ["ann", "ann@x"]);
    assert.match(ok.cookie, /^mox-webmail=[\w-]{43}; .*Max-Age=7776000/);
    assert.deepEqual(s.list("ann").map((x) => [x.login, x.userAgent, x.remoteIp]), [[
      "ann@x",
      "browser",
      "192.0.2.1",
    ]]);
    await assert.rejects(login.loginWithPasskey(request(), answer), httpError(401));
    await assert.rejects(login.loginWithPasskey(request(), answer), httpError(403));
    assert.deepEqual(
      seen,
      Array(3).fill([{ host: "mail.example", hostname: "mail.example" }, true]),
    );
    await assert.rejects(
      loginOf(s).loginWithPasskey(request(), answer),
      httpError(401),
      "passkeys open nothing",
    );
  }));

Deno.test("challenges: five minutes, until they are answered, made here", () => {
  let now = 1_700_000_000_000;
  const c = new Challenges(() => now);
  const made = c.make();
  assert.ok(c.open(made));
  assert.notEqual(c.make(), made);
  now += 5 * minute - 1;
  assert.ok(c.open(made));
  now++;
  assert.ok(!c.open(made));
  const [a, b] = [c.make(), c.make()];
  c.spend(a);
  assert.deepEqual([c.open(a), c.open(b)], [false, true]);
  now += 5 * minute - 1;
  c.spend(b);
  assert.deepEqual([c.open(a), c.open(b)], [false, false]);
  assert.ok(!new Challenges(() => now).open(c.make()), "of another process");
  for (const bad of ["", "x", made.slice(1), `${made}=`, made.replace(/.$/, "A"), "A".repeat(54)]) {
    if (bad !== made) assert.ok(!c.open(bad), bad);
    c.spend(bad);
  }
});

Deno.test("the password is asked again, and what is wrong is said", async () => {
  const guard = new LoginGuard({ exemptLoopback: true, sleep: () => Promise.resolve() });
  const who = { service: "webaccount" as const, login: "ann" };
  await confirm(guard, request(), who, () => Promise.resolve({ account: "ann" }));
  for (
    const [failure, text] of [
      ["wrong", /current password is wrong/],
      ["wrongCode", /code is wrong/],
      ["second", /second factor is needed/],
      ["disabled", /login is disabled/],
    ] as const
  ) {
    await assert.rejects(confirm(guard, request(), who, () => Promise.resolve(failure)), (e) => {
      assert.ok(e instanceof UserError);
      assert.match(e.message, text);
      return true;
    });
  }
});

Deno.test("a key for a second factor: its URI, its code as a picture, and as it comes back", () => {
  const f = newFactor("mail.example", "a b@x");
  assert.equal(
    f.uri,
    `otpauth://totp/mail.example%3Aa%20b%40x?secret=${f.key}&issuer=mail.example`,
  );
  assert.equal(checkedKey(f.key), f.key);
  for (const good of ["A".repeat(16), "7".repeat(100)]) assert.equal(checkedKey(good), good);
  for (const bad of ["A".repeat(15), "A".repeat(101), "a".repeat(16), "1".repeat(16), ""]) {
    assert.throws(() => checkedKey(bad), UserError);
  }
  // A finder is in three corners: seven dark ones, then a light one; the fourth corner has none.
  const { size, path } = qrPath(f.uri);
  const dark = new Set([...path.matchAll(/M(\d+) (\d+)h1v1h-1z/g)].map((m) => `${m[1]} ${m[2]}`));
  const row = (x: number, y: number) =>
    Array.from({ length: 8 }, (_, i) => dark.has(`${x + i} ${y}`) ? "#" : ".").join("");
  assert.deepEqual([row(0, 0), row(0, size - 7)], ["#######.", "#######."]);
  assert.equal(row(size - 8, 0), ".#######");
  assert.deepEqual([row(0, 1), row(0, 2)], ["#.....#.", "#.###.#."]);
  assert.notEqual(row(size - 8, size - 7), ".#######");
  assert.equal(qrPath("x").size, 21);
  const other = qrcode(0, "M");
  other.addData(f.uri);
  other.make();
  const cells = Array.from({ length: size }, (_, i) => i);
  assert.ok(cells.every((y) => cells.every((x) => dark.has(`${x} ${y}`) === other.isDark(y, x))));
  // Not symmetrical: columns are not rows.
  const turned = [...dark].map((p) => p.split(" ").reverse().join(" "));
  assert.ok(turned.some((p) => !dark.has(p)));
  assert.ok(dark.has(`8 ${size - 8}`), "the module that is always dark");
});

Deno.test("keys of devices that are no keys", () => {
  const fails = (...bytes: number[]) => {
    try {
      coseKey(Uint8Array.from(bytes));
      return "";
    } catch (err) {
      return (err as Error).message;
    }
  };
  assert.equal(fails(), "key is cut off");
  assert.equal(fails(0x58), "key is cut off");
  assert.equal(fails(0x42, 1), "key is cut off");
  assert.equal(fails(0x5b, 0, 0, 0, 0, 0, 0, 0, 1, 1), "key has lengths that no key has");
  assert.equal(fails(0x5a, 0, 0, 0, 1, 1), "key is no map");
  assert.equal(fails(0x80), "key has values of other kinds");
  assert.equal(fails(0xa0), "key has no algorithm");
  assert.equal(fails(0xa1, 0x41, 1, 1), "name expected");
  assert.equal(fails(0xa1, 0x61, 0x61, 1), "key has no algorithm");
  assert.equal(fails(0xb5), "key has too much in it");
  assert.equal(fails(0xb4), "key is cut off");
  assert.equal(fails(0xa1, 1, 0xa1, 1, 0xa1, 1, 0xa1, 1, 1), "key has too much in it");
  assert.equal(fails(0xa1, 1, 0xa1, 1, 1), "key has no algorithm");
  assert.equal(fails(0xa1, 3, 0x26), "key is of a kind that is not known");
  assert.equal(fails(0xa3, 1, 2, 3, 0x26, 0x20, 1), "key lacks a number");
  assert.equal(fails(0xa3, 1, 2, 3, 0x26, 0x20, 2), "key is of a kind that is not known");
  assert.equal(fails(0xa1, 0x19, 0, 3, 0x26), "key is of a kind that is not known");
});

Deno.test("calls of a page: those that need a login, cookies that calls set, what runs around them", () =>
  withSessions(async (s, clock) => {
    const login = loginOf(s);
    const calls = {
      Open: { request: v.object({}), response: v.object({ who: v.string() }) },
      Closed: { request: v.object({}), response: v.object({ who: v.string() }) },
    };
    const around: string[] = [];
    const who = (_r: unknown, c: PageContext) => ({ who: c.session?.account ?? "nobody" });
    const handle = pageHandler({
      login,
      calls,
      handlers: {
        Open(r, c) {
          if (c.session === undefined) c.setCookie("a=b");
          return who(r, c);
        },
        Closed: who,
      },
      open: ["Open"],
      page: () => Promise.resolve(new Response("page")),
      pkg: "webmail",
      around: async (name, _request, c, run) => {
        around.push(`${name} ${c.session?.account}`);
        return await run();
      },
    });
    assert.equal(await (await handle(request())).text(), "page");
    await assert.rejects(async () => await handle(request({ path: "/x" })), httpError(404));
    const call = async (name: string, cookie?: string) => {
      const r = await handle(request({ path: `/api/${name}`, cookie, json: {} }));
      return [
        r.status,
        await r.json(),
        r.headers.getSetCookie().map((c) => c.split(";")[0].slice(0, 12)),
      ];
    };
    assert.deepEqual(await call("Open"), [200, { who: "nobody" }, ["a=b"]]);
    assert.equal((await call("Closed"))[0], 401);
    assert.deepEqual(around, []);
    const { cookie } = await login.login(request(), { username: "ann", password: "right" });
    const token = cookie.split(";")[0];
    assert.deepEqual(await call("Closed", token), [200, { who: "ann" }, []]);
    assert.deepEqual(await call("Open", token), [200, { who: "ann" }, []]);
    assert.deepEqual(around, ["Closed ann", "Open ann"]);
    clock.now += day + 1;
    const [status, , renewed] = await call("Closed", token);
    assert.deepEqual([status, renewed], [200, ["mox-webmail="]], "a new token");
  }));
