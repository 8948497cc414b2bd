/** What members get of a message to a list, who may write to it, and what is held. */
import assert from "node:assert/strict";
import { Log } from "../../src/log/mod.ts";
import { authenticate, bytesSource } from "../../src/senderauth/mod.ts";
import type { FakeMail } from "../smtp/fake_host.ts";
import { addMembers, addressIn, listDomains, type ListWorld, listWorld } from "./world.ts";

const news = "news@ours.example";

/** What another server finds about a message. */
async function authenticated(w: ListWorld, m: FakeMail) {
  const bytes = new TextEncoder().encode(m.data);
  return await authenticate({
    remoteIp: "127.0.0.1",
    ehlo: "mail.example",
    mailFrom: m.from,
    headerBytes: bytes.subarray(0, m.data.indexOf("\r\n\r\n") + 4),
    message: bytesSource(bytes),
    resolver: w.r.resolver,
    log: new Log("test"),
    hostname: "other.example",
    now: new Date(),
  });
}

const field = (m: FakeMail, name: string) =>
  new RegExp(`^${name}:((?:.|\\r\\n[ \\t])*)`, "mi").exec(m.data.split("\r\n\r\n")[0])?.[1]
    .replace(/\r\n/g, "").trim();

Deno.test("each member gets a copy with its own sender, its own link for leaving, and a good signature", async () => {
  await using w = await listWorld();
  addMembers(w, news, ["joe@sender.example", "bob@away.example", "cas@home.example"]);
  assert.equal(
    (await w.send(news, {
      subject: "Hello all",
      headers:
        "List-Id: <other.example>\nList-Post: <mailto:x@evil.example>\nReturn-Receipt-To: joe@sender.example\n",
    })).code,
    250,
  );
  const out = await w.out();
  assert.deepEqual(out.flatMap((m) => m.to).sort(), [
    "bob@away.example",
    "cas@home.example",
    "joe@sender.example",
  ]);
  assert.equal(new Set(out.map((m) => m.from)).size, 3);
  const links = new Set<string>();
  for (const m of out) {
    assert.match(m.from, /^news-bounces\+b[0-9a-z]+-[a-z2-7]{13}@ours\.example$/);
    assert.equal(field(m, "List-Id"), "News <news.ours.example>");
    assert.equal(m.data.match(/^list-/gim)!.length, m.data.match(/^List-/gm)!.length);
    assert.equal(m.data.match(/^List-Id:/gm)!.length, 1);
    assert.doesNotMatch(m.data, /evil|other\.example|Return-Receipt/);
    assert.equal(field(m, "List-Post"), "<mailto:news@ours.example>");
    assert.equal(
      field(m, "List-Archive"),
      `<${w.pages.replace("127.0.0.1", "mail.example")}/news@ours.example/archive>`,
    );
    assert.equal(field(m, "Precedence"), "list");
    // joe's domain has a policy that would have it refused.
    assert.equal(field(m, "From"), '"joe via News" <news@ours.example>'.replaceAll('"', ""));
    assert.equal(field(m, "Reply-To"), "joe@sender.example");
    assert.equal(field(m, "Subject"), "Hello all");
    const leave = field(m, "List-Unsubscribe")!;
    links.add(leave);
    assert.match(
      leave,
      /^<http:\/\/mail\.example:\d+\/lists\/news@ours\.example\/leave\/l.*>, <mailto:news-unsubscribe\+l.*@ours\.example>$/,
    );
    const auth = await authenticated(w, m);
    assert.deepEqual(auth.dkim.filter((d) => d.domain === "ours.example").map((d) => d.status), [
      "pass",
    ]);
    assert.equal(auth.arc?.result, "pass");
    const h = /DKIM-Signature:[\s\S]*?h=([\s\S]*?);/.exec(m.data)![1].replace(/\s/g, "")
      .toLowerCase();
    assert.match(h, /list-unsubscribe/);
  }
  assert.equal(links.size, 3);
});

Deno.test("with From: never the author's signature stays good, and so does ours", async () => {
  await using w = await listWorld({ domains: listDomains("\t\t\t\tFrom: never\n") });
  addMembers(w, news, ["joe@sender.example"]);
  assert.equal((await w.send(news)).code, 250);
  const [m] = await w.out();
  assert.equal(field(m, "From"), "<joe@sender.example>");
  const auth = await authenticated(w, m);
  assert.deepEqual(auth.dkim.map((d) => [d.domain, d.status]).sort(), [
    ["ours.example", "pass"],
    ["sender.example", "pass"],
  ]);
  assert.equal(auth.dmarc.result, "pass");
});

Deno.test("a prefix stands before the subject once, and replies go where the list says", async () => {
  await using w = await listWorld({
    domains: listDomains("\t\t\t\tSubjectPrefix: [news]\n\t\t\t\tReplyToList: true\n"),
  });
  addMembers(w, news, ["joe@sender.example"]);
  await w.send(news, { subject: "one" });
  await w.send(news, { subject: "Re: [news] one", headers: "Reply-To: joe@sender.example\n" });
  const out = await w.out();
  assert.deepEqual(out.map((m) => field(m, "Subject")).sort(), ["Re: [news] one", "[news] one"]);
  for (const m of out) assert.equal(field(m, "Reply-To"), news);
});

/** Messages that aren't sent to the members, and why. */
const refused: [string, Parameters<ListWorld["send"]>[1], number, RegExp][] = [
  [
    "from the list itself",
    { headers: "List-Id: News <news.ours.example>\n" },
    554,
    /came from this list/,
  ],
  [
    "delivered to the list before",
    { headers: "Delivered-To: <news@ours.example>\n" },
    554,
    /came from this list/,
  ],
  ["a report", { from: "" }, 550, /reports are not for/],
  [
    "an automatic answer",
    { headers: "Auto-Submitted: auto-replied (vacation)\n" },
    550,
    /automatic answers/,
  ],
  ["an answer of an old program", { headers: "X-Autoreply: yes\n" }, 550, /automatic answers/],
  [
    "two authors",
    { text: "From: <joe@sender.example>, <eve@sender.example>\nTo: x\n\nhi\n" },
    550,
    /one author/,
  ],
  [
    "two From fields",
    { text: "From: <joe@sender.example>\nFrom: <ann@ours.example>\n\nhi\n" },
    550,
    /one From|5\.[67]/,
  ],
  ["too large", { body: "x".repeat(70).concat("\n").repeat(300) }, 552, /20000 bytes/],
];
Deno.test("what is not for the members is refused", async (t) => {
  await using w = await listWorld({ domains: listDomains("\t\t\t\tMaxMessageSize: 20000\n") });
  addMembers(w, news, ["joe@sender.example"]);
  for (const [what, m, code, text] of refused) {
    await t.step(what, async () => {
      const reply = await w.send(news, m);
      assert.equal(reply.code, code, reply.text);
      assert.match(reply.text, text);
      assert.deepEqual(await w.out(), []);
    });
  }
});

Deno.test("others' messages wait for an owner, who decides by mail; a decision counts once", async () => {
  await using w = await listWorld();
  addMembers(w, news, ["bob@away.example"]);
  for (const subject of ["approve me", "reject me", "discard me"]) {
    assert.equal((await w.send(news, { subject })).code, 250);
  }
  assert.deepEqual(await w.out().then((o) => o.map((m) => m.to[0])), [
    "ann@ours.example",
    "ann@ours.example",
    "ann@ours.example",
  ]);
  const notices = w.host.mails.map((m) => m.data);
  assert.equal(w.r.server.lists!.db.posts.heldCount(news), 3);
  const decide = async (i: number, letter: string) => {
    const notice = notices.find((n) => n.includes(["approve me", "reject me", "discard me"][i]))!;
    const to = addressIn(
      notice,
      new RegExp(`news-confirm\\+${letter}[0-9a-z]+-[a-z2-7]{13}@ours\\.example`),
    );
    return (await w.send(to, { subject: "" })).code;
  };
  assert.equal(await decide(0, "a"), 250);
  assert.equal(await decide(1, "r"), 250);
  assert.equal(await decide(2, "d"), 250);
  const out = await w.out();
  assert.deepEqual(out.map((m) => [m.to[0], field(m, "Subject")]).sort(), [
    ["bob@away.example", "approve me"],
    ["joe@sender.example", "Not sent: reject me"],
  ]);
  assert.equal(await decide(0, "a"), 550);
  assert.equal(w.r.server.lists!.db.posts.heldCount(news), 0);
  // A code that is not ours.
  assert.equal((await w.send("news-confirm+a1-aaaaaaaaaaaaa@ours.example")).code, 550);
});

Deno.test("who may write: settings and what comes of them", async () => {
  const cases: [string, "sent" | "held" | number][] = [
    ["", "held"],
    ["\t\t\t\tOthers: refuse\n", 550],
    ["\t\t\t\tPosting: anyone\n", "sent"],
    ["\t\t\t\tPosting: anyone\n\t\t\t\tModerated: true\n", "held"],
    ["\t\t\t\tPosting: owners\n", "held"],
  ];
  const more = cases.map(([config], i) =>
    `\t\t\tlist${i}:\n\t\t\t\tOwners:\n\t\t\t\t\t- ann@ours.example\n${config}`
  ).join("");
  await using w = await listWorld({ domains: listDomains("", more) });
  for (const [i, [config, expected]] of cases.entries()) {
    const list = `list${i}@ours.example`;
    addMembers(w, list, ["bob@away.example"]);
    const { code } = await w.send(list);
    const out = (await w.out()).filter((m) => m.to[0] === "bob@away.example").length;
    const held = w.r.server.lists!.db.posts.heldCount(list);
    assert.deepEqual(
      [code, out, held],
      expected === "sent" ? [250, 1, 0] : expected === "held" ? [250, 0, 1] : [expected, 0, 0],
      config,
    );
  }
});

Deno.test("a member's From that is not verified is no member's", async () => {
  await using w = await listWorld();
  addMembers(w, news, ["joe@plain.example", "bob@away.example"]);
  // From is of a member's domain, the envelope of another's that passes SPF.
  const reply = await w.r.send({
    from: "eve@sender.example",
    to: news,
    text:
      "From: <joe@plain.example>\nTo: <news@ours.example>\nSubject: buy\nMessage-ID: <x@plain.example>\n\nnow\n",
  });
  assert.equal(reply.code, 250);
  assert.equal(w.r.server.lists!.db.posts.heldCount(news), 1);
  assert.deepEqual((await w.out()).map((m) => m.to[0]), ["ann@ours.example"]);
});

Deno.test("the same message again, as its sender didn't hear the answer, is sent once", async () => {
  await using w = await listWorld();
  addMembers(w, news, ["joe@sender.example"]);
  const text =
    "From: <joe@sender.example>\nTo: <news@ours.example>\nMessage-ID: <same@sender.example>\n\nhi\n";
  for (let i = 0; i < 3; i++) {
    assert.equal((await w.r.send({ to: news, text, sign: "sender.example" })).code, 250);
  }
  assert.equal((await w.out()).length, 1);
});

Deno.test("a command that was meant for -request waits for an owner", async () => {
  await using w = await listWorld();
  addMembers(w, news, ["joe@sender.example"]);
  assert.equal((await w.send(news, { subject: "unsubscribe" })).code, 250);
  assert.deepEqual((await w.out()).map((m) => m.to[0]), ["ann@ours.example"]);
});

Deno.test("mail for the owners goes to them", async () => {
  await using w = await listWorld();
  assert.equal((await w.send("news-owner@ours.example")).code, 250);
  assert.equal((await w.r.messages("ann", "Inbox")).length, 1);
});
