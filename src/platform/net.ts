/**
 * Listening sockets.
 *
 * @module
 */
import { createServer, type Server, type Socket } from "node:net";
import { isWindows } from "./os.ts";

/** Where to listen. Port 0 takes a free one. */
export interface ListenOptions {
  /** An IP address. "::" also accepts IPv4 connections, where that is the system's default. */
  hostname: string;
  port: number;
  /** A listening socket inherited from the parent process; not on Windows. */
  fd?: number;
  /** Connections that may wait to be accepted. */
  backlog?: number;
  /** What the socket is for, as named in errors, such as "SMTP". */
  service?: string;
}

/** Listening failed; the message says what to do about it. */
export class ListenError extends Error {
  /** `in-use`: another program listens there. `not-permitted`: a low port. `no-address`: not this machine's. */
  readonly reason: "in-use" | "not-permitted" | "no-address" | "other";
  readonly hostname: string;
  readonly port: number;
  constructor(
    reason: ListenError["reason"],
    hostname: string,
    port: number,
    message: string,
    cause: unknown,
  ) {
    super(message, { cause });
    this.name = "ListenError";
    this.reason = reason;
    this.hostname = hostname;
    this.port = port;
  }
}

/** The hosts file that the operating system consults before the DNS. */
export const hostsFile: string = isWindows
  ? "C:\\Windows\\System32\\drivers\\etc\\hosts"
  : "/etc/hosts";

/** An address and port as they are written, an IPv6 address in brackets. */
export function hostPort(hostname: string, port: number): string {
  return hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}

/** Connections that arrived before {@link acceptConnections} was called. */
const early = new WeakMap<Server, Socket[]>();
/** Most early connections of a listener. */
const maxEarly = 512;

/**
 * Listens. Connections are held, unread, until {@link acceptConnections} names their handler: so a server can
 * bind its ports as root and become another user before it reads a byte.
 * @throws ListenError
 */
export async function listenTcp(options: ListenOptions): Promise<Server> {
  const { hostname, port, fd, backlog = 511 } = options;
  if (fd !== undefined && isWindows) {
    throw new ListenError(
      "other",
      hostname,
      port,
      "sockets can't be inherited on Windows: start without them",
      undefined,
    );
  }
  // Half-open: a client may close its sending side after QUIT and still read the answer.
  const server = createServer({ allowHalfOpen: true });
  const waiting: Socket[] = [];
  early.set(server, waiting);
  server.on("connection", (socket) => {
    if (!early.has(server)) return;
    if (waiting.length >= maxEarly) socket.destroy();
    else waiting.push(socket);
    socket.on("error", ignoreError);
  });
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.once("listening", () => {
        server.off("error", reject);
        resolve();
      });
      if (fd !== undefined) server.listen({ fd });
      else server.listen({ host: hostname, port, backlog });
    });
  } catch (err) {
    server.close();
    throw explain(err, options);
  }
  return server;
}

/**
 * Listens on a port of several addresses, on all of them or on none. On most systems "::" also accepts IPv4
 * connections (with a remote address like ::ffff:192.0.2.1), and then "0.0.0.0" needs no server in addition.
 * @throws ListenError
 */
export async function listenEach(
  hostnames: string[],
  options: Omit<ListenOptions, "hostname" | "fd">,
): Promise<Server[]> {
  const servers: Server[] = [];
  // "::" first: if it succeeds, no other program uses 0.0.0.0, and a refusal there is caused by our own "::".
  const ordered = [...new Set(hostnames)].sort((a, b) => Number(b === "::") - Number(a === "::"));
  try {
    for (const hostname of ordered) {
      const port = options.port === 0 && servers.length > 0 ? boundPort(servers[0]) : options.port;
      try {
        servers.push(await listenTcp({ ...options, hostname, port }));
      } catch (err) {
        const covered = hostname === "0.0.0.0" && ordered[0] === "::" &&
          err instanceof ListenError && err.reason === "in-use";
        if (!covered) throw err;
      }
    }
  } catch (err) {
    await Promise.all(servers.map(closeListener));
    throw err;
  }
  return servers;
}

/** Ignores an error of a socket without a handler yet; its 'close' event follows. */
function ignoreError(): void {}

/** Stops listening. Connections without a handler are dropped; resolves when the others have ended too. */
export function closeListener(server: Server): Promise<void> {
  for (const socket of early.get(server) ?? []) socket.destroy();
  early.delete(server);
  return new Promise((resolve) => server.close(() => resolve()));
}

/** Hands the connections of a server from {@link listenTcp} to a handler, waiting ones first. */
export function acceptConnections(server: Server, handler: (socket: Socket) => void): void {
  const waiting = early.get(server) ?? [];
  early.delete(server);
  server.on("connection", handler);
  for (const socket of waiting) if (!socket.destroyed) handler(socket);
}

function explain(err: unknown, options: ListenOptions): ListenError {
  const { hostname, port } = options;
  const code = (err as { code?: string }).code ?? "";
  const what = `listening on ${hostPort(hostname, port)}${
    options.service ? ` for ${options.service}` : ""
  }`;
  if (code === "EADDRINUSE" || err instanceof Deno.errors.AddrInUse) {
    return new ListenError(
      "in-use",
      hostname,
      port,
      `${what}: another program already listens there; stop it, or give another IP or port in the listener`,
      err,
    );
  }
  if (code === "EACCES" || code === "EPERM" || err instanceof Deno.errors.PermissionDenied) {
    return new ListenError(
      "not-permitted",
      hostname,
      port,
      `${what}: not permitted; ports below 1024 need a start as root, or the capability CAP_NET_BIND_SERVICE`,
      err,
    );
  }
  // The runtime reports EINVAL for an address that is not this machine's.
  if (["EADDRNOTAVAIL", "EAFNOSUPPORT", "EINVAL"].includes(code)) {
    return new ListenError(
      "no-address",
      hostname,
      port,
      `${what}: this machine has no such address; correct IPs of the listener, or configure the network first`,
      err,
    );
  }
  return new ListenError(
    "other",
    hostname,
    port,
    `${what}: ${err instanceof Error ? err.message : String(err)}`,
    err,
  );
}

/** Port of a listening server. */
export function boundPort(server: Server): number {
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

/**
 * Sockets handed over by the service manager (systemd's LISTEN_FDS protocol): descriptors from 3 on, with their
 * names. Empty if there are none, and on Windows.
 */
export function inheritedSockets(
  environment: (name: string) => string | undefined,
  pid: number,
): { fd: number; name: string }[] {
  if (isWindows || environment("LISTEN_PID") !== String(pid)) return [];
  const count = Number(environment("LISTEN_FDS") ?? "0");
  if (!Number.isInteger(count) || count < 0 || count > 1000) return [];
  const names = (environment("LISTEN_FDNAMES") ?? "").split(":");
  return Array.from({ length: count }, (_, i) => ({ fd: 3 + i, name: names[i] ?? "" }));
}

/** True if IPv6 loopback can be listened on. */
export async function hasIpv6Loopback(): Promise<boolean> {
  try {
    const server = await listenTcp({ hostname: "::1", port: 0 });
    await closeListener(server);
    return true;
  } catch {
    return false;
  }
}

/** Addresses of this machine's interfaces, without loopback and link-local ones. */
export function machineAddresses(): string[] {
  const addresses = Deno.networkInterfaces().map((i) => i.address);
  return [...new Set(addresses)].filter((a) => !/^(?:127\.|169\.254\.|::1$|fe80:)/i.test(a));
}
