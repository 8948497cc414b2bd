/**
 * A copy that follows, on a disk that fails: each file call about the copy fails once. The original is never touched
 * by that, and a copy that is gone on with is whole again.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setLogSink } from "../../src/log/mod.ts";
import { verifyData } from "../../src/store/backup/verify.ts";
import { DataWatch } from "../../src/store/backup/watch.ts";
import { type TestStore, withStore } from "../store/setup.ts";
import { type Call, type Fault, isPlanted, possible, withFault } from "./disk.ts";

// What goes wrong on purpose fills no log.
setLogSink(() => {});

/** What a copy of the copy has: looking would change it. */
function look(copy: string, scratch: string): { faults: string[]; messages: number } {
  const to = Deno.makeTempDirSync({ dir: scratch });
  const tree = (from: string, at: string) => {
    Deno.mkdirSync(at, { recursive: true });
    for (const e of Deno.readDirSync(from)) {
      if (e.isDirectory) tree(join(from, e.name), join(at, e.name));
      else Deno.copyFileSync(join(from, e.name), join(at, e.name));
    }
  };
  tree(copy, to);
  // As after a round that was whole.
  Deno.writeTextFileSync(join(to, "watch.json"), '{"upToDate":""}');
  // A file that came before its row is no fault: a start removes it.
  const faults = verifyData(to, false, () => {}).map((f) => f.text).filter((t) =>
    !t.endsWith(": no row names this file")
  );
  const db = new DatabaseSync(join(to, "index.db"), { readOnly: true });
  const [{ n }] = db.prepare("SELECT count(*) AS n FROM messages WHERE expunged = 0").all() as {
    n: number;
  }[];
  db.close();
  Deno.removeSync(to, { recursive: true });
  return { faults, messages: n };
}

async function run(
  begun: boolean,
  s: TestStore,
  at: number,
  fault: Fault,
): Promise<{ calls: Call[]; hit?: Call }> {
  const inbox = s.account.mailboxByName("Inbox")!;
  const outside = await Deno.makeTempDir();
  const copy = join(outside, "copy");
  const add = async () => {
    await s.account.append(inbox.id, [await s.message("Subject: x\r\n\r\ntext\r\n")]);
  };
  const messages = () => s.account.uids(inbox.id).length;
  try {
    let watch = new DataWatch(s.account.dir, copy, { scanInterval: 0 });
    if (begun) await watch.round();
    await add();
    const r = await withFault(copy, at, fault, () => watch.round());
    const where = `${fault} at ${at}: ${r.hit?.name} ${r.hit?.path.slice(copy.length)}`;
    if (r.error !== undefined && !isPlanted(r.error)) throw r.error;
    watch.close();
    if (begun) assert.deepEqual(look(copy, outside).faults, [], `${where}: after the failure`);
    await add();
    watch = new DataWatch(s.account.dir, copy, { scanInterval: 0 });
    await watch.round();
    watch.close();
    const now = look(copy, outside);
    assert.deepEqual(now.faults, [], `${where}: gone on with`);
    assert.equal(now.messages, messages(), where);
    return r;
  } finally {
    await Deno.remove(outside, { recursive: true });
  }
}

for (const begun of [false, true]) {
  Deno.test(`backup -watch: every call of ${begun ? "a round" : "the first copy"} fails once`, () =>
    withStore(async (s) => {
      const { calls } = await run(begun, s, 0, "EIO");
      assert.ok(calls.length > 5);
      let runs = 0;
      const failures: string[] = [];
      for (const [i, call] of calls.entries()) {
        for (const fault of ["ENOSPC", "EIO", "torn", "short"] as const) {
          if (!possible(fault, call.name)) continue;
          runs++;
          await run(begun, s, i + 1, fault).catch((err) => failures.push(String(err.message)));
        }
      }
      console.log(
        `watch, ${begun ? "a round" : "first copy"}: ${calls.length} points, ${runs} runs`,
      );
      assert.deepEqual(failures, []);
      assert.ok(s.account.uids(s.account.mailboxByName("Inbox")!.id).length > runs);
    }));
}
