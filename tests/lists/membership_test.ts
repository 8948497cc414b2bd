/** Subscribing and leaving, by mail and on pages, always confirmed; the archive and what is held on pages. */
import assert from "node:assert/strict";
import { addListMembers, AdminError } from "../../src/admin/mod.ts";
import { addMembers, addressIn, listDomains, type ListWorld, listWorld } from "./world.ts";

const news = "news@ours.example";
const confirmAddress = /news-confirm\+c[0-9a-z]+-[a-z2-7]{13}@ours\.example/;
const members = (w: ListWorld) =>
  w.r.server.lists!.db.members.after(news, 0, 100).map((m) => m.address);

/** Fetches a page; redirects are not followed. */
async function get(url: string, headers: Record<string, string> = {}) {
  const r = await fetch(url, { headers, redirect: "manual" });
  return { status: r.status, text: await r.text(), headers: r.headers };
}

async function post(url: string, form: Record<string, string> = {}, headers = {}) {
  const body = new URLSearchParams(form);
  const r = await fetch(url, { method: "POST", body, headers, redirect: "manual" });
  return { status: r.status, text: await r.text(), headers: r.headers };
}

/** The page that a mail names, at this server's own address. */
function pageIn(w: ListWorld, data: string): string {
  const [link] = /http:\/\/mail\.example:\d+\/lists\/[^\s>]+/.exec(data.replace(/=\r\n/g, ""))!;
  return link.replace(/^http:\/\/mail\.example:\d+\/lists/, w.pages);
}

Deno.test("by mail: nobody is subscribed or taken out who hasn't answered", async () => {
  await using w = await listWorld();
  assert.equal((await w.send("news-subscribe@ours.example")).code, 250);
  const [asked] = await w.out();
  assert.deepEqual([asked.to, asked.from], [["joe@sender.example"], ""]);
  assert.match(asked.data, /^Auto-Submitted: auto-generated\r$/m);
  assert.deepEqual(members(w), []);
  // A program that answers has confirmed nothing.
  const confirm = addressIn(asked.data, confirmAddress);
  await w.send(confirm, { headers: "Auto-Submitted: auto-replied\n" });
  assert.deepEqual(members(w), []);
  assert.equal((await w.send(confirm, { subject: "Re: Confirm" })).code, 250);
  assert.deepEqual(members(w), ["joe@sender.example"]);
  assert.match((await w.out())[0].data, /^Subject: Welcome to News\r$/m);
  // Once is enough.
  assert.equal((await w.send(confirm)).code, 550);

  assert.equal((await w.send("news-request@ours.example", { subject: "unsubscribe" })).code, 250);
  const [leaving] = await w.out();
  assert.deepEqual(members(w), ["joe@sender.example"]);
  assert.equal((await w.send(addressIn(leaving.data, confirmAddress))).code, 250);
  assert.deepEqual(members(w), []);
});

Deno.test("commands of strangers: forged, automatic, too many, none", async () => {
  await using w = await listWorld();
  const forged = await w.r.send({
    from: "eve@sender.example",
    to: "news-subscribe@ours.example",
    text: "From: <victim@forger.example>\nTo: <news-subscribe@ours.example>\nSubject: x\n\n\n",
  });
  assert.equal(forged.code, 550);
  assert.deepEqual(await w.out(), []);
  for (
    const headers of ["Precedence: bulk\n", "Auto-Submitted: auto-generated\n", "List-Id: <x.y>\n"]
  ) {
    assert.equal((await w.send("news-subscribe@ours.example", { headers })).code, 250);
  }
  assert.deepEqual(await w.out(), []);
  // What is no command gets help, but not for ever.
  for (let i = 0; i < 8; i++) await w.send("news-request@ours.example", { subject: `hello ${i}` });
  const help = await w.out();
  assert.equal(help.length, 5);
  assert.match(help[0].data, /^Subject: Help for News\r$/m);
  assert.equal((await w.send("news-confirm@ours.example")).code, 550);
  assert.equal((await w.send("news-bounces@ours.example")).code, 550);
  assert.equal((await w.send("news-unsubscribe+l1-aaaaaaaaaaaaa@ours.example")).code, 550);
});

Deno.test("by the link in a message: a look changes nothing, one click without a cookie does (RFC 8058)", async () => {
  await using w = await listWorld();
  addMembers(w, news, ["joe@sender.example", "bob@away.example"]);
  await w.send(news);
  const sent = await w.out();
  const mine = sent.find((m) => m.to[0] === "bob@away.example")!;
  const link = pageIn(w, /^List-Unsubscribe:(?:.|\r\n )*/m.exec(mine.data)![0]);
  const seen = await get(link);
  assert.equal(seen.status, 200);
  assert.match(seen.text, /bob@away\.example/);
  assert.deepEqual(members(w).length, 2);
  const done = await post(link, { "List-Unsubscribe": "One-Click" }, {
    origin: "https://provider.example",
    "sec-fetch-site": "cross-site",
  });
  assert.equal(done.status, 200);
  assert.deepEqual(members(w), ["joe@sender.example"]);
  // By mail: the same token, also from a robot.
  const other = sent.find((m) => m.to[0] === "joe@sender.example")!;
  const address = addressIn(
    other.data.replace(/\r\n /g, " "),
    /news-unsubscribe\+l[0-9a-z]+-[a-z2-7]{13}@ours\.example/,
  );
  assert.equal((await w.send(address, { headers: "Auto-Submitted: auto-generated\n" })).code, 250);
  assert.deepEqual(members(w), []);
  assert.equal((await get(`${link}x`)).status, 404);
});

Deno.test("on pages: subscribing, reading the archive as a member, deciding as an owner", async () => {
  await using w = await listWorld();
  const base = `${w.pages}/${news}`;
  assert.match((await get(`${w.pages}/`)).text, /News/);
  assert.equal((await get(`${w.pages}/other@ours.example`)).status, 404);
  assert.equal(
    (await post(base, { kind: "subscribe", address: "bob@away.example", name: "<b>Bob" })).status,
    200,
  );
  const [asked] = await w.out();
  const confirm = pageIn(w, asked.data);
  assert.match((await get(confirm)).text, /Subscribe bob@away\.example/);
  assert.deepEqual(members(w), []);
  assert.equal((await post(confirm, {}, { "sec-fetch-site": "cross-site" })).status, 403);
  assert.match((await post(confirm)).text, /is a member now/);
  assert.deepEqual(members(w), ["bob@away.example"]);
  await w.out();

  // A stranger's message waits, and the owner sends it.
  await w.send(news, { subject: "<script>alert(1)</script>", body: "<b>text</b> & more" });
  const held = await w.out();
  assert.deepEqual(held.map((m) => m.to[0]), ["ann@ours.example"]);
  assert.equal((await get(`${base}/held`)).status, 403);
  assert.equal((await get(`${base}/archive`)).status, 403);
  const login = async (address: string) => {
    await post(base, { kind: "read", address });
    const out = await w.out();
    if (out.length === 0) return "";
    const done = await post(pageIn(w, out[0].data));
    assert.equal(done.status, 303);
    const cookie = done.headers.get("set-cookie")!;
    assert.match(cookie, /HttpOnly; SameSite=Lax/);
    return cookie.split(";")[0];
  };
  const owner = { cookie: await login("ann@ours.example") };
  assert.equal(await login("nobody@away.example"), "");
  const list = await get(`${base}/held`, owner);
  assert.match(list.text, /&#60;script&#62;alert/);
  assert.doesNotMatch(list.text, /<script>/);
  const id = /held\/(\d+)/.exec(list.text)![1];
  const message = await get(`${base}/held/${id}`, owner);
  assert.match(message.text, /&#60;b&#62;text&#60;\/b&#62; &#38; more/);
  assert.match(message.headers.get("content-security-policy")!, /default-src 'none'/);
  assert.equal((await post(`${base}/held`, { id, verdict: "approve" })).status, 403);
  assert.equal((await post(`${base}/held`, { id, verdict: "approve" }, owner)).status, 303);
  assert.deepEqual((await w.out()).map((m) => m.to[0]), ["bob@away.example"]);
  assert.equal((await post(`${base}/held`, { id, verdict: "approve" }, owner)).status, 422);

  const bob = { cookie: await login("bob@away.example") };
  assert.match((await get(`${base}/archive`, bob)).text, /&#60;script&#62;/);
  assert.match((await get(`${base}/archive/${id}`, bob)).text, /more/);
  assert.equal((await get(`${base}/held`, bob)).status, 403);
  assert.equal((await post(`${base}/archive/${id}`, {}, bob)).status, 403);
  // Whoever has left doesn't read any more, and a cookie of another list or a changed one is none.
  assert.equal(
    (await get(`${base}/archive`, {
      cookie: bob.cookie.replace(/.$/, (c) => c === "A" ? "Q" : "A"),
    })).status,
    403,
  );
  w.r.server.lists!.db.members.remove(news, "bob@away.example");
  assert.equal((await get(`${base}/archive`, bob)).status, 403);
  assert.equal((await post(`${base}/archive/${id}`, {}, owner)).status, 303);
  assert.equal((await get(`${base}/archive/${id}`, owner)).status, 404);
});

Deno.test("owners let people in where the list says so; closed lists take nobody", async () => {
  await using w = await listWorld({
    domains: listDomains(
      "\t\t\t\tSubscribing: approve\n",
      "\t\t\tshut:\n\t\t\t\tOwners:\n\t\t\t\t\t- ann@ours.example\n\t\t\t\tSubscribing: closed\n\t\t\t\tArchive: none\n",
    ),
  });
  await w.send("news-subscribe@ours.example");
  const [asked] = await w.out();
  await w.send(addressIn(asked.data, confirmAddress));
  const [notice] = await w.out();
  assert.equal(notice.to[0], "ann@ours.example");
  assert.deepEqual(members(w), []);
  assert.equal(
    (await w.send(addressIn(notice.data, /news-confirm\+m[0-9a-z]+-[a-z2-7]{13}@ours\.example/)))
      .code,
    250,
  );
  assert.deepEqual(members(w), ["joe@sender.example"]);
  const closed = await w.send("shut-subscribe@ours.example");
  assert.equal(closed.code, 550);
  assert.match(closed.text, /takes no new members/);
  assert.equal(
    (await post(`${w.pages}/shut@ours.example`, { kind: "subscribe", address: "a@b.example" }))
      .status,
    422,
  );
});

/** Requests to the pages that are wrong, and the answers. */
const bad: [string, RequestInit & { path: string }, number][] = [
  ["no address", {
    path: "",
    method: "POST",
    body: new URLSearchParams({ kind: "subscribe", address: "none" }),
  }, 422],
  ["two addresses", {
    path: "",
    method: "POST",
    body: new URLSearchParams({ kind: "subscribe", address: "a@b.example, c@d.example" }),
  }, 422],
  ["a line end in the address", {
    path: "",
    method: "POST",
    body: new URLSearchParams({ kind: "subscribe", address: "a@b.example\r\nBcc: x@y.example" }),
  }, 422],
  ["the list itself as a member", {
    path: "",
    method: "POST",
    body: new URLSearchParams({ kind: "subscribe", address: "news@ours.example" }),
  }, 422],
  [
    "no kind",
    { path: "", method: "POST", body: new URLSearchParams({ address: "a@b.example" }) },
    422,
  ],
  ["JSON", {
    path: "",
    method: "POST",
    body: "{}",
    headers: { "content-type": "application/json" },
  }, 415],
  ["a form of 20 KB", {
    path: "",
    method: "POST",
    body: new URLSearchParams({ kind: "subscribe", address: "x".repeat(20_000) }),
  }, 413],
  ["PUT", { path: "", method: "PUT", body: "x" }, 405],
  ["a token of another purpose", { path: "/confirm/l1-aaaaaaaaaaaaa" }, 404],
  ["half an escape", { path: "/archive/%e0%a4%a" }, 404],
  ["a message that is not there", { path: "/archive/999999" }, 403],
  ["a path that goes up", { path: "/archive/..%2f..%2f" }, 404],
  ["many cookies", { path: "/archive", headers: { cookie: "moxlist=a.b.c; ".repeat(300) } }, 403],
];
Deno.test("pages: wrong requests", async () => {
  await using w = await listWorld();
  for (const [what, { path, ...init }, status] of bad) {
    const r = await fetch(`${w.pages}/${news}${path}`, init);
    await r.body?.cancel();
    assert.equal(r.status, status, what);
  }
  assert.deepEqual(await w.out(), []);
});

Deno.test("an administrator adds members as other programs print them; a wrong one among them adds nobody", async () => {
  await using w = await listWorld();
  const add = (...given: string[]) =>
    addListMembers(w.r.server.config, w.r.server.lists!.db, news, given, w.now.value);
  assert.equal(
    await add("ann@away.example", '"Bob B. (x)" <bob@away.example>', "C C <Cy@Away.Example> "),
    3,
  );
  assert.deepEqual(members(w), ["ann@away.example", "bob@away.example", "Cy@away.example"]);
  assert.equal(await add("Bob <bob@away.example>", "<dan@away.example>"), 1);
  for (const bad of ["Eve <eve>", "Eve <<eve@x.example>>", "eve@x.example>", "<>", "Eve"]) {
    await assert.rejects(add("fine@away.example", bad), AdminError, bad);
  }
  assert.equal(members(w).length, 4);
});
