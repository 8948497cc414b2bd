/** Where a scanner listens, and connections to it. @module */
import { Log, newCid } from "../log/mod.ts";
import { type Connection, connectSocket, type Outbound, SocketConnection } from "../net/mod.ts";

/** `unix:/path` or `host:port`. */
export type Endpoint = { path: string } | { host: string; port: number };

/** Reads an address of the configuration, which was checked there. */
export function parseEndpoint(text: string): Endpoint {
  if (text.startsWith("unix:")) return { path: text.slice("unix:".length) };
  const at = text.lastIndexOf(":");
  return { host: text.slice(0, at).replace(/^\[|\]$/g, ""), port: Number(text.slice(at + 1)) };
}

/** Milliseconds for a connection. */
const connectTime = 5_000;

/**
 * Connects. Scanners are the administrator's choice: any address may be one.
 * @param ms milliseconds for single reads and writes
 * @throws ConnectionError, OutboundError
 */
export async function connectScanner(
  outbound: Pick<Outbound, "addresses">,
  to: Endpoint,
  ms: number,
  signal: AbortSignal,
): Promise<Connection> {
  const timeout = Math.min(connectTime, ms);
  const socket = "path" in to
    ? await connectSocket({ path: to.path, timeout, signal })
    : await connectSocket({
      host: (await outbound.addresses(to.host, undefined, signal))[0],
      port: to.port,
      timeout,
      signal,
    });
  return new SocketConnection(socket, {
    cid: newCid(),
    log: new Log("scanning"),
    protocol: "scanner",
    readTimeout: ms,
    writeTimeout: ms,
  });
}
