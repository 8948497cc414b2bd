import assert from "node:assert/strict";
import { join } from "node:path";
import { MessageFile, removeLeftovers } from "../../src/smtp/server/message_file.ts";
import { makeFilesAhead } from "../../src/smtp/server/spare_files.ts";
import { SmtpError } from "../../src/smtp/server/mod.ts";
import { noise } from "../net/loopback.ts";
import { bytes } from "./talk.ts";

const limits = { size: 10_000_000, headerSize: 10_000, headerFields: 50, hops: 10 };

async function withDir(run: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await run(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

const names = (dir: string) => [...Deno.readDirSync(dir)].map((e) => e.name);

Deno.test("messages of all sizes are in the file when it is finished", () =>
  withDir(async (dir) => {
    for (const size of [0, 1, 16_383, 16_384, 65_537, 262_144, 262_145, 400_000, 3_000_000]) {
      const content = noise(size, size + 1);
      const file = new MessageFile(
        dir,
        { ...limits, headerSize: 1e9, headerFields: 1e9 },
        undefined,
      );
      for (let at = 0; at < size; at += 60_000) {
        file.put(content.subarray(at, at + 60_000));
        await file.room();
      }
      await file.finish();
      assert.equal(file.refusal, undefined);
      assert.equal(file.size, size);
      assert.deepEqual(await Deno.readFile(file.path), content);
      assert.equal(file.has8bit, content.some((b) => b > 127));
      await file.discard();
      assert.deepEqual(names(dir), []);
    }
  }));

Deno.test("8-bit bytes are found wherever they stand", () =>
  withDir(async (dir) => {
    for (const [header, at] of [[true, 3], [true, 30], [false, 60], [false, 101], [false, 102]]) {
      const content = bytes(`Subject: ${"x".repeat(40)}\r\n\r\n${"y".repeat(50)}`);
      content[at as number] = 0xe9;
      const file = new MessageFile(dir, limits, undefined);
      file.put(content);
      await file.finish();
      assert.deepEqual([file.has8bit, file.headerHas8bit], [true, header]);
      assert.equal(file.headerSize, 53);
      await file.discard();
    }
  }));

Deno.test("a refused message makes no file, and its bytes are not kept", () =>
  withDir(async (dir) => {
    const file = new MessageFile(dir, { ...limits, size: 100_000 }, undefined);
    for (let i = 0; i < 100; i++) {
      file.put(noise(50_000));
      await file.room();
    }
    await file.finish();
    assert.equal(file.refusal?.code, 552);
    assert.equal(file.size, 5_000_000);
    assert.deepEqual(names(dir), []);
    await file.discard();
  }));

Deno.test("a disk that refuses to write refuses the message, and the rest is read", async () => {
  const file = new MessageFile(join("does", "not", "exist"), {
    ...limits,
    headerSize: 1e9,
    headerFields: 1e9,
  }, undefined);
  for (let i = 0; i < 30; i++) {
    file.put(noise(60_000));
    await file.room();
  }
  assert.ok(file.refusal instanceof SmtpError);
  assert.equal(file.refusal.status, "4.3.0");
  await file.finish();
  await file.discard();
  const small = new MessageFile(join("does", "not", "exist"), limits, undefined);
  small.put(bytes("x"));
  await small.finish();
  assert.equal((small.refusal as SmtpError).status, "4.3.0");
  await small.discard();
});

Deno.test("what a crash left behind is removed at the next start", () =>
  withDir(async (dir) => {
    const file = new MessageFile(dir, limits, undefined);
    file.put(bytes("x"));
    await file.finish();
    await Deno.writeTextFile(join(dir, "other"), "");
    await file.discard();
    await Deno.writeTextFile(join(dir, "smtp-1a2b-3"), "");
    await Deno.mkdir(join(dir, "import"));
    assert.equal(await removeLeftovers(dir), 2);
    assert.deepEqual(names(dir), ["import"]);
  }));

Deno.test("files are made ahead, used once each, and gone when that ends", () =>
  withDir(async (dir) => {
    const end = makeFilesAhead(dir);
    const used = new Set<string>();
    for (let i = 0; i < 40; i++) {
      const file = new MessageFile(dir, limits, undefined);
      file.put(new TextEncoder().encode("Subject: x\r\n\r\nx\r\n"));
      await file.finish();
      assert.equal(file.refusal, undefined);
      assert.ok(!used.has(file.path));
      used.add(file.path);
      await file.synced;
      assert.equal(Deno.readTextFileSync(file.path), "Subject: x\r\n\r\nx\r\n");
      await file.discard();
    }
    await end();
    assert.deepEqual(names(dir), []);
  }));

Deno.test("where no file can be made ahead, the message's own error is the answer", async () => {
  const dir = await Deno.makeTempDir();
  const gone = join(dir, "gone");
  const end = makeFilesAhead(gone);
  const file = new MessageFile(gone, limits, undefined);
  file.put(new TextEncoder().encode("Subject: x\r\n\r\nx\r\n"));
  await file.finish();
  assert.equal(file.refusal?.code, 451);
  await file.discard();
  await Deno.mkdir(gone);
  const next = new MessageFile(gone, limits, undefined);
  await next.finish();
  assert.equal(next.refusal, undefined);
  await next.discard();
  await end();
  assert.deepEqual(names(gone), []);
  await Deno.remove(dir, { recursive: true });
});
