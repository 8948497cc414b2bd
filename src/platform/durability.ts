/**
 * Whether what is written has to outlive a crash. It has, but for a server whose data folder goes when it ends
 * (`localserve -memory`): waiting for a disk would promise what nobody will look for.
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

/** Makes a file's content durable, where it has to be. */
export async function syncData(file: Deno.FsFile): Promise<void> {
  if (needed) await file.syncData();
}
