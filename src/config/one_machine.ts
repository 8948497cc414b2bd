/**
 * Nodes on one machine that share mox.conf and domains.conf: what of mox.conf is another for each. The node is chosen
 * on the command line (`-node`), for the whole process.
 *
 * @module
 */
import { isSafeName, joinPath, parentDir } from "../platform/paths.ts";
import type { Dynamic } from "./dynamic/dynamic.ts";
import type { Static } from "./static/static.ts";

let chosen: string | undefined;

/** Chooses the node that this process is, or asks. @throws Error for a name that can't be a folder's */
export function useNode(name: string): void {
  if (!isSafeName(name)) throw new Error(`${JSON.stringify(name)} can't name a node`);
  chosen = name;
}

/** The name, and the folder in the data folder, of the node that was chosen. */
export function asChosenNode(s: Static): void {
  if (chosen === undefined) return;
  s.Node = chosen;
  s.DataDir = joinPath([s.DataDir, chosen]);
}

/** The folder in which all nodes of this machine have theirs; undefined where none was chosen. */
export function folderOfNodes(dataDir: string): string | undefined {
  return chosen === undefined ? undefined : parentDir(dataDir);
}

/**
 * Listeners of the node that was chosen: those with TrustedProxies are at its own address, by which proxies and nodes know
 * it; all others are the first node's.
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
