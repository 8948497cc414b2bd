/** What accounts have in databases of the whole server goes with them to another node. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { movedDatabases } from "../../src/serve/nodes/moved_rows.ts";
import {
  AccountRowsError,
  checkAccountRows,
  dropAccountRows,
  putAccountRows,
  takeAccountRows,
} from "../../src/store/database/account_rows.ts";
import { mox } from "../support/localserve.ts";

/** Tables with rows of accounts that stay where they are, and why. */
const staying = new Map([
  ["queue/index.db messages", "goes out from where it waits"],
  ["queue/index.db hold_rules", "the administrator's, of that node"],
  ["queue/index.db retired", "history of that queue"],
  ["webhooks/hooks.db hooks", "called from where they wait"],
  ["webhooks/hooks.db retired", "history of those calls"],
  ["sessions.db sessions", "users log in at the other node"],
  ["push.db subscriptions", "end with the sessions, and are bound to the node's key"],
]);

async function* databases(dir: string, path = ""): AsyncGenerator<string> {
  for await (const e of Deno.readDir(join(dir, path))) {
    const below = path === "" ? e.name : `${path}/${e.name}`;
    if (e.isDirectory && below !== "accounts") yield* databases(dir, below);
    else if (e.name.endsWith(".db")) yield below;
  }
}

Deno.test("rows of an account: taken, put elsewhere and dropped; every table with accounts is thought of", async () => {
  const root = await Deno.makeTempDir();
  try {
    const made = await mox(["gentestdata", join(root, "made")]);
    assert.equal(made.code, 0, made.stderr);
    const one = join(root, "made", "data");
    const two = join(root, "two");
    await Deno.mkdir(two);
    const known = new Set(
      movedDatabases.flatMap((d) => d.tables.map((t) => `${d.file} ${t.name}`)),
    );
    const unknown: string[] = [];
    for await (const file of databases(one)) {
      const db = new DatabaseSync(join(one, file), { readOnly: true });
      const tables = db.prepare("SELECT name, sql FROM sqlite_master WHERE type = 'table'").all();
      for (const { name, sql } of tables as { name: string; sql: string }[]) {
        const key = `${file} ${name}`;
        if (/\b(?:account|owner) TEXT/.test(sql) && !known.has(key) && !staying.has(key)) {
          unknown.push(key);
        }
      }
      db.close();
    }
    assert.deepEqual(unknown, [], "tables that neither go with an account nor stay on purpose");
    const accounts = (await Array.fromAsync(Deno.readDir(join(one, "accounts")))).map((e) =>
      e.name
    );
    let tables = 0;
    for (const account of accounts) {
      const rows = await takeAccountRows(one, movedDatabases, account);
      tables += Object.keys(rows).length;
      const sent = JSON.parse(JSON.stringify(rows));
      await checkAccountRows(two, movedDatabases, sent);
      // As after a crash in between: twice is as good as once.
      await putAccountRows(two, movedDatabases, account, sent);
      await putAccountRows(two, movedDatabases, account, sent);
      assert.deepEqual(await takeAccountRows(two, movedDatabases, account), rows);
      const key = Object.keys(sent)[0];
      if (key === undefined) continue;
      const { columns, rows: some } = sent[key];
      for (
        const wrong of [
          { [key]: { columns: columns.slice(1), rows: some } },
          { [key]: { columns, rows: [some[0].slice(1)] } },
          { [key]: { columns, rows: [some[0].map(() => ({ evil: 1 }))] } },
          { "sessions.db sessions": { columns: ["account"], rows: [["mox"]] } },
        ]
      ) {
        await assert.rejects(checkAccountRows(two, movedDatabases, wrong), AccountRowsError);
      }
      await dropAccountRows(one, movedDatabases, account);
      const left = await takeAccountRows(one, movedDatabases, account);
      assert.deepEqual(Object.keys(left).filter((k) => k !== "webhooks/hooks.db secrets"), []);
    }
    assert.ok(tables >= 6, `${tables} tables had rows`);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});
