/** What is noted of the last backup. */
import assert from "node:assert/strict";
import { lastBackup, noteBackup, settleLastBackup } from "../../../src/store/backup/last_backup.ts";

Deno.test("the last backup is remembered; what can't be read counts as none", async () => {
  const dir = await Deno.makeTempDir();
  try {
    assert.equal(await lastBackup(dir), undefined);
    const b = { destination: "/backup", started: 1000, ended: null, ok: false, text: "being made" };
    await noteBackup(dir, b);
    assert.deepEqual(await lastBackup(dir), b);
    // The server starts: nothing runs, so it was broken off.
    await settleLastBackup(dir);
    const settled = await lastBackup(dir);
    assert.deepEqual([settled?.ended, settled?.ok], [1000, false]);
    await noteBackup(dir, { ...b, ended: 2000, ok: true, text: "9 databases" });
    assert.equal((await lastBackup(dir))?.ended, 2000);
    await settleLastBackup(dir);
    assert.equal((await lastBackup(dir))?.text, "9 databases");
    await Deno.writeTextFile(`${dir}/lastbackup.json`, '{"destination": 1');
    assert.equal(await lastBackup(dir), undefined);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
