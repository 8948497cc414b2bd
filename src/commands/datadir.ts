/** Where a server's data is, for commands that talk to it. @module */
import { join } from "node:path";
import { userConfigDir } from "../platform/process.ts";

/** Folder that localserve uses unless told otherwise. */
export function defaultLocalserveDir(): string {
  return join(userConfigDir(), "mox-localserve");
}

/** The data folder of the server whose folder is given, by default of localserve's. */
export function findDataDir(dir: string): Promise<string> {
  return Promise.resolve(join(dir === "" ? defaultLocalserveDir() : dir, "data"));
}
