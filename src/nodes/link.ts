/**
 * Connections between nodes: TLS in which both sides prove their keys, then a line that says what for: "lmtp" for
 * messages, "call" for questions.
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

/** Where a node is, and its key's hash. */
export interface NodePlace {
  Address: string;
  Port: number;
  Key: string;
}

export type Purpose = "lmtp" | "call";

/** Milliseconds until a connection must stand: the node is near, or away. */
const connectTimeout = 5_000;
const firstLine = (purpose: Purpose) => `mox-node 1 ${purpose}`;

/** A node that can't be reached, or isn't who it should be. */
export class NodeAway extends Error {
  constructor(node: string, cause: unknown) {
    super(`node ${node} can't be reached: ${(cause as Error).message}`, { cause });
    this.name = "NodeAway";
  }
}

/** Connects to a node. @throws NodeAway */
export async function connectNode(
  key: NodeKey,
  name: string,
  place: NodePlace,
  purpose: Purpose,
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
      verifyChain: (chain) => chain.length > 0 && keyHash(chain[0]) === place.Key,
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
  /** Name of the node with a key's hash; looked up for each connection, as domains.conf may change. */
  nodeWith(hash: string): string | undefined;
  serve: Record<Purpose, (conn: Connection & SocketConnection, node: string) => Promise<void>>;
}

/** Listens for other nodes; whoever has no key of theirs is dropped. @throws ListenError */
export function serveNodeLinks(o: LinkOptions): Promise<TcpServer> {
  return serveTcp({
    hostname: o.address,
    port: o.port,
    log: o.log,
    protocol: "node",
    pkg: "smtpserver",
    tls: { certificateFor: () => o.key, requestClientCertificate: true },
    // A node names the clients that it speaks for; it has proved by its key that it is one.
    proxies: { networks: new Networks(["0.0.0.0/0", "::/0"]), header: "never" },
    readTimeout: 10_000,
  }, async (conn) => {
    const certificate = conn.tls?.peerCertificate;
    const node = certificate && o.nodeWith(keyHash(certificate));
    if (node === undefined) {
      o.log.warn("connection refused: its key is no node's", { remote: conn.remoteIp });
      throw new ConnectionError("closed", "no node");
    }
    const line = new TextDecoder().decode(await conn.readLine(100));
    conn.readTimeout = 300_000;
    for (const purpose of ["lmtp", "call"] as const) {
      if (line === firstLine(purpose)) return await o.serve[purpose](conn, node);
    }
    o.log.warn("a node speaks another protocol", { node, line: line.slice(0, 40) });
  });
}
