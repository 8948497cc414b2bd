/** Calls: messages read, flagged, moved, deleted and brought back; mailboxes; addresses; other sites refused. */
import assert from "node:assert/strict";
import { Flag } from "../../../src/store/types.ts";
import { Browser, message, password, query, refused, withWebmail } from "./server.ts";

Deno.test("without a login nothing but Login, Session and Logout is answered", async () => {
  await withWebmail(async (w) => {
    const id = await w.deliver(message({}));
    const b = new Browser(w.base);
    assert.deepEqual(await b.call("Session", {}), { who: null });
    await refused(b.call("MessageGet", { id }), "login");
    for (
      const path of [`message/${id}/raw`, `message/${id}/html`, "export", "events?view={}"]
    ) {
      const r = await b.get(path);
      assert.equal(r.status, 401, path);
      await r.body?.cancel();
    }
    const up = await b.upload("a", "text/plain", new Uint8Array(3));
    assert.equal(up.status, 401);
    assert.equal((await up.json()).error.code, "login");
    await refused(b.call("Login", { username: "mox@localhost", password: "wrong" }), "login");
    assert.deepEqual(await b.call("Login", { username: "mox@localhost", password }), {
      account: "mox",
      loginAddress: "mox@localhost",
    });
    assert.deepEqual((await b.call("Session", {})).who?.account, "mox");
    const { item } = await b.call("MessageGet", { id });
    assert.equal(item.subject, "test");
    await b.call("Logout", {});
    await refused(b.call("MessageGet", { id }), "login");
  });
});

Deno.test("what another site makes a browser send is refused, with the cookie too", async () => {
  await withWebmail(async (w) => {
    const id = await w.deliver(message({}));
    const b = await w.login();
    const body = JSON.stringify({ target: { ids: [id] }, forever: true });
    const headers = { cookie: b.cookie, "content-type": "application/json", "x-mox-request": "1" };
    const refusals: Record<string, string>[] = [
      { ...headers, "sec-fetch-site": "cross-site" },
      { ...headers, "sec-fetch-site": "same-site" },
      { ...headers, origin: "https://evil.example" },
      { ...headers, origin: "null" },
      // A form can't add a header field.
      { cookie: b.cookie, "content-type": "application/json" },
      { cookie: b.cookie, "content-type": "text/plain" },
    ];
    for (const h of refusals) {
      const r = await fetch(`${w.base}api/Delete`, { method: "POST", body, headers: h });
      assert.equal(r.status, 403, JSON.stringify(h));
      await r.body?.cancel();
      const up = await fetch(`${w.base}upload?filename=x&type=y`, {
        method: "POST",
        body,
        headers: h,
      });
      assert.equal(up.status, 403, JSON.stringify(h));
      await up.body?.cancel();
    }
    for (const path of [`message/${id}/raw`, `message/${id}/html`, "export", "events?view={}"]) {
      const r = await b.get(path, { "sec-fetch-site": "cross-site" });
      assert.equal(r.status, 403, path);
      await r.body?.cancel();
    }
    const r = await b.get("api/Delete", { "x-mox-request": "1" });
    assert.equal(r.status, 405);
    await r.body?.cancel();
    assert.ok(w.account.message(id));
  });
});

Deno.test("a message is opened with its texts, attachments, list and own addresses", async () => {
  await withWebmail(async (w) => {
    const id = await w.deliver(
      [
        "From: =?utf-8?q?J=C3=B6rg?= <joerg@example.org>",
        "To: list@lists.example, mox+deno@localhost",
        "Subject: hello",
        "Message-ID: <abc@x>",
        "Date: Mon, 2 Mar 2026 10:00:00 +0100",
        "List-Id: <deno.lists.example>",
        "List-Post: <mailto:list@lists.example>",
        "List-Unsubscribe: <mailto:leave@lists.example>, <https://lists.example/leave?u=1>",
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
        "User-Agent: test",
        "MIME-Version: 1.0",
        'Content-Type: multipart/mixed; boundary="m"',
        "",
        "--m",
        'Content-Type: multipart/alternative; boundary="a"',
        "",
        "--a",
        "Content-Type: text/plain; charset=iso-8859-1; format=flowed; delsp=yes",
        "Content-Transfer-Encoding: quoted-printable",
        "",
        "a caf=E9 that flows=20",
        "on",
        "> quoted=20",
        "> more",
        "--a",
        "Content-Type: text/html",
        "",
        '<p>hi<img src="https://t.example/x.gif">',
        "--a--",
        "--m",
        "Content-Type: application/pdf; name=x.pdf",
        'Content-Disposition: attachment; filename="../../\u202efdp.exe"',
        "Content-Transfer-Encoding: base64",
        "",
        btoa("%PDF-1.4 0123456789"),
        "--m",
        "Content-Type: message/rfc822",
        "",
        "Subject: inner",
        "",
        "inner text",
        "--m--",
      ].join("\n"),
      {
        prefix: "Authentication-Results: localhost; spf=pass smtp.mailfrom=example.org;\r\n" +
          " dkim=fail (bad; key) header.d=a.example; dkim=pass header.d=example.org; dmarc=pass\r\n" +
          "Delivered-To: mox@localhost\r\n",
      },
    );
    const b = await w.login();
    const m = await b.call("MessageGet", { id });
    assert.deepEqual(m.item.from, [{ name: "Jörg", address: "joerg@example.org" }]);
    assert.equal(m.item.sent, Date.UTC(2026, 2, 2, 9));
    assert.equal(m.messageId, "abc@x");
    assert.deepEqual(m.texts, [
      { path: "1.1", text: "a café that flowson\n> quotedmore", truncated: false },
    ]);
    assert.equal(m.hasHtml, true);
    assert.equal(m.hasExternal, true);
    assert.deepEqual(m.attachments.map((a) => [a.path, a.filename, a.type, a.inline]), [
      ["2", "fdp.exe", "application/pdf", false],
      ["3", "", "message/rfc822", false],
    ]);
    assert.equal(m.listPost, "list@lists.example");
    assert.deepEqual(m.listUnsubscribe, {
      url: "https://lists.example/leave?u=1",
      mailto: "mailto:leave@lists.example",
      oneClick: true,
    });
    assert.deepEqual(m.ownAddresses, ["mox@localhost", "mox+deno@localhost"]);
    assert.deepEqual(m.authentication, {
      spf: "pass",
      dkim: "pass",
      dmarc: "pass",
      dkimDomains: [],
      fromVerified: true,
      tls: "",
    });
    assert.ok(m.headers.some((h) => h.name === "User-Agent" && h.value === "test"));
    await b.call("SenderViewSet", { address: "Joerg@example.org", view: "html" });
    assert.equal((await b.call("MessageGet", { id })).senderView, "html");
    await b.call("SenderViewSet", { address: "joerg@example.org", view: null });
    assert.equal((await b.call("MessageGet", { id })).senderView, null);
    await refused(b.call("MessageGet", { id: id + 100 }), "missing");
  });
});

Deno.test("answers are compressed for clients that take it", async () => {
  await withWebmail(async (w) => {
    const id = await w.deliver(message({ body: "again and ".repeat(1000) }));
    const b = await w.login();
    const get = (encoding: string) =>
      fetch(`${w.base}api/MessageGet`, {
        method: "POST",
        body: JSON.stringify({ id }),
        headers: {
          cookie: b.cookie,
          "content-type": "application/json",
          "x-mox-request": "1",
          "accept-encoding": encoding,
        },
      });
    for (const [encoding, used] of [["br, gzip", "gzip"], ["gzip;q=0", null], ["br", null]]) {
      const r = await get(encoding!);
      assert.equal(r.headers.get("content-encoding"), used);
      assert.equal((await r.json()).item.id, id);
    }
  });
});

Deno.test("results of authentication are believed from our own header only", async () => {
  await withWebmail(async (w) => {
    const forged = "Authentication-Results: localhost; dmarc=pass; dkim=pass; spf=pass";
    const id = await w.deliver(message({ more: forged }));
    const b = await w.login();
    assert.equal((await b.call("MessageGet", { id })).authentication, null);
  });
});

Deno.test("messages are moved, deleted to the trash and for good, and moves are undone", async () => {
  await withWebmail(async (w) => {
    const ids: number[] = [];
    for (let i = 0; i < 3; i++) ids.push(await w.deliver(message({ subject: `m${i}` })));
    const other = await w.deliver(message({}), { mailbox: "Archive" });
    const b = await w.login();
    const at = (id: number) => {
      const m = w.account.message(id);
      return m && w.account.mailbox(m.mailboxId)!.name;
    };
    const archive = w.account.mailboxByName("Archive")!;
    const moved = await b.call("Move", {
      target: { ids: [...ids, other, 9999] },
      mailboxId: archive.id,
    });
    assert.equal(moved.count, 3);
    assert.deepEqual(ids.map(at), ["Archive", "Archive", "Archive"]);
    assert.deepEqual(await b.call("Undo", { undo: moved.undo! }), { count: 3 });
    assert.deepEqual([...ids, other].map(at), ["Inbox", "Inbox", "Inbox", "Archive"]);
    await refused(b.call("Undo", { undo: moved.undo! }), "missing");

    const junked = await b.call("MoveTo", { target: { ids: [ids[0]] }, specialUse: "junk" });
    assert.equal(at(ids[0]), "Junk");
    assert.ok(w.account.message(ids[0])!.flags & Flag.Junk);
    await b.call("Undo", { undo: junked.undo! });
    assert.equal(at(ids[0]), "Inbox");
    assert.equal(w.account.message(ids[0])!.flags & (Flag.Junk | Flag.NotJunk), 0);

    const inbox = w.account.mailboxByName("Inbox")!;
    const all = { query: query(inbox.id, { filter: { subject: ["m1"] } }) };
    assert.deepEqual(await b.call("QueryCount", { query: all.query }), { count: 1 });
    const deleted = await b.call("Delete", { target: all });
    assert.equal(at(ids[1]), "Trash");
    assert.equal(deleted.count, 1);
    const again = await b.call("Delete", { target: { ids: [ids[1]] } });
    assert.deepEqual(again, { count: 1, undo: null });
    assert.equal(at(ids[1]), undefined);
    await b.call("Delete", { target: { ids: [ids[2]] }, forever: true });
    assert.equal(at(ids[2]), undefined);
    await refused(b.call("Move", { target: { ids }, mailboxId: 4711 }), "missing");
  });
});

Deno.test("keywords that are flags by another name become these flags", async () => {
  await withWebmail(async (w) => {
    const id = await w.deliver(message({}));
    const b = await w.login();
    const target = { ids: [id] };
    const none = { target, add: [], remove: [], addKeywords: [], removeKeywords: [] };
    await b.call("FlagsSet", { ...none, addKeywords: ["$Forwarded", "Later"] });
    const m = () => w.account.message(id)!;
    assert.deepEqual([m().flags & Flag.Forwarded, m().keywords], [Flag.Forwarded, ["later"]]);
    await b.call("FlagsSet", { ...none, removeKeywords: ["$forwarded", "later"] });
    assert.deepEqual([m().flags & Flag.Forwarded, m().keywords], [0, []]);
  });
});

Deno.test("an action on a whole search changes all that it finds, in pieces", async () => {
  await withWebmail(async (w) => {
    const id = await w.deliver(message({}));
    const inbox = w.account.mailboxByName("Inbox")!;
    const archive = w.account.mailboxByName("Archive")!;
    await w.account.copy(inbox.id, [w.account.message(id)!.uid], archive.id);
    for (let n = 1; n < 2048; n *= 2) {
      await w.account.copy(archive.id, w.account.uids(archive.id), archive.id);
    }
    const b = await w.login();
    const target = { query: query(archive.id) };
    const none = { add: [], remove: [], addKeywords: [], removeKeywords: [] };
    const flagged = await b.call("FlagsSet", { target, ...none, add: ["seen"] });
    assert.equal(flagged.count, 2048);
    assert.equal(w.account.mailbox(archive.id)!.unseen, 0);
    await b.call("FlagsSet", { target, ...none, addKeywords: ["todo"], remove: ["seen"] });
    assert.deepEqual(w.account.mailbox(archive.id)!.keywords, ["todo"]);
    assert.equal(w.account.mailbox(archive.id)!.unseen, 2048);
    const { count, undo } = await b.call("Delete", { target });
    assert.equal(count, 2048);
    assert.equal(w.account.mailbox(archive.id)!.total, 0);
    assert.deepEqual(await b.call("Undo", { undo: undo! }), { count: 2048 });
    assert.equal(w.account.mailbox(archive.id)!.total, 2048);
    const trash = w.account.mailboxByName("Trash")!;
    assert.deepEqual(await b.call("MailboxEmpty", { id: trash.id }), { count: 0 });
    assert.deepEqual(await b.call("MailboxEmpty", { id: archive.id }), { count: 2048 });
  });
});

Deno.test("a query's action finds nothing in trash and junk unless it asks for them", async () => {
  await withWebmail(async (w) => {
    await w.deliver(message({}), { mailbox: "Trash" });
    await w.deliver(message({}), { mailbox: "Junk" });
    await w.deliver(message({}), { mailbox: "Rejects" });
    await w.deliver(message({}), { mailbox: "Lists/a" });
    await w.deliver(message({}), { mailbox: "Lists" });
    const b = await w.login();
    assert.equal((await b.call("QueryCount", { query: query(null) })).count, 2);
    const lists = w.account.mailboxByName("Lists")!.id;
    assert.equal((await b.call("QueryCount", { query: query(lists) })).count, 1);
    const below = query(lists, { withChildren: true });
    assert.equal((await b.call("QueryCount", { query: below })).count, 2);
  });
});

Deno.test("mailboxes are refused what can't be done, in words", async () => {
  await withWebmail(async (w) => {
    await w.deliver(message({}), { mailbox: "Lists/a" });
    const b = await w.login();
    const inbox = w.account.mailboxByName("Inbox")!;
    const lists = w.account.mailboxByName("Lists")!;
    await refused(b.call("MailboxCreate", { name: "Lists" }), "user");
    await refused(b.call("MailboxCreate", { name: "a//b" }), "user");
    await refused(b.call("MailboxRename", { id: lists.id, name: "Inbox" }), "user");
    await refused(b.call("MailboxRename", { id: inbox.id, name: "x" }), "user");
    await refused(b.call("MailboxDelete", { id: inbox.id }), "user");
    assert.match(await refused(b.call("MailboxDelete", { id: lists.id }), "user"), /below/);
    await b.call("MailboxDelete", { id: w.account.mailboxByName("Lists/a")!.id });
    await b.call("MailboxDelete", { id: lists.id });
    await refused(b.call("MailboxDelete", { id: lists.id }), "missing");
    // The special use goes from one mailbox to the other.
    const { mailbox } = await b.call("MailboxCreate", { name: "Papierkorb" });
    await b.call("MailboxSetSpecialUse", { id: mailbox.id, specialUse: ["trash"] });
    const id = await w.deliver(message({}));
    await b.call("Delete", { target: { ids: [id] } });
    assert.equal(w.account.message(id)!.mailboxId, mailbox.id);
  });
});

Deno.test("requests that don't fit their schema are refused with the place of the mistake", async () => {
  await withWebmail(async (w) => {
    const b = await w.login();
    const post = async (name: string, body: string) => {
      const r = await fetch(`${w.base}api/${name}`, {
        method: "POST",
        body,
        headers: { cookie: b.cookie, "content-type": "application/json", "x-mox-request": "1" },
      });
      return { status: r.status, ...(await r.json()).error };
    };
    assert.equal((await post("MessageGet", '{"id":"1"}')).message.startsWith("id: "), true);
    assert.equal((await post("MessageGet", '{"id":1,"more":2}')).status, 400);
    assert.equal((await post("MessageGet", "{")).status, 400);
    assert.equal((await post("MessageGet", "[]")).status, 400);
    assert.equal((await post("Nothing", "{}")).status, 404);
    assert.equal((await post("toString", "{}")).status, 404);
    assert.equal((await post("__proto__", "{}")).status, 404);
    assert.equal((await post("MessageGet", `{"id":${"1".repeat(400)}}`)).status, 400);
  });
});

Deno.test("addresses are completed by name and address, people written to first", async () => {
  await withWebmail(async (w) => {
    await w.deliver(message({ from: "Annabel Smith <news@shop.example>" }));
    await w.deliver(message({ from: "Johann <johann@example.org>" }));
    await w.deliver(
      message({
        from: "mox@localhost",
        to: '"Ann, with comma" <ann@example.org>, bob@ann.example',
      }),
      { mailbox: "Sent" },
    );
    await w.deliver(message({ from: "Annoying <spam@bad.example>" }), { mailbox: "Junk" });
    const b = await w.login();
    const { addresses } = await b.call("AddressComplete", { text: "ann" });
    assert.deepEqual(addresses.map((a) => a.address), [
      "ann@example.org",
      "bob@ann.example",
      "news@shop.example",
      "johann@example.org",
    ]);
    assert.equal(addresses[0].name, "Ann, with comma");
    assert.deepEqual((await b.call("AddressComplete", { text: " " })).addresses, []);
    assert.deepEqual((await b.call("AddressComplete", { text: "%" })).addresses, []);
  });
});

Deno.test("a recipient's security is asked once, and unknown where nothing can be asked", async () => {
  await withWebmail(async (w) => {
    const b = await w.login();
    const r = await b.call("RecipientSecurity", { address: "Ann <ann@example.org>" });
    assert.deepEqual(r, {
      address: "Ann <ann@example.org>",
      startTls: "unknown",
      mtaSts: "unknown",
      dane: "unknown",
      dnssec: "unknown",
      requireTls: "unknown",
    });
  });
  let asked = 0;
  await withWebmail(async (w) => {
    const b = await w.login();
    for (const address of ["a@example.org", "B <b@EXAMPLE.org>", "no address"]) {
      const r = await b.call("RecipientSecurity", { address });
      assert.equal(r.dane, address === "no address" ? "unknown" : "yes");
    }
    assert.equal(asked, 1);
  }, {
    domainSecurity(domain) {
      asked++;
      assert.equal(domain, "example.org");
      return Promise.resolve({
        startTls: "yes",
        mtaSts: "no",
        dane: "yes",
        dnssec: "yes",
        requireTls: "unknown",
      });
    },
  });
});

Deno.test("a damaged message: what is left is shown and how much is missing; without a file an error says so", async () => {
  await withWebmail(async (w) => {
    const text = (subject: string) =>
      `From: a@example.org\r\nSubject: ${subject}\r\n\r\n${"some words\r\n".repeat(9000)}`;
    const ids = [await w.deliver(text("cut")), await w.deliver(text("gone"))];
    const file = (id: number) => w.account.files.path(w.account.message(id)!.emailId);
    Deno.truncateSync(file(ids[0]), 100);
    Deno.removeSync(file(ids[1]));
    const b = await w.login();
    const cut = await b.call("MessageGet", { id: ids[0] });
    assert.equal(cut.lost, cut.item.size - 100);
    assert.match(cut.texts[0].text, /^some words/);
    assert.match(
      await refused(b.call("MessageGet", { id: ids[1] }), "internal"),
      /the file of message \d+ can't be read/,
    );
    assert.equal((await b.call("Delete", { target: { ids }, forever: true })).count, 2);
  });
});
