/** A process that puts links in the place of files and folders while their owners are set by root. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { fixOwnerBelow } from "../../src/platform/fix_owner.ts";
import { isLinux } from "../../src/platform/os.ts";
import { isRoot } from "../../src/platform/users.ts";

/** Swaps a folder and a file for links to outside and back, without end; says so once it has begun. */
const swapping = `
const [data, outside] = Deno.args;
for (let n = 0;; n++) {
  for (const name of ["folder", "file"]) {
    const at = data + "/" + name;
    Deno.renameSync(at, at + ".away");
    Deno.symlinkSync(outside + "/" + name, at);
    Deno.removeSync(at);
    Deno.renameSync(at + ".away", at);
  }
  if (n === 0) console.log("swapping");
}
`;

Deno.test({
  name: "what is outside keeps its owner and mode while a process swaps files for links",
  ignore: !isLinux || !isRoot(),
  async fn() {
    const dir = await Deno.makeTempDir();
    const [data, outside] = [join(dir, "data"), join(dir, "outside")];
    const script = join(dir, "swap.ts");
    await Deno.writeTextFile(script, swapping);
    for (const at of [data, outside]) {
      await Deno.mkdir(join(at, "folder"), { recursive: true });
      await Deno.writeTextFile(join(at, "folder", "inner"), "x");
      await Deno.writeTextFile(join(at, "file"), "x");
    }
    const watched = ["", "folder", "folder/inner", "file"].map((p) => join(outside, p));
    const state = () =>
      Promise.all(watched.map(async (p) => {
        const s = await Deno.lstat(p);
        return [p, s.uid, s.gid, s.mode];
      }));
    const before = await state();
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--allow-read", "--allow-write", script, data, outside],
      stdout: "piped",
    }).spawn();
    try {
      const reader = child.stdout.getReader();
      assert.ok((await reader.read()).value, "the other process did not begin");
      reader.releaseLock();
      let changed = 0;
      for (let i = 0; i < 400; i++) {
        const id = 54_321 + i % 2;
        const done = await fixOwnerBelow(data, {
          uid: id,
          gid: id,
          dirMode: 0o700,
          fileMode: 0o600,
        });
        // Where the C library can't be asked there is nothing to try.
        if (done === undefined) return;
        changed += done.length;
      }
      assert.ok(changed >= 400, `${changed} changes`);
      assert.deepEqual(await state(), before);
    } finally {
      child.kill("SIGKILL");
      await child.stdout.cancel();
      await child.status;
      await Deno.remove(dir, { recursive: true });
    }
  },
});
