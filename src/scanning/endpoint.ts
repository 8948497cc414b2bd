/** Addresses of scanners, and connections to them. @module */
import { ScanError } from "./types.ts";
import { Log, newCid } from "../log/mod.ts";
import { type Connection, connectSocket, type Outbound, SocketConnection } from "../net/mod.ts";

/** `unix:/path` or `host:port`. */
export type Endpoint = { path: string } | { host: string; port: number };

/** Parses an address from the configuration, which was validated there. */
export function parseEndpoint(text: string): Endpoint {
  if (text.startsWith("unix:")) return { path: text.slice("unix:".length) };
  const at = text.lastIndexOf(":");
  return { host: text.slice(0, at).replace(/^\[|\]$/g, ""), port: Number(text.slice(at + 1)) };
}

/** Milliseconds for a connection. */
const connectTime = 5_000;

/**
 * Connects. Scanners are chosen by the administrator: any address is allowed.
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

/** A connection that can still be read after writing has failed, unlike Node's sockets. */
export interface Stream extends Disposable {
  conn: Deno.Conn;
}

/**
 * Connects for one request and one answer. The signal closes it, so that reads and writes fail.
 * @throws Deno.errors, OutboundError, ScanError
 */
export async function openStream(
  outbound: Pick<Outbound, "addresses">,
  to: Endpoint,
  signal: AbortSignal,
): Promise<Stream> {
  const connecting = "path" in to
    ? Deno.connect({ transport: "unix", path: to.path })
    : Deno.connect({
      hostname: (await outbound.addresses(to.host, undefined, signal))[0],
      port: to.port,
    });
  const { promise: late, reject } = Promise.withResolvers<never>();
  const fail = () => reject(new ScanError("it takes too long to connect"));
  const timer = setTimeout(fail, connectTime);
  signal.addEventListener("abort", fail);
  let conn: Deno.Conn;
  try {
    conn = await Promise.race([connecting, late]);
  } catch (err) {
    connecting.then((c) => c.close(), () => {});
    // A missing socket.
    if (err instanceof Deno.errors.NotFound || err instanceof Deno.errors.PermissionDenied) {
      throw new ScanError(`its socket can't be used: ${err.message}`, { cause: err });
    }
    throw err;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", fail);
  }
  let open = true;
  const close = () => {
    if (open) conn.close();
    open = false;
  };
  signal.addEventListener("abort", close);
  return {
    conn,
    [Symbol.dispose]() {
      signal.removeEventListener("abort", close);
      close();
    },
  };
}
