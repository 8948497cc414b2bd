/**
 * The copy's side of a followed database: its base, and its log, which grows and is merged into the base when
 * the original's log restarts.
 *
 * @module
 */
import { DatabaseSync } from "node:sqlite";
import type { Pending } from "./log_source.ts";
import {
  copyStretch,
  frameHead,
  headerSize,
  readAt,
  readHeader,
  type Sum,
  writeHeader,
} from "./wal_format.ts";

/** How far the log of a copy goes. */
export interface CopiedLog {
  generation: string;
  /** Bytes. */
  size: number;
  /** The running checksum in its last frame; undefined without frames. */
  last: Sum | undefined;
}

/** How far a copy's log goes; undefined if it has no log that can be continued, or no base. */
export function logPosition(to: string): CopiedLog | undefined {
  if (!exists(to) || !exists(`${to}-wal`)) return undefined;
  using log = Deno.openSync(`${to}-wal`);
  const h = readHeader(log);
  if (!h) return undefined;
  const { size } = log.statSync();
  if (size === headerSize) return { generation: h.generation, size, last: undefined };
  const head = new Uint8Array(frameHead);
  if (readAt(log, head, size - h.pageSize - frameHead) !== frameHead) return undefined;
  const view = new DataView(head.buffer);
  return {
    generation: h.generation,
    size,
    last: { a: view.getUint32(16), b: view.getUint32(20) },
  };
}

/** Appends changes of a log to a file; durable when it returns. */
export function copyLog(log: Deno.FsFile, to: string, pending: Pending): void {
  using file = Deno.openSync(to, { write: true, create: true, mode: 0o600 });
  if (pending.at === 0) {
    file.truncateSync();
    writeHeader(file, pending.header);
  }
  copyStretch(log, file, pending.at === 0 ? headerSize : pending.at, pending.end);
  file.syncDataSync();
}

/** Merges a copy's log into its base. */
export function mergeLog(to: string): void {
  const db = new DatabaseSync(to, { timeout: 10_000 });
  try {
    db.exec("PRAGMA synchronous=FULL; PRAGMA wal_checkpoint(TRUNCATE)");
  } finally {
    // The last connection removes the log.
    db.close();
  }
  for (const end of ["-wal", "-shm"]) removeIfThere(to + end);
}

/** Replaces the base of a copy: at each moment either the old copy or the new one is complete. */
export function putBase(made: string, to: string): void {
  if (exists(to)) mergeLog(to);
  Deno.renameSync(made, to);
}

function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (err) {
    if (!(err instanceof Deno.errors.NotFound)) throw err;
  }
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (err) {
    if (err instanceof Deno.errors.NotFound) return false;
    throw err;
  }
}
