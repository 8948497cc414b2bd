/**
 * Who has connected: the other end of the socket, or the client that a trusted proxy names.
 *
 * @module
 */
import type { Socket } from "node:net";
import { canonicalIp } from "../ip.ts";
import { ConnectionError, type Peer, type TlsInfo } from "../types.ts";
import type { Networks } from "./networks.ts";
import { type ProxyHeader, readProxyHeader } from "./header.ts";

/** Proxies in front of a listener. */
export interface TrustedProxies {
  readonly networks: Networks;
  /**
   * Whether their connections begin with a PROXY header: always ("required"), if the first bytes are one
   * ("detected", for protocols in which the client speaks first), or never.
   */
  readonly header: "required" | "detected" | "never";
}

/** A connection with the facts about its client. */
export interface Arrival {
  readonly peer: Peer;
  /** TLS between client and proxy, terminated there. */
  readonly tls?: TlsInfo;
  /** Address of the proxy that has named the client by a PROXY header. */
  readonly via?: string;
  /** The other end is a trusted proxy that has not named a client yet, but may do so within the protocol. */
  readonly fromProxy: boolean;
  /** The listener's proxies, for protocols in which each request names its client. */
  readonly proxies?: TrustedProxies;
  /**
   * From now on the proxy acts for this client, which is counted in its place.
   * @returns false if the client's networks have too many connections
   */
  named(ip: string): boolean;
}

/** Milliseconds for a PROXY header; it is the first thing that a proxy sends. */
export const headerTimeout = 10_000;

/** The ends of the socket itself. */
export function peerOf(socket: Socket): Peer {
  return {
    remoteIp: canonicalIp(socket.remoteAddress ?? ""),
    remotePort: socket.remotePort ?? 0,
    localIp: canonicalIp(socket.localAddress ?? ""),
    localPort: socket.localPort ?? 0,
  };
}

/** The ends that a header names; those of the socket if it names none. */
export function peerThrough(header: ProxyHeader | undefined, direct: Peer): Peer {
  if (header?.client === undefined || header.destination === undefined) return direct;
  return {
    remoteIp: header.client.ip,
    remotePort: header.client.port,
    localIp: header.destination.ip,
    localPort: header.destination.port,
  };
}

/** TLS between client and proxy. Nothing can be bound to it here, as the proxy's certificate is unknown. */
export function tlsThrough(header: ProxyHeader | undefined): TlsInfo | undefined {
  if (header?.tls === undefined) return undefined;
  return {
    version: header.tls.version,
    cipher: header.tls.cipher,
    serverName: header.authority,
    alpn: header.alpn,
    channelBindings: new Map(),
  };
}

/**
 * Reads the header from a socket that nobody else reads yet; bytes after it stay for the next reader.
 * @returns undefined if it is not required and something else comes first
 * @throws ConnectionError "timeout" and "closed"; ProxyHeaderError
 */
export async function takeHeader(
  socket: Socket,
  required: boolean,
  timeout = headerTimeout,
): Promise<ProxyHeader | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<ProxyHeader | undefined>();
  let bytes: Uint8Array = new Uint8Array(0);
  let rest = bytes;
  const onData = (chunk: Uint8Array) => {
    const joined = new Uint8Array(bytes.length + chunk.length);
    joined.set(bytes);
    joined.set(chunk, bytes.length);
    rest = bytes = joined;
    try {
      const read = readProxyHeader(bytes);
      if (read === "more") return;
      socket.pause();
      if (read === "none") {
        if (!required) return resolve(undefined);
        throw new ConnectionError("closed", "a trusted proxy sent no PROXY header");
      }
      rest = bytes.subarray(read.length);
      resolve(read.header);
    } catch (err) {
      reject(err as Error);
    }
  };
  const onEnd = () => reject(new ConnectionError("closed", "connection ended before its header"));
  const timer = setTimeout(
    () => reject(new ConnectionError("timeout", "a trusted proxy sends no PROXY header")),
    timeout,
  );
  const ends = ["end", "close", "error"];
  socket.on("data", onData);
  for (const event of ends) socket.on(event, onEnd);
  socket.resume();
  try {
    const header = await promise;
    return header;
  } finally {
    clearTimeout(timer);
    socket.off("data", onData);
    for (const event of ends) socket.off(event, onEnd);
    socket.pause();
    if (rest.length > 0 && !socket.destroyed) socket.unshift(rest);
  }
}
