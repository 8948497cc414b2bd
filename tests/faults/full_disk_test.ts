/** A disk, and a database, that really are full: mail is refused, nothing is torn, and all goes on after. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { setLogSink } from "../../src/log/mod.ts";
import { isStorageFull } from "../../src/platform/storage_errors.ts";
import { Accounts } from "../../src/store/account/accounts.ts";
import { Log } from "../../src/log/mod.ts";
import { verifyData } from "../../src/store/backup/verify.ts";
import { testRules, withStore } from "../store/setup.ts";

setLogSink(() => {});

const text = (n: number, size: number) =>
  `From: a@example.org\r\nSubject: m${n}\r\nMessage-ID: <${n}@example.org>\r\n\r\n` +
  "a line of text\r\n".repeat(size);

Deno.test("a database that may not grow refuses mail, and takes it once there is room", async () => {
  await withStore(async (s) => {
    const { db } = s.account;
    const [pages] = db.get("PRAGMA page_count")!;
    db.exec(`PRAGMA max_page_count = ${pages + 4}`);
    let taken = 0;
    let refused: unknown;
    for (let i = 0; i < 500 && refused === undefined; i++) {
      const m = await s.message(text(i, 5));
      await s.account.deliver("Inbox", m).then(() => taken++, (err) => refused = err);
    }
    assert.ok(isStorageFull(refused), String(refused));
    const inbox = s.account.mailboxByName("Inbox")!;
    assert.equal(inbox.total, taken);
    db.exec("PRAGMA max_page_count = 1000000");
    await s.account.deliver("Inbox", await s.message(text(1000, 5)));
    await s.reopen(() => assert.deepEqual(verifyData(s.dir, false, () => {}), []));
    assert.equal(s.account.mailboxByName("Inbox")!.total, taken + 1);
  });
});

/** A file system of 3 MB, if this user may mount one. */
async function smallDisk(): Promise<{ dir: string; close(): Promise<void> } | undefined> {
  if (Deno.build.os !== "linux" || Deno.uid() !== 0) return undefined;
  const dir = await Deno.makeTempDir();
  const run = (cmd: string, ...args: string[]) =>
    new Deno.Command(cmd, { args, stdout: "null", stderr: "null" }).output();
  const { success } = await run("mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", dir);
  if (!success) {
    await Deno.remove(dir);
    return undefined;
  }
  return {
    dir,
    async close() {
      await run("umount", dir);
      await Deno.remove(dir);
    },
  };
}

const disk = await smallDisk();

Deno.test({
  name:
    "a full disk: what was taken stays, what was refused leaves nothing, and it goes on with room",
  ignore: disk === undefined,
  async fn() {
    const { dir } = disk!;
    const open = () => new Accounts(join(dir, "accounts"), new Log("store"), () => testRules);
    let accounts = open();
    try {
      let a = await accounts.open("test");
      await Deno.writeFile(join(dir, "ballast"), new Uint8Array(256 * 1024));
      const taken: number[] = [];
      let refusals = 0;
      for (let i = 0; i < 400 && refusals < 20; i++) {
        const file = join(dir, `in-${i}`);
        const content = new TextEncoder().encode(text(i, 1 + (i * 37) % 1500));
        try {
          await Deno.writeFile(file, content);
          await a.deliver("Inbox", { file, fileSize: content.length, prefix: new Uint8Array(0) });
          taken.push(i);
        } catch (err) {
          assert.ok(isStorageFull(err), String(err));
          refusals++;
        } finally {
          await Deno.remove(file).catch(() => {});
        }
      }
      assert.equal(refusals, 20);
      assert.ok(taken.length > 5);
      const subjects = () => {
        const box = a.mailboxByName("Inbox")!;
        return [...a.uids(box.id)].map((uid) => {
          const m = a.messageByUid(box.id, uid)!;
          const r = a.openMessage(m.emailId);
          const content = new TextDecoder().decode(r.read(0, r.size));
          r.close();
          const i = Number(/Subject: m(\d+)/.exec(content)![1]);
          assert.equal(content, text(i, 1 + (i * 37) % 1500));
          return i;
        });
      };
      assert.deepEqual(subjects(), taken);
      // A deletion needs a little room too, for the database's log; then it makes more.
      await Deno.remove(join(dir, "ballast"));
      const box = a.mailboxByName("Inbox")!;
      const some = [...a.uids(box.id)].slice(0, 4);
      await a.expunge(box.id, some, undefined, { force: true });
      taken.splice(0, 4);
      a.close();
      await accounts.closeAll();
      assert.deepEqual(verifyData(dir, false, () => {}), []);
      accounts = open();
      a = await accounts.open("test");
      assert.deepEqual(subjects(), taken);
      const file = join(dir, "last");
      const content = new TextEncoder().encode(text(999, 3));
      await Deno.writeFile(file, content);
      await a.deliver("Archive", { file, fileSize: content.length, prefix: new Uint8Array(0) });
      await Deno.remove(file);
      a.close();
    } finally {
      await accounts.closeAll();
      await disk!.close();
    }
  },
});
