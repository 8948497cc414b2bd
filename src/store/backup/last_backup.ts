/**
 * The last backup of a data folder: when it was made, where to, and its result. Kept in a file of the folder,
 * so that a restarted server's pages can show it and `backup -watch`, a separate process, can write it.
 *
 * @module
 */
import { join } from "node:path";
import * as v from "valibot";
import { writeFileAtomic } from "../../platform/files.ts";
import { ownLikeFolder } from "../../platform/users.ts";
import { lastBackupFile } from "./copy.ts";

const schema = v.object({
  destination: v.string(),
  /** Milliseconds since the epoch. */
  started: v.number(),
  /** Null while it runs. For a following copy: when it was last up to date. */
  ended: v.nullable(v.number()),
  ok: v.boolean(),
  text: v.string(),
});
export type LastBackup = v.InferOutput<typeof schema>;

const pathIn = (dataDir: string) => join(dataDir, lastBackupFile);

/** Notes a backup. */
export async function noteBackup(dataDir: string, backup: LastBackup): Promise<void> {
  await writeFileAtomic(pathIn(dataDir), new TextEncoder().encode(JSON.stringify(backup)));
}

/** Called after a root command has noted a backup: the server must be able to read the file. */
export function giveLastBackup(dataDir: string): void {
  try {
    ownLikeFolder(pathIn(dataDir));
  } catch {
    // Nothing was noted.
  }
}

/** The noted backup; undefined if there is none or the file is unreadable. */
export async function lastBackup(dataDir: string): Promise<LastBackup | undefined> {
  try {
    return v.parse(schema, JSON.parse(await Deno.readTextFile(pathIn(dataDir))));
  } catch {
    return undefined;
  }
}

/**
 * Called when a server starts and no backup of the folder runs: a backup without an end was interrupted, or its
 * note is in a copy that it made itself (as earlier versions did).
 */
export async function settleLastBackup(dataDir: string): Promise<void> {
  const last = await lastBackup(dataDir);
  if (!last || last.ended !== null) return;
  const text = "it did not come to its end, or these data were restored from it";
  await noteBackup(dataDir, { ...last, ended: last.started, ok: false, text });
}
