/** Finding the configuration and data in a folder of the Go original. @module */
import { join, resolve } from "node:path";
import { loadStatic } from "../../config/mod.ts";
import { resolveFrom } from "../../platform/paths.ts";
import { isBoltFile } from "../../store/bolt/bolt.ts";
import { AdminError } from "../errors.ts";

/** The folders of an installation of the original. */
export interface OriginalFolder {
  /** Folder of mox.conf; undefined if there is none. */
  configDir: string | undefined;
  dataDir: string;
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

/**
 * Whether a folder has databases of the original: of accounts, or those of every server.
 * @throws errors of the file system other than missing files
 */
export function isOriginalData(dir: string): boolean {
  for (const name of ["auth.db", "mtasts.db", "tlsrpt.db", "dmarcrpt.db"]) {
    if (isBoltFile(join(dir, name))) return true;
  }
  return originalAccounts(dir).length > 0;
}

/** Names of the accounts with data of the original. */
export function originalAccounts(dataDir: string): string[] {
  const dir = join(dataDir, "accounts");
  let names: string[];
  try {
    names = [...Deno.readDirSync(dir)].filter((e) => e.isDirectory).map((e) => e.name);
  } catch (err) {
    if (err instanceof Deno.errors.NotFound) return [];
    throw err;
  }
  return names.filter((name) => isBoltFile(join(dir, name, "index.db"))).sort();
}

/**
 * Finds the parts of an installation: its working folder (with `config` and `data`), that of a localserve,
 * or just a data folder, such as from a backup.
 * @throws AdminError if it isn't one
 */
export async function findOriginal(dir: string): Promise<OriginalFolder> {
  for (const configDir of [join(dir, "config"), dir]) {
    const path = join(configDir, "mox.conf");
    if (!await exists(path)) continue;
    const dataDir = resolveFrom(configDir, await dataDirOf(path));
    if (isOriginalData(dataDir)) return { configDir, dataDir };
    if (isOriginalData(dir)) return { configDir, dataDir: resolve(dir) };
    throw new AdminError(
      `${dataDir}, the data folder of ${path}, has no databases of the original: is the path right?`,
    );
  }
  for (const dataDir of [dir, join(dir, "data")]) {
    if (isOriginalData(dataDir)) return { configDir: undefined, dataDir: resolve(dataDir) };
  }
  throw new AdminError(`${dir} has neither a configuration (mox.conf) nor data of the original`);
}

/** DataDir of a mox.conf, even if the file has other mistakes. */
async function dataDirOf(path: string): Promise<string> {
  const found = /^DataDir: *(.+?)\s*$/m.exec(await Deno.readTextFile(path));
  if (found) return found[1];
  return (await loadStatic(path)).DataDir;
}

/** What to say where a server is started on data of the original. */
export function originalDataText(dataDir: string): string {
  return `${dataDir} has the data of the original mox, in databases of another kind. Take it over into a new ` +
    `folder with "mox import go -dir FOLDER" (FOLDER is the one that the original runs in; nothing in it is ` +
    `changed), and start the server there. See docs/moving.md.`;
}
