import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { join } from "node:path";
import { MessageFiles } from "../../src/store/files/message_files.ts";
import { maxKeptBytes } from "../../src/store/files/recent_messages.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Files of an account in a temporary folder, and how to put one there. */
async function withFiles(
  work: (files: MessageFiles, add: (id: number, bytes: Uint8Array) => Promise<void>) => unknown,
): Promise<void> {
  const dir = await Deno.makeTempDir();
  const files = new MessageFiles(join(dir, "msg"));
  await Deno.mkdir(join(dir, "msg"));
  try {
    await work(files, async (id, bytes) => {
      const source = join(dir, "source");
      await Deno.writeFile(source, bytes);
      await files.add(id, source);
      await Deno.remove(source);
    });
  } finally {
    files.close();
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("a small message is read once, then answered from memory", () =>
  withFiles(async (files, add) => {
    await add(1, encoder.encode("body"));
    const prefix = encoder.encode("head ");
    const whole = () => {
      const r = files.open(1, prefix, 9);
      try {
        return decoder.decode(r.read(0, 9));
      } finally {
        r.close();
      }
    };
    assert.equal(whole(), "head body");
    await Deno.writeFile(files.path(1), encoder.encode("BODY"));
    assert.equal(whole(), "head body");
  }));

Deno.test("any range of a message in memory is what the file has", () =>
  withFiles(async (files, add) => {
    await add(1, encoder.encode("0123456789"));
    const prefix = encoder.encode("abcde");
    const text = "abcde0123456789";
    const r = files.open(1, prefix, text.length);
    for (let from = 0; from <= text.length; from++) {
      for (let to = from; to <= text.length + 3; to++) {
        assert.equal(decoder.decode(r.read(from, to)), text.slice(from, to), `${from} to ${to}`);
        const buffer = new Uint8Array(to - from);
        const n = r.readInto(buffer, from);
        assert.equal(decoder.decode(buffer.subarray(0, n)), text.slice(from, to));
      }
    }
    r.close();
    assert.throws(() => r.read(0, 1), /closed/);
  }));

Deno.test("a file that is shorter than recorded gives what it has", () =>
  withFiles(async (files, add) => {
    await add(1, encoder.encode("short"));
    const r = files.open(1, new Uint8Array(0), 20);
    assert.equal(decoder.decode(r.read(0, 20)), "short");
    r.close();
  }));

Deno.test("what was removed is gone, also from memory", () =>
  withFiles(async (files, add) => {
    await add(1, encoder.encode("body"));
    files.open(1, new Uint8Array(0), 4).close();
    files.remove(1);
    assert.throws(() => files.open(1, new Uint8Array(0), 4), Deno.errors.NotFound);
  }));

Deno.test("memory is bounded and used again, and a reader keeps what it reads", () =>
  withFiles(async (files, add) => {
    const size = 60_000;
    const content = (id: number) => new Uint8Array(size).fill(id % 251);
    const count = Math.ceil(maxKeptBytes / size) + 40;
    for (let id = 1; id <= count; id++) await add(id, content(id));
    const read = (id: number) => {
      const r = files.open(id, new Uint8Array(0), size);
      try {
        return r.read(0, size);
      } finally {
        r.close();
      }
    };
    const held = files.open(1, new Uint8Array(0), size);
    // Not deepEqual: to tell how long arrays differ takes more memory than there is.
    const same = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0;
    for (let round = 0; round < 2; round++) {
      for (let id = 2; id <= count; id++) assert.ok(same(read(id), content(id)), `${id}`);
    }
    assert.ok(same(held.read(0, size), content(1)));
    held.close();
    // The oldest have made room: they are read from their files again.
    await Deno.writeFile(files.path(2), content(7));
    assert.ok(same(read(2), content(7)));
  }));
