/** Commands about junk filters: on folders, and of a running server. */
import assert from "node:assert/strict";
import { loggedIn } from "../support/imap_client.ts";
import { type Localserve, mox, startLocalserve } from "../support/localserve.ts";

const ham = "agenda minutes meeting project review schedule";
const spam = "lottery winner casino prize claim million";
const message = (i: number, words: string) =>
  `From: <x${i}@p${i}.example>\nSubject: number ${i}\nDate: ${
    new Date(Date.UTC(2026, 0, 1, i)).toUTCString()
  }\n\n${words}\n`;

Deno.test("junk train, check and play on a folder, a Maildir and an mbox file", async (t) => {
  const dir = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${dir}/ham`);
    await Deno.mkdir(`${dir}/spam/cur`, { recursive: true });
    let mbox = "";
    for (let i = 0; i < 60; i++) {
      await Deno.writeTextFile(`${dir}/ham/${i}`, message(i, ham));
      await Deno.writeTextFile(`${dir}/spam/cur/${i}:2,S`, message(i, spam));
      const at = new Date(Date.UTC(2026, 0, 1, i)).toISOString();
      const date = `Thu Jan ${at.slice(8, 10)} ${at.slice(11, 19)} 2026`;
      mbox += `From x@p.example ${date}\n${message(i, spam)}\n`;
    }
    await Deno.writeTextFile(`${dir}/spam.mbox`, mbox);
    await t.step("train, then check a message", async () => {
      const trained = await mox(["junk", "train", `${dir}/f`, `${dir}/ham`, `${dir}/spam`]);
      assert.equal(trained.stdout, "trained: 60 ham, 60 spam\n", trained.stderr);
      const bad = await mox(["junk", "check", `${dir}/f`, "-"], message(99, spam));
      assert.equal(bad.code, 1, bad.stderr);
      assert.match(
        bad.stdout,
        /^spam: probability 1\.0.*\nwords of ham:\nwords of spam:\n.* lottery/,
      );
      const good = await mox(["junk", "check", `${dir}/f`, "-"], message(99, ham));
      assert.match(good.stdout, /^ham: probability 0\.0/);
      assert.equal(good.code, 0);
      assert.equal((await mox(["junk", "check", `${dir}/none`, "-"], "x")).code, 1);
    });
    await t.step("explain a message in plain words", async () => {
      const phish =
        "From: PayPal <x@evil.example>\nSubject: lottery\nX-Mox-Reason: no-bad-signals; x\n" +
        `Content-Type: text/html\n\n<p>lottery</p><a href="https://pay.example/x">paypal.com</a>\n`;
      const r = await mox(["junk", "explain", "-", `${dir}/f`], phish);
      assert.equal(r.code, 0, r.stderr);
      for (
        const line of [
          "When it came in: Nothing was known of its sender, and nothing spoke against it.",
          `  The sender calls itself "PayPal", but writes from evil.example. (3)`,
          "  A link says paypal.com, but goes to pay.example. (2)",
          "The filter, trained with 60 good messages and 60 spam, gives it ",
          `  "lottery": in 0 good messages, 60 spam`,
        ]
      ) assert.ok(r.stdout.includes(line), `${line} in ${r.stdout}`);
      const plain = await mox(["junk", "explain", "-"], message(99, ham));
      assert.equal(plain.stdout, "Nothing odd is to be noticed.\n");
    });
    await t.step("check the newer part by the older", async () => {
      const folders = ["-ham", `${dir}/ham`, "-spam", `${dir}/spam.mbox`];
      const r = await mox(["junk", "check", ...folders, "-fraction", "0.5"]);
      assert.match(r.stdout, /^ham: \d+, taken for spam: 0 \(0\.00%\)$/m, r.stderr);
    });
    await t.step("play", async () => {
      const r = await mox(["junk", "play", "-warmup", "100", `${dir}/ham`, `${dir}/spam`]);
      assert.match(r.stdout, /^ham: 10, taken for spam: 0 \(0\.00%\)\nspam: 10, caught: 10 /);
    });
    await t.step("wrong parameters are told", async () => {
      const r = await mox(["junk", "play", "-maxpower", "2", `${dir}/ham`, `${dir}/spam`]);
      assert.deepEqual([r.code, /MaxPower must be from 0 to 0\.5/.test(r.stderr)], [2, true]);
    });
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

/** Appends messages to a mailbox. */
async function append(
  s: Localserve,
  mailbox: string,
  flag: string,
  texts: string[],
): Promise<void> {
  const c = await loggedIn(s);
  for (const text of texts) await c.append(mailbox, text, [flag]);
  await c.logout();
}

Deno.test("retrain has the running server make the filter afresh", async () => {
  const s = await startLocalserve();
  try {
    const dir = ["-dir", s.dir];
    await append(s, "Junk", "$Junk", [1, 2, 3].map((i) => message(i, spam)));
    await append(s, "Archive", "$NotJunk", [4, 5].map((i) => message(i, ham)));
    for (let i = 0; i < 2; i++) {
      const r = await mox(["retrain", ...dir, "mox"]);
      assert.equal(r.stdout, "mox: filter trained with 2 ham and 3 spam messages\n", r.stderr);
    }
    const all = await mox(["retrain", ...dir]);
    assert.match(all.stdout, /^mox: filter trained with 2 ham and 3 spam messages\n/);
    const none = await mox(["retrain", ...dir, "nobody"]);
    assert.deepEqual([none.code, /no account nobody/.test(none.stderr)], [1, true]);
    assert.equal(await s.stop(), 0);
    const check = await mox(["junk", "check", `${s.dir}/data/accounts/mox`, "-"], message(9, spam));
    assert.match(check.stdout, /by too few trained messages[\s\S]*lottery \(ham 0, spam 3\)/);
  } finally {
    await s.close();
  }
});
