/** Replies of an account whose user is away, through a whole server. */
import assert from "node:assert/strict";
import { type FakeHost, fakeHost } from "../smtp/fake_host.ts";
import { vacationSetting } from "../../src/delivery/vacation.ts";
import { changeAccountSetting } from "../../src/store/account/settings.ts";
import { forgetVacationReplies } from "../../src/store/account/vacation_replies.ts";
import { mail, type Receiver, startReceiver } from "./receiver.ts";

const day = 24 * 3600_000;

async function withAway(
  fn: (r: Receiver, host: FakeHost, later: (ms: number) => void) => Promise<void>,
): Promise<void> {
  let now = Date.now();
  await using host = await fakeHost({ extensions: ["8BITMIME"] });
  await using r = await startReceiver({
    outgoingPort: host.port,
    now: () => now,
    zone: {
      "sender.example": {
        TXT: ["v=spf1 ip4:127.0.0.1 -all"],
        MX: ["10 mx.sender.example"],
      },
    },
  });
  await r.account("bob", (a) =>
    changeAccountSetting(a, vacationSetting, () => ({
      enabled: true,
      subject: "Back on Monday",
      text: "I am away.",
      from: now,
      until: now + 30 * day,
      days: 2,
    })));
  await fn(r, host, (ms) => now += ms);
}

const toBob = { to: "bob@ours.example" };

Deno.test("who writes gets one reply, and another when some days have passed", () =>
  withAway(async (r, host, later) => {
    const send = async (over: Parameters<typeof mail>[0] = {}, from?: string) => {
      const text = mail({ ...toBob, ...over });
      assert.equal((await r.send({ from, text, to: "bob@ours.example" })).code, 250);
      await r.server.queue.idle();
    };
    await send({ subject: "lunch?" });
    assert.equal(host.mails.length, 1);
    const [reply] = host.mails;
    assert.deepEqual([reply.from, reply.to], ["", ["joe@sender.example"]]);
    assert.match(reply.data, /^From: bob@ours\.example\r$/m);
    assert.match(reply.data, /^Subject: Back on Monday\r$/m);
    assert.match(reply.data, /^Auto-Submitted: auto-replied\r$/m);
    assert.match(reply.data, /^In-Reply-To: <m\d+@sender\.example>\r$/m);
    assert.match(reply.data, /\r\n\r\nI am away\.\r?\n?$/);

    await send();
    assert.equal(host.mails.length, 1);
    // Lists, reports and messages that hide the recipient get none.
    await send({ headers: "List-Id: <l.example>\n" }, "jim@sender.example");
    await send({ to: "others@ours.example" }, "jim@sender.example");
    assert.equal(host.mails.length, 1);
    await send({}, "jim@sender.example");
    assert.deepEqual(host.mails[1].to, ["jim@sender.example"]);

    later(2 * day);
    await send();
    assert.equal(host.mails.length, 3);
    // With a new text all are told anew.
    await r.account("bob", forgetVacationReplies);
    await send();
    assert.equal(host.mails.length, 4);
    later(30 * day);
    await send();
    assert.equal(host.mails.length, 4);
    assert.equal((await r.messages("bob", "Inbox")).length, 8);
  }));

Deno.test("a sender that nothing vouches for gets none", () =>
  withAway(async (r, host) => {
    const from = "jane@nowhere.example";
    assert.equal(
      (await r.send({ from, text: mail({ ...toBob, from }), to: "bob@ours.example" })).code,
      250,
    );
    await r.server.queue.idle();
    assert.deepEqual(host.mails, []);
  }));
