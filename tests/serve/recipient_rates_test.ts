/** Limits on a network's mail to an account are asked for at RCPT: the other recipients get the message. */
import assert from "node:assert/strict";
import { Log } from "../../src/log/mod.ts";
import { connectTcp, networksOf } from "../../src/net/mod.ts";
import { RecipientRates } from "../../src/serve/receiving/rates.ts";
import { Client } from "../smtp/talk.ts";
import { deliveryFacts } from "../store/setup.ts";
import { mail, type Receiver, startReceiver } from "./receiver.ts";

/** Puts messages from an address into an account, as if they had come a moment ago. */
async function fill(r: Receiver, account: string, remoteIp: string, count: number, now: number) {
  const text = new TextEncoder().encode("Subject: one of many\r\n\r\nHi.\r\n");
  const file = `${r.dir}/many`;
  await Deno.writeFile(file, text);
  const facts = deliveryFacts({ remoteIp, networks: networksOf(remoteIp) });
  const m = { file, fileSize: text.length, fileSynced: true, prefix: new Uint8Array(0), facts };
  await r.account(account, async (a) => {
    await Promise.all(
      Array.from({ length: count }, () => a.deliver("Archive", { ...m, received: now })),
    );
  });
}

Deno.test("who sends too much to one account hears so at RCPT, and the other recipients get the message", async () => {
  let now = Date.now();
  await using r = await startReceiver({ now: () => now });
  await fill(r, "cas", "127.0.0.1", 500, now - 1000);
  const session = async (to: readonly string[]): Promise<string[]> => {
    const conn = await connectTcp({ host: "127.0.0.1", port: r.port, readTimeout: 60_000 });
    await using client = new Client(conn);
    await client.expect(220);
    await client.command("EHLO mx.sender.example", 250);
    await client.command("MAIL FROM:<joe@sender.example> SIZE=1000", 250);
    const said: string[] = [];
    for (const who of to) {
      await client.send(`RCPT TO:<${who}@ours.example>\r\n`);
      const { code, status } = await client.reply();
      said.push(`${code} ${status}`);
    }
    await client.send("DATA\r\n");
    if ((await client.reply()).code !== 354) return said;
    await client.send(mail().replaceAll("\n", "\r\n") + ".\r\n");
    const { code, status } = await client.reply();
    return [...said, `${code} ${status}`];
  };
  assert.deepEqual(await session(["cas", "dan", "bob"]), [
    "452 4.2.2",
    "550 5.1.1",
    "250 2.1.5",
    "250 2.0.0",
  ]);
  assert.deepEqual(await session(["cas"]), ["452 4.2.2"]);
  assert.equal((await r.messages("bob", "Inbox")).length, 1);
  assert.equal((await r.messages("cas", "Inbox")).length, 0);
  assert.equal(r.server.queue.list().length, 0, "nobody is told of a failure");
  now += 61_000;
  assert.deepEqual(await session(["cas", "bob"]), ["250 2.1.5", "250 2.1.5", "250 2.0.0"]);
  assert.equal((await r.messages("cas", "Inbox")).length, 1);
});

Deno.test("a count is used for a minute, as long as no limit could be exceeded by what was let in since", async () => {
  let now = Date.now();
  await using r = await startReceiver({ now: () => now });
  await fill(r, "cas", "192.0.2.9", 480, now - 1000);
  let opened = 0;
  const { accounts } = r.server;
  const rates = new RecipientRates({
    resolver: r.resolver,
    now: () => now,
    accounts: Object.assign(Object.create(accounts) as typeof accounts, {
      open: (name: string) => (opened++, accounts.open(name)),
    }),
  });
  const log = new Log("test");
  const ask = (remoteIp: string, declaredSize?: number) =>
    rates.check({ remoteIp, log }, { declaredSize }, "cas");
  // Of one network: 20 are left until its limit would be that of each address.
  for (let i = 0; i < 20; i++) await ask(`192.0.2.${i}`, 1000);
  assert.equal(opened, 1);
  await ask("192.0.2.10", 1000);
  assert.equal(opened, 2, "counted again");
  await ask("198.51.100.1", 1000);
  assert.equal(opened, 3, "another network");
  // Bytes: a declared gigabyte doesn't fit, and messages without a size are taken for large ones.
  await assert.rejects(
    () => ask("203.0.113.1", 1001 * 1024 * 1024),
    /452|bytes in the past minute/,
  );
  opened = 0;
  for (let i = 0; i < 21; i++) await ask("203.0.113.2");
  assert.equal(opened, 2);
  // A refusal is given again for a second.
  await fill(r, "cas", "192.0.2.9", 20, now - 1000);
  now += 1;
  opened = 0;
  const refused = /more than 500 messages in the past minute/;
  // The count before was of 480, and has a minute to live.
  now += 10_000;
  for (let i = 0; i < 25; i++) await ask("192.0.2.9", 1000).catch(() => {});
  for (let i = 0; i < 5; i++) await assert.rejects(() => ask("192.0.2.9", 1000), refused);
  const before = opened;
  now += 1001;
  await assert.rejects(() => ask("192.0.2.9", 1000), refused);
  assert.equal(opened, before + 1);
  // Others of the network are not.
  await ask("192.0.2.77", 1000);
});
