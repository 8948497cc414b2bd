/** Hold rules, retired recipients, suppression, later release, listing, limits, upgrade of the database. */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { join } from "node:path";
import { QueueLimitError } from "../../src/queue/mod.ts";
import { queueMigrations } from "../../src/queue/schema.ts";
import { World } from "./world.ts";

const zone = { "to.example": { A: ["127.7.2.1"] }, "other.example": { A: ["127.7.2.1"] } };

Deno.test("hold rules hold what fits, over restarts, until they are removed", async () => {
  await using w = await World.make({ zone });
  await w.host("127.7.2.1");
  await w.open();
  const id = await w.queue.addHoldRule({
    account: "ann",
    senderDomain: undefined,
    recipientDomain: "To.Example",
  });
  await w.open();
  await w.queue.start();
  await w.send(["a@to.example", "b@other.example"]);
  await w.send(["c@to.example"], { senderAccount: "someone else" });
  await w.queue.idle();
  assert.deepEqual(w.queue.list().map((i) => [i.address, i.hold]), [["a@to.example", true]]);
  assert.equal(w.hosts[0].mails.length, 2);
  assert.equal(await w.queue.removeHoldRule(id), true);
  await w.send(["d@to.example"]);
  await w.queue.idle();
  assert.equal(w.queue.count(), 1);
  assert.equal(await w.queue.hold({ hold: true }, false), 1);
  await w.queue.idle();
  assert.equal(w.queue.count(), 0);
});

Deno.test("hold rules know a domain in either of its forms", async () => {
  await using w = await World.make();
  await w.open();
  const any = { account: undefined, senderDomain: undefined };
  await w.queue.addHoldRule({ ...any, recipientDomain: "b\u00fccher.example" });
  await w.queue.addHoldRule({ ...any, recipientDomain: "xn--strae-oqa.example" });
  await w.send([
    "a@xn--bcher-kva.example",
    "b@B\u00fccher.example",
    "c@stra\u00dfe.example",
    "d@to.example",
  ]);
  assert.deepEqual(
    w.queue.list({}, { sort: "id" }).map((i) => i.hold),
    [true, true, true, false],
  );
});

Deno.test("a message for later is released at its time, not before", async () => {
  await using w = await World.make({ zone });
  const host = await w.host("127.7.2.1");
  await w.open();
  await w.queue.start();
  const at = w.clock.time + 3600_000;
  await w.send(["a@to.example"], { notBefore: at });
  await w.queue.idle();
  assert.equal(host.mails.length, 0);
  while (w.queue.count() > 0 && w.clock.next()) await w.queue.idle();
  assert.equal(host.mails.length, 1);
  assert.ok(w.clock.time >= at && w.clock.time < at + 10_000);
});

Deno.test("RFC 4865 §5.1.2: how a message was held is known to its report, over a restart", async () => {
  await using w = await World.make({ zone });
  await w.host("127.7.2.1", { rcpt: () => "550 5.7.1 not you" });
  await w.open();
  await w.queue.start();
  await w.send(["a@to.example"], {
    notBefore: w.clock.time + 60_000,
    holdRequest: "for;60",
  });
  await w.send(["b@to.example"]);
  await w.queue.idle();
  await w.open();
  await w.queue.start();
  while (w.queue.count() > 0 && w.clock.next()) await w.queue.idle();
  assert.deepEqual(
    w.dsns.map((d) => [d.recipients[0].item.address, d.message.holdRequest]),
    [["b@to.example", undefined], ["a@to.example", "for;60"]],
  );
});

Deno.test("retired recipients are kept for their time, and two failures in a row suppress", async () => {
  let answer: string | undefined = "550 5.7.1 not you";
  await using w = await World.make({ zone, retiredPeriod: 3600_000 });
  await w.host("127.7.2.1", { rcpt: () => answer });
  await w.open();
  await w.queue.start();
  const send = async () => {
    await w.send(["A@to.example"], { extra: { k: "v" } });
    await w.queue.idle();
    return w.queue.retired()[0].outcome;
  };
  assert.equal(await send(), "failed");
  answer = undefined;
  assert.equal(await send(), "delivered");
  answer = "550 5.7.1 not you";
  assert.equal(await send(), "failed");
  assert.deepEqual(w.queue.suppressions(), []);
  assert.equal(await send(), "failed");
  assert.match(w.queue.suppressions("ann")[0].reason, /two failures in a row: 550 5\.7\.1 not you/);
  answer = undefined;
  assert.equal(await send(), "suppressed");
  assert.equal(await w.queue.unsuppress("ann", "a+tag@to.example"), true);
  assert.equal(await send(), "delivered");
  const last = w.queue.retired()[0];
  assert.deepEqual(last.extra, { k: "v" });
  assert.equal(last.results[0].remoteMta, "to.example");
  assert.deepEqual(w.events.map((e) => e.kind), [
    "failed",
    "delivered",
    "failed",
    "failed",
    "suppressed",
    "delivered",
  ]);
  w.clock.time += 2 * 3600_000;
  await w.send(["b@to.example"]);
  await w.queue.idle();
  assert.deepEqual(w.queue.retired().map((r) => r.address), ["b@to.example"]);
});

Deno.test("without a time to keep them nothing is retired, and nobody suppressed", async () => {
  await using w = await World.make({ zone });
  await w.host("127.7.2.1", { rcpt: () => "550 5.1.1 gone" });
  await w.open();
  await w.queue.start();
  await w.send(["a@to.example"]);
  await w.queue.idle();
  assert.equal(w.bounced("a@to.example").length, 1);
  assert.deepEqual([w.queue.retired(), w.queue.suppressions()], [[], []]);
});

Deno.test("the list can be filtered and sorted", async () => {
  await using w = await World.make({ zone });
  await w.open();
  await w.send(["a@to.example", "b_c@other.example"]);
  w.clock.time += 1000;
  await w.send(["d@sub.to.example"], { senderAccount: "bob", mailFrom: "bob@b.example" });
  const ids = w.queue.list({}, { sort: "id" }).map((i) => i.id);
  await w.queue.schedule({ ids: [ids[0]] }, w.clock.time + 5000);
  const to = (f: Parameters<typeof w.queue.list>[0], o = {}) =>
    w.queue.list(f, o).map((i) => i.address[0]).join("");
  assert.equal(to({}), "bda");
  assert.equal(to({}, { sort: "id", descending: true }), "dba");
  assert.equal(to({}, { sort: "queued", limit: 1, offset: 1 }), "b");
  assert.equal(to({ to: "@to.example" }), "a");
  assert.equal(to({ to: "TO.EXAMPLE" }), "da");
  assert.equal(to({ to: "b_c" }), "b");
  assert.equal(to({ to: "%" }), "");
  assert.equal(to({ from: "@b.example" }), "d");
  assert.equal(to({ account: "ann", hold: false }), "ba");
  assert.equal(to({ dueAfter: w.clock.time }), "a");
  assert.equal(to({ queuedBefore: w.clock.time }), "ba");
  assert.equal(await w.queue.setTransport({ ids: [ids[1]] }, "relay"), 1);
  assert.equal(to({ transport: "relay" }), "b");
  assert.equal(to({ transport: "" }), "da");
  assert.equal(to({ ids: [] }), "");
});

Deno.test("limits of a day move with the clock, and what is refused leaves nothing", async () => {
  await using w = await World.make({ zone });
  await w.open();
  const limits = {
    messages: 3,
    firstTimeRecipients: 2,
    counts: (a: string) => a.endsWith("to.example"),
  };
  const send = (...to: string[]) => w.send(to, { limits });
  await send("a@to.example", "local@mox.example");
  await assert.rejects(
    send("b@to.example", "c@to.example"),
    (e) => e instanceof QueueLimitError && e.limit === "firstTimeRecipients" && e.max === 2,
  );
  assert.equal(w.queue.count(), 2);
  await send("b@to.example");
  await w.open();
  await send("A@to.example");
  await assert.rejects(
    send("a@to.example"),
    (e) => e instanceof QueueLimitError && e.limit === "messages",
  );
  w.clock.time += 24 * 3600_000 + 1;
  // Old recipients stay known, new ones are counted afresh.
  await send("a@to.example", "c@to.example", "b@to.example");
  await assert.rejects(send("a@to.example"), QueueLimitError);
});

Deno.test("a queue of the version before is brought up to date and delivered", async () => {
  await using w = await World.make({ zone });
  const host = await w.host("127.7.2.1");
  const dir = join(w.dir, "data", "queue");
  await Deno.mkdir(join(dir, "msg", "0"), { recursive: true });
  const old = new DatabaseSync(join(dir, "index.db"));
  old.exec(queueMigrations[0].sql);
  old.exec(`
    INSERT INTO messages VALUES (1, 'ann', 'me@mox.example', 19, x'', 0, 0, 0, '', NULL, '', '', 0, 1);
    INSERT INTO recipients (message_id, address, domain, next_attempt)
      VALUES (1, 'a@to.example', 'to.example', 1), (1, 'b@to.example', 'to.example', 2);
    INSERT INTO destinations VALUES ('to.example', 1);
    PRAGMA user_version = 1;
  `);
  old.close();
  const w2 = await w.open();
  const path = w2.message(1)!.path;
  await Deno.mkdir(join(path, ".."), { recursive: true });
  await Deno.writeTextFile(path, "Subject: old\r\n\r\nx\r\n");
  await w.queue.start();
  await w.queue.idle();
  assert.deepEqual(host.mails.map((m) => m.to), [["a@to.example", "b@to.example"]]);
  assert.equal(w.queue.count(), 0);
});

Deno.test("success is told by the next server if it can, else that the message was passed on", async () => {
  await using w = await World.make({
    zone: { "dsn.example": { A: ["127.7.2.1"] }, "old.example": { A: ["127.7.2.2"] } },
  });
  const able = await w.host("127.7.2.1", { extensions: ["DSN"] });
  const old = await w.host("127.7.2.2");
  await w.open();
  await w.queue.start();
  const original = { type: "rfc822", address: "list@x.example" };
  await w.send([], {
    recipients: [
      { address: "a@dsn.example", notify: ["success"], originalRecipient: original },
      { address: "b@old.example", notify: ["success"] },
      { address: "c@old.example", notify: ["never"] },
      { address: "d@old.example" },
    ],
    envelopeId: "id 1",
    ret: "hdrs",
  });
  await w.queue.idle();
  assert.deepEqual(
    able.commands.filter((c) => /^(MAIL|RCPT)/.test(c)),
    [
      "MAIL FROM:<me@mox.example> RET=HDRS ENVID=id+201",
      "RCPT TO:<a@dsn.example> NOTIFY=SUCCESS ORCPT=rfc822;list@x.example",
    ],
  );
  assert.equal(old.commands.some((c) => c.includes("NOTIFY")), false);
  assert.deepEqual(
    w.dsns.map((d) => [d.action, d.recipients.map((r) => r.item.address)]),
    [["relayed", ["b@old.example"]]],
  );
});

Deno.test("address literals are delivered to, without any lookup", async () => {
  await using w = await World.make();
  const host = await w.host("127.7.2.1");
  await w.open();
  await w.queue.start();
  await w.send(["a@[127.7.2.1]"]);
  await w.send(["a@[127.7.2.999]"]);
  await w.queue.idle();
  assert.deepEqual(host.mails.map((m) => m.to), [["a@[127.7.2.1]"]]);
  assert.deepEqual(w.bounced("a@[127.7.2.999]"), ["550 5.1.2"]);
  assert.deepEqual(w.resolver.queries, []);
});

Deno.test("a host without SMTPUTF8: recipients that need it bounce, the others get the message", async () => {
  await using w = await World.make({ zone });
  const host = await w.host("127.7.2.1");
  await w.open();
  await w.queue.start();
  await w.send(["a@to.example", "j\u00f6rg@to.example", "b@to.example"]);
  await w.queue.idle();
  assert.deepEqual(host.mails.map((m) => m.to), [["a@to.example", "b@to.example"]]);
  assert.deepEqual(w.bounced("j\u00f6rg@to.example"), ["550 5.6.7"]);
  assert.equal(w.queue.count(), 0);
  host.options = { extensions: ["SMTPUTF8", "8BITMIME"] };
  // The session that was kept had the old ones.
  await w.open();
  await w.queue.start();
  await w.send(["a@to.example", "j\u00f6rg@to.example"]);
  await w.queue.idle();
  assert.equal(host.mails[1].to.length, 2);
  assert.ok(host.commands.some((c) => c.startsWith("MAIL") && c.includes("SMTPUTF8")));
});
