/** A server that keeps nothing waits for no disk; all others do. */
import assert from "node:assert/strict";
import { syncData } from "../../src/platform/durability.ts";
import { OpenFolder, syncDir, syncFile } from "../../src/platform/files.ts";
import { isWindows } from "../../src/platform/os.ts";

Deno.test("syncs fail for what can't be synced, and are left out once nothing is kept", async () => {
  const dir = await Deno.makeTempDir();
  const gone = Deno.openSync(`${dir}/file`, { write: true, create: true });
  gone.close();
  const missing = `${dir}/missing`;
  try {
    await assert.rejects(syncData(gone));
    if (!isWindows) await assert.rejects(syncDir(missing));
    await assert.rejects(syncFile(missing));
    const folder = isWindows ? undefined : new OpenFolder(dir);
    folder?.close();
    if (folder) await assert.rejects(folder.sync());

    // In a thread of its own, as it can't be taken back.
    const url = (path: string) =>
      JSON.stringify(new URL(`../../src/${path}`, import.meta.url).href);
    const source = `
      import { keepNothing, syncData } from ${url("platform/durability.ts")};
      import { OpenFolder, syncDir, syncFile } from ${url("platform/files.ts")};
      import { Db } from ${url("store/database/database.ts")};
      keepNothing();
      const dir = ${JSON.stringify(dir)};
      const gone = Deno.openSync(dir + "/file", { write: true });
      gone.close();
      await syncData(gone);
      await syncDir(dir + "/missing");
      await syncFile(dir + "/missing");
      const db = await Db.open(dir + "/x.db", [{ version: 1, sql: "CREATE TABLE t (a)" }]);
      db.run("INSERT INTO t VALUES (1)");
      await db.durable();
      const synchronous = db.get("PRAGMA synchronous")[0];
      await db.close();
      self.postMessage(synchronous);`;
    const worker = new Worker(`data:text/javascript,${encodeURIComponent(source)}`, {
      type: "module",
    });
    const synchronous = await new Promise((resolve, reject) => {
      worker.onmessage = (e) => resolve(e.data);
      worker.onerror = (e) => reject(new Error(e.message));
    });
    worker.terminate();
    assert.equal(synchronous, 0);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
