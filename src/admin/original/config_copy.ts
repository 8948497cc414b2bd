/** Taking over the configuration of the Go original: copying its files unchanged. @module */
import { join, relative } from "node:path";
import { readConfigFile, staticConfig } from "../../config/mod.ts";
import { type MapNode, parseSconf, printSconf } from "../../config/sconf/sconf.ts";
import { ensureDir, writeFileAtomic } from "../../platform/files.ts";
import { resolveFrom } from "../../platform/paths.ts";

/** Larger files are not part of a configuration. */
const maxFile = 16 * 1024 * 1024;

/** What was done to the configuration. */
export interface CopiedConfig {
  files: string[];
  /** The original DataDir, if it was changed. */
  dataDirWas?: string;
}

/**
 * The files to copy: those of the folder and its subfolders, without the data folder.
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
    // A localserve has everything in one folder.
    for (const e of Deno.readDirSync(configDir)) {
      if (e.isFile && isConfig(e.name, dataDir)) files.push(e.name);
    }
  }
  return files.sort();
}

/** Copies a configuration unchanged. @returns the files, relative to its folder */
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

/** Databases and locks are not part of a configuration. */
function isConfig(path: string, _dataDir: string): boolean {
  return !/(?:\.db|\.bloom|\.tmp|^ctl|receivedid\.key|moxversion|lastknownversion)$/.test(path);
}

/**
 * Copies the configuration into a folder. DataDir becomes `../data` if it is an absolute path, or the folder of
 * the configuration itself: the original's data must not be used.
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
