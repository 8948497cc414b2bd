/** Limits of uploads: each uploader has their own in an account. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { UploadLimitError, Uploads } from "../../src/jmap/blobs/uploads.ts";

const stream = (text: string) => new Blob([text]).stream();

Deno.test("a guest's uploads don't use up the owner's number of files, nor the owner's the guest's", async () => {
  const dir = await Deno.makeTempDir({ prefix: "mox-" });
  const uploads = new Uploads(dir, 1_000_000);
  try {
    const folder = join(dir, "uploads", "ann");
    await Deno.mkdir(folder, { recursive: true });
    for (let i = 0; i < 2000; i++) {
      const id = `U${i.toString(16).padStart(32, "0")}`;
      await Deno.writeTextFile(join(folder, `${id}-bob`), "x");
    }
    await assert.rejects(uploads.add("ann", "bob", stream("one more")), UploadLimitError);
    const own = await uploads.add("ann", "ann", stream("the owner's"));
    assert.equal(uploads.get("ann", "ann", own.id)?.size, 11);
    const other = await uploads.add("ann", "cas", stream("another guest's"));
    assert.equal(uploads.get("ann", "cas", other.id)?.by, "cas");
    assert.equal(uploads.get("ann", "bob", other.id), undefined);

    // An hour later the oldest of the guest's own are removed, nobody else's.
    const before = new Date(Date.now() - 2 * 3600_000);
    for await (const e of Deno.readDir(folder)) {
      await Deno.utime(join(folder, e.name), before, before);
    }
    const later = new Uploads(dir, 1_000_000);
    try {
      await later.add("ann", "bob", stream("one more"));
      assert.equal(later.get("ann", "ann", own.id)?.size, 11);
      assert.equal(later.get("ann", "cas", other.id)?.by, "cas");
    } finally {
      later.close();
    }
    const left = [...Deno.readDirSync(folder)].filter((e) => e.name.endsWith("-bob"));
    assert.equal(left.length, 2000);
  } finally {
    uploads.close();
    await Deno.remove(dir, { recursive: true });
  }
});
