/** What is stored on disk about accounts that move: nothing counts that was not noted, and nothing damaged is passed over. */
import assert from "node:assert/strict";
import { join } from "node:path";
import {
  arrivingAccounts,
  arrivingPath,
  forgetArriving,
  forgetReady,
  type Move,
  noteMove,
  noteReady,
  openMoves,
  readReady,
} from "../../src/nodes/moves.ts";

const move = (account: string, over: Partial<Move> = {}): Move => ({
  id: crypto.randomUUID(),
  account,
  to: "two",
  begun: 1_700_000_000_000,
  done: false,
  ...over,
});

async function inFolder(fn: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await fn(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("a move is known until it is over, which the file says up to the next start", async () => {
  await inFolder(async (dir) => {
    assert.deepEqual(await openMoves(dir), []);
    const [ann, bob] = [move("ann"), move("bob")];
    await noteMove(dir, bob);
    await noteMove(dir, ann);
    assert.deepEqual(await openMoves(dir), [ann, bob]);
    await noteMove(dir, { ...ann, done: true });
    const file = join(dir, "moves", "ann.json");
    assert.equal(JSON.parse(await Deno.readTextFile(file)).done, true);
    assert.deepEqual(await openMoves(dir), [bob]);
    await assert.rejects(Deno.stat(file), Deno.errors.NotFound);
    await Deno.writeTextFile(join(dir, "moves", "ann.json.tmp"), "left over");
    assert.deepEqual(await openMoves(dir), [bob]);
    for (
      const bad of [
        "",
        "{}",
        JSON.stringify(move("../x")),
        JSON.stringify(move("bob", { id: "7" })),
        JSON.stringify({ ...bob, to: undefined }),
      ]
    ) {
      await Deno.writeTextFile(join(dir, "moves", "bob.json"), bad);
      await assert.rejects(openMoves(dir), /bob\.json is damaged/, bad);
    }
  });
});

Deno.test("a copy counts once it is noted as complete, and no longer once that is taken back", async () => {
  await inFolder(async (dir) => {
    assert.deepEqual(await arrivingAccounts(dir), []);
    assert.equal(await readReady(dir, "ann"), undefined);
    for (const name of ["bob", "ann"]) {
      await Deno.mkdir(arrivingPath(dir, name), { recursive: true });
    }
    await Deno.writeTextFile(join(arrivingPath(dir, "ann"), "index.db"), "data");
    assert.deepEqual(await arrivingAccounts(dir), ["ann", "bob"]);
    assert.equal(await readReady(dir, "ann"), undefined);
    const ready = {
      id: crypto.randomUUID(),
      from: "one",
      rows: { accounts: { columns: ["a", "b"], rows: [[1, null], ["x", { base64: "AA==" }]] } },
    };
    await noteReady(dir, "ann", ready);
    assert.deepEqual(await readReady(dir, "ann"), ready);
    assert.equal(await readReady(dir, "bob"), undefined);
    await forgetReady(dir, "ann");
    await forgetReady(dir, "ann");
    await forgetReady(dir, "nobody");
    assert.equal(await readReady(dir, "ann"), undefined);
    assert.equal(await Deno.readTextFile(join(arrivingPath(dir, "ann"), "index.db")), "data");
    await noteReady(dir, "ann", ready);
    for (
      const bad of [
        "{",
        "{}",
        JSON.stringify({ ...ready, from: 1 }),
        JSON.stringify({ ...ready, rows: { a: 1 } }),
      ]
    ) {
      await Deno.writeTextFile(join(arrivingPath(dir, "ann"), "ready.json"), bad);
      await assert.rejects(readReady(dir, "ann"), /ready\.json is damaged/, bad);
    }
    await forgetArriving(dir, "ann");
    await forgetArriving(dir, "ann");
    assert.deepEqual(await arrivingAccounts(dir), ["bob"]);
  });
});
