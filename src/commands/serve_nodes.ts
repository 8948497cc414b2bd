/** `mox serve -nodes`: several nodes on one machine, each a process, started and supervised by this one. @module */
import { Config, loadStatic, readConfigFile, readDynamic, useNode } from "../config/mod.ts";
import { Log } from "../log/mod.ts";
import { type Child, mayStart, startChild } from "../platform/children.ts";
import { joinPath, parentDir } from "../platform/paths.ts";
import { onShutdown } from "../platform/signals.ts";
import { programCommand } from "./server_program.ts";

/** Milliseconds until a node that ended is restarted. */
const firstWait = 1_000;
/** Milliseconds until a node that ended repeatedly is restarted. */
const maxWait = 30_000;
/** Milliseconds after which a running node counts as healthy. */
const wellAfter = 60_000;

/**
 * Loads the nodes' configuration, as seen by the first of them.
 * @throws ConfigError with all mistakes in both files
 */
export async function loadForNodes(path: string): Promise<Config> {
  const text = await readConfigFile(joinPath([parentDir(path), "domains.conf"]));
  // Including its mistakes, which are reported below: mox.conf does not name this node.
  const { value } = readDynamic(text, await loadStatic(path), { dir: undefined });
  const [first] = value.Nodes.keys();
  if (first !== undefined) useNode(first);
  return await Config.load(path, { keyFiles: false });
}

/** The nodes requested by `-nodes`. @throws Error if it isn't a number, or is more than domains.conf has */
export function nodesToServe(config: Config, count: string): string[] {
  const names = [...config.dynamic.Nodes.keys()];
  const n = Number(count);
  if (!Number.isSafeInteger(n) || n < 1) throw new Error(`-nodes: ${count} is no number of nodes`);
  if (n > names.length) {
    throw new Error(
      `${config.dynamicPath} has ${names.length} Nodes, but ${n} are to be served: add the others there, with the ` +
        `hashes that "mox -node NAME node key" prints`,
    );
  }
  return names.slice(0, n);
}

/** Serves nodes until this process is told to stop, and all of them have stopped. */
export async function serveNodes(config: Config, names: readonly string[]): Promise<void> {
  const [program, ...before] = programCommand();
  if (!mayStart(program)) {
    throw new Error(
      `serve -nodes starts a process for each node, which this program may not: run it with --allow-run=${program}, ` +
        `or start the nodes by the unit template of "mox config printservice -nodes"`,
    );
  }
  const log = new Log("nodes");
  const stopping = Promise.withResolvers<void>();
  let stopped = false;
  const children = new Map<string, Child>();
  const watch = async (name: string) => {
    let wait = firstWait;
    while (!stopped) {
      const started = Date.now();
      const args = [...before, "-config", config.staticPath, "-node", name, "serve"];
      const child = startChild(program, args);
      children.set(name, child);
      const code = await child.ended;
      children.delete(name);
      if (stopped) return;
      if (Date.now() - started > wellAfter) wait = firstWait;
      log.error("a node has ended, and is started again", { node: name, code, wait });
      await Promise.race([new Promise((resolve) => setTimeout(resolve, wait)), stopping.promise]);
      wait = Math.min(maxWait, wait * 2);
    }
  };
  const unlisten = onShutdown((signal) => {
    log.info("asked to stop", { signal });
    stopped = true;
    stopping.resolve();
    for (const c of children.values()) c.stop();
  });
  log.info("nodes are started", { nodes: names.join(" ") });
  await Promise.all(names.map(watch));
  unlisten();
}
