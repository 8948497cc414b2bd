/** Which seat this server has: a node has its own, and that of its standby. @module */
import { join } from "node:path";
import type { Config, Node } from "../../config/mod.ts";
import { keyHash } from "../../nodes/key.ts";
import type { LinkPeer, LinkPlace } from "../../nodes/link.ts";
import type { Seat } from "../../nodes/role.ts";
import { standbyKeyFile } from "../../store/backup/copy.ts";

/** The node that this server is, by mox.conf; undefined where there are no nodes. */
export function ownNode(config: Config): Node | undefined {
  return config.dynamic.Nodes.get(config.static.Node);
}

/** The hash of the standby's key in a data folder; undefined if it has none. @throws Error if it is damaged */
async function standbyKey(dataDir: string): Promise<string | undefined> {
  try {
    const text = await Deno.readTextFile(join(dataDir, standbyKeyFile));
    return keyHash(text.slice(text.indexOf("-----BEGIN CERTIFICATE-----")));
  } catch (err) {
    if (err instanceof Deno.errors.NotFound) return undefined;
    throw err;
  }
}

/** Which of the two this data folder belongs to: the standby's has the standby's key. */
export async function ownSeat(config: Config): Promise<Seat> {
  const standby = ownNode(config)?.Standby;
  if (standby === undefined) return "home";
  return await standbyKey(config.dataDir) === standby.Key ? "standby" : "home";
}

/** The address of one of this node's seats, with its key when serving. */
export function placeOfSeat(node: Node, seat: Seat): LinkPlace {
  const { Address, Port } = seat === "standby" && node.Standby ? node.Standby : node;
  return { Address, Port, Key: node.Key };
}

/** The owner of a key, by domains.conf. */
export function peerWith(config: Config, hash: string): LinkPeer | undefined {
  for (const [node, n] of config.dynamic.Nodes) {
    if (n.Key === hash) return { node, standby: false };
    if (n.Standby?.Key === hash) return { node, standby: true };
  }
  return undefined;
}

/** Whether a peer is the other seat of this node: the only one that gets its data. */
export function isOtherSeat(config: Config, seat: Seat, peer: LinkPeer): boolean {
  return peer.node === config.static.Node && peer.standby === (seat === "home");
}
