/** Taking over the configuration of the Go original: its files, copied beside one another as they are. @module */
import { join, relative } from "node:path";
import { readConfigFile, staticConfig } from "../../config/mod.ts";
import { type MapNode, parseSconf, printSconf } from "../../config/sconf/sconf.ts";
import { ensureDir, writeFileAtomic } from "../../platform/files.ts";
import { resolveFrom } from "../../platform/paths.ts";

/** Files of a configuration folder that are larger are no configuration. */
const maxFile = 16 * 1024 * 1024;

/** What was done with the configuration. */
export interface CopiedConfig {
  files: string[];
  /** Set if DataDir was changed: what it was. */
  dataDirWas?: string;
}

/**
 * The files that would be copied: those of the folder and of folders in it, without the data folder.
 * @throws errors of the file system
 */
export function configFiles(configDir: string, dataDir: string): string[] {
  const files: string[] = [];
  const walk = (dir: string) => {
    for (const e of Deno.readDirSync(dir)) {
      const path = join(dir, e.name);
      if (e.isDirectory) {
        if (path !== dataDir) walk(path);
      } else if (e.isFile && Deno.statSync(path).size <= maxFile && isConfig(path, dataDir)) {
        files.push(relative(configDir, path));
      }
    }
  };
  if (configDir !== dataDir) walk(configDir);
  else {
    // Of localserve, which has all in one folder.
    for (const e of Deno.readDirSync(configDir)) {
      if (e.isFile && isConfig(e.name, dataDir)) files.push(e.name);
    }
  }
  return files.sort();
}

/** Copies a configuration as it is. @returns the files, relative to its folder */
export async function copyConfigFiles(
  configDir: string,
  dataDir: string,
  to: string,
): Promise<string[]> {
  const files = configFiles(configDir, dataDir);
  for (const name of files) {
    const source = join(configDir, name);
    await ensureDir(join(to, name, ".."));
    const mode = (await Deno.stat(source)).mode ?? 0o600;
    await writeFileAtomic(join(to, name), await Deno.readFile(source), mode & 0o777);
  }
  return files;
}

/** Databases and locks are no configuration. */
function isConfig(path: string, _dataDir: string): boolean {
  return !/(?:\.db|\.bloom|\.tmp|^ctl|receivedid\.key|moxversion|lastknownversion)$/.test(path);
}

/**
 * Copies the configuration into a folder. DataDir becomes `../data` where it is an absolute path, or the folder of
 * the configuration itself: the original's data must stay the original's.
 * @throws errors of the file system
 */
export async function copyConfig(
  from: { configDir: string; dataDir: string },
  to: string,
): Promise<CopiedConfig> {
  const files = configFiles(from.configDir, from.dataDir);
  const result: CopiedConfig = { files };
  for (const name of files) {
    const source = join(from.configDir, name);
    const target = join(to, name);
    await ensureDir(join(target, ".."));
    let bytes = await Deno.readFile(source);
    if (name === "mox.conf") {
      const text = await readConfigFile(source);
      const { root } = parseSconf(text);
      const value = staticConfig.read(root, 0, () => {});
      const dir = resolveFrom(from.configDir, value.DataDir);
      if (value.DataDir !== relative(from.configDir, dir) || dir === from.configDir) {
        result.dataDirWas = value.DataDir;
        const changed = staticConfig.update(root, { ...value, DataDir: "../data" });
        bytes = new TextEncoder().encode(printSconf(changed as MapNode));
      }
    }
    const mode = (await Deno.stat(source)).mode ?? 0o600;
    await writeFileAtomic(target, bytes, mode & 0o777);
  }
  return result;
}
