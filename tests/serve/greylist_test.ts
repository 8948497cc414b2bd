/** Greylisting: who has to come again, who never has to, and what is remembered. */
import assert from "node:assert/strict";
import { Greylist } from "../../src/delivery/greylist.ts";
import { Flag } from "../../src/store/types.ts";
import type { Reply } from "../smtp/talk.ts";
import { mail, startReceiver } from "./receiver.ts";

const minute = 60_000;
const day = 24 * 60 * minute;
const smtp = `			Greylist:
				Delay: 5m
				Window: 24h
				Keep: 240h
`;

const said = ({ code, status, lines }: Reply) => `${code} ${status} ${lines.join()}`;

Deno.test("greylisting of first-time senders", async (t) => {
  let now = Date.now();
  await using r = await startReceiver({ smtp, now: () => now });
  const to = "bob@ours.example";
  const send = (over: { from?: string; to?: string | string[]; sign?: string } = {}) =>
    r.send({
      to,
      ...over,
      text: mail({ to: [over.to ?? to].flat()[0], from: over.from }),
    }).then(said);

  await t.step("a stranger comes again, not too early, and is known then", async () => {
    assert.match(await send(), /^451 4\.7\.1 you are not known here yet, try again in 5 minutes/);
    now += 2 * minute;
    assert.match(await send(), /^451 4\.7\.1 .* in 3 minutes/);
    now += 3 * minute;
    assert.match(await send(), /^250/);
    assert.match(await send(), /^250/);
    assert.equal((await r.messages("bob", "Inbox")).length, 2);
    assert.equal((await r.messages("bob", "Rejects")).length, 0, "it is no rejected message");
  });

  await t.step(
    "for another recipient anew; where one recipient knows the sender, nobody waits",
    async () => {
      assert.match(await send({ to: "cas@ours.example" }), /^451 4\.7\.1/);
      await r.account("bob", async (a) => {
        const inbox = a.mailboxByName("Inbox")!.id;
        await a.storeFlags(inbox, a.uids(inbox), "add", Flag.NotJunk | Flag.Seen, []);
      });
      assert.match(await send({ to: ["bob@ours.example", "cas@ours.example"] }), /^250/);
      assert.equal((await r.messages("cas", "Inbox")).length, 1);
    },
  );

  await t.step("who is known, by address or by its domain, never waits", async () => {
    now += 100 * day;
    assert.match(await send(), /^250/);
    assert.match(await send({ from: "jane@sender.example" }), /^250/);
  });

  await t.step(
    "reports of delivery (null sender) wait as others do, and come through",
    async () => {
      const bounce = () =>
        r.send({ to: "dan@catchall.example", from: "", sign: "sender.example", text: mail() }).then(
          said,
        );
      assert.match(await bounce(), /^451/);
      now += 6 * minute;
      assert.match(await bounce(), /^250/);
    },
  );
});

Deno.test("what greylisting remembers: over restarts, for its times, and no more than it may", async () => {
  const dir = await Deno.makeTempDir();
  const times = { Delay: 5 * minute, Window: day, Keep: 10 * day };
  const who = (n: number) => ({ network: `n${n}`, mailFrom: "a@b.example", rcptTo: "c@d.example" });
  try {
    let g = await Greylist.open(dir);
    assert.equal(await g.wait(who(1), times, 1000), 5 * minute);
    await g.close();
    g = await Greylist.open(dir);
    assert.equal(await g.wait(who(1), times, 1000 + minute), 4 * minute);
    assert.equal(await g.wait(who(1), times, 1000 + 5 * minute), 0);
    assert.equal(await g.wait(who(1), times, 1000 + 9 * day), 0, "kept since the last message");
    assert.equal(await g.wait(who(1), times, 1000 + 20 * day), 5 * minute, "kept no longer");
    assert.equal(await g.wait(who(2), times, 20 * day), 5 * minute);
    assert.equal(await g.wait(who(2), times, 22 * day), 5 * minute, "the window is over");
    assert.equal(await g.wait(who(2), times, 21 * day), 5 * minute, "a clock that was set back");
    assert.equal(
      await g.wait({ ...who(2), mailFrom: "A@B.example" }, times, 21 * day + 5 * minute),
      0,
    );
    for (let i = 0; i < 50; i++) await g.wait(who(100 + i), times, 23 * day);
    assert.equal(g.counts().waiting >= 50, true);
    await g.wait(who(3), times, 40 * day);
    assert.deepEqual(g.counts(), { waiting: 1, passed: 0 }, "what is over is gone");
    await g.close();
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
