/**
 * Whether written data must survive a crash. It must, except on a server whose data folder is removed at its
 * end (`localserve -memory`): waiting for a disk would be useless there.
 *
 * @module
 */
let needed = true;

/** From now on nothing is synced in this thread. For a data folder that is removed at the end. */
export function keepNothing(): void {
  needed = false;
}

/** False once {@link keepNothing} was called: syncs may be left out. */
export function durabilityNeeded(): boolean {
  return needed;
}

/** Makes a file's content durable, if needed. */
export async function syncData(file: Deno.FsFile): Promise<void> {
  if (needed) await file.syncData();
}
