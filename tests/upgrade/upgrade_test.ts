/**
 * Data folders of earlier versions, taken through to this one. Each was made by the version itself, with
 * `gentestdata` or what that became (src/commands/test_data.ts), and packed as JSON of its files; versions
 * between are skipped. A new schema version of a database gets a folder of the version before it, here, made with
 * pack.ts; databases_test.ts sees to that:
 *
 * - data-1: accounts 1, queue 1, and no other databases, as in the next two
 * - data-2: accounts 2, queue 2
 * - data-3: accounts 3, queue 2
 * - data-4: accounts 4, queue 3, policies of MTA-STS 2, all others 1
 * - data-5: the same, with groupware 1
 * - data-6: queue 4
 * - data-7: queue 5
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { makeTestData, testPassword } from "../../src/commands/test_data.ts";
import { Log, setLevel } from "../../src/log/mod.ts";
import { Queue } from "../../src/queue/mod.ts";
import { Accounts } from "../../src/store/account/accounts.ts";
import { verifyData } from "../../src/store/backup/verify.ts";
import { Want } from "../../src/store/types.ts";
import { testRules } from "../store/setup.ts";
import { databases, databasesIn, rowsOf } from "./databases.ts";
import { packedFolders, unpackTestData } from "./unpack.ts";

setLevel("store", "error");
setLevel("queue", "error");

const openAccounts = (dir: string) =>
  new Accounts(join(dir, "data", "accounts"), new Log("store"), () => testRules);

/** All that a user would miss, in words. */
async function contents(dir: string): Promise<string[]> {
  const list: string[] = [];
  const accounts = openAccounts(dir);
  try {
    for (const name of ["test0", "test1", "test2"]) {
      const a = await accounts.open(name);
      try {
        assert.ok(await a.credentials.verifyPassword(testPassword), `${name}: password`);
        for (const m of a.mailboxes()) {
          list.push(
            `${name} ${m.name} uidnext ${m.uidNext} unseen ${m.unseen} use ${m.specialUse}`,
          );
          const want = Want.Content | Want.Envelope | Want.Summary;
          a.fetch(m.id, a.uids(m.id), want, (row) => {
            const reader = a.openRow(row);
            const text = new TextDecoder().decode(reader.read(0, reader.size));
            reader.close();
            list.push(
              `${name} ${m.name} ${row.uid} flags ${row.flags} [${row.keywords}] ${row.size} ` +
                `${row.envelope} ${row.summary.subject} ${text}`,
            );
          });
        }
        list.push(`${name} expunged ${a.expungedSince(a.mailboxByName("Inbox")!.id, 0)}`);
        const threads = a.db.all(
          "SELECT count(DISTINCT thread_id), count(*) FROM threads",
        );
        list.push(`${name} threads ${threads}`);
      } finally {
        a.close();
      }
    }
  } finally {
    await accounts.closeAll();
  }
  const queue = await Queue.open(join(dir, "data"), {
    log: new Log("queue"),
    deliverer: { deliver: () => Promise.reject(new Error("not started")) },
    onDsn: () => Promise.resolve(),
  });
  try {
    for (const q of queue.list({})) {
      list.push(`queue ${q.address} ${q.domain} ${q.attempts}`);
    }
  } finally {
    await queue.stop();
  }
  return list;
}

/**
 * Rows of events without the times between which they are looked for: they were 14 hours wider at each end before, which
 * finds no less, as each event that is found is looked at.
 */
function withoutBounds(row: string): string {
  return row.replace(/\["first",(?:\d+|null)\],\["last",(?:\d+|null)\]/, "");
}

/** What is in the databases beside those of mail and the queue, after each was opened by its own. */
async function others(dir: string): Promise<Record<string, string[]>> {
  const data = join(dir, "data");
  const found: Record<string, string[]> = {};
  const here = databasesIn(data);
  for (const [path, open] of Object.entries(databases)) {
    if (path.endsWith("index.db") || !here.includes(path)) continue;
    await open(data);
    found[path] = rowsOf(join(data, path)).map(withoutBounds);
  }
  return found;
}

Deno.test("data of earlier versions is brought up to date, whole", async (t) => {
  const dir = await Deno.makeTempDir();
  try {
    const now = join(dir, "now");
    await makeTestData(now);
    const expected = await contents(now);
    assert.ok(expected.length > 40);
    const expectedOthers = await others(now);
    const without = ["data-1.json.gz", "data-2.json.gz", "data-3.json.gz"];
    for (const name of packedFolders) {
      await t.step(name, async () => {
        const old = join(dir, name);
        await unpackTestData(name, old);
        assert.deepEqual(await contents(old), expected);
        // Databases that came later are made when they are first opened.
        const there = databasesIn(join(old, "data"));
        const wanted = Object.entries(expectedOthers).filter(([path]) => there.includes(path));
        assert.equal(wanted.length === 0, without.includes(name));
        assert.deepEqual(await others(old), Object.fromEntries(wanted));
        assert.deepEqual(verifyData(join(old, "data"), false, () => {}), []);
        // And once more, as at the next start.
        assert.deepEqual(await contents(old), expected);
      });
    }
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
