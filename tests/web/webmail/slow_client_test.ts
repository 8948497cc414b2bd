/** A client that reads slowly costs no memory: changes wait where they are bounded, and are told together. */
import assert from "node:assert/strict";
import { EventConnection } from "../../../src/web/webmail/list/event_stream.ts";
import { message, query, withWebmail } from "./server.ts";

Deno.test("events are made when the client reads, and what happened meanwhile is told in few", async () => {
  await withWebmail(async (w) => {
    const id = await w.deliver(message({}));
    const { mailboxId, uid } = w.account.message(id)!;
    const token = w.sessions.create({
      service: "webmail",
      account: "mox",
      login: "mox@localhost",
      remoteIp: "127.0.0.1",
      userAgent: "",
    });
    const sessionId = w.sessions.find("webmail", token)!.id;
    const c = new EventConnection(
      w.account.acquire(),
      { account: "mox", loginAddress: "mox@localhost", sessionId, accountPage: undefined },
      w.services,
      { viewId: 1, query: query(mailboxId), page: { anchor: null, count: 10 } },
    );
    const reader = c.stream(() => w.account.close(), assert.ifError).getReader();
    const next = async () => {
      const r = await reader.read();
      assert.ok(!r.done);
      return JSON.parse(new TextDecoder().decode(r.value).slice(6));
    };
    assert.equal((await next()).kind, "start");
    assert.equal((await next()).kind, "view");
    // Nobody reads: 400 changes of flags, with as many of counts.
    for (let i = 0; i < 200; i++) {
      await w.account.storeFlags(mailboxId, [uid], "add", 1, []);
      await w.account.storeFlags(mailboxId, [uid], "remove", 1, []);
    }
    const told = await next();
    assert.equal(told.kind, "changes");
    const kinds = told.changes.map((x: { kind: string }) => x.kind);
    assert.deepEqual(kinds, ["flags", "mailboxCounts"]);
    assert.equal(told.changes[0].items.length, 400);
    assert.deepEqual(told.changes[0].items.at(-1).flags, []);
    await reader.cancel();
    assert.equal(w.account.broadcast.count, 0);
  });
});
