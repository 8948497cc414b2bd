/**
 * Each file call and each statement of what changes an account is made to fail, one at a time. Whatever
 * fails: what was acknowledged is there, what was refused is not, no file is left over, verifydata finds
 * nothing, and the account opens again and takes mail.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { setLogSink } from "../../src/log/mod.ts";
import { consistency } from "../../src/store/account/account.ts";
import type { Account } from "../../src/store/account/account.ts";
import { backupData } from "../../src/store/backup/copy.ts";
import { verifyData } from "../../src/store/backup/verify.ts";
import { importMessages } from "../../src/store/import/import.ts";
import { pathSource } from "../../src/store/import/path.ts";
import { messageFiles, type TestStore, withStore } from "../store/setup.ts";
import { type Call, type Fault, isPlanted, possible, withFault } from "./disk.ts";

// What goes wrong on purpose fills no log.
setLogSink(() => {});

const kinds: readonly Fault[] = ["EIO", "ENOSPC", "EMFILE", "short", "torn", "delay"];
/** Accounts are checked here, with the fault taken away. */
consistency.checkAtClose = true;

const text = (id: string) =>
  `From: a@example.org\r\nSubject: ${id}\r\nMessage-ID: <${id}@example.org>\r\n\r\n` +
  `${id} `.repeat(300) + "\r\n";

/** Subjects and whole texts of a mailbox. */
function subjects(a: Account, mailbox = "Inbox"): string[] {
  const box = a.mailboxByName(mailbox);
  if (!box) return [];
  return [...a.uids(box.id)].map((uid) => {
    const m = a.messageByUid(box.id, uid)!;
    const reader = a.openMessage(m.emailId);
    try {
      const content = new TextDecoder().decode(reader.read(0, reader.size));
      const id = /^Subject: (\S+)/m.exec(content)![1];
      assert.equal(content, text(id), `${id} is not as it came`);
      return id;
    } finally {
      reader.close();
    }
  }).sort();
}

/** Files that are in the data folder and belong to nobody. */
function strays(s: TestStore): string[] {
  const named = s.account.db.all("SELECT id FROM emails").map(([id]) => `0/${id}`);
  return messageFiles(s).filter((f) => !named.includes(f));
}

interface Scenario {
  name: string;
  prepare?(s: TestStore): Promise<void>;
  /** What fails; the texts that it needs are there. */
  run(s: TestStore): Promise<void>;
  /** Subjects before, and when it has been acknowledged. */
  before: string[];
  after: string[];
  /** Where. */
  mailbox?: string;
}

const inbox = (s: TestStore) => s.account.mailboxByName("Inbox")!.id;
let incoming: { file: string; fileSize: number; prefix: Uint8Array }[] = [];

const scenarios: Scenario[] = [
  {
    name: "delivery",
    prepare: async (s) => void (incoming = [await s.message(text("one"))]),
    run: async (s) => void await s.account.deliver("Inbox", incoming[0]),
    before: [],
    after: ["one"],
  },
  {
    name: "delivery into a new mailbox",
    prepare: async (s) => void (incoming = [await s.message(text("one"))]),
    run: async (s) => void await s.account.deliver("Lists/deno", incoming[0]),
    before: [],
    after: ["one"],
    mailbox: "Lists/deno",
  },
  {
    name: "append of two",
    prepare: async (s) => {
      incoming = [await s.message(text("one")), await s.message(text("two"))];
    },
    run: async (s) => void await s.account.append(inbox(s), incoming),
    before: [],
    after: ["one", "two"],
  },
  {
    name: "expunge",
    prepare: async (s) => {
      for (const id of ["one", "three", "two"]) {
        await s.account.deliver("Inbox", await s.message(text(id)));
      }
    },
    run: async (s) => void await s.account.expunge(inbox(s), [1, 3], undefined, { force: true }),
    before: ["one", "three", "two"],
    after: ["three"],
  },
  {
    name: "replace",
    prepare: async (s) => {
      await s.account.deliver("Inbox", await s.message(text("one")));
      incoming = [await s.message(text("two"))];
    },
    run: async (s) => void await s.account.replace(inbox(s), 1, inbox(s), incoming[0]),
    before: ["one"],
    after: ["two"],
  },
  {
    name: "copy and move",
    prepare: async (s) => {
      await s.account.deliver("Inbox", await s.message(text("one")));
      await s.account.deliver("Inbox", await s.message(text("two")));
    },
    run: async (s) => {
      await s.account.move(inbox(s), [1, 2], s.account.mailboxByName("Archive")!.id);
    },
    before: [],
    after: ["one", "two"],
    mailbox: "Archive",
  },
  {
    name: "import",
    prepare: async (s) => {
      const mbox = ["one", "three", "two"].map((id) =>
        `From a@example.org Mon Jan  1 00:00:00 2024\n${text(id).replaceAll("\r", "")}\n`
      );
      await Deno.writeTextFile(join(s.dir, "in.mbox"), mbox.join(""));
      await Deno.mkdir(join(s.dir, "tmp"), { recursive: true });
    },
    run: async (s) =>
      void await importMessages(s.account, (await pathSource(join(s.dir, "in.mbox"), "x")).source, {
        mailbox: "Old",
        tempDir: join(s.dir, "tmp"),
      }),
    before: [],
    after: ["one", "three", "two"],
    mailbox: "Old",
  },
];

/** A fault may leave an answer open: then both are right. After a failed fsync of the WAL nobody knows. */
function undecided(call: Call): boolean {
  const ofWal = call.name.startsWith("syncData") && call.path.endsWith("-wal");
  return ofWal || call.name === "SQL exec" && /COMMIT/.test(call.path);
}

async function once(sc: Scenario, at: number, fault: Fault): Promise<Call[]> {
  let calls: Call[] = [];
  await withStore(async (s) => {
    await sc.prepare?.(s);
    await s.account.writer.idle();
    const r = await withFault(s.dir, at, fault, async () => {
      await sc.run(s);
      await s.account.writer.idle();
    });
    calls = r.calls;
    const where = `${sc.name}: ${fault} at ${at}: ${r.hit?.name} ${
      r.hit?.path.slice(s.dir.length)
    }`;
    try {
      if (r.error !== undefined && !isPlanted(r.error)) throw r.error;
      if (at > 0) assert.ok(r.hit, "the fault was not reached");
      if (fault === "short" || fault === "delay") assert.equal(r.error, undefined);
      const now = () => subjects(s.account, sc.mailbox).join(",");
      const expected = (r.error === undefined ? sc.after : sc.before).join(",");
      const open = r.error !== undefined && r.hit && undecided(r.hit);
      if (!open) assert.equal(now(), expected, `${r.error ?? "acknowledged"}`);
      // A file that can't be removed waits for the next start.
      if (!r.hit?.name.startsWith("Deno.remove") && !open) assert.deepEqual(strays(s), []);
      await s.reopen(() => {
        assert.deepEqual(verifyData(s.dir, false, () => {}), [], "verifydata after closing");
      });
      if (open) assert.ok([sc.after.join(","), sc.before.join(",")].includes(now()), now());
      else assert.equal(now(), expected, "after the restart");
      assert.deepEqual(strays(s), []);
      for (const e of Deno.readDirSync(s.dir)) {
        if (e.name === "tmp") assert.deepEqual([...Deno.readDirSync(join(s.dir, "tmp"))], []);
      }
      const again = await s.account.deliver("Archive", await s.message(text("again")));
      assert.ok(s.account.message(again.id));
    } catch (err) {
      throw new Error(`${where}: ${(err as Error).message}`, { cause: err });
    }
  });
  return calls;
}

for (const sc of scenarios) {
  Deno.test(`${sc.name}: every call fails once, and nothing is lost or left over`, async () => {
    const calls = await once(sc, 0, "EIO");
    assert.ok(calls.length > 3, `${calls.length} calls`);
    let runs = 0;
    const failures: string[] = [];
    for (const [i, call] of calls.entries()) {
      for (const fault of kinds) {
        if (!possible(fault, call.name)) continue;
        runs++;
        await once(sc, i + 1, fault).catch((err) => failures.push(String(err.message)));
      }
    }
    console.log(`${sc.name}: ${calls.length} points, ${runs} runs`);
    assert.deepEqual(failures, []);
  });
}

Deno.test("backup: every call fails once; what it says it made is whole", async () => {
  await withStore(async (s) => {
    for (const id of ["one", "two"]) await s.account.deliver("Inbox", await s.message(text(id)));
    const to = await Deno.makeTempDir();
    try {
      let runs = 0;
      const points = await withFault(to, 0, "EIO", async () => {
        await backupData({ from: s.dir, to: join(to, "0") }, () => {});
      });
      assert.equal(points.error, undefined);
      for (const [i, call] of points.calls.entries()) {
        for (const fault of kinds) {
          if (!possible(fault, call.name)) continue;
          const copy = join(to, `${++runs}`);
          const r = await withFault(to, i + 1, fault, async () => {
            await backupData({ from: s.dir, to: copy }, () => {});
          });
          if (r.error === undefined) {
            assert.deepEqual(verifyData(copy, false, () => {}), [], `${fault} ${call.name}`);
            assert.equal(verifyCount(copy), 2, `${fault} in ${call.name} ${call.path}`);
          } else assert.ok(isPlanted(r.error), String(r.error));
          await Deno.remove(copy, { recursive: true }).catch(() => {});
        }
      }
      console.log(`backup: ${points.calls.length} points, ${runs} runs`);
      // The original is untouched by all that.
      assert.deepEqual(subjects(s.account), ["one", "two"]);
    } finally {
      await Deno.remove(to, { recursive: true });
    }
  });
});

function verifyCount(copy: string): number {
  const shard = join(copy, "accounts", "test", "msg", "0");
  return [...Deno.readDirSync(shard)].length;
}
