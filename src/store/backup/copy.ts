/**
 * A consistent copy of a data folder, even while a server uses it. Runs in a Worker: see worker.ts.
 *
 * Each database is copied as it is at one moment (SQLite's backup in one step, a read transaction that blocks
 * nobody). Message files never change, and a name is never used again for another one. So the existing files
 * are linked (or copied) first, then the database is copied, then the files that came in between; in the end
 * the copy has exactly the files that the copied database names. If a message is removed between the two
 * moments, the folder is copied again.
 *
 * @module
 */
import { join } from "node:path";
import { backup, DatabaseSync } from "node:sqlite";
import { syncDirNow, syncFileNow } from "../../platform/files.ts";

export interface BackupOptions {
  /** The data folder. */
  from: string;
  /** A folder that must not exist, or be empty. */
  to: string;
  /**
   * An earlier backup of the same data: its message files are linked where linking from the data folder is
   * impossible, so that they are not copied again.
   */
  base?: string;
}

/** The contents of a backup. */
export interface BackupCounts {
  databases: number;
  /** Message files, by linked and copied. */
  linked: number;
  copied: number;
  /** Other files, copied. */
  others: number;
  bytes: number;
}

export class BackupError extends Error {
  override name = "BackupError";
}

/** In a following copy: its state; missing until the copy is complete. */
export const watchMarker = "watch.json";
/** In a copy until it is complete: an interrupted copy lacks what comes last, and nothing else shows that. */
export const incomplete = "incomplete-backup";
/** In a following copy: folders of accounts that were replaced by another account. */
export const removedFolder = "removed";
/** In the data folder: when the last backup of it was made; meaningless in a copy, see last_backup.ts. */
export const lastBackupFile = "lastbackup.json";
/** In the data folder: whether it belongs to a serving node or is a copy; see src/nodes/role.ts. */
export const roleFile = "node-role.json";
/** In the data folder: copies of accounts sent by another node, until they are taken over. */
export const arrivingFolder = "arriving";
/** In the data folder: the key that a standby authenticates with; the node's own key comes with the copy. */
export const standbyKeyFile = "standby.pem";
/** What is not copied from the data folder: locks, sockets, temporary files, JMAP uploads, and the above. */
const left = new Set([
  "tmp",
  "uploads",
  "ctl",
  "ctl.json",
  removedFolder,
  arrivingFolder,
  watchMarker,
  incomplete,
  lastBackupFile,
  roleFile,
  standbyKeyFile,
]);

/** Whether an entry of a folder ("" for the data folder) is not copied; indexes are rebuilt. */
export function leftOut(folder: string, name: string): boolean {
  if (name === "fulltext.db" || folder === "" && left.has(name)) return true;
  // Temporary files of writeFileAtomic.
  return /\.tmp\d+-\d+$/.test(name);
}

/** Attempts to copy a folder whose messages are being removed meanwhile. */
const attempts = 10;

/** Copies the folder; `say` gets a progress line from time to time. @throws BackupError, errors of files */
export async function backupData(
  options: BackupOptions,
  report: (text: string) => void,
): Promise<BackupCounts> {
  const counts: BackupCounts = { databases: 0, linked: 0, copied: 0, others: 0, bytes: 0 };
  Deno.mkdirSync(options.to, { recursive: true, mode: 0o700 });
  const inside = `${Deno.realPathSync(options.to)}/`.replaceAll("\\", "/");
  if (inside.startsWith(`${Deno.realPathSync(options.from)}/`.replaceAll("\\", "/"))) {
    throw new BackupError(`${options.to} is in the data folder: give one outside of it`);
  }
  if ([...Deno.readDirSync(options.to)].length > 0) {
    throw new BackupError(`${options.to} is not empty: give a new folder`);
  }
  const marker = join(options.to, incomplete);
  Deno.writeTextFileSync(marker, "this backup is under way, or was broken off\n");
  syncFileNow(marker);
  syncDirNow(options.to);
  await folder("", options, counts, report);
  Deno.removeSync(marker);
  syncDirNow(options.to);
  return counts;
}

async function folder(
  path: string,
  options: BackupOptions,
  counts: BackupCounts,
  report: (text: string) => void,
): Promise<void> {
  const from = join(options.from, path);
  const to = join(options.to, path);
  Deno.mkdirSync(to, { recursive: true, mode: 0o700 });
  // Databases first: then the files that they name exist, and what comes meanwhile is only extra.
  const entries = [...Deno.readDirSync(from)].filter((e) => !leftOut(path, e.name))
    .sort((a, b) => Number(a.isDirectory) - Number(b.isDirectory));
  const names = new Set(entries.map((e) => e.name));
  const mail = names.has("index.db") && names.has("msg");
  if (mail) await messages(path, options, counts, report);
  for (const e of entries) {
    const below = join(path, e.name);
    if (e.isDirectory) {
      if (!(mail && e.name === "msg")) await folder(below, options, counts, report);
    } else if (e.isFile && e.name.endsWith(".db")) {
      if (!(mail && e.name === "index.db")) {
        await database(join(from, e.name), join(to, e.name));
        counts.databases++;
      }
    } else if (e.isFile && !/\.db-(?:wal|shm)$/.test(e.name)) {
      copyFile(join(from, e.name), join(to, e.name));
      counts.others++;
    }
  }
  syncDirNow(to);
}

/** Copies a database as it is at this moment, durably. */
async function database(from: string, to: string): Promise<void> {
  const db = new DatabaseSync(from, { timeout: 30_000 });
  try {
    // All pages in one step: in several, each write in between would restart it.
    await backup(db, to, { rate: 2 ** 31 - 1 });
  } finally {
    db.close();
  }
  // One file that can be read without creating files next to it.
  const copy = new DatabaseSync(to);
  try {
    copy.exec("PRAGMA journal_mode = DELETE");
  } finally {
    copy.close();
  }
  Deno.chmodSync(to, 0o600);
  syncFileNow(to);
}

/** A folder with index.db and its message files. */
async function messages(
  path: string,
  options: BackupOptions,
  counts: BackupCounts,
  report: (text: string) => void,
): Promise<void> {
  const db = join(options.to, path, "index.db");
  const done = new Set<string>();
  Deno.mkdirSync(join(options.to, path, "msg"), { recursive: true, mode: 0o700 });
  for (let attempt = 1;; attempt++) {
    for (const name of files(join(options.from, path, "msg"))) {
      take(path, name, options, done, counts);
    }
    await database(join(options.from, path, "index.db"), db);
    const wanted = named(db);
    const missing = [...wanted].filter((n) =>
      !done.has(n) && !take(path, n, options, done, counts)
    );
    if (missing.length === 0) {
      counts.databases++;
      for (const n of done) if (!wanted.has(n)) Deno.removeSync(join(options.to, path, "msg", n));
      for (const shard of shards(join(options.to, path, "msg"))) syncDirNow(shard);
      report(`${path}: ${wanted.size} messages`);
      return;
    }
    Deno.removeSync(db);
    if (attempt === attempts) {
      throw new BackupError(
        `${
          join(options.from, path, "msg", missing[0])
        }: the database names this file, but it is missing; ` +
          `"mox verifydata" tells more`,
      );
    }
  }
}

/** Message files that a copied database names, as paths below msg. */
function named(path: string): Set<string> {
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    const table =
      db.prepare("SELECT 1 FROM sqlite_master WHERE name = 'emails'").get() === undefined
        ? "messages"
        : "emails";
    const ids = db.prepare(`SELECT id FROM ${table}`).all() as { id: number }[];
    return new Set(ids.map(({ id }) => fileName(id)));
  } finally {
    db.close();
  }
}

/** Path below msg of an id's file, as in MessageFiles. */
export function fileName(id: number): string {
  return `${Math.floor(id / 8192)}/${id}`;
}

/** Paths below msg of all files. */
export function* files(msg: string): Generator<string> {
  for (const shard of Deno.readDirSync(msg)) {
    if (!shard.isDirectory) continue;
    for (const f of Deno.readDirSync(join(msg, shard.name))) {
      if (f.isFile && /^\d+$/.test(f.name)) yield `${shard.name}/${f.name}`;
    }
  }
}

function* shards(msg: string): Generator<string> {
  yield msg;
  for (const e of Deno.readDirSync(msg)) if (e.isDirectory) yield join(msg, e.name);
}

/** Adds a message file to the backup; false if it is gone. */
function take(
  path: string,
  name: string,
  options: BackupOptions,
  done: Set<string>,
  counts: BackupCounts,
): boolean {
  if (done.has(name)) return true;
  const from = join(options.from, path, "msg", name);
  const to = join(options.to, path, "msg", name);
  Deno.mkdirSync(join(options.to, path, "msg", name.split("/")[0]), {
    recursive: true,
    mode: 0o700,
  });
  let size: number;
  try {
    size = Deno.statSync(from).size;
    if (link(from, to)) counts.linked++;
    else if (
      options.base !== undefined && fromBase(from, join(options.base, path, "msg", name), to)
    ) {
      counts.linked++;
    } else {
      copyFile(from, to, true);
      counts.copied++;
    }
  } catch (err) {
    if (err instanceof Deno.errors.NotFound) return false;
    throw err;
  }
  counts.bytes += size;
  done.add(name);
  return true;
}

function link(from: string, to: string): boolean {
  try {
    Deno.linkSync(from, to);
    return true;
  } catch (err) {
    if (err instanceof Deno.errors.NotFound) throw err;
    // Another file system, or one without links.
    return false;
  }
}

/** Links the file of the earlier backup, if it is the same file. */
function fromBase(from: string, base: string, to: string): boolean {
  try {
    return sameFile(from, base) && link(base, to);
  } catch {
    return false;
  }
}

/**
 * Whether a message file of a copy is the original of that name, rather than a file of a removed account whose
 * name was used again.
 * @throws errors of files
 */
export function sameFile(original: string, copy: string): boolean {
  const a = Deno.statSync(original);
  const b = Deno.statSync(copy);
  // Without inode numbers they are 0 or null.
  if (a.ino && a.ino === b.ino && a.dev === b.dev) return true;
  if (a.size !== b.size || !a.mtime || !b.mtime) return false;
  const difference = Math.abs(a.mtime.getTime() - b.mtime.getTime());
  // Some file systems store only whole or even seconds.
  return difference === 0 || b.mtime.getTime() % 1000 === 0 && difference < 2000;
}

/** Gives a copy the time of its original, for {@link sameFile}. */
export function keepTime(from: string, to: string): void {
  const { mtime } = Deno.statSync(from);
  if (mtime) Deno.utimeSync(to, mtime, mtime);
}

function copyFile(from: string, to: string, time = false): void {
  Deno.copyFileSync(from, to);
  Deno.chmodSync(to, 0o600);
  if (time) keepTime(from, to);
  syncFileNow(to);
}
