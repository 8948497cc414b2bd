/** Each file call and each statement of taking a message into the queue fails once. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { Log, setLogSink } from "../../src/log/mod.ts";
import { type Deliverer, type NewQueueMessage, Queue } from "../../src/queue/mod.ts";
import { verifyData } from "../../src/store/backup/verify.ts";
import { TestClock } from "../queue/clock.ts";
import { type Call, type Fault, isPlanted, possible, withFault } from "./disk.ts";

// What goes wrong on purpose fills no log.
setLogSink(() => {});

async function once(at: number, fault: Fault): Promise<Call[]> {
  const dir = await Deno.makeTempDir();
  const delivered: string[] = [];
  const deliverer: Deliverer = {
    deliver(message, items) {
      const text = Deno.readTextFileSync(message.path);
      for (const i of items) delivered.push(`${text.length} ${i.address}`);
      return Promise.resolve(items.map(() => ({ kind: "delivered" as const })));
    },
  };
  const open = () =>
    Queue.open(dir, {
      log: new Log("queue"),
      deliverer,
      clock: new TestClock(),
      onDsn: () => Promise.resolve(),
    });
  const message = async (name: string): Promise<NewQueueMessage> => {
    const file = join(dir, name);
    await Deno.writeTextFile(file, "Subject: x\r\n\r\nbody\r\n");
    return {
      senderAccount: "test",
      mailFrom: "me@example.org",
      recipients: [{ address: "a@x.example" }, { address: "b@y.example" }],
      file,
      fileSize: 20,
      prefix: new Uint8Array(0),
      smtputf8: false,
      has8bit: false,
      requireTls: false,
    };
  };
  let queue = await open();
  try {
    const first = await message("first");
    const r = await withFault(dir, at, fault, async () => void await queue.add(first));
    const where = `${fault} at ${at}: ${r.hit?.name} ${r.hit?.path.slice(dir.length)}`;
    try {
      if (r.error !== undefined && !isPlanted(r.error)) throw r.error;
      const taken = r.error === undefined;
      if (fault === "delay") assert.ok(taken);
      assert.equal(queue.count(), taken ? 2 : 0, `${r.error}`);
      assert.equal(queue.list().length, taken ? 2 : 0);
      await queue.stop();
      assert.deepEqual(verifyData(dir, false, () => {}), []);
      // It starts again, delivers what it took, and takes more.
      queue = await open();
      await queue.add(await message("second"));
      await queue.start();
      await queue.idle();
      assert.equal(delivered.length, taken ? 4 : 2);
      await queue.stop();
      assert.deepEqual(verifyData(dir, false, () => {}), []);
      assert.deepEqual([...Deno.readDirSync(join(dir, "queue", "msg", "0"))], []);
    } catch (err) {
      throw new Error(`${where}: ${(err as Error).message}`, { cause: err });
    }
    return r.calls;
  } finally {
    await queue.stop();
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("queue: every call of a submission fails once; it is taken wholly or not at all", async () => {
  const calls = await once(0, "EIO");
  let runs = 0;
  const failures: string[] = [];
  for (const [i, call] of calls.entries()) {
    for (const fault of ["EIO", "ENOSPC", "EMFILE", "delay"] as const) {
      if (!possible(fault, call.name)) continue;
      runs++;
      await once(i + 1, fault).catch((err) => failures.push(String(err.message)));
    }
  }
  console.log(`queue: ${calls.length} points, ${runs} runs`);
  assert.deepEqual(failures, []);
});

Deno.test("queue: after a failed fsync nothing more is taken until the next start", async () => {
  const dir = await Deno.makeTempDir();
  const queue = await Queue.open(dir, {
    log: new Log("queue"),
    deliverer: { deliver: () => Promise.reject(new Error("not started")) },
    clock: new TestClock(),
    onDsn: () => Promise.resolve(),
  });
  try {
    const add = async (name: string) => {
      const file = join(dir, name);
      await Deno.writeTextFile(file, "Subject: x\r\n\r\nbody\r\n");
      return await queue.add({
        senderAccount: "test",
        mailFrom: "me@example.org",
        recipients: [{ address: "a@x.example" }],
        file,
        fileSize: 20,
        prefix: new Uint8Array(0),
        smtputf8: false,
        has8bit: false,
        requireTls: false,
      });
    };
    const { calls } = await withFault(dir, 0, "EIO", async () => void await add("one"));
    const at = calls.filter((c) => c.name !== "Deno.mkdir").findIndex((c) => c.name === "syncData");
    assert.ok(at > 0);
    // The second message needs no new folder: its calls are counted anew.
    const seen = await withFault(dir, 0, "EIO", async () => void await add("two"));
    const wal = seen.calls.findIndex((c) => c.name === "syncData") + 1;
    const failed = await withFault(dir, wal, "EIO", async () => void await add("three"));
    assert.match(String(failed.error), /restart needed/);
    await assert.rejects(() => add("four"), /restart needed/);
    assert.equal(queue.count(), 2);
  } finally {
    await queue.stop();
    await Deno.remove(dir, { recursive: true });
  }
});
