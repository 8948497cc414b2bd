/**
 * Checks a data folder that no server uses: each database by itself, the conditions between its rows, and its
 * rows against the message files. Runs in a Worker: see worker.ts.
 *
 * @module
 */
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { removeFile } from "../../platform/files.ts";
import { incomplete, watchMarker } from "./copy.ts";
import { accountMigrations } from "../database/schema.ts";
import { groupwareMigrations } from "../groupware/schema.ts";
import { verifyAccount } from "./verify_account.ts";
import { verifyGroupware } from "./verify_groupware.ts";
import { queueVersion, verifyQueue } from "./verify_queue.ts";
import { rows, type Say } from "./verify_rows.ts";

/** Something wrong. */
export interface Fault {
  /** The database or file concerned. */
  path: string;
  text: string;
  /** What was done about it; undefined if nothing. */
  fixed?: string;
}

/** Checks everything below the folder; with `fix`, mends what can be mended without losing anything. */
export function verifyData(dir: string, fix: boolean, report: (text: string) => void): Fault[] {
  const faults: Fault[] = [];
  const unfinished = brokenOff(dir);
  if (unfinished) faults.push(unfinished);
  folder(dir, fix, faults, report, true);
  return faults;
}

/** The sign of a copy that was never finished. */
function brokenOff(dir: string): Fault | undefined {
  const text = "the backup was broken off before it was whole: take another one";
  const marker = join(dir, incomplete);
  if (read(marker) !== undefined) return { path: marker, text };
  const watch = join(dir, watchMarker);
  const state = read(watch);
  return state !== undefined && !state.includes("upToDate") ? { path: watch, text } : undefined;
}

function read(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch (err) {
    if (err instanceof Deno.errors.NotFound) return undefined;
    throw err;
  }
}

function folder(
  dir: string,
  fix: boolean,
  faults: Fault[],
  report: (text: string) => void,
  top = false,
): void {
  const entries = [...Deno.readDirSync(dir)].sort((a, b) => a.name < b.name ? -1 : 1);
  const names = new Set(entries.map((e) => e.name));
  for (const e of entries) {
    const path = join(dir, e.name);
    if (
      e.isDirectory && !(e.name === "msg" && names.has("index.db")) && !(top && e.name === "tmp")
    ) {
      folder(path, fix, faults, report);
    }
    if (!e.isFile || !e.name.endsWith(".db")) continue;
    report(path);
    // The search index holds nothing that is not stored elsewhere.
    const spare = e.name === "fulltext.db";
    const before = faults.length;
    const tell: Say = (text, fixed) => {
      faults.push({ path, text, fixed: fix && spare ? "removed; it is made anew" : fixed });
    };
    try {
      const checked = check(path, dir, fix, tell, report);
      if (checked === "other" && e.name === "index.db" && names.has("msg")) {
        tell("has no tables, but there are message files");
      }
    } catch (err) {
      tell(`can't be read: ${err instanceof Error ? err.message : err}`);
    }
    if (fix && spare && faults.length > before) {
      for (const end of ["", "-wal", "-shm"]) removeFile(path + end);
    }
  }
  if (names.has("msg") && !names.has("index.db")) {
    faults.push({ path: join(dir, "index.db"), text: "is missing, but there are message files" });
  }
}

/** Checks one database; of "other" only the pages are checked. */
function check(
  path: string,
  dir: string,
  fix: boolean,
  tell: Say,
  report: (text: string) => void,
): "known" | "other" {
  const db = new DatabaseSync(path, { readOnly: !fix, timeout: 5000 });
  try {
    if (!whole(db, fix, tell)) return "known";
    const tables = new Set(rows(db, "SELECT name FROM sqlite_master WHERE type = 'table'").flat());
    const queue = tables.has("recipients") && tables.has("destinations");
    const account = tables.has("emails") || tables.has("messages") && tables.has("mailboxes");
    const groupware = tables.has("collections") && tables.has("tombstones");
    if (!queue && !account && !groupware) return "other";
    const kind = queue ? verifyQueue : account ? verifyAccount : groupwareKind;
    const known = queue
      ? queueVersion
      : (account ? accountMigrations : groupwareMigrations).at(-1)!.version;
    const [[version]] = rows(db, "PRAGMA user_version") as number[][];
    if (version < known) {
      report(
        `${path}: of an earlier version; a start brings it up to date, then its rows can be checked`,
      );
      return "known";
    }
    if (version > known) {
      tell("written by a newer version: check it with that one");
      return "known";
    }
    if (!fix) {
      kind(db, dir, fix, tell);
      return "known";
    }
    // Mends everything, or nothing if something fails.
    db.exec("BEGIN IMMEDIATE");
    try {
      kind(db, dir, fix, tell);
      db.exec("COMMIT");
    } catch (err) {
      if (db.isTransaction) db.exec("ROLLBACK");
      throw err;
    }
    return "known";
  } finally {
    db.close();
  }
}

const groupwareKind = (db: DatabaseSync, _dir: string, fix: boolean, tell: Say) =>
  verifyGroupware(db, fix, tell);

const damage = (db: DatabaseSync) =>
  (rows(db, "PRAGMA integrity_check(20)").flat() as string[]).filter((d) => d !== "ok");

/**
 * Whether the database's pages and indexes are sound. Where only indexes are damaged, all rows are there, and
 * the indexes can be rebuilt from them.
 */
function whole(db: DatabaseSync, fix: boolean, tell: Say): boolean {
  const found = damage(db);
  if (found.length === 0) return true;
  const indexesOnly = found.every((d) =>
    /^(?:row \d+ missing from|wrong # of entries in) index|^non-unique entry in index/.test(d)
  );
  let fixed: string | undefined;
  if (fix && indexesOnly) {
    db.exec("REINDEX");
    if (damage(db).length === 0) fixed = "the indexes were made anew";
  }
  for (const d of found) tell(`damaged: ${d}`, fixed);
  // Rows of a damaged index would look like further faults.
  return fixed !== undefined;
}
