/** What searches of caught mail find, by the search language of Mailpit's documentation. */
import assert from "node:assert/strict";
import { withCatcher } from "./world.ts";

const day = 86_400_000;
const noon = Date.parse("2026-03-10T12:00:00Z");

Deno.test("each filter finds what it names, and negated all the others", async () => {
  await withCatcher(async (w) => {
    await w.catches(
      "From: Shop <shop@example.org>\nTo: Ann <ann@example.org>\nCc: carl@x.example\nReply-To: desk@shop.example\n" +
        "Message-ID: <17@shop.example>\nX-Order: 74f4096e936e\nSubject: Order\n\nthank you 123456\n",
      { to: ["ann@example.org", "carl@x.example", "secret@example.org"], received: noon - 2 * day },
    );
    await w.catches(
      "From: Joe <joe@y.example>\nTo: team+urgent@x.example\nSubject: =?UTF-8?Q?Gr=C3=BC=C3=9Fe?=\n" +
        "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nsee the file\n--b\n" +
        `Content-Disposition: attachment; filename=a.txt\n\n${"x".repeat(3000)}\n--b--\n`,
      { to: ["team+urgent@x.example"], tags: ["Urgent", "to do"], received: noon },
    );
    await w.catches("Subject: Bare order form\n\nnothing else\n", {
      to: ["root@localhost"],
      received: noon + day,
    });
    await w.call("GET", "/api/v1/message/latest");
    const all = ["Bare order form", "Grüße", "Order"];
    const table: [string, string[]][] = [
      ["order", ["Bare order form", "Order"]],
      ["thank", ["Order"]],
      ["THANK", ["Order"]],
      ["23456", ["Order"]],
      ["anywhere:74f4096e936e", ["Order"]],
      ["anywhere:thank", ["Order"]],
      ["anywhere:secret@example.org", ["Order"]],
      ["shop", ["Order"]],
      ["ann", ["Order"]],
      ["grusse", ["Grüße"]],
      ["gruße", ["Grüße"]],
      ["a.txt", ["Grüße"]],
      // Words of the envelope and of each header.
      ["127.0.0.1", []],
      ["username", []],
      ["subject", []],
      ["date", []],
      ['"thank you"', ["Order"]],
      ['"you thank"', []],
      ["you thank", ["Order"]],
      ["subject:order", ["Bare order form", "Order"]],
      ['subject:"order form"', ["Bare order form"]],
      ['subject:"form order"', []],
      ["subject:grüße", ["Grüße"]],
      ["from:shop", ["Order"]],
      ["from:Joe", ["Grüße"]],
      ["from:ann", []],
      ["to:ann@example.org", ["Order"]],
      ["to:carl", ["Order"]],
      ["to:secret@example.org", ["Order"]],
      ["to:team+urgent@x.example", ["Grüße"]],
      ["to:shop", []],
      ["cc:carl", ["Order"]],
      ["cc:ann", []],
      ["bcc:secret", ["Order"]],
      ["bcc:carl", []],
      ["addressed:shop", ["Order"]],
      ["addressed:secret", ["Order"]],
      ["addressed:desk", []],
      ["reply-to:desk", ["Order"]],
      ["message-id:17@shop.example", ["Order"]],
      ["tag:urgent", ["Grüße"]],
      ['tag:"to do"', ["Grüße"]],
      ["tag:urg", []],
      ["is:tagged", ["Grüße"]],
      ["is:read", ["Bare order form"]],
      ["is:unread", ["Grüße", "Order"]],
      ["has:attachment", ["Grüße"]],
      ["has:attachments", ["Grüße"]],
      ["larger:2k", ["Grüße"]],
      ["larger:1M", []],
      ["smaller:2kb", ["Bare order form", "Order"]],
      ["before:2026-03-10", ["Order"]],
      ["after:2026-03-10", ["Bare order form", "Grüße"]],
      ["before:2026/03/10", ["Order"]],
      ["after:2026-03-10T12:00:01", ["Bare order form"]],
      ['before:"2026-03-10 12:00:00"', ["Order"]],
      ["before:2026-03-10T12:00:00Z", ["Order"]],
      ["order from:shop", ["Order"]],
      ["order -from:shop", ["Bare order form"]],
      ["unknown:filter", []],
    ];
    for (const [query, subjects] of table) {
      assert.deepEqual(await w.found(query), subjects, query);
    }
    for (const [query, subjects] of table.filter(([q]) => /^["a-z0-9:-]+(?:"[^"]*")?$/.test(q))) {
      if (query.startsWith("you")) continue;
      const others = all.filter((s) => !subjects.includes(s));
      assert.deepEqual(await w.found(`-${query}`), others, `-${query}`);
      assert.deepEqual(await w.found(`!${query}`), others, `!${query}`);
    }
    // 13 hours ahead: their tenth of March began at 11:00 UTC of the ninth.
    const zoned = (query: string) =>
      w.call("GET", `/api/v1/search?query=${encodeURIComponent(query)}&tz=Pacific/Auckland`);
    assert.equal((await zoned("after:2026-03-11T01:00:00")).json.messages_count, 2);
    assert.equal((await zoned("after:2026-03-11T01:00:01")).json.messages_count, 1);
    for (
      const [query, what] of [
        ["is:new", /is:/],
        ["has:legs", /has:/],
        ["before:tomorrow", /date/],
        ["larger:huge", /size/],
        ["", /query/],
        ["   ", /query/],
        ["x ".repeat(101), /100 conditions/],
        ["x".repeat(4001), /4000 characters/],
      ] as const
    ) {
      const r = await w.call("GET", `/api/v1/search?query=${encodeURIComponent(query)}`);
      assert.equal(r.status, 400, query);
      assert.match(r.text, what);
    }
    assert.deepEqual(await w.found("thank ".repeat(100)), ["Order"]);
  });
});

Deno.test("pages of a list and a search: how many there are, how many are unread, and where the page begins", async () => {
  await withCatcher(async (w) => {
    for (let i = 1; i <= 5; i++) {
      await w.catches(`Subject: ${i}\n\n${i < 4 ? "early" : "late"}\n`, { received: noon + i });
    }
    await w.call("GET", "/api/v1/message/m5");
    const page = async (path: string) => {
      const { json } = await w.call("GET", path);
      const { total, unread, count, messages_count, messages_unread, start } = json;
      const subjects = json.messages.map((m: { Subject: string }) => m.Subject).join("");
      return [subjects, total, unread, count, messages_count, messages_unread, start];
    };
    assert.deepEqual(await page("/api/v1/messages"), ["54321", 5, 4, 5, 5, 4, 0]);
    assert.deepEqual(await page("/api/v1/messages?start=1&limit=2"), ["43", 5, 4, 2, 5, 4, 1]);
    assert.deepEqual(await page("/api/v1/messages?start=5"), ["", 5, 4, 0, 5, 4, 5]);
    assert.deepEqual(await page("/api/v1/messages?limit=0"), ["", 5, 4, 0, 5, 4, 0]);
    assert.deepEqual(await page("/api/v1/search?query=early"), ["321", 5, 4, 3, 3, 3, 0]);
    assert.deepEqual(
      await page("/api/v1/search?query=late&start=1&limit=1"),
      ["4", 5, 4, 1, 2, 1, 1],
    );
    for (const bad of ["start=-1", "start=x", "limit=1.5"]) {
      assert.equal((await w.call("GET", `/api/v1/messages?${bad}`)).status, 400, bad);
    }
  });
});
