/**
 * Nodes on one machine that share mox.conf and domains.conf: the parts of mox.conf that differ for each. The
 * node is chosen on the command line (`-node`), for the whole process.
 *
 * @module
 */
import { isSafeName, joinPath, parentDir } from "../platform/paths.ts";
import type { Dynamic } from "./dynamic/dynamic.ts";
import type { Static } from "./static/static.ts";

let chosen: string | undefined;

/**
 * Chooses the node that this process runs, or queries. @throws Error for a name that is invalid for a folder
 */
export function useNode(name: string): void {
  if (!isSafeName(name)) throw new Error(`${JSON.stringify(name)} can't name a node`);
  chosen = name;
}

/** Sets the name, and the folder in the data folder, of the chosen node. */
export function asChosenNode(s: Static): void {
  if (chosen === undefined) return;
  s.Node = chosen;
  s.DataDir = joinPath([s.DataDir, chosen]);
}

/** The parent folder of all nodes of this machine; undefined if none was chosen. */
export function folderOfNodes(dataDir: string): string | undefined {
  return chosen === undefined ? undefined : parentDir(dataDir);
}

/**
 * Listeners of the chosen node: those with TrustedProxies are at its own address, known to proxies and nodes;
 * all others belong to the first node.
 */
export function listenersOfChosenNode(s: Static, dynamic: Dynamic): void {
  if (chosen === undefined) return;
  const node = dynamic.Nodes.get(chosen);
  if (node === undefined) return;
  const first = dynamic.Nodes.keys().next().value === chosen;
  for (const [name, l] of s.Listeners) {
    if (l.TrustedProxies.length > 0) l.IPs = [node.Address];
    else if (!first) s.Listeners.delete(name);
  }
}
