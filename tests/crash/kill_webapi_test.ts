/**
 * SIGKILL while a program sends by the web API with a copy in Sent, at what a watcher of the data folder sees: the
 * note, the copy, the queue's file, the queue's rows, the answer. Afterwards the copy is there if the queue has the
 * message, and only then; what was answered is in both.
 */
import assert from "node:assert/strict";
import { loggedIn } from "../support/imap_client.ts";
import { type Localserve, mox, startLocalserve } from "../support/localserve.ts";
import { check } from "./load.ts";
import { patience, queued, sendAndKill, steps } from "./sending_steps.ts";

/** Copies in Sent by subject. */
async function copies(s: Localserve, subject: string): Promise<number> {
  const client = await loggedIn(s);
  try {
    const { exists } = await client.mailboxOpen("Sent");
    if (exists === 0) return 0;
    const found = await client.search({ subject }, { uid: true });
    return found ? found.length : 0;
  } finally {
    await client.logout();
  }
}

/** Sends; whether it was answered. */
async function send(s: Localserve, subject: string): Promise<boolean> {
  try {
    const r = await fetch(`http://localhost:${s.http}/webapi/v0/Send`, {
      method: "POST",
      headers: {
        Authorization: `Basic ${btoa("mox@localhost:moxmoxmox")}`,
        "Content-Type": "application/json",
      },
      body: JSON.stringify({
        To: [{ Address: "ann@localhost" }],
        Subject: subject,
        Text: "Your order is on its way.",
        SaveSent: true,
      }),
    });
    const answer = await r.text();
    assert.equal(r.status, 200, answer);
    return true;
  } catch (err) {
    if (err instanceof assert.AssertionError) throw err;
    return false;
  }
}

Deno.test({
  name: "SIGKILL while a program sends with a copy in Sent",
  async fn(t) {
    let s = await startLocalserve();
    const { dir, offset } = s;
    try {
      const rule = await mox(["queue", "holdrules", "add", "-dir", dir]);
      assert.equal(rule.code, 0, rule.stderr);
      for (const step of Object.keys(steps) as (keyof typeof steps)[]) {
        await t.step(step, async () => {
          const subject = `order-${step}`;
          const answered = await sendAndKill(s, step, () => send(s, subject));
          s = await startLocalserve({ dir, offset });
          const taken = await queued(dir, subject);
          assert.ok(taken <= 1, `${taken} times in the queue`);
          if (answered) assert.equal(taken, 1);
          // The start takes back a copy of what was not queued, while it serves already.
          const end = Date.now() + patience;
          for (let n; (n = await copies(s, subject)) !== taken;) {
            assert.ok(Date.now() < end, `${n} in Sent, ${taken} in the queue`);
            await new Promise((resolve) => setTimeout(resolve, 100));
          }
          if (!answered) {
            assert.ok(await send(s, subject));
            assert.equal(await queued(dir, subject), taken + 1);
            assert.equal(await copies(s, subject), taken + 1);
          }
        });
      }
      assert.equal(await s.stop(), 0);
      assert.deepEqual(await check(dir, offset), []);
    } finally {
      await s.close();
    }
  },
});
