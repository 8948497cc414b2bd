/**
 * Connections to other servers.
 *
 * @module
 */
import { connect, type Socket } from "node:net";
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
  /** Milliseconds to establish the connection, 30 s if not given. */
  timeout?: number;
  /** Gives up when it aborts. */
  signal?: AbortSignal;
  log?: Log;
  /** Id of the connection that this one is made for; a new one if not given. */
  cid?: number;
  /** Milliseconds for single reads and flushes, see ConnectionOptions. */
  readTimeout?: number;
  writeTimeout?: number;
}

/** Opens a TCP connection. Fails with a ConnectionError "timeout" or "closed", with its cause. */
export async function connectTcp(options: ConnectOptions): Promise<SocketConnection> {
  return new SocketConnection(await connectSocket(options), {
    cid: options.cid ?? newCid(),
    log: options.log ?? new Log("net"),
    readTimeout: options.readTimeout,
    writeTimeout: options.writeTimeout,
  });
}

/** A Unix socket on this machine. */
export interface UnixOptions extends Pick<ConnectOptions, "timeout" | "signal"> {
  path: string;
}

/** Like {@link connectTcp}, but returns the socket itself; also for Unix sockets. */
export async function connectSocket(
  options:
    | Pick<ConnectOptions, "host" | "port" | "localAddress" | "timeout" | "signal">
    | UnixOptions,
): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const unix = "path" in options;
  const where = unix ? options.path : `${options.host} port ${options.port}`;
  const socket = connect({
    ...(unix ? { path: options.path } : {
      host: options.host,
      port: options.port,
      localAddress: options.localAddress,
      noDelay: true,
    }),
    allowHalfOpen: true,
  });
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
