import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import {
  createTemp,
  ensureDir,
  freeSpace,
  linkOrCopy,
  removeFile,
  syncAndClose,
  syncDir,
  syncFile,
  writeFileAtomic,
  writeNew,
} from "../../src/platform/files.ts";
import { isWindows } from "../../src/platform/os.ts";

async function inTemp(f: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await f(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

function names(dir: string): string[] {
  return [...Deno.readDirSync(dir)].map((e) => e.name).sort();
}

/** A folder on another file system than the given one, if this machine has one. */
function elsewhere(dir: string): string | undefined {
  if (isWindows) return undefined;
  for (const candidate of ["/dev/shm", "/var/tmp", "/run"]) {
    try {
      if (Deno.statSync(candidate).dev === Deno.statSync(dir).dev) continue;
      return Deno.makeTempDirSync({ dir: candidate });
    } catch {
      continue;
    }
  }
  return undefined;
}

Deno.test("linkOrCopy within a file system makes a second name of the same file", () =>
  inTemp(async (dir) => {
    await Deno.writeTextFile(join(dir, "a"), "mail");
    await linkOrCopy(join(dir, "a"), join(dir, "b"));
    assert.equal(await Deno.readTextFile(join(dir, "b")), "mail");
    assert.equal(Deno.statSync(join(dir, "b")).nlink, 2);
  }));

Deno.test("linkOrCopy does not replace a file, nor touch it", () =>
  inTemp(async (dir) => {
    await Deno.writeTextFile(join(dir, "a"), "new");
    await Deno.writeTextFile(join(dir, "b"), "old");
    await assert.rejects(linkOrCopy(join(dir, "a"), join(dir, "b")), Deno.errors.AlreadyExists);
    assert.equal(await Deno.readTextFile(join(dir, "b")), "old");
  }));

Deno.test("linkOrCopy of a missing file leaves nothing", () =>
  inTemp(async (dir) => {
    await assert.rejects(linkOrCopy(join(dir, "a"), join(dir, "b")), Deno.errors.NotFound);
    assert.deepEqual(names(dir), []);
  }));

Deno.test({
  name: "linkOrCopy across file systems copies, does not replace, and leaves nothing on failure",
  ignore: (() => {
    const tmp = Deno.makeTempDirSync();
    const other = elsewhere(tmp);
    Deno.removeSync(tmp);
    if (other) Deno.removeSync(other);
    return other === undefined;
  })(),
  fn: () =>
    inTemp(async (dir) => {
      const other = elsewhere(dir)!;
      try {
        const content = crypto.getRandomValues(new Uint8Array(60_000));
        const big = new Uint8Array(content.length * 10);
        for (let i = 0; i < 10; i++) big.set(content, i * content.length);
        await Deno.writeFile(join(other, "a"), big);
        await linkOrCopy(join(other, "a"), join(dir, "b"));
        assert.deepEqual(await Deno.readFile(join(dir, "b")), big);
        await assert.rejects(linkOrCopy(join(other, "a"), join(dir, "b")), {
          name: "AlreadyExists",
        });
        // A folder can be opened but not read: the copy fails half-way.
        await Deno.mkdir(join(other, "folder"));
        await assert.rejects(linkOrCopy(join(other, "folder"), join(dir, "c")));
        assert.deepEqual(names(dir), ["b"]);
      } finally {
        await Deno.remove(other, { recursive: true });
      }
    }),
});

Deno.test("writeFileAtomic replaces a file in one step and leaves no other", () =>
  inTemp(async (dir) => {
    const path = join(dir, "domains.conf");
    await writeFileAtomic(path, new TextEncoder().encode("one"), 0o640);
    await writeFileAtomic(path, new TextEncoder().encode("two"), 0o640);
    assert.equal(await Deno.readTextFile(path), "two");
    assert.deepEqual(names(dir), ["domains.conf"]);
    if (!isWindows) assert.equal(Deno.statSync(path).mode! & 0o777, 0o640);
  }));

Deno.test("a writeFileAtomic that fails keeps the old file and leaves no other", () =>
  inTemp(async (dir) => {
    const path = join(dir, "x");
    await Deno.mkdir(path);
    await assert.rejects(writeFileAtomic(path, new Uint8Array(3)));
    assert.deepEqual(names(dir), ["x"]);
    await assert.rejects(writeFileAtomic(join(dir, "none", "x"), new Uint8Array(3)));
  }));

Deno.test("temporary files get names of their own and no rights for others", () =>
  inTemp(async (dir) => {
    const made = await Promise.all(Array.from({ length: 20 }, () => createTemp(dir, "in-")));
    for (const { path, file } of made) {
      assert.equal(dirname(path), dir);
      if (!isWindows) assert.equal(Deno.statSync(path).mode! & 0o777, 0o600);
      file.close();
      removeFile(path);
    }
    assert.equal(new Set(made.map((m) => m.path)).size, 20);
    assert.deepEqual(names(dir), []);
  }));

Deno.test("removing a missing file is fine, another failure is told", () =>
  inTemp(async (dir) => {
    removeFile(join(dir, "none"));
    await ensureDir(join(dir, "a/b"));
    await ensureDir(join(dir, "a/b"));
    assert.throws(() => removeFile(join(dir, "a")));
  }));

Deno.test("folders and files can be synced, many at a time", () =>
  inTemp(async (dir) => {
    await Deno.writeTextFile(join(dir, "a"), "x");
    await syncFile(join(dir, "a"));
    await Promise.all(Array.from({ length: 50 }, () => syncDir(dir)));
    if (!isWindows) await assert.rejects(syncDir(join(dir, "none")), Deno.errors.NotFound);
    assert.ok(await freeSpace(dir) > 0);
  }));

Deno.test("a new file has all its content, is its owner's alone, and is never written over", () =>
  inTemp(async (dir) => {
    for (const size of [0, 1, 64 * 1024, 64 * 1024 + 1, 3_000_000]) {
      const path = join(dir, String(size));
      const content = Uint8Array.from({ length: size }, (_, i) => i * 7 % 251);
      await syncAndClose(await writeNew(path, content));
      const there = Deno.readFileSync(path);
      assert.equal(there.length, size);
      assert.ok(there.every((b, i) => b === content[i]));
      if (!isWindows) assert.equal(Deno.statSync(path).mode! & 0o777, 0o600);
      await assert.rejects(writeNew(path, new Uint8Array(9)), Deno.errors.AlreadyExists);
      assert.equal(Deno.statSync(path).size, size);
    }
    await assert.rejects(writeNew(join(dir, "no", "x"), new Uint8Array(1)), Deno.errors.NotFound);
    assert.equal(names(dir).length, 5);
  }));
