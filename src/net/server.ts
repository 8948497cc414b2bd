/**
 * Accepting TCP connections and running a handler for each of them, apart from the others.
 *
 * @module
 */
import { acceptConnection, type SocketConnection } from "./connection.ts";
import { type AcceptOptions, acceptSockets, type TcpServer } from "./accept.ts";
import { ConnectionError, type ServerTls } from "./types.ts";

export type { TcpServer } from "./accept.ts";

/** A listener and what its connections get. */
export interface ServeOptions extends AcceptOptions {
  /** TLS from the first byte. */
  tls?: ServerTls;
  /** Milliseconds for single reads and flushes at first. */
  readTimeout?: number;
  writeTimeout?: number;
}

/**
 * Listens, and runs `handle` for each connection; the connection is closed when it returns or throws.
 * @throws ListenError of the platform layer, if the address can't be had.
 */
export function serveTcp(
  options: ServeOptions,
  handle: (conn: SocketConnection) => Promise<void>,
): Promise<TcpServer> {
  const { tls } = options;
  // A line in plain text is no answer to a client that begins with a handshake.
  const refusal = tls === undefined ? options.refusal : undefined;
  return acceptSockets({ ...options, refusal }, (socket, cid, log) => {
    const conn = acceptConnection(socket, {
      cid,
      log,
      readTimeout: options.readTimeout,
      writeTimeout: options.writeTimeout,
    });
    const run = async () => {
      try {
        if (tls !== undefined) await conn.startTlsServer(tls);
        await handle(conn);
      } catch (e) {
        // What a peer did wrong may still be answered; after an error of ours nothing is.
        if (!(e instanceof ConnectionError)) conn.destroy();
        throw e;
      } finally {
        await conn.close();
      }
    };
    return { done: run(), stop: () => conn.stop(), destroy: () => conn.destroy() };
  });
}
