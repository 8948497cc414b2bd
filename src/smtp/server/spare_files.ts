/**
 * Temporary files that are there before a message needs one.
 *
 * Making a file may take a millisecond, when the file system is committing its journal or looks for a
 * free inode. Done in the event loop when a message is complete it would hold up everybody; so while a
 * server runs, some files are made ahead in the background, as many as were asked for at a time.
 *
 * @module
 */
import { join } from "node:path";
import { durabilityNeeded } from "../../platform/durability.ts";
import { removeFile } from "../../platform/files.ts";

/** Beginning of the names of temporary files. */
const namePrefix = "smtp-";

/** Files made ahead at most. */
const most = 32;
/** Made at the same time; the runtime's threads are wanted for syncs as well. */
const makers = 3;

let sequence = 0;

export interface TempFile {
  path: string;
  file: Deno.FsFile;
}

const options = { write: true, createNew: true, mode: 0o600 };

function newName(dir: string): string {
  return join(dir, `${namePrefix}${Deno.pid.toString(36)}-${(++sequence).toString(36)}`);
}

/** Makes a file. @throws file errors */
function makeNow(dir: string): TempFile {
  for (;;) {
    const path = newName(dir);
    try {
      return { path, file: Deno.openSync(path, options) };
    } catch (e) {
      if (!(e instanceof Deno.errors.AlreadyExists)) throw e;
    }
  }
}

class Spare {
  readonly #dir: string;
  readonly #ready: TempFile[] = [];
  /** Makers under way: each makes one file after the other. */
  readonly #making = new Set<Promise<void>>();
  #wanted = 1;
  #closed = false;

  constructor(dir: string) {
    this.#dir = dir;
  }

  take(): TempFile | undefined {
    const f = this.#ready.pop();
    // More were wanted at a time than were there.
    if (!f && this.#wanted < most) this.#wanted *= 2;
    this.#refill();
    return f;
  }

  #refill(): void {
    if (this.#closed || this.#making.size === makers) return;
    if (this.#ready.length + this.#making.size >= this.#wanted) return;
    const making = this.#make().finally(() => this.#making.delete(making));
    this.#making.add(making);
  }

  async #make(): Promise<void> {
    while (!this.#closed && this.#ready.length < this.#wanted) {
      const path = newName(this.#dir);
      try {
        this.#ready.push({ path, file: await Deno.open(path, options) });
      } catch {
        // Who needs a file makes it then, and is told why it can't be.
        return;
      }
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#making);
    for (const { path, file } of this.#ready.splice(0)) {
      file.close();
      removeFile(path);
    }
  }
}

/** Whether files are made ahead at all. Tests that count the calls of a delivery do without. */
export const filesAhead = { enabled: true };

const spares = new Map<string, Spare>();

/** From now on files in the folder are made ahead; call the result to end that. */
export function makeFilesAhead(dir: string): () => Promise<void> {
  // Where nothing is kept, no disk holds up the making of a file.
  if (!filesAhead.enabled || !durabilityNeeded()) return () => Promise.resolve();
  const spare = new Spare(dir);
  spares.set(dir, spare);
  return async () => {
    if (spares.get(dir) === spare) spares.delete(dir);
    await spare.close();
  };
}

/** An empty file of a name of its own, for writing, with mode 0600. @throws file errors */
export function newTempFile(dir: string): TempFile {
  return spares.get(dir)?.take() ?? makeNow(dir);
}
