/** Which server a command is about: its configuration and its data folder. @module */
import { join, resolve } from "node:path";
import { Config, loadStatic } from "../config/mod.ts";
import { resolveFrom } from "../platform/paths.ts";
import { environment, userConfigDir } from "../platform/process.ts";

/** Configuration of a server, relative to the folder it is started in. */
const defaultConfigPath = join("config", "mox.conf");

let given: string | undefined;

/** Takes the path of mox.conf from the flag -config before the subcommand. */
export function useConfigPath(path: string): void {
  given = path;
}

/** Absolute path of mox.conf: from -config, the environment variable MOXCONF, or config/mox.conf. */
export function configPath(): string {
  return resolve(given ?? environment("MOXCONF") ?? defaultConfigPath);
}

/** The configuration, without looking at the key files that it names. @throws ConfigError */
export function loadConfig(): Promise<Config> {
  return Config.load(configPath(), { keyFiles: false });
}

/** Folder that localserve uses unless told otherwise. */
export function defaultLocalserveDir(): string {
  return join(userConfigDir(), "mox-localserve");
}

/**
 * The data folder of the server that is meant: of the localserve whose folder is given; otherwise as
 * mox.conf says, or of the default localserve where there is no mox.conf and none was named.
 */
export async function findDataDir(dir: string): Promise<string> {
  if (dir !== "") return join(dir, "data");
  const path = configPath();
  const named = given !== undefined || environment("MOXCONF") !== undefined;
  if (!named && !await Deno.stat(path).then(() => true, () => false)) {
    return join(defaultLocalserveDir(), "data");
  }
  return resolveFrom(join(path, ".."), (await loadStatic(path)).DataDir);
}
