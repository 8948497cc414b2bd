/**
 * Temporary files created before a message needs one.
 *
 * Creating a file may take a millisecond, while the file system commits its journal or looks for a free inode.
 * In the event loop that would hold up everybody; so while a server runs, some files are created ahead in the
 * background, as many as were needed at a time.
 *
 * @module
 */
import { join } from "node:path";
import { durabilityNeeded } from "../../platform/durability.ts";
import { removeFile } from "../../platform/files.ts";

/** Prefix of the names of temporary files. */
const namePrefix = "smtp-";

/** Most files created ahead. */
const most = 32;
/** Files created at the same time; the runtime's threads are also needed for syncs. */
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

/** Creates a file. @throws file errors */
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
  /** Running makers: each creates one file after the other. */
  readonly #making = new Set<Promise<void>>();
  #wanted = 1;
  #closed = false;

  constructor(dir: string) {
    this.#dir = dir;
  }

  take(): TempFile | undefined {
    const f = this.#ready.pop();
    // More were needed at a time than existed.
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
        // A caller that needs a file then creates it itself and gets the error.
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

/** Whether files are created ahead. Off in tests that count the calls of a delivery. */
export const filesAhead = { enabled: true };

const spares = new Map<string, Spare>();

/** From now on creates files ahead in the folder; call the result to stop. */
export function makeFilesAhead(dir: string): () => Promise<void> {
  // Where durability isn't needed, no disk holds up creating a file.
  if (!filesAhead.enabled || !durabilityNeeded()) return () => Promise.resolve();
  const spare = new Spare(dir);
  spares.set(dir, spare);
  return async () => {
    if (spares.get(dir) === spare) spares.delete(dir);
    await spare.close();
  };
}

/** An empty file with a unique name, for writing, with mode 0600. @throws file errors */
export function newTempFile(dir: string): TempFile {
  return spares.get(dir)?.take() ?? makeNow(dir);
}
