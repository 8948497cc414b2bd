/** What a data folder and its copy hold, to compare them. @module */
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { verifyData } from "../../../src/store/backup/verify.ts";

function copyTree(from: string, to: string): void {
  Deno.mkdirSync(to, { recursive: true });
  for (const e of Deno.readDirSync(from)) {
    if (e.isDirectory) copyTree(join(from, e.name), join(to, e.name));
    else Deno.copyFileSync(join(from, e.name), join(to, e.name));
  }
}

/** Runs with a copy of a folder: opening databases would change it. */
function looking<T>(of: string, scratch: string, fn: (at: string) => T): T {
  const at = Deno.makeTempDirSync({ dir: scratch });
  copyTree(of, at);
  const result = fn(at);
  Deno.removeSync(at, { recursive: true });
  return result;
}

/** What verifydata finds; a file without a row is removed by a start. */
export const faults = (of: string, scratch: string) =>
  looking(
    of,
    scratch,
    (at) =>
      verifyData(at, false, () => {}).map((f) => f.text).filter((t) =>
        !t.endsWith(": no row names this file")
      ),
  );

/** All rows of all databases, and all message files, by path. */
export function contents(of: string, scratch: string): Record<string, string> {
  return looking(of, scratch, (at) => {
    const found: Record<string, string> = {};
    const walk = (path: string) => {
      for (const e of Deno.readDirSync(join(at, path))) {
        const below = join(path, e.name);
        const skipped = path === "" && e.name === "removed" ||
          /^(fulltext\.db|watch\.json|.*-(wal|shm)$)/.test(e.name);
        if (skipped) continue;
        if (e.isDirectory) walk(below);
        else if (e.name.endsWith(".db")) found[below] = rows(join(at, below));
        else found[below] = Deno.readTextFileSync(join(at, below));
      }
    };
    walk("");
    return found;
  });
}

function rows(path: string): string {
  const db = new DatabaseSync(path);
  try {
    const tables = db.prepare(
      "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name",
    ).all() as { name: string }[];
    const { user_version } = db.prepare("PRAGMA user_version").get() as { user_version: number };
    const all = tables.map(({ name }) => [name, db.prepare(`SELECT * FROM "${name}"`).all()]);
    return JSON.stringify([user_version, all], (_k, v) => v instanceof Uint8Array ? [...v] : v);
  } finally {
    db.close();
  }
}
