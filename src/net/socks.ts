/**
 * Connecting through a SOCKS5 proxy (RFC 1928, RFC 1929), for the queue's socks transport.
 *
 * @module
 */
import { type ConnectOptions, connectTcp } from "./connect.ts";
import type { SocketConnection } from "./connection.ts";
import { ipText, parseIp } from "./ip.ts";
import { ConnectionError } from "./types.ts";

/** The target, reached through the proxy at `host` and `port`. */
export interface SocksOptions extends ConnectOptions {
  /** A host name is resolved by the proxy. */
  targetHost: string;
  targetPort: number;
  username?: string;
  password?: string;
}

const encoder = new TextEncoder();

const replies = [
  "",
  "general failure",
  "not allowed by its rules",
  "network unreachable",
  "host unreachable",
  "connection refused",
  "TTL expired",
  "command not supported",
  "address type not supported",
];

/** A connection to the target through the proxy; `remoteIp` stays the proxy's. */
export async function connectSocks(options: SocksOptions): Promise<SocketConnection> {
  const conn = await connectTcp(options);
  const timeouts = { read: conn.readTimeout, write: conn.writeTimeout };
  conn.readTimeout = conn.writeTimeout = options.timeout ?? 30_000;
  try {
    await negotiate(conn, options);
  } catch (e) {
    conn.destroy();
    throw e;
  }
  conn.readTimeout = timeouts.read;
  conn.writeTimeout = timeouts.write;
  return conn;
}

async function negotiate(conn: SocketConnection, options: SocksOptions): Promise<void> {
  const withPassword = options.username !== undefined;
  conn.write(withPassword ? Uint8Array.of(5, 2, 0, 2) : Uint8Array.of(5, 1, 0));
  await conn.flush();
  const [version, method] = await readExactly(conn, 2);
  if (version !== 5) throw new ConnectionError("closed", "socks: not a SOCKS5 proxy");
  if (method === 2 && withPassword) {
    const user = encoder.encode(options.username);
    const password = encoder.encode(options.password ?? "");
    if (user.length > 255 || password.length > 255 || user.length === 0) {
      throw new ConnectionError("closed", "socks: name or password too long");
    }
    conn.write(Uint8Array.of(1, user.length, ...user, password.length, ...password));
    await conn.flush();
    const [, status] = await readExactly(conn, 2);
    if (status !== 0) throw new ConnectionError("closed", "socks: proxy refused the password");
  } else if (method !== 0) {
    throw new ConnectionError("closed", "socks: no common authentication method");
  }

  const ip = parseIp(options.targetHost);
  const name = ip === undefined ? encoder.encode(options.targetHost) : undefined;
  if (name !== undefined && (name.length === 0 || name.length > 255)) {
    throw new ConnectionError("closed", "socks: host name too long");
  }
  const address = ip === undefined ? [3, name!.length, ...name!] : [ip.length === 4 ? 1 : 4, ...ip];
  conn.write(
    Uint8Array.of(5, 1, 0, ...address, options.targetPort >> 8, options.targetPort & 255),
  );
  await conn.flush();
  const [, reply, , kind] = await readExactly(conn, 4);
  if (reply !== 0) {
    const where = `${ip === undefined ? options.targetHost : ipText(ip)}:${options.targetPort}`;
    throw new ConnectionError(
      "closed",
      `socks: connect to ${where}: ${replies[reply] ?? `reply ${reply}`}`,
    );
  }
  // The address that the proxy is bound to; unused here.
  const length = kind === 1 ? 4 : kind === 4 ? 16 : (await readExactly(conn, 1))[0];
  await readExactly(conn, length + 2);
}

async function readExactly(conn: SocketConnection, n: number): Promise<Uint8Array> {
  const out = new Uint8Array(n);
  let have = 0;
  while (have < n) {
    const part = await conn.readSome(n - have);
    out.set(part, have);
    have += part.length;
  }
  return out;
}
