/**
 * SIGKILL while the webmail sends, at what a watcher of the data folder sees: the note, the copy, the queue's file,
 * the queue's rows, the answer. Afterwards the message is in Sent once, no draft is left, what it answers is marked,
 * and the queue was given it once: it is held there, or has arrived.
 */
import assert from "node:assert/strict";
import { CallError } from "../../webmail/api/client.ts";
import { loggedIn } from "../support/imap_client.ts";
import { type Localserve, mox, startLocalserve } from "../support/localserve.ts";
import { Browser, composition, query } from "../web/webmail/server.ts";
import { check } from "./load.ts";
import { patience, queued, sendAndKill, steps } from "./sending_steps.ts";

async function until(what: string, fn: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + patience;
  while (!await fn()) {
    assert.ok(Date.now() < end, what);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** How many messages of a mailbox have a text, and how many of these a flag. */
async function holding(s: Localserve, name: string, text: string, flag = "\\Seen") {
  const client = await loggedIn(s);
  let all = 0;
  let flagged = 0;
  try {
    const box = await client.mailboxOpen(name);
    if (box.exists > 0) {
      for await (const m of client.fetch("1:*", { source: true, flags: true })) {
        if (!m.source!.toString().includes(text)) continue;
        all++;
        if (m.flags!.has(flag)) flagged++;
      }
    }
  } finally {
    await client.logout();
  }
  return { all, flagged };
}

async function put(s: Localserve, text: string): Promise<void> {
  const client = await loggedIn(s);
  const message = `From: ann@localhost\r\nTo: mox@localhost\r\nSubject: ${text}\r\n` +
    `Message-ID: <${text}@x>\r\n\r\nquestion ${text}\r\n`;
  await client.append("INBOX", message);
  await client.logout();
}

/** The id of the message with this subject, as a page sees it. */
async function idOf(b: Browser, text: string): Promise<number> {
  const e = await b.events(query(null));
  await e.expect("start");
  const { threads } = await e.view();
  b.close();
  const found = threads.flat().find((m) => m.subject === text);
  assert.ok(found);
  return found.id;
}

for (const held of [true, false]) {
  Deno.test({
    name: `SIGKILL while the webmail sends, ${held ? "held in the queue" : "delivered at once"}`,
    async fn(t) {
      let s = await startLocalserve();
      const { dir, offset } = s;
      try {
        if (held) {
          const rule = await mox(["queue", "holdrules", "add", "-dir", dir]);
          assert.equal(rule.code, 0, rule.stderr);
        }
        for (const [i, step] of (Object.keys(steps) as (keyof typeof steps)[]).entries()) {
          // Each step both ways in both tests together.
          const retry = (i % 2 === 0) === held;
          await t.step(`${step}, ${retry ? "sent again" : "left alone"}`, async () => {
            const text = `t-${step}-${retry}-${held}`;
            await put(s, text);
            const b = new Browser(`http://localhost:${s.http}/webmail/`);
            await b.call("Login", { username: "mox@localhost", password: "moxmoxmox" });
            const c = composition({
              from: { name: "", address: "mox@localhost" },
              to: ["mox@localhost"],
              subject: `Re: ${text}`,
              text: `answer ${text}`,
              inReplyTo: await idOf(b, text),
            });
            const key = crypto.randomUUID();
            const { draftId } = await b.call("DraftSave", { draftId: null, key, composition: c });
            const send = () =>
              b.call("Send", {
                ...{ composition: c, draftId, key, undo: 0 },
                ...{ sendAt: null, requireTls: null, archiveThread: false },
              });
            await sendAndKill(s, step, () => send().catch(() => {}));
            s = await startLocalserve({ dir, offset });
            const answer = `answer ${text}`;
            if (retry) {
              await send().catch((err) => {
                assert.ok(err instanceof CallError, String(err));
                assert.match(err.message, /sent already/);
              });
            } else {
              // Where nothing had begun it is a draft still, as it was.
              await until("it is sent, or a draft", async () => {
                const drafts = await holding(s, "Drafts", answer);
                const sent = await holding(s, "Sent", answer);
                return drafts.all + sent.all === 1;
              });
              if ((await holding(s, "Drafts", answer)).all === 1) await send();
            }
            assert.deepEqual(await holding(s, "Drafts", answer), { all: 0, flagged: 0 });
            assert.equal((await holding(s, "Sent", answer)).all, 1);
            const asked = await holding(s, "INBOX", `question ${text}`, "\\Answered");
            assert.deepEqual(asked, { all: 1, flagged: 1 });
            if (held) assert.equal(await queued(dir, `Re: ${text}`), 1);
            else {
              // Twice where the kill came between its delivery and the queue's note of that.
              await until("it has arrived", async () => {
                return (await holding(s, "INBOX", answer)).all >= 1;
              });
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
}
