/**
 * Power cuts: what a process does to its files is recorded (SQLite's part too), and replayed up to many
 * moments; there all that was not synced is dropped, or a random part of it kept. Then the server's store
 * must start, with every promised message and no half one, and verifydata must find nothing.
 *
 * MOX_POWER_CUTS is the number of random cuts; MOX_SEED repeats a run.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Log, setLogSink } from "../../src/log/mod.ts";
import { Queue } from "../../src/queue/mod.ts";
import { Accounts } from "../../src/store/account/accounts.ts";
import { verifyData } from "../../src/store/backup/verify.ts";
import { seedOf } from "../support/seed.ts";
import { testRules } from "../store/setup.ts";
import { type Event, ForgetfulDisk, type Luck, readRecord } from "./power_cut.ts";
import { type Note, powerText } from "./power_text.ts";

setLogSink(() => {});

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));

async function run(cmd: string, args: string[], env: Record<string, string> = {}) {
  const { success, stderr } = await new Deno.Command(cmd, { args, env, stderr: "piped" }).output();
  if (!success) throw new Error(`${cmd}: ${new TextDecoder().decode(stderr)}`);
}

/** The library that records; undefined where there is no C compiler. */
async function recorder(dir: string): Promise<string | undefined> {
  if (Deno.build.os !== "linux") return undefined;
  const library = join(dir, "recorder.so");
  try {
    await run("cc", ["-shared", "-fPIC", "-O1", "-o", library, here("recorder.c"), "-lpthread"]);
    return library;
  } catch {
    return undefined;
  }
}

/** A generator of numbers from a seed (xorshift). */
function random(seed: number): () => number {
  let x = seed | 1;
  return () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) / 2 ** 32;
  };
}

/** Checks a folder: every message is in one of the places that it may be in. */
async function check(dir: string, allowed: Map<string, Set<string>>): Promise<void> {
  const accounts = new Accounts(join(dir, "accounts"), new Log("store"), () => testRules);
  const found = new Map<string, string>();
  const account = await accounts.open("test");
  try {
    for (const box of account.mailboxes()) {
      for (const uid of account.uids(box.id)) {
        const r = account.openMessage(account.messageByUid(box.id, uid)!.emailId);
        const text = new TextDecoder().decode(r.read(0, r.size));
        r.close();
        const id = /^Subject: (\S+)/m.exec(text)?.[1] ?? "";
        assert.equal(text, powerText(id), `${box.name} ${uid} is not whole`);
        assert.ok(!found.has(id), `${id} is there twice`);
        found.set(id, box.name);
      }
    }
  } finally {
    account.close();
    await accounts.closeAll();
  }
  const queue = await Queue.open(dir, {
    log: new Log("queue"),
    deliverer: { deliver: () => Promise.reject(new Error("not started")) },
    onDsn: () => Promise.resolve(),
  });
  try {
    for (const item of queue.list()) {
      const id = item.address.slice(0, item.address.indexOf("@"));
      assert.equal(Deno.readTextFileSync(queue.message(item.messageId)!.path), powerText(id));
      found.set(id, "queue");
    }
  } finally {
    await queue.stop();
  }
  for (const [id, places] of allowed) {
    const place = found.get(id) ?? "gone";
    assert.ok(places.has(place), `${id} is in ${place}, may be in ${[...places].join(", ")}`);
  }
  for (const id of found.keys()) assert.ok(allowed.has(id), `${id} was never sent`);
  assert.deepEqual(verifyData(dir, false, () => {}), []);
}

Deno.test("a power cut at any moment loses nothing that was promised", async (t) => {
  const top = await Deno.realPath(await Deno.makeTempDir());
  try {
    const library = await recorder(top);
    if (!library) return;
    const data = join(top, "data");
    const log = join(top, "record");
    await Deno.mkdir(data);
    await run(Deno.execPath(), ["run", "-A", "--no-check", here("power_work.ts"), data], {
      LD_PRELOAD: library,
      RECORD_DIR: data,
      RECORD_LOG: log,
    });
    const events = readRecord(Deno.readFileSync(log), data);
    const acks = events.find((e) => e.op === "c" && e.path === "acks")!.a;
    assert.ok(events.filter((e) => e.op === "s").length > 50);

    const cuts = Number(Deno.env.get("MOX_POWER_CUTS") ?? 60);
    const seed = seedOf("MOX_SEED");
    const next = random(seed);
    // Right after each promise, and anywhere.
    const moments = new Map<number, (Luck | undefined)[]>();
    const add = (at: number, luck: Luck | undefined) => {
      moments.set(at, [...moments.get(at) ?? [], luck]);
    };
    events.forEach((e, i) => {
      if (
        e.op === "w" && e.a === acks && new TextDecoder().decode(e.data).includes('"done":true')
      ) {
        add(i, undefined);
      }
    });
    for (let i = 0; i < cuts; i++) {
      const share = next();
      add(Math.floor(next() * events.length), i % 3 === 0 ? undefined : () => next() < share);
    }

    const disk = new ForgetfulDisk();
    const allowed = new Map<string, Set<string>>();
    const failures: string[] = [];
    let checked = 0;
    const step = async (e: Event, i: number) => {
      disk.play(e);
      if (e.op === "w" && e.a === acks) {
        const note = JSON.parse(new TextDecoder().decode(e.data)) as Note;
        for (const id of note.ids) {
          const places = note.done ? new Set<string>() : allowed.get(id) ?? new Set(["gone"]);
          allowed.set(id, places.add(note.where));
        }
      }
      for (const luck of moments.get(i) ?? []) {
        const dir = join(top, `cut-${checked++}`);
        disk.write(dir, luck);
        const what = `seed ${seed}, cut after event ${i} of ${events.length}` +
          `${luck ? ", some of it kept" : ""}`;
        await check(dir, allowed).catch((err) => failures.push(`${what}: ${err.message}`));
        await Deno.remove(dir, { recursive: true });
      }
    };
    for (const [i, e] of events.entries()) await step(e, i);
    await t.step(`${checked} cuts over ${events.length} calls, seed ${seed}`, () => {
      assert.deepEqual(failures, []);
    });
  } finally {
    await Deno.remove(top, { recursive: true });
  }
});
