/**
 * The listening sockets of a server, all bound before anything else happens: as root, ports below 1024
 * are available; and a port that is in use aborts the start before any data is touched.
 *
 * Early connections wait, unread, until their service takes its socket.
 *
 * @module
 */
import type { Server } from "node:net";
import { type Listener, portUses, type Static } from "../config/mod.ts";
import { closeListener, hostPort, ListenError, listenTcp } from "../platform/net.ts";

/** Connections that may wait to be accepted, per socket. */
const backlog = 1024;

/** Ports that a listener needs, each with its purpose. */
export function listenerPorts(listener: Listener, s: Static): Map<number, string> {
  const ports = new Map<number, string>();
  for (const [port, uses] of portUses(listener)) ports.set(port, uses[0].protocol);
  const onHttps = listener.IMAPS.EnabledOnHTTPS || listener.Submissions.EnabledOnHTTPS;
  if (onHttps && !ports.has(443)) ports.set(443, "HTTPS");
  const acme = listener.TLS ? s.ACME.get(listener.TLS.ACME) : undefined;
  if (acme) {
    // Where the authority checks its challenges (RFC 8737 §3, RFC 8555 §8.3).
    if (!ports.has(acme.Port)) ports.set(acme.Port, "HTTPS");
    if (!ports.has(80)) ports.set(80, "HTTP");
  }
  return ports;
}

/** Bound sockets by address, until the services take them. */
export class Sockets {
  readonly #bound = new Map<string, Server>();
  readonly #covered = new Set<Listener>();

  /**
   * Binds all sockets that the listeners of a configuration need, or none.
   * @throws ListenError with the address, and what to do
   */
  static async bind(s: Static): Promise<Sockets> {
    const sockets = new Sockets();
    try {
      for (const l of s.Listeners.values()) await sockets.#bindListener(l, s);
    } catch (err) {
      await sockets.close();
      throw err;
    }
    return sockets;
  }

  async #bindListener(listener: Listener, s: Static): Promise<void> {
    // "::" first: if it can be bound, no other program has 0.0.0.0, and a refusal there is due to it.
    const ips = [...listener.IPs].sort((a, b) => Number(b === "::") - Number(a === "::"));
    for (const ip of ips) {
      for (const [port, service] of listenerPorts(listener, s)) {
        try {
          await this.#bind(ip, port, service);
        } catch (err) {
          const covered = ip === "0.0.0.0" && ips[0] === "::" && err instanceof ListenError &&
            err.reason === "in-use";
          if (!covered) throw err;
          this.#covered.add(listener);
        }
      }
    }
  }

  async #bind(ip: string, port: number, service: string): Promise<void> {
    const server = await listenTcp({ hostname: ip, port, service, backlog });
    this.#bound.set(hostPort(ip, port), server);
  }

  /** Addresses that a listener serves: without 0.0.0.0 if "::" accepts its connections too. */
  ips(listener: Listener): string[] {
    return this.#covered.has(listener)
      ? listener.IPs.filter((ip) => ip !== "0.0.0.0")
      : listener.IPs;
  }

  /**
   * The socket of an address, handed to the service that accepts from it. Bound now if it
   * was not bound before.
   * @throws ListenError
   */
  async take(ip: string, port: number, service: string): Promise<Server> {
    const key = hostPort(ip, port);
    const server = this.#bound.get(key);
    this.#bound.delete(key);
    return server ?? await listenTcp({ hostname: ip, port, service, backlog });
  }

  /** Closes those that nobody took. */
  async close(): Promise<void> {
    const rest = [...this.#bound.values()];
    this.#bound.clear();
    await Promise.all(rest.map(closeListener));
  }
}
