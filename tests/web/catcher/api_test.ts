/** The API's calls about messages: what they answer, and what they change. */
import assert from "node:assert/strict";
import { withCatcher } from "./world.ts";

const file = new Uint8Array(1000).map((_, i) => i * 7);
const base64 = (bytes: Uint8Array, width: number) =>
  btoa(String.fromCharCode(...bytes)).replaceAll(new RegExp(`.{${width}}`, "g"), "$&\n");

const letter = "From: Shop <shop@example.org>\nTo: Ann <ann@example.org>\nSubject: files\n" +
  "X-Twice: one\nX-Twice: two\n words\nMIME-Version: 1.0\nContent-Type: multipart/related; boundary=b\n\n" +
  '--b\nContent-Type: text/html; charset=utf-8\n\n<p>hi <img src="cid:logo@x"><img src="cid:none">\n' +
  `--b\nContent-Type: image/png\nContent-ID: <logo@x>\nContent-Disposition: inline; filename=logo.png\n` +
  `Content-Transfer-Encoding: base64\n\n${base64(file.subarray(0, 8), 76)}\n` +
  `--b\nContent-Type: application/octet-stream\nContent-Disposition: attachment; filename="a b.bin"\n` +
  `Content-Transfer-Encoding: base64\n\n${base64(file, 61)}\n` +
  `--b\nContent-Type: text/csv\nContent-Disposition: attachment; filename=qp.csv\n` +
  `Content-Transfer-Encoding: quoted-printable\n\nGr=C3=B6=C3=9Fe=\n,1\n--b--\n`;

Deno.test("files of a message have the size that they have when saved, and come as they were sent", async () => {
  await withCatcher(async (w) => {
    const id = await w.catches(letter, { tags: ["x"] });
    const { json: m } = await w.call("GET", `/api/v1/message/${id}`);
    const sizes = [...m.Inline, ...m.Attachments].map((
      a: { FileName: string; Size: number; ContentID: string; ContentType: string },
    ) => [a.FileName, a.Size, a.ContentID, a.ContentType]);
    assert.deepEqual(sizes, [
      ["logo.png", 8, "logo@x", "image/png"],
      ["a b.bin", 1000, "", "application/octet-stream"],
      ["qp.csv", 9, "", "text/csv"],
    ]);
    assert.deepEqual([m.Inline.length, m.Attachments.length], [1, 2]);
    const { json: tree } = await w.call("GET", `/api/v1/message/${id}/parts`);
    assert.deepEqual(
      tree.Parts.map((p: { Size: number; PartID: string }) => [p.PartID, p.Size]),
      [["1", 48], ["2", 8], ["3", 1000], ["4", 9]],
    );
    assert.equal(tree.Size, 0);
    for (
      const [part, type, how] of [["2", "image/png", "inline"], ["4", "text/csv", "attachment"]]
    ) {
      const r = await w.call("GET", `/api/v1/message/${id}/part/${part}`);
      assert.equal(r.headers.get("content-type"), type);
      assert.match(r.headers.get("content-disposition")!, new RegExp(`^${how}; filename`));
      assert.match(r.headers.get("content-security-policy")!, /sandbox/);
    }
    assert.equal((await w.call("GET", `/api/v1/message/${id}/part/4`)).text, "Größe,1");
    const html = (await w.call("GET", `/view/${id}.html`)).text;
    assert.match(html, new RegExp(`src="/api/v1/message/${id}/part/2"`));
    assert.match(html, /src="cid:none"/);
    assert.doesNotMatch(html, /<base/);
    assert.match((await w.call("GET", `/view/${id}.html?framed`)).text, /<base target="_blank">/);
    const { json: header } = await w.call("GET", `/api/v1/message/${id}/headers`);
    assert.deepEqual(header["X-Twice"], ["one", "two words"]);
    assert.deepEqual(header.Subject, ["files"]);
    for (
      const path of ["m99", "x1", "m1-bob", `${id}/part/9`, `${id}/legs`, "m99/raw", "latest/part"]
    ) assert.equal((await w.call("GET", `/api/v1/message/${path}`)).status, 404, path);
    assert.equal((await w.call("GET", "/view/m99.html")).status, 404);
  });
});

Deno.test("a message is read by looking at it alone; marks go by id, by search, and to all", async () => {
  await withCatcher(async (w) => {
    const ids = [];
    for (const s of ["one", "two", "three"]) ids.push(await w.catches(`Subject: ${s}\n\n${s}\n`));
    const unread = async () => (await w.found("is:unread")).sort();
    await w.call("GET", "/api/v1/messages");
    for (const path of ["headers", "raw", "parts"]) {
      await w.call("GET", `/api/v1/message/${ids[0]}/${path}`);
    }
    assert.deepEqual(await unread(), ["one", "three", "two"]);
    await w.call("GET", `/api/v1/message/${ids[0]}`);
    assert.deepEqual(await unread(), ["three", "two"]);
    await w.call("PUT", "/api/v1/messages", { IDs: [ids[1], "m99", "junk"], Read: true });
    assert.deepEqual(await unread(), ["three"]);
    await w.call("PUT", "/api/v1/messages", { Search: "subject:t", Read: true });
    assert.deepEqual(await unread(), []);
    await w.call("PUT", "/api/v1/messages", { Search: "subject:two" });
    assert.deepEqual(await unread(), ["two"]);
    await w.call("PUT", "/api/v1/messages", { IDs: [] });
    assert.deepEqual(await unread(), ["one", "three", "two"]);
    await w.call("DELETE", "/api/v1/search?query=subject:t");
    assert.deepEqual(await w.found("is:unread"), ["one"]);
    assert.equal((await w.call("DELETE", "/api/v1/messages", { IDs: ["m99"] })).text, "ok\n");
    assert.equal((await w.call("DELETE", "/api/v1/messages", { ids: ["m99"] })).text, "ok\n");
    assert.equal((await w.call("DELETE", "/api/v1/messages", ["m99"])).status, 400);
    assert.equal(
      (await w.call("GET", "/api/v1/messages")).json.total,
      1,
      "none of these is all",
    );
    await w.call("DELETE", "/api/v1/messages");
    const { json: info } = await w.call("GET", "/api/v1/info");
    assert.deepEqual([info.Messages, info.RuntimeStats.MessagesDeleted, info.Version], [
      0,
      3,
      "1.2.3",
    ]);
    for (const body of [{ IDs: "m1" }, { IDs: [1] }, { Read: "yes" }, [], "x"]) {
      assert.equal(
        (await w.call("PUT", "/api/v1/messages", body)).status,
        400,
        JSON.stringify(body),
      );
    }
  });
});

Deno.test("tags are set, renamed and removed; those of deleted messages are forgotten", async () => {
  await withCatcher(async (w) => {
    const one = await w.catches("Subject: 1\n\nx\n", { tags: ["Red", "blue"] });
    const two = await w.catches("Subject: 2\n\nx\n", { tags: ["red"] });
    await w.account.storeFlags(w.account.mailboxByName("Inbox")!.id, [1], "add", 0, ["$label1"]);
    const tags = async () => (await w.call("GET", "/api/v1/tags")).json;
    const of = async (id: string) =>
      (await w.call("GET", "/api/v1/messages")).json.messages.find((m: { ID: string }) =>
        m.ID === id
      ).Tags;
    assert.equal((await tags()).length, 3);
    assert.deepEqual((await w.call("GET", "/api/v1/info")).json.Tags, { Red: 1, blue: 1, red: 1 });
    await w.call("PUT", "/api/v1/tags", { IDs: [two], Tags: ["BLUE", "new one"] });
    assert.deepEqual(await of(two), ["blue", "new one"], "a known tag keeps its spelling");
    assert.deepEqual(await of(one), ["blue", "Red"]);
    assert.deepEqual(await tags(), ["blue", "new one", "Red"]);
    await w.call("PUT", "/api/v1/tags/blue", { Name: "Green" });
    assert.deepEqual([await of(one), await of(two)], [["Green", "Red"], ["Green", "new one"]]);
    assert.deepEqual(await tags(), ["Green", "new one", "Red"]);
    await w.call("DELETE", "/api/v1/tags/green");
    assert.deepEqual([await of(one), await of(two)], [["Red"], ["new one"]]);
    assert.deepEqual(await tags(), ["new one", "Red"]);
    for (const [method, body] of [["DELETE", undefined], ["PUT", { Name: "x" }]] as const) {
      assert.equal((await w.call(method, "/api/v1/tags/none", body)).status, 404);
    }
    const bad = await w.call("PUT", "/api/v1/tags", { IDs: [one], Tags: ["a(b)"] });
    assert.equal(bad.status, 400);
    assert.deepEqual(await of(one), ["Red"]);
    await w.call("PUT", "/api/v1/tags", { IDs: [one], Tags: null });
    assert.deepEqual([await of(one), await tags()], [[], ["new one"]]);
    assert.equal((await w.call("PUT", "/api/v1/tags", { IDs: [], Tags: ["all"] })).status, 200);
    assert.deepEqual(await tags(), ["new one"]);
    await w.call("DELETE", "/api/v1/messages", { IDs: [two] });
    assert.deepEqual(await tags(), []);
    const { keywords } = w.account.mailboxByName("Inbox")!;
    assert.deepEqual(keywords, ["$label1"], "keywords of IMAP clients stay");
  });
});

Deno.test("waiting: for what is there, for what comes, since a time, and no longer than asked", async () => {
  await withCatcher(async (w) => {
    const wait = (query: string, over = {}) =>
      w.call("GET", `/api/v1/wait?${query}`, undefined, over);
    assert.equal((await wait("query=subject:old&timeout=0")).status, 408);
    const old = await w.catches("Subject: old\n\nx\n", { received: 1_000_000 });
    assert.equal((await wait("query=subject:old&timeout=0")).json.ID, old);
    assert.equal((await wait("query=subject:old&timeout=0&since=1000000")).json.ID, old);
    assert.equal((await wait("query=subject:old&timeout=0&since=1000001")).status, 408);
    assert.equal((await w.found("is:unread")).length, 1, "waiting reads nothing");
    const coming = wait("query=subject:new&timeout=60");
    await w.catches("Subject: other\n\nx\n");
    const fresh = await w.catches("Subject: new\n\nx\n");
    assert.equal((await coming).json.ID, fresh);
    const ended = new AbortController();
    const endless = wait("query=subject:never&timeout=300", { signal: ended.signal });
    ended.abort();
    assert.equal((await endless).status, 408);
    assert.equal((await wait("timeout=x")).status, 400);
  });
});

Deno.test("MailHog's calls: envelope, header and bodies as they came, searches, deleting one", async () => {
  await withCatcher(async (w) => {
    const first = await w.catches(letter, {
      from: "bounce@example.org",
      to: ["ann@example.org", "hidden@example.org"],
      helo: "app.example",
      received: 5_000,
    });
    const second = await w.catches("subject: =?UTF-8?Q?Gr=C3=BC=C3=9Fe?=\n\nplain\n", {
      to: ["bob@example.org"],
      received: 6_000,
    });
    const { json } = await w.call("GET", "/api/v2/messages");
    assert.deepEqual([json.total, json.count, json.start], [2, 2, 0]);
    const [plain, m] = json.items;
    assert.deepEqual([plain.ID, m.ID], [second, first]);
    assert.deepEqual(plain.Content.Headers, { subject: ["=?UTF-8?Q?Gr=C3=BC=C3=9Fe?="] });
    assert.deepEqual([plain.Content.Body, plain.Content.Size, plain.MIME], ["plain\r\n", 7, null]);
    assert.equal(plain.Raw.Data, "subject: =?UTF-8?Q?Gr=C3=BC=C3=9Fe?=\r\n\r\nplain\r\n");
    assert.deepEqual(m.From, {
      Relays: null,
      Mailbox: "bounce",
      Domain: "example.org",
      Params: "",
    });
    assert.deepEqual(m.To.map((p: { Mailbox: string }) => p.Mailbox), ["ann", "hidden"]);
    assert.deepEqual([m.Raw.From, m.Raw.To, m.Raw.Helo], [
      "bounce@example.org",
      ["ann@example.org", "hidden@example.org"],
      "app.example",
    ]);
    assert.equal(m.Created, new Date(5_000).toISOString());
    assert.equal(m.MIME.Parts.length, 4);
    const { Headers: fields, Body } = m.MIME.Parts[2];
    assert.deepEqual(fields["Content-Transfer-Encoding"], ["base64"]);
    assert.equal(atob(Body.replaceAll(/\s/g, "")).length, 1000);
    assert.equal((await w.call("GET", "/api/v2/messages?start=1&limit=1")).json.items[0].ID, first);
    const found = async (kind: string, query: string) =>
      (await w.call("GET", `/api/v2/search?kind=${kind}&query=${encodeURIComponent(query)}`)).json
        .items.map((x: { ID: string }) => x.ID);
    assert.deepEqual(await found("to", "hidden@example.org"), [first]);
    assert.deepEqual(await found("to", "bob@example.org"), [second]);
    assert.deepEqual(await found("from", "shop"), [first]);
    assert.deepEqual(await found("from", "bob"), []);
    assert.deepEqual(await found("containing", "plain"), [second]);
    assert.deepEqual(await found("containing", "X-Twice: one"), [first], "headers too");
    assert.deepEqual(await found("containing", ""), [second, first]);
    assert.equal((await w.call("GET", "/api/v2/search?kind=all&query=x")).status, 400);
    assert.equal((await w.call("GET", "/api/v2/jim")).status, 404);
    assert.equal((await w.call("DELETE", "/api/v1/messages/m99")).status, 404);
    const gone = await w.call("DELETE", `/api/v1/messages/${first}`);
    assert.deepEqual([gone.status, gone.text], [200, ""]);
    assert.deepEqual(await found("containing", ""), [second]);
    // MailHog's client for node names neither itself nor types.
    const all = await w.call("DELETE", "/api/v1/messages", undefined, { headers: new Headers() });
    assert.deepEqual([all.status, all.text], [200, ""]);
    assert.equal((await w.call("GET", "/api/v2/messages")).json.total, 0);
  });
});

Deno.test("who may not use the API gets the refusal; health checks need no login", async () => {
  const refusal = () => Promise.resolve(new Response("log in", { status: 401 }));
  await withCatcher(async (w) => {
    for (const path of ["/api/v1/messages", "/api/v2/messages", "/caught/", "/view/m1.html"]) {
      assert.equal((await w.call("GET", path)).status, 401, path);
    }
    for (const path of ["/livez", "/readyz"]) {
      assert.equal((await w.call("GET", path)).status, 200, path);
    }
    const headers = new Headers({ origin: "https://evil.example", accept: "*/*" });
    assert.equal((await w.call("GET", "/api/v1/messages", undefined, { headers })).status, 403);
  }, { refusal });
  await withCatcher(async (w) => {
    assert.equal((await w.call("GET", "/caught/x")).text, "the page");
    for (const path of ["/api/v1/nothing", "/api/v1/info/x", "/api/v3/messages", "/elsewhere"]) {
      assert.equal((await w.call("GET", path)).status, 404, path);
    }
    assert.equal((await w.call("POST", "/api/v1/messages")).status, 404);
    const { json } = await w.call("GET", "/api/v1/webui");
    assert.equal(json.MessageRelay.Enabled, false);
    assert.match(
      (await w.call("POST", "/api/v1/message/m1/release", { To: ["a@b"] })).text,
      /not found/,
    );
  });
});

Deno.test("a message that a program hands over by the API: names in any case, envelope, files", async () => {
  await withCatcher(async (w) => {
    const r = await w.call("POST", "/api/v1/send", {
      from: { email: "a@example.org", name: "A" },
      To: [{ Email: "b+plus@example.org" }],
      Bcc: ["c@example.org"],
      Subject: "by the API",
      HTML: '<p>hi<img src="cid:pic">',
      Headers: { "X-IP": "1.2.3.4" },
      tags: ["one"],
      Attachments: [
        {
          Filename: "pic.png",
          Content: btoa("picture"),
          ContentID: "pic",
          ContentType: "image/png",
        },
        { filename: "b.txt", content: btoa("text") },
      ],
    });
    assert.equal(r.status, 200, r.text);
    const { json: m } = await w.call("GET", `/api/v1/message/${r.json.ID}`);
    assert.deepEqual(m.From, { Name: "A", Address: "a@example.org" });
    assert.deepEqual(m.Bcc, [{ Name: "", Address: "c@example.org" }]);
    assert.equal(m.ReturnPath, "a@example.org");
    assert.deepEqual(m.Tags, ["one", "plus"]);
    assert.deepEqual(m.Envelope.To.map((t: { Address: string }) => t.Address), [
      "b+plus@example.org",
      "c@example.org",
    ]);
    assert.deepEqual(m.Inline.map((a: { FileName: string }) => a.FileName), ["pic.png"]);
    assert.deepEqual(m.Attachments.map((a: { Size: number }) => a.Size), [4]);
    const { json: header } = await w.call("GET", `/api/v1/message/${r.json.ID}/headers`);
    assert.deepEqual([header["X-IP"], header.Bcc], [["1.2.3.4"], undefined]);
    for (
      const [body, what] of [
        [{}, /From/],
        [{ From: { Email: "nobody" } }, /nobody/],
        [
          { From: { Email: "a@b.example" }, Attachments: [{ Filename: "x", Content: "%" }] },
          /x|base64/i,
        ],
        [{ From: { Email: "a@b.example" }, To: [{ Name: "no address" }] }, /To\.0\.Email/],
      ] as const
    ) {
      const bad = await w.call("POST", "/api/v1/send", body);
      assert.equal(bad.status, 400, JSON.stringify(body));
      assert.match(bad.json.Error, what);
    }
    assert.equal((await w.call("GET", "/api/v1/messages")).json.total, 1);
  });
});
