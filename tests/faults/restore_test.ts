/**
 * A server's first start on a restored backup, on a disk that fails: each call of opening what was copied fails once.
 * It opens, or says what failed; the next start opens it, and all of the copy is there.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { makeTestData } from "../../src/commands/test_data.ts";
import { setLogSink } from "../../src/log/mod.ts";
import { consistency } from "../../src/store/account/account.ts";
import { backupData } from "../../src/store/backup/copy.ts";
import { verifyData } from "../../src/store/backup/verify.ts";
import { databases, databasesIn, rowsOf } from "../upgrade/databases.ts";
import { type Call, type Fault, isPlanted, possible, withFault } from "./disk.ts";

// What goes wrong on purpose fills no log.
setLogSink(() => {});
/** A check of tests at closing: its calls are not those of a server. */
consistency.checkAtClose = false;

function copyTree(from: string, to: string): void {
  Deno.mkdirSync(to, { recursive: true });
  for (const e of Deno.readDirSync(from)) {
    if (e.isDirectory) copyTree(join(from, e.name), join(to, e.name));
    else Deno.copyFileSync(join(from, e.name), join(to, e.name));
  }
}

/** Rows of all databases, and names of message files. */
function contents(data: string): Record<string, string[]> {
  const found = Object.fromEntries(
    databasesIn(data).map((path) => [path, rowsOf(join(data, path))]),
  );
  for (const path of ["accounts/test1/msg/0", "queue/msg/0"]) {
    found[path] = [...Deno.readDirSync(join(data, path))].map((e) => e.name).sort();
  }
  return found;
}

Deno.test("restore: every call of opening a copy fails once", async (t) => {
  const dir = await Deno.makeTempDir();
  try {
    await makeTestData(join(dir, "made"));
    const copy = join(dir, "copy");
    await backupData({ from: join(dir, "made", "data"), to: copy }, () => {});
    const data = join(dir, "data");
    const restore = () => {
      try {
        Deno.removeSync(data, { recursive: true });
      } catch (err) {
        if (!(err instanceof Deno.errors.NotFound)) throw err;
      }
      copyTree(copy, data);
    };
    // One by one: each begins with all of the copy as it was.
    for (const path of ["accounts/test1/index.db", "queue/index.db", "sessions.db"]) {
      await t.step(path, async () => {
        const open = databases[path];
        restore();
        await open(data);
        const expected = contents(data);
        const run = async (at: number, fault: Fault): Promise<Call[]> => {
          restore();
          const r = await withFault(data, at, fault, () => open(data), { reads: true });
          const where = `${fault} at ${at}: ${r.hit?.name} ${r.hit?.path.slice(data.length)}`;
          assert.ok(r.error === undefined || isPlanted(r.error), `${where}: ${r.error}`);
          if (fault === "delay" || fault === "short") assert.equal(r.error, undefined, where);
          await open(data);
          assert.deepEqual(contents(data), expected, where);
          assert.deepEqual(verifyData(data, false, () => {}), [], where);
          return r.calls;
        };
        const calls = await run(0, "EIO");
        assert.ok(calls.length > 3);
        let runs = 0;
        const failures: string[] = [];
        for (const [i, call] of calls.entries()) {
          for (const fault of ["EIO", "ENOSPC", "EMFILE", "torn"] as const) {
            if (!possible(fault, call.name)) continue;
            runs++;
            await run(i + 1, fault).catch((err) => failures.push(err.message));
          }
        }
        console.log(`restore, ${path}: ${calls.length} points, ${runs} runs`);
        assert.deepEqual(failures, []);
      });
    }
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
