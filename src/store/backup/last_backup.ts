/**
 * The last backup of a data folder: when it was made, where to, and what came of it. In a file of the folder, so
 * that the pages of a server that was restarted know of it, and so that `backup -watch`, a process of its own,
 * can tell.
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
  /** Null while it runs. A copy that is kept up to date: when it was last. */
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

/** After root's command has noted one: the server has to be able to read it. */
export function giveLastBackup(dataDir: string): void {
  try {
    ownLikeFolder(pathIn(dataDir));
  } catch {
    // Nothing was noted.
  }
}

/** What was noted; undefined if nothing was, or nobody can read it. */
export async function lastBackup(dataDir: string): Promise<LastBackup | undefined> {
  try {
    return v.parse(schema, JSON.parse(await Deno.readTextFile(pathIn(dataDir))));
  } catch {
    return undefined;
  }
}

/**
 * At the start of a server, when no backup of the folder runs: one that has no end was broken off, or is noted in a
 * copy that it made itself (as those of earlier versions are).
 */
export async function settleLastBackup(dataDir: string): Promise<void> {
  const last = await lastBackup(dataDir);
  if (!last || last.ended !== null) return;
  const text = "it did not come to its end, or these data were restored from it";
  await noteBackup(dataDir, { ...last, ended: last.started, ok: false, text });
}
