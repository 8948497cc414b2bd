/** Reading bbolt files with bstore records: what is in them, and that nothing in them is believed. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { fc } from "../support/fast_check.ts";
import { BoltError, BoltFile, isBoltFile } from "../../src/store/bolt/bolt.ts";
import { RecordFile } from "../../src/store/bolt/records.ts";
import { type Field, writeBolt } from "./bolt_writer.ts";
import { unpack } from "./originals.ts";

const field = (Name: string, Kind: string, more: Partial<Field["Type"]> = {}): Field => ({
  Name,
  Type: { Kind, ...more },
});

async function inTempDir(fn: (dir: string) => Promise<void> | void): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "mox-bolt-" });
  try {
    await fn(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("records of several versions, over branches and with values of many pages", () =>
  inTempDir((dir) => {
    const path = join(dir, "x.db");
    const older = [field("ID", "int64"), field("Name", "string")];
    const fields = [
      field("ID", "int64"),
      field("Name", "string"),
      field("Count", "int"),
      field("Big", "uint64"),
      field("When", "time"),
      field("Is", "bool"),
      field("Maybe", "bool", { Ptr: true }),
      field("List", "slice", { List: { Kind: "string" } }),
      field("Bytes", "bytes"),
    ];
    const when = Date.UTC(2026, 10, 30, 1, 2, 3, 456);
    writeBolt(path, [{
      name: "Thing",
      fields,
      older: [older],
      records: Array.from(
        { length: 20_000 },
        (_, i) =>
          i % 3 === 0 ? { version: 1, values: [i - 5, `old ${i}`] } : {
            values: [
              i - 5,
              undefined,
              -i,
              2 ** 40 + i,
              when,
              true,
              i % 2 === 0,
              ["a", String(i)],
              i === 1000 ? new Uint8Array(50_000).fill(7) : undefined,
            ],
          },
      ),
    }]);
    assert(isBoltFile(path));
    const file = RecordFile.open(path);
    assert.deepEqual(file.types(), ["Thing"]);
    let i = 0;
    for (const r of file.records("Thing")) {
      assert.equal(r.number("ID"), i - 5);
      if (i % 3 === 0) {
        assert.equal(r.text("Name"), `old ${i}`);
        assert.equal(r.value("Count"), undefined);
      } else {
        assert.deepEqual(
          [r.text("Name"), r.number("Count"), r.number("Big"), r.number("When"), r.flag("Is")],
          ["", -i, 2 ** 40 + i, when, true],
        );
        assert.equal(r.value("Maybe"), i % 2 === 0);
        assert.deepEqual(r.texts("List"), ["a", String(i)]);
        assert.equal(r.bytes("Bytes").length, i === 1000 ? 50_000 : 0);
      }
      i++;
    }
    assert.equal(i, 20_000);
    assert.deepEqual([...file.records("Other")], []);
    file.close();
  }));

Deno.test("a file that is none, is cut off, or is written to while it is read", () =>
  inTempDir(async (dir) => {
    const path = join(dir, "x.db");
    await Deno.writeFile(path, new Uint8Array(10_000));
    assert(!isBoltFile(path));
    assert(!isBoltFile(join(dir, "missing.db")));
    assert.throws(() => BoltFile.open(path), /x\.db: is not a bbolt database/);
    const fields = [field("ID", "int64"), field("Name", "string")];
    const data = { name: "T", fields, records: [{ values: [1, "one"] }] };
    writeBolt(path, [data]);
    const whole = await Deno.readFile(path);
    await Deno.writeFile(path, whole.subarray(0, whole.length - 4096));
    assert.throws(() => BoltFile.open(path), /x\.db: is cut off/);
    // The newer meta is damaged: the other one counts.
    const damaged = whole.slice();
    damaged[4096 + 30] ^= 1;
    await Deno.writeFile(path, damaged);
    const older = RecordFile.open(path);
    assert.equal([...older.records("T")].length, 1);
    // A transaction was committed meanwhile.
    await Deno.writeFile(path, whole);
    assert.throws(() => older.close(), /was written to while it was read/);
    // As another program has it.
    const other = Deno.openSync(path, { read: true, write: true });
    other.lockSync(true);
    assert.throws(() => BoltFile.open(path), /is in use: stop the server/);
    other.close();
  }));

Deno.test("damaged files give errors that name the file, and end", () =>
  inTempDir(async (dir) => {
    await unpack("localserve-0.0.17.tgz", dir);
    const original = await Deno.readFile(join(dir, "lsA/accounts/ann/index.db"));
    const path = join(dir, "damaged.db");
    /** Bytes that are in use: those of pages with something on them. */
    const readAll = () => {
      const file = RecordFile.open(path);
      try {
        for (const type of file.types()) for (const _ of file.records(type)) { /* read */ }
      } finally {
        file.close(true);
      }
    };
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.tuple(fc.nat({ max: original.length - 1 }), fc.nat({ max: 255 }), fc.boolean()),
          { minLength: 1, maxLength: 40 },
        ),
        async (changes) => {
          const bytes = original.slice();
          for (const [at, value, header] of changes) {
            // Often where pages begin: there are numbers, kinds and counts.
            const i = header ? at - at % 4096 + at % 64 : at;
            bytes[i] = value;
          }
          await Deno.writeFile(path, bytes);
          try {
            readAll();
          } catch (err) {
            assert(err instanceof BoltError, String((err as Error).stack));
            assert.match(err.message, /damaged\.db: /);
            refused++;
          }
        },
      ),
      { numRuns: 300 },
    );
    assert(refused > 30, `only ${refused} were refused`);
  }));

Deno.test("pages that lead back to one another are noticed", () =>
  inTempDir(async (dir) => {
    const path = join(dir, "x.db");
    const fields = [field("ID", "int64"), field("Name", "string")];
    writeBolt(path, [{
      name: "T",
      fields,
      records: Array.from({ length: 5000 }, (_, i) => ({ values: [i, "name"] })),
    }]);
    const bytes = await Deno.readFile(path);
    const view = new DataView(bytes.buffer);
    let changed = 0;
    for (let page = 3; page * 4096 < bytes.length; page++) {
      if (view.getUint16(page * 4096 + 8, true) !== 1) continue;
      // The first child of a branch is the branch itself.
      view.setBigUint64(page * 4096 + 16 + 8, BigInt(page), true);
      changed++;
    }
    assert(changed > 0);
    await Deno.writeFile(path, bytes);
    const file = RecordFile.open(path);
    assert.throws(() => [...file.records("T")], /pages lead back to one another/);
    file.close(true);
  }));
