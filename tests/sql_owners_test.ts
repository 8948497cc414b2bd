/** SQL stands only in the room that makes the tables: others ask it by functions. */
import assert from "node:assert/strict";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { sources } from "../scripts/house/imports.ts";

const src = fileURLToPath(new URL("../src", import.meta.url));

/** `mox verify` checks all databases of a data folder by one set of rules, also those of rooms above the store. */
const exceptions = new Set(["store/backup/verify_queue.ts", "store/backup/verify_training.ts"]);

interface SqlOf {
  /** Tables that a file makes. */
  made: Set<string>;
  /** Tables that it reads or writes. */
  used: Set<string>;
}

function sqlOf(text: string): SqlOf {
  const code = text.replaceAll(/^\s*(?:\/\*\*|\*|\/\/).*$/gm, "");
  const names = (re: RegExp) => new Set([...code.matchAll(re)].map((m) => m[1]));
  return {
    made: names(/\bCREATE (?:VIRTUAL )?TABLE (?:IF NOT EXISTS )?([a-z_]+)/g),
    used: names(/\b(?:FROM|INTO|UPDATE|JOIN)\s+([a-z_]+)/g),
  };
}

/** The folder of src that a file is in: its rooms share a database. */
const roomOf = (path: string) => path.split("/")[0];

/** Tables that are used where no file of the room makes them, though another room does. */
function strangers(files: ReadonlyMap<string, string>): string[] {
  const sql = new Map([...files].map(([path, text]) => [path, sqlOf(text)]));
  const owners = new Map<string, Set<string>>();
  for (const [path, { made }] of sql) {
    for (const table of made) {
      owners.set(table, (owners.get(table) ?? new Set()).add(roomOf(path)));
    }
  }
  return [...sql].flatMap(([path, { used }]) =>
    [...used].filter((t) => owners.has(t) && !owners.get(t)!.has(roomOf(path)))
      .map((t) => `src/${path} has SQL for ${t}, a table of src/${[...owners.get(t)!].join(", ")}`)
  );
}

Deno.test("no room has SQL for another's tables", () => {
  const files = new Map<string, string>();
  for (const file of sources(src)) {
    const path = relative(src, file).replaceAll("\\", "/");
    if (!exceptions.has(path)) files.set(path, Deno.readTextFileSync(file));
  }
  assert.ok(files.size > 1000 && [...files.values()].some((t) => sqlOf(t).made.has("emails")));
  assert.deepEqual(strangers(files), []);
  for (const path of exceptions) Deno.statSync(join(src, path));
});

Deno.test("SQL in a room that doesn't own the table is found", () => {
  const found = strangers(
    new Map([
      ["store/schema.ts", "const sql = `CREATE TABLE emails (id INTEGER)`;"],
      ["store/x/rows.ts", 'db.get("SELECT id FROM emails")'],
      ["web/page.ts", "// FROM emails\ndb.run(\n  'UPDATE emails SET id = 1')"],
    ]),
  );
  assert.deepEqual(found, ["src/web/page.ts has SQL for emails, a table of src/store"]);
});
