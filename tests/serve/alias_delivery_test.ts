/** What was accepted for an alias reaches every member, whatever fails for some of them. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { Log } from "../../src/log/mod.ts";
import { Accounts } from "../../src/store/account/accounts.ts";
import { StoreError } from "../../src/store/types.ts";
import { aliasDomains } from "./alias_domains.ts";
import { mail, type Receiver, startReceiver } from "./receiver.ts";

const members = Array.from({ length: 16 }, (_, i) => `m${i}`);
const domains = aliasDomains(members);

const to = "all@ours.example";
const send = (r: Receiver) => r.send({ to, text: mail({ to }), sign: "sender.example" });

/** A file where the account's folder is to be: it can't be opened. */
async function block(r: Receiver, name: string): Promise<void> {
  await Deno.mkdir(join(r.dir, "data/accounts"), { recursive: true });
  await Deno.writeTextFile(join(r.dir, "data/accounts", name), "in the way");
}

const unblock = (r: Receiver, name: string) => Deno.remove(join(r.dir, "data/accounts", name));

async function counts(r: Receiver): Promise<number[]> {
  const found: number[] = [];
  for (const m of members) found.push((await r.messages(m, "Inbox")).length);
  return found;
}

Deno.test("members whose mailbox fails get the message from the queue, all others at once", async () => {
  await using r = await startReceiver({ domains });
  const broken = ["m0", "m7", "m15"];
  for (const name of broken) await block(r, name);
  assert.equal((await send(r)).code, 250);
  const waiting = r.server.queue.list();
  assert.deepEqual(
    waiting.map((i) => i.address).sort(),
    broken.map((m) => `${m}@ours.example`).sort(),
  );
  await r.server.queue.idle();
  // Tried again in vain, and not lost by that.
  assert.equal(r.server.queue.count(), broken.length);
  for (const name of broken) await unblock(r, name);
  await r.server.queue.schedule({}, 0);
  await r.server.queue.idle();
  assert.equal(r.server.queue.count(), 0);
  assert.deepEqual(await counts(r), members.map(() => 1));
  const [text] = await r.messages("m7", "Inbox");
  assert.match(text, /^Return-Path: <joe@sender\.example>\r\nDelivered-To: m7@ours\.example\r\n/);
  assert.match(text, /\r\nReceived: from .*for <all@ours\.example>/s);
});

Deno.test("where the message can't be queued for them either, the sender is told to try again", async () => {
  await using r = await startReceiver({ domains });
  await block(r, "m5");
  const { queue } = r.server;
  const add = queue.add.bind(queue);
  queue.add = () => Promise.reject(new Error("planted"));
  assert.equal((await send(r)).code, 451);
  queue.add = add;
  await unblock(r, "m5");
  assert.equal((await send(r)).code, 250);
  assert.equal((await r.messages("m5", "Inbox")).length, 1);
});

Deno.test("if nobody could get it, it isn't accepted", async () => {
  await using r = await startReceiver({ domains });
  for (const m of members) await block(r, m);
  assert.equal((await send(r)).code, 451);
  assert.equal(r.server.queue.count(), 0);
});

Deno.test("a recipient whose mailbox fails gets the message from the queue, if another one has it", async () => {
  await using r = await startReceiver({ domains });
  const both = ["m1@ours.example", "m2@ours.example"];
  const sendBoth = () =>
    r.send({ to: both, text: mail({ to: both.join(", ") }), sign: "sender.example" });
  await block(r, "m2");
  assert.equal((await sendBoth()).code, 250);
  assert.equal((await r.messages("m1", "Inbox")).length, 1);
  await r.server.queue.idle();
  // No report to the sender: it waits.
  assert.deepEqual(r.server.queue.list().map((i) => i.address), ["m2@ours.example"]);
  await unblock(r, "m2");
  await r.server.queue.schedule({}, 0);
  await r.server.queue.idle();
  assert.equal(r.server.queue.count(), 0);
  const [text] = await r.messages("m2", "Inbox");
  assert.match(text, /^Return-Path: <joe@sender\.example>\r\nDelivered-To: m2@ours\.example\r\n/);
  assert.equal((await r.messages("m1", "Inbox")).length, 1);
});

Deno.test("where it can't be queued, the sender is told which recipient has not got it", async () => {
  await using r = await startReceiver({ domains });
  await block(r, "m2");
  const both = ["m1@ours.example", "m2@ours.example"];
  const { queue } = r.server;
  const add = queue.add.bind(queue);
  const added: string[] = [];
  queue.add = (m) => {
    added.push(m.recipients[0].address);
    return added.length === 1 ? Promise.reject(new Error("planted")) : add(m);
  };
  assert.equal((await r.send({ to: both, text: mail({}), sign: "sender.example" })).code, 250);
  queue.add = add;
  assert.deepEqual(added, ["m2@ours.example", "joe@sender.example"]);
  assert.equal((await r.messages("m1", "Inbox")).length, 1);
});

Deno.test("accounts in use are bounded: one too many is refused, idle ones give way", async () => {
  const dir = await Deno.makeTempDir({ prefix: "accounts-" });
  const rules = {
    initialMailboxes: () => [],
    quotaMessageSize: () => undefined,
    junkFlags: () => undefined,
  };
  const accounts = new Accounts(dir, new Log("store"), () => rules, 3);
  try {
    const [a, b, c] = await Promise.all(["a", "b", "c"].map((n) => accounts.open(n)));
    await assert.rejects(accounts.open("d"), (e: StoreError) => e.code === "busy");
    // One that is open already costs nothing.
    (await accounts.open("a")).close();
    b.close();
    const d = await accounts.open("d");
    await assert.rejects(accounts.open("b"), (e: StoreError) => e.code === "busy");
    d.close();
    const again = await accounts.open("b");
    for (const x of [a, c, again]) x.close();
    for (let i = 0; i < 20; i++) (await accounts.open(`x${i}`)).close();
  } finally {
    await accounts.closeAll();
    await Deno.remove(dir, { recursive: true });
  }
});
