/**
 * Files and folders: durable names, links, atomic writes.
 *
 * @module
 */
import { statfs } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { durabilityNeeded, syncData } from "./durability.ts";
import { SharedSync } from "./fsync.ts";
import { isWindows } from "./os.ts";

const folderSyncs = new Map<string, { shared: SharedSync; users: number }>();

/**
 * Makes the names in a folder durable. Concurrent calls for a folder share an fsync. On Windows this does
 * nothing: a folder can't be opened, and the file system journals its names.
 */
export async function syncDir(dir: string): Promise<void> {
  if (isWindows || !durabilityNeeded()) return;
  let entry = folderSyncs.get(dir);
  if (!entry) {
    entry = {
      shared: new SharedSync(async () => {
        const f = await Deno.open(dir, { read: true });
        try {
          await f.sync();
        } finally {
          f.close();
        }
      }),
      users: 0,
    };
    folderSyncs.set(dir, entry);
  }
  entry.users++;
  try {
    await entry.shared.sync();
  } finally {
    if (--entry.users === 0) folderSyncs.delete(dir);
  }
}

/** A folder that is synced often: it stays open, and concurrent callers share an fsync. */
export class OpenFolder {
  readonly #file: Deno.FsFile | undefined;
  readonly #shared: SharedSync;

  constructor(dir: string) {
    this.#file = isWindows ? undefined : Deno.openSync(dir, { read: true });
    this.#shared = new SharedSync(async () => await this.#file?.sync());
  }

  /** As {@link syncDir}. */
  async sync(): Promise<void> {
    if (durabilityNeeded()) await this.#shared.sync();
  }

  /** Closes the folder. Not allowed while a sync runs. */
  close(): void {
    this.#file?.close();
  }
}

/** Makes a file's content durable. */
export async function syncFile(path: string): Promise<void> {
  if (!durabilityNeeded()) return;
  const f = await Deno.open(path, { read: true, write: true });
  try {
    await f.sync();
  } finally {
    f.close();
  }
}

/**
 * New files up to this many bytes are written synchronously: that goes to the system's memory, faster than a
 * thread can be asked.
 */
const writtenAtOnce = 64 * 1024;

/**
 * Creates a file with this content, readable only by its owner. It is returned open, so that making it durable
 * ({@link syncAndClose}) need not open it again.
 * @throws Deno.errors.AlreadyExists; other errors of files, and no file is left then
 */
export async function writeNew(path: string, content: Uint8Array): Promise<Deno.FsFile> {
  const file = await Deno.open(path, { write: true, createNew: true, mode: 0o600 });
  try {
    const small = content.length <= writtenAtOnce;
    for (let at = 0; at < content.length;) {
      const rest = content.subarray(at);
      at += small ? file.writeSync(rest) : await file.write(rest);
    }
    return file;
  } catch (err) {
    file.close();
    removeFile(path);
    throw err;
  }
}

/** Makes a file's content durable, and closes it whether or not that succeeded. */
export async function syncAndClose(file: Deno.FsFile): Promise<void> {
  try {
    await syncData(file);
  } finally {
    file.close();
  }
}

/** Like {@link syncFile}, but synchronous: for threads that do nothing else. */
export function syncFileNow(path: string): void {
  using file = Deno.openSync(path, { read: true, write: true });
  file.syncSync();
}

/** Like {@link syncDir}, but synchronous: for threads that do nothing else. */
export function syncDirNow(dir: string): void {
  if (isWindows) return;
  using folder = Deno.openSync(dir);
  folder.syncSync();
}

/** Bytes of a file from one offset to another, as far as they exist. */
export function readRange(file: Deno.FsFile, from: number, to: number): Uint8Array {
  file.seekSync(from, Deno.SeekMode.Start);
  const out = new Uint8Array(Math.max(0, to - from));
  let n = 0;
  while (n < out.length) {
    const got = file.readSync(out.subarray(n));
    if (got === null) break;
    n += got;
  }
  return out.subarray(0, n);
}

/** Whether files, and folders with them, can be removed and replaced while they are open: not on Windows. */
export const openFilesCanGo: boolean = !isWindows;

/**
 * Gives a file a second name, which must not exist. If a hard link is impossible (another file system, one
 * without links), the content is copied and synced. A failed copy leaves nothing behind.
 * @throws Deno.errors.AlreadyExists if the name is taken.
 */
export async function linkOrCopy(from: string, to: string): Promise<void> {
  try {
    // Synchronously: only a name in memory, nothing is written to the disk yet.
    Deno.linkSync(from, to);
    return;
  } catch (err) {
    if (err instanceof Deno.errors.AlreadyExists || err instanceof Deno.errors.NotFound) throw err;
  }
  await copyDurably(from, to);
}

async function copyDurably(from: string, to: string): Promise<void> {
  const target = await Deno.open(to, { write: true, createNew: true, mode: 0o600 });
  try {
    const source = await Deno.open(from, { read: true });
    try {
      const buffer = new Uint8Array(256 * 1024);
      for (let n = await source.read(buffer); n !== null; n = await source.read(buffer)) {
        for (let at = 0; at < n;) at += await target.write(buffer.subarray(at, n));
      }
    } finally {
      source.close();
    }
    await target.sync();
    target.close();
  } catch (err) {
    // Closed before removing: Windows can't remove an open file.
    try {
      target.close();
    } catch {
      // It was closed already.
    }
    removeFile(to);
    throw err;
  }
}

/** Removes a file; a missing one is fine. */
export function removeFile(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (err) {
    if (!(err instanceof Deno.errors.NotFound)) throw err;
  }
}

/** Creates a folder and its parents; the names of created ones are durable. */
export async function ensureDir(path: string, mode = 0o700): Promise<void> {
  const missing: string[] = [];
  for (let p = resolve(path); !await isThere(p); p = dirname(p)) missing.push(p);
  await Deno.mkdir(path, { recursive: true, mode });
  for (const p of missing) {
    try {
      await syncDir(dirname(p));
    } catch (err) {
      // A folder that this user may write to but not read can't be synced.
      const denied = err instanceof Deno.errors.PermissionDenied ||
        err instanceof Deno.errors.NotCapable;
      if (!denied) throw err;
    }
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (err) {
    if (err instanceof Deno.errors.NotFound) return false;
    // What it is instead is reported when the folder is created.
    return true;
  }
}

let sequence = 0;

/**
 * Replaces a file's content in one step: readers and crashes see the old content or the new one, and the new
 * one is durable when it resolves.
 */
export async function writeFileAtomic(
  path: string,
  bytes: Uint8Array,
  mode = 0o600,
): Promise<void> {
  const temporary = `${path}.tmp${Deno.pid}-${++sequence}`;
  const f = await Deno.open(temporary, { write: true, createNew: true, mode });
  try {
    try {
      for (let at = 0; at < bytes.length;) at += await f.write(bytes.subarray(at));
      await f.sync();
    } finally {
      f.close();
    }
    await renameOver(temporary, path);
  } catch (err) {
    removeFile(temporary);
    throw err;
  }
  await syncDir(dirname(path));
}

/** Renames a file over another; on Windows it waits up to 1 s while that one is open. */
async function renameOver(from: string, to: string): Promise<void> {
  for (let attempt = 0;; attempt++) {
    try {
      await Deno.rename(from, to);
      return;
    } catch (err) {
      // On Windows, virus scanners and search indexers open new files for a moment.
      if (!isWindows || attempt === 20 || !(err instanceof Deno.errors.PermissionDenied)) throw err;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** Bytes that an unprivileged user may still write in the file system of a folder. */
export async function freeSpace(dir: string): Promise<number> {
  const s = await statfs(dir);
  return s.bavail * s.bsize;
}

/** Creates a new file for writing and reading, under a name that did not exist. */
export async function createTemp(
  dir: string,
  prefix: string,
): Promise<{ path: string; file: Deno.FsFile }> {
  for (;;) {
    const path = join(dir, `${prefix}${Deno.pid.toString(36)}-${(++sequence).toString(36)}`);
    try {
      const file = await Deno.open(path, { read: true, write: true, createNew: true, mode: 0o600 });
      return { path, file };
    } catch (err) {
      if (!(err instanceof Deno.errors.AlreadyExists)) throw err;
    }
  }
}

/** Writes all of the bytes at the file's position. */
export async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
}

/**
 * Creates a new file from these pieces, on disk when it resolves. If that fails, no file is left.
 * @param most the most bytes that it may have, and the error to throw before exceeding that
 */
export async function writeTempFile(
  dir: string,
  prefix: string,
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  most?: { size: number; exceeded: () => Error },
): Promise<{ path: string; size: number }> {
  const { path, file } = await createTemp(dir, prefix);
  let size = 0;
  try {
    for await (const piece of pieces) {
      size += piece.length;
      if (most !== undefined && size > most.size) throw most.exceeded();
      await writeAll(file, piece);
    }
    await file.sync();
    return { path, size };
  } catch (err) {
    removeFile(path);
    throw err;
  } finally {
    file.close();
  }
}

/**
 * Creates a new file with these bytes, on disk, for the time that `use` runs; afterwards its name is removed.
 */
export async function withTempFile<T>(
  dir: string,
  prefix: string,
  bytes: Uint8Array,
  use: (path: string) => Promise<T>,
): Promise<T> {
  const { path } = await writeTempFile(dir, prefix, [bytes]);
  try {
    return await use(path);
  } finally {
    removeFile(path);
  }
}
