/**
 * Connections between nodes: TLS in which both sides prove their keys, then a line that names the purpose:
 * "lmtp" for messages, "call" for questions, "follow" for a standby that gets the node's data, "move" for an
 * account that is sent to this node, "http" for requests to pages and services of an account.
 *
 * @module
 */
import type { Log } from "../log/mod.ts";
import {
  type Connection,
  ConnectionError,
  connectTcp,
  Networks,
  serveTcp,
  type SocketConnection,
  type TcpServer,
} from "../net/mod.ts";
import { keyHash, type NodeKey } from "./key.ts";

/** An address, and the hash of the key that is expected there. */
export interface LinkPlace {
  Address: string;
  Port: number;
  Key: string;
}

/** Where a node is, and where it is once its standby has taken over. */
export interface NodePlace extends LinkPlace {
  Standby?: LinkPlace;
}

/** Who is at the other end: a node, or the standby of one. */
export interface LinkPeer {
  node: string;
  standby: boolean;
}

const purposes = ["lmtp", "call", "follow", "move", "http"] as const;
export type Purpose = (typeof purposes)[number];

/** Milliseconds between checks that the connected peers are still nodes. */
const defaultPeerInterval = 5_000;
/** Milliseconds within which a connection must be made: the node is near, or away. */
const connectTimeout = 5_000;
const firstLine = (purpose: Purpose) => `mox-node 1 ${purpose}`;

/** A node that can't be reached, or isn't who it should be. */
export class NodeAway extends Error {
  constructor(node: string, cause: unknown) {
    super(`node ${node} can't be reached: ${(cause as Error).message}`, { cause });
    this.name = "NodeAway";
  }
}

/** Nodes whose standby, having taken over, was the last to answer. */
const moved = new Set<string>();

/** Notes that a node is at its standby's address: this server knows, as it is that standby. */
export function atStandby(name: string): void {
  moved.add(name);
}

/** The address at which a node was last reached. */
export function currentAddress(name: string, place: NodePlace): string {
  return moved.has(name) && place.Standby ? place.Standby.Address : place.Address;
}

/** Connects to a node, or to its former standby. @throws NodeAway */
export async function connectNode(
  key: NodeKey,
  name: string,
  place: NodePlace,
  purpose: Purpose,
): Promise<SocketConnection> {
  const { Standby: standby } = place;
  if (standby === undefined) return await connectPlace(key, name, place, purpose);
  // The standby has the node's key once it has taken over, and its own before.
  const places = [place, { ...standby, Key: place.Key }];
  if (moved.has(name)) places.reverse();
  try {
    return await connectPlace(key, name, places[0], purpose);
  } catch (err) {
    const conn = await connectPlace(key, name, places[1], purpose).catch(() => undefined);
    if (conn === undefined) throw err;
    if (!moved.delete(name)) moved.add(name);
    return conn;
  }
}

/**
 * Connects to one address.
 * @param keys hashes of keys that are accepted like the place's
 * @throws NodeAway
 */
export async function connectPlace(
  key: NodeKey,
  name: string,
  place: LinkPlace,
  purpose: Purpose,
  keys: readonly string[] = [],
): Promise<SocketConnection> {
  let conn: SocketConnection | undefined;
  try {
    conn = await connectTcp({
      host: place.Address,
      port: place.Port,
      timeout: connectTimeout,
      readTimeout: connectTimeout,
    });
    await conn.startTlsClient({
      serverName: place.Address,
      verify: false,
      keyCert: key,
      verifyChain: (chain) => chain.length > 0 && [place.Key, ...keys].includes(keyHash(chain[0])),
    });
    conn.write(`${firstLine(purpose)}\r\n`);
    await conn.flush();
    return conn;
  } catch (err) {
    conn?.destroy();
    throw new NodeAway(name, err);
  }
}

/** What serves the other nodes. */
export interface LinkOptions {
  address: string;
  port: number;
  key: NodeKey;
  log: Log;
  /** The peer that has the key with a hash; looked up for each connection, as domains.conf may change. */
  peerWith(hash: string): LinkPeer | undefined;
  /** Milliseconds between checks that the connected peers still have a node's key. */
  peerInterval?: number;
  /** What is served; connections for something else are dropped. */
  serve: Partial<
    Record<Purpose, (conn: Connection & SocketConnection, peer: LinkPeer) => Promise<void>>
  >;
}

/** Listens for other nodes; a peer without one of their keys is disconnected. @throws ListenError */
export function serveNodeLinks(options: LinkOptions): Promise<TcpServer> {
  const open = new Map<SocketConnection, { hash: string; peer: LinkPeer }>();
  let timer: ReturnType<typeof setInterval> | undefined;
  /** Connections are long-lived: domains.conf may have another key for a node meanwhile. */
  const recheck = () => {
    for (const [conn, { hash, peer }] of open) {
      const now = options.peerWith(hash);
      if (now?.node === peer.node && now.standby === peer.standby) continue;
      options.log.warn("connection closed: its key is no node's any more", { node: peer.node });
      conn.destroy();
    }
  };
  return serveTcp({
    hostname: options.address,
    port: options.port,
    log: options.log,
    protocol: "node",
    pkg: "smtpserver",
    tls: { certificateFor: () => options.key, requestClientCertificate: true },
    // A node passes on the addresses of its clients; it has proved by its key that it is a node.
    proxies: { networks: new Networks(["0.0.0.0/0", "::/0"]), header: "never" },
    readTimeout: 10_000,
  }, async (conn) => {
    const certificate = conn.tls?.peerCertificate;
    const hash = certificate && keyHash(certificate);
    const peer = hash && options.peerWith(hash);
    if (!peer) {
      options.log.warn("connection refused: its key is no node's", { remote: conn.remoteIp });
      throw new ConnectionError("closed", "no node");
    }
    const line = new TextDecoder().decode(await conn.readLine(100));
    conn.readTimeout = 300_000;
    const { node } = peer;
    const purpose = purposes.find((p) => line === firstLine(p));
    const serve = purpose && options.serve[purpose];
    if (serve) {
      open.set(conn, { hash, peer });
      timer ??= setInterval(recheck, options.peerInterval ?? defaultPeerInterval);
      try {
        return await serve(conn, peer);
      } finally {
        open.delete(conn);
        if (open.size === 0) timer = void clearInterval(timer);
      }
    }
    options.log.warn("a node asks for what is not served here", { node, line: line.slice(0, 40) });
  });
}
