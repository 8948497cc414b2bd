/**
 * Accepting TCP connections and running a handler for each of them, independently of the others.
 *
 * @module
 */
import { acceptConnection, type SocketConnection } from "./connection.ts";
import { type AcceptOptions, acceptSockets, type TcpServer } from "./accept.ts";
import type { Log } from "../log/mod.ts";
import type { Arrival } from "./proxied/arrival.ts";
import type { Secured } from "./tls.ts";
import { ConnectionError, type ServerTls } from "./types.ts";

export type { OpenConnection, TcpServer } from "./accept.ts";

/** A listener and the options of its connections. */
export interface ServeOptions extends AcceptOptions {
  /** TLS from the first byte. */
  tls?: ServerTls;
  /** Initial milliseconds for single reads and flushes. */
  readTimeout?: number;
  writeTimeout?: number;
}

/**
 * Listens, and runs `handle` for each connection; the connection is closed when it returns or throws.
 * @throws ListenError of the platform layer, if the address is unavailable.
 */
export function serveTcp(
  options: ServeOptions,
  handle: (conn: SocketConnection) => Promise<void>,
): Promise<TcpServer> {
  const { tls } = options;
  // A plain-text line can't answer a client that begins with a handshake.
  const refusal = tls === undefined ? options.refusal : undefined;
  return acceptSockets({ ...options, refusal }, (socket, cid, log, arrival) => {
    const conn = acceptConnection(socket, {
      cid,
      log,
      arrival,
      protocol: options.protocol,
      readTimeout: options.readTimeout,
      writeTimeout: options.writeTimeout,
    });
    const run = async () => {
      try {
        if (tls !== undefined) await conn.startTlsServer(tls);
        await handle(conn);
      } catch (e) {
        // A peer's error may still be answered; after our own error nothing is sent.
        if (!(e instanceof ConnectionError)) conn.destroy();
        throw e;
      } finally {
        await conn.close();
      }
    };
    return { done: run(), stop: () => conn.stop(), destroy: () => conn.destroy() };
  });
}

/**
 * Runs `handle` for a connection whose handshake and limits are handled elsewhere. Resolves when the connection
 * has ended.
 */
export async function serveSecured(
  made: Secured,
  options: { cid: number; log: Log; protocol: string; arrival?: Arrival },
  handle: (conn: SocketConnection) => Promise<void>,
): Promise<void> {
  const conn = acceptConnection(made.socket, { ...options, tls: made.info });
  try {
    await handle(conn);
  } catch (e) {
    if (!(e instanceof ConnectionError)) conn.destroy();
    throw e;
  } finally {
    await conn.close();
  }
}
