/**
 * Connections to other servers.
 *
 * @module
 */
import { connect, type Socket, type TcpNetConnectOpts } from "node:net";
import { Log, newCid } from "../log/mod.ts";
import { SocketConnection } from "./connection.ts";
import { ConnectionError } from "./types.ts";

/** Where to connect to and how. */
export interface ConnectOptions {
  /** An IP address, or a name for the system's resolver. */
  host: string;
  port: number;
  /** IP address to connect from. */
  localAddress?: string;
  /** Milliseconds until the connection must stand, 30 s if not given. */
  timeout?: number;
  /** Gives up when it aborts. */
  signal?: AbortSignal;
  log?: Log;
  /** Of the connection this one is made for; a new one if not given. */
  cid?: number;
  /** Milliseconds for single reads and flushes, see ConnectionOptions. */
  readTimeout?: number;
  writeTimeout?: number;
}

/** Opens a TCP connection. Fails with a ConnectionError "timeout" or "closed", the cause in it. */
export async function connectTcp(options: ConnectOptions): Promise<SocketConnection> {
  return new SocketConnection(await connectSocket(options), {
    cid: options.cid ?? newCid(),
    log: options.log ?? new Log("net"),
    readTimeout: options.readTimeout,
    writeTimeout: options.writeTimeout,
  });
}

/** As {@link connectTcp}, the socket itself. */
export async function connectSocket(
  options: Pick<ConnectOptions, "host" | "port" | "localAddress" | "timeout" | "signal">,
): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const where = `${options.host} port ${options.port}`;
  const how: TcpNetConnectOpts & { allowHalfOpen: boolean } = {
    host: options.host,
    port: options.port,
    localAddress: options.localAddress,
    allowHalfOpen: true,
    noDelay: true,
  };
  const socket = connect(how);
  const onError = (e: Error) =>
    reject(new ConnectionError("closed", `connect to ${where} failed`, { cause: e }));
  const onAbort = () => reject(new ConnectionError("shutdown", `connect to ${where} given up`));
  const timer = setTimeout(
    () => reject(new ConnectionError("timeout", `connect to ${where} takes too long`)),
    options.timeout ?? 30_000,
  );
  socket.on("connect", resolve);
  socket.on("error", onError);
  options.signal?.addEventListener("abort", onAbort);
  if (options.signal?.aborted) onAbort();
  try {
    await promise;
  } catch (e) {
    socket.on("error", () => {});
    socket.destroy();
    throw e;
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener("abort", onAbort);
    socket.off("connect", resolve);
    socket.off("error", onError);
  }
  return socket;
}
