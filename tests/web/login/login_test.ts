/** Login of pages: cookies, sessions that end, guessing, other sites. */
import assert from "node:assert/strict";
import { Log } from "../../../src/log/mod.ts";
import { LoginGuard } from "../../../src/net/mod.ts";
import {
  answerCall,
  ownHost,
  routeServices,
  serveHttp,
  textResponse,
  type WebHandler,
} from "../../../src/web/http/mod.ts";
import { Login, Sessions } from "../../../src/web/login/mod.ts";
import * as v from "valibot";

const calls = {
  Login: {
    request: v.object({ username: v.string(), password: v.string() }),
    response: v.object({ account: v.string() }),
  },
  Who: { request: v.object({}), response: v.object({ account: v.string() }) },
};

interface World {
  base: string;
  sessions: Sessions;
  clock: { now: number };
  accounts: Set<string>;
  call(name: string, body: unknown, headers?: Record<string, string>): Promise<Response>;
}

async function withPage(fn: (w: World) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  const clock = { now: Date.UTC(2026, 0, 1) };
  const sessions = await Sessions.open(dir, () => clock.now);
  const accounts = new Set(["ann"]);
  const login = new Login({
    service: "webmail",
    sessions,
    limiter: new LoginGuard({ now: () => clock.now, sleep: () => Promise.resolve() }),
    check: (f) =>
      Promise.resolve(
        f.username === "ann@example.org" && f.password === "secretsecret"
          ? { account: "ann" }
          : "wrong",
      ),
    allowed: (s) => accounts.has(s.account),
  });
  const handle: WebHandler = async (req) => {
    if (req.path === "/logout") {
      return textResponse(200, "bye", { "Set-Cookie": login.logout(req) });
    }
    let cookie: string | undefined;
    const session = login.session(req);
    const response = await answerCall({
      req,
      name: req.path.slice(1),
      calls,
      context: (name) => name === "Login" ? undefined : login.require(req),
      handlers: {
        async Login(form) {
          const r = await login.login(req, form);
          cookie = r.cookie;
          return { account: r.account };
        },
        Who: (_r, s) => ({ account: s!.account }),
      },
      pkg: "webmail",
    });
    if (cookie !== undefined) response.headers.append("Set-Cookie", cookie);
    return login.renew(req, session, response);
  };
  const server = await serveHttp(
    { hostname: "127.0.0.1", port: 0, log: new Log("httptest") },
    routeServices([{ name: "webmail", path: "/webmail/", host: ownHost("mail.example"), handle }]),
  );
  const base = `http://127.0.0.1:${server.port}/webmail/`;
  try {
    await fn({
      base,
      sessions,
      clock,
      accounts,
      call: (name, body, headers = {}) =>
        fetch(base + name, {
          method: "POST",
          body: JSON.stringify(body),
          headers: { "Content-Type": "application/json", "x-mox-request": "1", ...headers },
        }),
    });
  } finally {
    await server.shutdown(1000);
    await sessions.close();
    await Deno.remove(dir, { recursive: true });
  }
}

const right = { username: "ann@example.org", password: "secretsecret" };

async function status(r: Promise<Response>): Promise<number> {
  const res = await r;
  await res.body?.cancel();
  return res.status;
}

function cookieOf(res: Response): string {
  return res.headers.getSetCookie()[0].split(";", 1)[0];
}

Deno.test("a login gives a cookie that scripts and other sites don't get, and it logs in", async () => {
  await withPage(async (w) => {
    assert.equal(await status(w.call("Who", {})), 401);
    const res = await w.call("Login", right);
    assert.deepEqual(await res.json(), { account: "ann" });
    const set = res.headers.getSetCookie()[0];
    assert.match(
      set,
      /^mox-webmail=[\w-]{43}; Path=\/webmail\/; Max-Age=\d+; HttpOnly; SameSite=Strict$/,
    );
    const who = await w.call("Who", {}, { Cookie: cookieOf(res) });
    assert.deepEqual(await who.json(), { account: "ann" });
  });
});

Deno.test("after logout, revocation or the account's end the cookie is worth nothing", async () => {
  await withPage(async (w) => {
    const cookies = [];
    for (let i = 0; i < 3; i++) {
      const res = await w.call("Login", right);
      await res.body?.cancel();
      cookies.push({ Cookie: cookieOf(res) });
    }
    const [a, b, c] = cookies;
    await (await fetch(`${w.base}logout`, { headers: a })).body?.cancel();
    assert.equal(await status(w.call("Who", {}, a)), 401);
    assert.equal(await status(w.call("Who", {}, b)), 200);
    assert.equal(w.sessions.list("ann").length, 2);
    for (const s of w.sessions.list("ann").slice(1)) assert.ok(w.sessions.end("ann", s.id));
    const left = [await status(w.call("Who", {}, b)), await status(w.call("Who", {}, c))];
    assert.deepEqual(left.sort(), [200, 401]);
    w.accounts.delete("ann");
    assert.equal(await status(w.call("Who", {}, b)), 401);
    assert.equal(await status(w.call("Who", {}, c)), 401);
    assert.equal(w.sessions.list("ann").length, 0);
  });
});

Deno.test("a session unused for two weeks has ended; a used one changes its token each day", async () => {
  await withPage(async (w) => {
    const res = await w.call("Login", right);
    await res.body?.cancel();
    const first = { Cookie: cookieOf(res) };
    w.clock.now += 25 * 3_600_000;
    const renewed = await w.call("Who", {}, first);
    await renewed.body?.cancel();
    const second = { Cookie: cookieOf(renewed) };
    assert.notDeepEqual(second, first);
    // Requests on their way still carry the old one.
    assert.equal(await status(w.call("Who", {}, first)), 200);
    w.clock.now += 61_000;
    assert.equal(await status(w.call("Who", {}, first)), 401);
    assert.equal(await status(w.call("Who", {}, second)), 200);
    w.clock.now += 15 * 24 * 3_600_000;
    assert.equal(await status(w.call("Who", {}, second)), 401);
  });
});

Deno.test("guessing is stopped after ten attempts, for the right password too", async () => {
  await withPage(async (w) => {
    const wrong = { ...right, password: "no" };
    for (let i = 0; i < 10; i++) assert.equal(await status(w.call("Login", wrong)), 401);
    assert.equal(await status(w.call("Login", right)), 429);
    w.clock.now += 60_001;
    assert.equal(await status(w.call("Login", right)), 200);
  });
});

Deno.test("calls from other sites, without our header, or of another type are refused", async () => {
  await withPage(async (w) => {
    const res = await w.call("Login", right);
    await res.body?.cancel();
    const Cookie = cookieOf(res);
    assert.equal(await status(w.call("Who", {}, { Cookie, "Sec-Fetch-Site": "cross-site" })), 403);
    assert.equal(await status(w.call("Who", {}, { Cookie, "Sec-Fetch-Site": "same-site" })), 403);
    assert.equal(await status(w.call("Who", {}, { Cookie, Origin: "https://evil.example" })), 403);
    assert.equal(await status(w.call("Who", {}, { Cookie, Origin: new URL(w.base).origin })), 200);
    const bare = fetch(`${w.base}Who`, {
      method: "POST",
      body: "{}",
      headers: { Cookie, "Content-Type": "application/json" },
    });
    assert.equal(await status(bare), 403);
    assert.equal(await status(w.call("Who", {}, { Cookie, "Content-Type": "text/plain" })), 400);
    assert.equal(await status(fetch(`${w.base}Who`, { headers: { Cookie } })), 405);
  });
});

Deno.test("a body that does not fit is refused with the place of the mistake", async () => {
  await withPage(async (w) => {
    const res = await w.call("Login", { username: "ann@example.org", password: 5 });
    assert.equal(res.status, 400);
    const { error } = await res.json();
    assert.equal(error.code, "request");
    assert.match(error.message, /^password: /);
    const unknown = await w.call("constructor", {});
    assert.equal(unknown.status, 404);
    await unknown.body?.cancel();
  });
});
