/** A backup with an earlier one as its base, on another file system. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { backupData } from "../../../src/store/backup/copy.ts";
import { verifyData } from "../../../src/store/backup/verify.ts";
import { withStore } from "../setup.ts";

Deno.test("-base: files are linked from the earlier copy, but not those of an account that is gone", () =>
  withStore(async (s) => {
    const to = await Deno.makeTempDir();
    const { linkSync } = Deno;
    Deno.linkSync = (from, target) => {
      if (!String(from).startsWith(to)) throw new Error("cross-device link");
      linkSync(from, target);
    };
    try {
      const take = (name: string, base?: string) =>
        backupData({ from: s.dir, to: join(to, name), base }, () => {});
      const text = (id: string) => `Subject: ${id}\r\n\r\n${id}\r\n`;
      for (const id of ["old1", "old2"]) {
        await s.account.deliver("Inbox", await s.message(text(id)));
      }
      const first = await take("one");
      assert.equal(first.copied, 2);
      await s.account.deliver("Inbox", await s.message(text("old3")));
      const second = await take("two", join(to, "one"));
      assert.deepEqual([second.linked, second.copied], [2, 1]);
      // Removed, and made anew under its name: names of files begin at 1 again.
      const dir = s.account.dir;
      await s.reopen(() => Deno.removeSync(dir, { recursive: true }));
      await s.account.deliver("Inbox", await s.message(text("new1")));
      const third = await take("three", join(to, "two"));
      assert.deepEqual([third.linked, third.copied], [0, 1]);
      assert.deepEqual(verifyData(join(to, "three"), false, () => {}), []);
      const copied = join(to, "three", dir.slice(s.dir.length), "msg", "0", "1");
      assert.equal(await Deno.readTextFile(copied), text("new1"));
    } finally {
      Deno.linkSync = linkSync;
      await Deno.remove(to, { recursive: true });
    }
  }));
