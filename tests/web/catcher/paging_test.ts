/** Pages of caught mail: newest first over mailboxes and accounts, nothing twice and nothing left out. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { Log } from "../../../src/log/mod.ts";
import { Accounts } from "../../../src/store/account/accounts.ts";
import { Flag } from "../../../src/store/types.ts";
import { pageByDate } from "../../../src/web/catcher/by_date.ts";
import { CaughtMail } from "../../../src/web/catcher/box.ts";
import { testRules } from "../../store/setup.ts";

Deno.test("pages of several mailboxes and accounts are those of one list, newest first", async () => {
  const dir = await Deno.makeTempDir();
  const accounts = new Accounts(join(dir, "accounts"), new Log("store"), () => testRules);
  const mail = new CaughtMail(accounts, "ann", () => ["ann", "bob"]);
  try {
    const all: { received: number; id: number; account: string }[] = [];
    let n = 0;
    const add = async (name: string, mailboxName: string, received: number, flags = 0) => {
      const account = await accounts.open(name);
      const file = join(dir, `m${n++}`);
      const text = new TextEncoder().encode(`Subject: ${n}\r\n\r\nx\r\n`);
      await Deno.writeFile(file, text);
      const prefix = new Uint8Array(0);
      const m = { file, fileSize: text.length, prefix, received, flags };
      const { id } = await account.deliver(mailboxName, m);
      all.push({ received, id, account: name });
      account.close();
    };
    // Runs of one mailbox, turns of all three, and the same millisecond in several.
    for (let i = 0; i < 30; i++) await add("ann", "Inbox", 1000 + i);
    for (let i = 0; i < 10; i++) {
      await add("ann", "Archive", 2000 + i * 3);
      await add("bob", "Inbox", 2001 + i * 3, Flag.Seen);
      await add("ann", "Inbox", 2002 + i * 3);
    }
    for (let i = 0; i < 4; i++) await add(i % 2 ? "ann" : "bob", "Inbox", 3000);
    await add("ann", "Trash", 5000);
    all.pop();
    all.sort((a, b) => b.received - a.received || b.id - a.id);

    const boxes = (await mail.accounts()).flatMap((account) =>
      mail.mailboxes(account).filter((m) => m.total > 0).map((m) => ({ account, mailboxId: m.id }))
    );
    assert.equal(boxes.length, 3);
    for (const window of [1, 2, 7, 2000]) {
      const whole = await pageByDate(boxes, 0, 1000, window);
      assert.equal(whole.length, all.length);
      assert.deepEqual(whole.map((m) => m.received), all.map((m) => m.received));
      const names = new Set(whole.map((m) => `${m.account.name} ${m.id}`));
      assert.equal(names.size, all.length, "none twice");
      for (const start of [0, 1, 29, 63, 64, 100]) {
        const page = await pageByDate(boxes, start, 5, window);
        const key = (m: { account: { name: string }; id: number; uid: number }) =>
          `${m.account.name} ${m.id} ${m.uid}`;
        assert.deepEqual(page.map(key), whole.slice(start, start + 5).map(key));
      }
    }
    // One mailbox alone goes another way.
    const archive = boxes.filter((b) => b.account.name === "bob");
    const bobs = all.filter((m) => m.account === "bob");
    assert.deepEqual(
      (await pageByDate(archive, 3, 4)).map((m) => m.id),
      bobs.slice(3, 7).map((m) => m.id),
    );
    assert.deepEqual((await mail.list(2, 3)).map((m) => m.received), [3000, 3000, 2029]);
    const found = await mail.search({ op: "all" });
    assert.deepEqual(found.map((m) => m.received), all.map((m) => m.received));
    assert.equal(found.filter((m) => m.read).length, 10);
    assert.equal(await mail.count({ op: "flag", bit: Flag.Seen }), 10);
  } finally {
    await mail.close();
    await accounts.closeAll();
    await Deno.remove(dir, { recursive: true });
  }
});
