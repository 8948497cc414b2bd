/** Requests that no page makes: any body, any address, clients that don't read or go away. */
import assert from "node:assert/strict";
import { fc } from "../../support/fast_check.ts";
import * as v from "valibot";
import { calls, ErrorAnswer } from "../../../webmail/api/mod.ts";
import { message, query, refused, withWebmail } from "./server.ts";

const names = Object.keys(calls).filter((n) => n !== "Login" && n !== "Logout");

Deno.test("any body of any call is answered, never by an error of the server", async () => {
  await withWebmail(async (w) => {
    const id = await w.deliver(message({}));
    const b = await w.login();
    const value = fc.letrec((tie) => ({
      any: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom(id, 0, -1, 1.5, 1e300, "", "a@b", null, true, false, "\0", "Inbox"),
        fc.string({ maxLength: 20 }),
        fc.array(tie("any"), { maxLength: 4 }),
        fc.dictionary(
          fc.constantFrom(
            ..."id ids target query mailboxId withChildren filter order threading words name view viewId page count anchor sseId composition draftId add remove addKeywords removeKeywords text address __proto__"
              .split(" "),
          ),
          tie("any"),
          { maxKeys: 6 },
        ),
      ),
    })).any;
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...names), value, async (name, body) => {
        const r = await fetch(`${w.base}api/${name}`, {
          method: "POST",
          body: JSON.stringify(body) ?? "",
          headers: { cookie: b.cookie, "content-type": "application/json", "x-mox-request": "1" },
        });
        const json = await r.json();
        assert.ok(r.status < 500, `${name} ${JSON.stringify(body)}: ${JSON.stringify(json)}`);
        if (r.status !== 200) {
          assert.ok(v.safeParse(ErrorAnswer, json).success, JSON.stringify(json));
        }
      }),
      { numRuns: 600 },
    );
  });
});

Deno.test("queries with odd but valid conditions are answered", async () => {
  await withWebmail(async (w) => {
    await w.deliver(message({ body: "\0\u{1f600} ß ς" }));
    await w.deliver("no header at all");
    await w.deliver("Content-Type: multipart/mixed; boundary=x\n\n--x\n--x\n\n--x--");
    const b = await w.login();
    const texts = fc.array(fc.string({ minLength: 1, maxLength: 5 }), { maxLength: 2 });
    const time = fc.option(fc.maxSafeInteger(), { nil: undefined });
    const filter = fc.record({
      words: texts,
      notWords: texts,
      from: texts,
      notTo: texts,
      subject: texts,
      oldest: time,
      newest: time,
      largerThan: fc.option(fc.nat(), { nil: undefined }),
      headers: fc.array(
        fc.record({ name: fc.string({ minLength: 1, maxLength: 5 }), text: fc.string() }),
        { maxLength: 2 },
      ),
    }, { requiredKeys: [] });
    await fc.assert(
      fc.asyncProperty(filter, async (f) => {
        const { count } = await b.call("QueryCount", { query: query(null, { filter: f }) });
        assert.ok(count <= 3);
      }),
      { numRuns: 100 },
    );
  });
});

Deno.test("any message is opened and shown without an error of the server", async () => {
  await withWebmail(async (w) => {
    const b = await w.login();
    const pieces = fc.constantFrom(
      "From: a\n",
      "Subject: =?utf-8?q?=FF?=\n",
      "Content-Type: multipart/mixed; boundary=b\n",
      "Content-Type: multipart/alternative; boundary=b\n",
      "Content-Type: text/html; charset=x-unknown\n",
      "Content-Type: text/plain; format=flowed\n",
      "Content-Type: message/rfc822\n",
      "Content-Type: image/png; name*=utf-8''%ff\n",
      "Content-Transfer-Encoding: base64\n",
      "Content-Transfer-Encoding: quoted-printable\n",
      'Content-Disposition: attachment; filename="..\\\\..\\\\x\0"\n',
      "Content-ID: <a>\n",
      "List-Unsubscribe: <https://[>\n",
      "List-Post: <mailto:%ff@x>\n",
      "References: <a <b> <c>>\n",
      "\n",
      "--b\n",
      "--b--\n",
      "<p style='a:url(cid:a)'><img src=cid:a>\n",
      "= =3 =\n",
      "> quoted \n",
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(pieces, fc.string({ maxLength: 20 })), { maxLength: 25 }),
        async (list) => {
          const id = await w.deliver(list.join(""));
          const m = await b.call("MessageGet", { id });
          const paths = [
            "raw",
            "headers",
            "text",
            "print",
            "attachments.zip",
            ...m.hasHtml ? ["html?external=1"] : [],
            ...m.attachments.map((a) => `part/${a.path}`),
          ];
          for (const path of paths) {
            const r = await b.get(`message/${id}/${path}`);
            assert.equal(r.status, 200, path);
            await r.arrayBuffer();
          }
          await b.call("DraftGet", { id });
        },
      ),
      { numRuns: 40 },
    );
  });
});

Deno.test("a client that goes away in the middle leaves nothing open", async () => {
  await withWebmail(async (w) => {
    const id = await w.deliver(message({ body: "x".repeat(70).concat("\n").repeat(20_000) }));
    const b = await w.login();
    for (
      const path of [`message/${id}/raw`, `message/${id}/part/1`, "export?mailbox=&format=mbox"]
    ) {
      const r = await b.get(path);
      await r.body!.cancel();
    }
    const inbox = w.account.mailboxByName("Inbox")!;
    const before = w.account.broadcast.count;
    for (let i = 0; i < 5; i++) {
      const e = await b.events(query(inbox.id));
      await e.expect("start");
      e.close();
    }
    // References of the account go back to the test's own one: closing it at the end checks that.
    while (w.account.references > 1 || w.account.broadcast.count > before) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  });
});

Deno.test("an account may have fifty streams; the oldest ends for one more", async () => {
  await withWebmail(async (w) => {
    const b = await w.login();
    const inbox = w.account.mailboxByName("Inbox")!;
    const first = await b.events(query(inbox.id));
    await first.expect("start");
    await first.view();
    const { sessions } = await b.call("SessionsList", {});
    assert.equal(sessions.length, 1);
    for (let i = 0; i < 50; i++) await (await b.events(query(inbox.id))).expect("start");
    assert.equal((await first.expect("end")).reason, "too many windows are open");
  });
});

Deno.test("a body that is too large is refused", async () => {
  await withWebmail(async (w) => {
    const b = await w.login();
    await refused(b.call("AddressComplete", { text: "x".repeat(3_000_000) }), "size");
    await refused(b.call("AddressComplete", { text: "x".repeat(1000) }), "request");
  });
});
