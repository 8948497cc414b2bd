/** Files are read alike through the C library and by the runtime. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { closeFileReads, openFileReads, readFileStart } from "../../src/platform/file_reads.ts";

/** Files in a folder that the process has open. Others of its files may come and go: tests run beside each other. */
function openBelow(dir: string): string[] {
  if (Deno.build.os !== "linux") return [];
  return [...Deno.readDirSync("/proc/self/fd")].flatMap((e) => {
    try {
      const path = Deno.readLinkSync(`/proc/self/fd/${e.name}`);
      return path.startsWith(dir) ? [path] : [];
    } catch {
      return [];
    }
  });
}

Deno.test("a file's start, a short file, a missing one, a folder, odd names: as the runtime reads them", async () => {
  const dir = await Deno.makeTempDir();
  const names = ["plain", "ümläut 日本", "with space", "x".repeat(255), "empty", "missing"];
  for (const [i, name] of names.entries()) {
    if (name === "missing") continue;
    const bytes = new Uint8Array(name === "empty" ? 0 : 10_000 + i).map((_, k) =>
      (k * 7 + i) & 255
    );
    await Deno.writeFile(join(dir, name), bytes);
  }
  const paths = [...names.map((n) => join(dir, n)), dir, "", `${join(dir, "plain")}\0x`];
  paths.push(join(dir, "y".repeat(5000)));
  const open = (path: string, size: number): unknown => {
    const buffer = new Uint8Array(size);
    try {
      return [readFileStart(path, buffer), buffer.toHex()];
    } catch (err) {
      return (err as Error).constructor.name;
    }
  };
  const all = () => paths.flatMap((p) => [0, 1, 10_000, 20_000].map((size) => open(p, size)));
  try {
    closeFileReads();
    const byRuntime = all();
    openFileReads();
    const byLibrary = all();
    assert.deepEqual(byLibrary, byRuntime);
    assert.equal(byRuntime[2 + 4 * 5], "NotFound");

    assert.deepEqual(openBelow(dir), [], "descriptors stay open");
  } finally {
    closeFileReads();
    await Deno.remove(dir, { recursive: true });
  }
});
