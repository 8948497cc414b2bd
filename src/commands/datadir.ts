/** The server that a command is about: its configuration and its data folder. @module */
import { join, resolve } from "node:path";
import { Config, loadStatic } from "../config/mod.ts";
import { resolveFrom } from "../platform/paths.ts";
import { environment, userConfigDir } from "../platform/process.ts";

/** Configuration of a server, relative to the folder it is started in. */
const defaultConfigPath = join("config", "mox.conf");

let given: string | undefined;

/** Reads the path of mox.conf from the flag -config before the subcommand. */
export function useConfigPath(path: string): void {
  given = path;
}

/** Absolute path of mox.conf: from -config, the environment variable MOXCONF, or config/mox.conf. */
export function configPath(): string {
  return resolve(given ?? environment("MOXCONF") ?? defaultConfigPath);
}

/** The configuration, without reading the key files named in it. @throws ConfigError */
export function loadConfig(): Promise<Config> {
  return Config.load(configPath(), { keyFiles: false });
}

/** Default folder of localserve. */
export function defaultLocalserveDir(): string {
  return join(userConfigDir(), "mox-localserve");
}

/**
 * mox.conf of the selected server: of the localserve whose folder is given; otherwise the one of
 * {@link configPath}, or of the default localserve if there is none and none was named.
 */
export async function findConfigPath(dir: string): Promise<string> {
  if (dir !== "") return resolve(dir, "mox.conf");
  const path = configPath();
  const named = given !== undefined || environment("MOXCONF") !== undefined;
  if (named || await Deno.stat(path).then(() => true, () => false)) return path;
  return join(defaultLocalserveDir(), "mox.conf");
}

/** The data folder of the selected server; see {@link findConfigPath}. */
export async function findDataDir(dir: string): Promise<string> {
  const path = await findConfigPath(dir);
  // A localserve that was never started has no configuration yet.
  if (dir !== "" || path.startsWith(defaultLocalserveDir())) return join(path, "..", "data");
  return resolveFrom(join(path, ".."), (await loadStatic(path)).DataDir);
}
