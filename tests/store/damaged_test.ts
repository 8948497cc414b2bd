/** Pages of an account's database are overwritten, one at a time: nothing worse comes than an error that says so. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { backupData } from "../../src/store/backup/copy.ts";
import { verifyData } from "../../src/store/backup/verify.ts";
import { DatabaseError } from "../../src/store/database/database.ts";
import { Accounts } from "../../src/store/account/accounts.ts";
import { Log, setLogSink } from "../../src/log/mod.ts";
import { Want } from "../../src/store/types.ts";
import { testRules, withStore } from "./setup.ts";

setLogSink(() => {});

const pageSize = 4096;

Deno.test("each damaged page is found by verifydata, and reading gives an error that names the file", async () => {
  await withStore(async (s) => {
    const inbox = s.account.mailboxByName("Inbox")!;
    for (let i = 0; i < 40; i++) {
      const text = `From: a@example.org\r\nSubject: n${i} ${"x".repeat(300)}\r\n\r\nbody\r\n`;
      await s.account.append(inbox.id, [await s.message(text)]);
    }
    const outside = await Deno.makeTempDir();
    try {
      const copy = join(outside, "copy");
      await backupData({ from: s.dir, to: copy }, () => {});
      const path = join(copy, "accounts", "test", "index.db");
      const good = await Deno.readFile(path);
      const pages = good.length / pageSize;
      let errors = 0;
      for (let page = 0; page < pages; page++) {
        const bad = good.slice();
        bad.fill(0x5a, page * pageSize, (page + 1) * pageSize);
        await Deno.writeFile(path, bad);
        const found = verifyData(copy, false, () => {});
        // A page that nothing uses has nothing to damage.
        if (found.length > 0) assert.ok(found.every((f) => f.path === path), `page ${page}`);
        const accounts = new Accounts(join(copy, "accounts"), new Log("store"), () => testRules);
        let error: unknown;
        try {
          const a = await accounts.open("test");
          try {
            for (const box of a.mailboxes()) {
              a.fetch(
                box.id,
                a.uids(box.id),
                Want.Content | Want.Envelope | Want.Summary,
                () => {},
              );
            }
            await a.append(inbox.id, [await s.message("Subject: more\r\n\r\nx\r\n")]);
          } finally {
            a.close();
          }
        } catch (err) {
          error = err;
        }
        await accounts.closeAll().catch((err) => error ??= err);
        if (error !== undefined) {
          errors++;
          assert.ok(found.length > 0, `page ${page}: verifydata did not find it, but ${error}`);
          assert.ok(error instanceof DatabaseError, `page ${page}: ${(error as Error).stack}`);
          assert.ok(
            error.message.startsWith(path) && /verifydata/.test(error.message),
            `page ${page}: ${error.message}`,
          );
        }
        for (const end of ["-wal", "-shm"]) await Deno.remove(path + end).catch(() => {});
        await Deno.remove(join(copy, "accounts", "test", "fulltext.db")).catch(() => {});
      }
      assert.ok(errors > 10, `${errors} of ${pages} pages gave an error`);
      console.log(
        `${pages} pages, of which ${errors} were in the way of opening, reading or writing`,
      );
    } finally {
      await Deno.remove(outside, { recursive: true });
    }
  });
});
