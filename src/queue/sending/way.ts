/** How connections to other servers are made: from which address, or through which proxy. @module */
import type { Log } from "../../log/mod.ts";
import { type AddressRule, type Connection, connectSocks, connectTcp } from "../../net/mod.ts";
import { SmtpClientError } from "../../smtp/client/mod.ts";

/** An address of this server for outgoing connections. */
export interface SourceAddress {
  ip: string;
  /** Name of the listener, used in EHLO. */
  hostname: string;
}

/** A way to connect. */
export interface Way {
  /** Name of the transport, "" without one; sessions of different ways are not mixed. */
  name: string;
  /** Whether an address can be connected to. */
  allows(ip: string): boolean;
  /** @throws ConnectionError */
  connect(ip: string, port: number, signal: AbortSignal): Promise<WayConnection>;
}

/** An established connection. */
export interface WayConnection {
  connection: Connection;
  /** This server's name on it. */
  hostname: string;
  /** The address that the other server sees. */
  localIp: string;
}

/** What ways need. */
export interface WayOptions {
  log: Log;
  hostname: string;
  /** Addresses to connect from; for a family without any, the system chooses. */
  sources: readonly SourceAddress[];
  connectTimeout: number | undefined;
  /** Which addresses mail may be sent to. */
  rule?: AddressRule;
  random(): number;
}

const isV6 = (ip: string) => ip.includes(":");
/** There is no connection between such an address and a public one. */
const isLocal = (ip: string) => ip.startsWith("127.") || ip === "::1";

/** Directly from this machine. */
export function directWay(
  options: WayOptions,
  name = "",
  disabled: { v4?: boolean; v6?: boolean } = {},
): Way {
  return {
    name,
    allows: (ip) => !(isV6(ip) ? disabled.v6 : disabled.v4) && options.rule?.(ip) === undefined,
    async connect(ip, port, signal) {
      const fitting = options.sources.filter((s) =>
        isV6(s.ip) === isV6(ip) && isLocal(s.ip) === isLocal(ip)
      );
      const source = fitting[Math.floor(options.random() * fitting.length)];
      const connection = await connectTcp({
        host: ip,
        port,
        localAddress: source?.ip,
        timeout: options.connectTimeout,
        signal,
        log: options.log,
      });
      return {
        connection,
        hostname: source?.hostname ?? options.hostname,
        localIp: connection.localIp,
      };
    },
  };
}

/** Through a SOCKS5 proxy. */
export function socksWay(
  options: WayOptions,
  name: string,
  proxy: { host: string; port: number; remoteIps: readonly string[]; remoteHostname: string },
): Way {
  return {
    name,
    // The proxy connects only from these addresses.
    allows: (ip) => proxy.remoteIps.some((r) => isV6(r) === isV6(ip)),
    async connect(ip, port, signal) {
      const connection = await connectSocks({
        host: proxy.host,
        port: proxy.port,
        targetHost: ip,
        targetPort: port,
        timeout: options.connectTimeout,
        signal,
        log: options.log,
      });
      const localIp = proxy.remoteIps.find((r) => isV6(r) === isV6(ip)) ?? "";
      return { connection, hostname: proxy.remoteHostname, localIp };
    },
  };
}

/** Connects. @throws SmtpClientError of phase connect */
export async function connectBy(
  way: Way,
  ip: string,
  port: number,
  signal: AbortSignal,
): Promise<WayConnection> {
  try {
    return await way.connect(ip, port, signal);
  } catch (err) {
    const cause = err as Error;
    const text = cause.cause instanceof Error
      ? `${cause.message}: ${cause.cause.message}`
      : cause.message;
    throw new SmtpClientError(
      { kind: "network", phase: "connect", code: 451, enhanced: "4.4.1", text },
      { cause },
    );
  }
}
