/**
 * Connections to other nodes that are kept for the next use, as proving the keys costs more than a message.
 * Each is used by one caller at a time. It may have died meanwhile without a sign: whoever takes it must be
 * able to begin again on a new one.
 *
 * @module
 */
import type { SocketConnection } from "../net/mod.ts";
import type { NodeKey } from "./key.ts";
import { connectNode, type NodePlace, type Purpose } from "./link.ts";

/** Connections to one place of a node that wait for their next use; more are closed. */
const maxIdle = 16;
/** Milliseconds that a connection waits for its next use. The other side waits longer before it closes it. */
const defaultIdleTime = 30_000;
/** Milliseconds for a read that ends only with the connection. */
const forever = 2 ** 31 - 1;

/** A connection in use. */
export interface KeptLink {
  conn: SocketConnection;
  /** The next line from the other side. While the connection is idle nothing but its end arrives. */
  next: Promise<Uint8Array>;
}

interface IdleLink extends KeptLink {
  timer: ReturnType<typeof setTimeout>;
}

/** Connections for one purpose. */
export class KeptLinks {
  readonly #key: NodeKey;
  readonly #purpose: Purpose;
  readonly #maxLine: number;
  readonly #idleTime: number;
  readonly #idle = new Map<string, IdleLink[]>();
  #closed = false;

  /**
   * @param maxLine bytes of a line from the other side
   * @param idleTime milliseconds that a connection waits for its next use
   */
  constructor(key: NodeKey, purpose: Purpose, maxLine: number, idleTime = defaultIdleTime) {
    this.#key = key;
    this.#purpose = purpose;
    this.#maxLine = maxLine;
    this.#idleTime = idleTime;
  }

  /** Connections that wait for their next use. */
  get idle(): number {
    return this.#idle.values().reduce((sum, links) => sum + links.length, 0);
  }

  /** A connection that was kept; undefined if there is none. */
  take(name: string, place: NodePlace): KeptLink | undefined {
    const link = this.#idle.get(placeText(name, place))?.pop();
    clearTimeout(link?.timer);
    return link;
  }

  /** A new connection. @throws NodeAway */
  async make(name: string, place: NodePlace): Promise<KeptLink> {
    const conn = await connectNode(this.#key, name, place, this.#purpose);
    return { conn, next: this.#next(conn) };
  }

  /** Keeps a connection on which everything that was asked has been answered. */
  keep(name: string, place: NodePlace, conn: SocketConnection): void {
    // With another address or key in domains.conf it is not used again.
    const text = placeText(name, place);
    let links = this.#idle.get(text);
    if (links === undefined) this.#idle.set(text, links = []);
    if (this.#closed || conn.closed || links.length >= maxIdle) return conn.destroy();
    const all = links;
    const forget = () => {
      const at = all.indexOf(link);
      // It is in use.
      if (at < 0) return;
      all.splice(at, 1);
      clearTimeout(link.timer);
      conn.destroy();
    };
    const timer = setTimeout(forget, this.#idleTime);
    Deno.unrefTimer(timer as unknown as number);
    const link: IdleLink = { conn, next: this.#next(conn), timer };
    all.push(link);
    link.next.then(forget, forget);
  }

  /** Closes those that wait, and keeps no more. */
  close(): void {
    this.#closed = true;
    for (const links of this.#idle.values()) {
      for (const { conn, timer } of links.splice(0)) {
        clearTimeout(timer);
        conn.destroy();
      }
    }
  }

  #next(conn: SocketConnection): Promise<Uint8Array> {
    conn.readTimeout = forever;
    const next = conn.readLine(this.#maxLine);
    next.catch(() => {});
    return next;
  }
}

function placeText(name: string, { Address, Port, Key, Standby }: NodePlace): string {
  return JSON.stringify([name, Address, Port, Key, Standby]);
}
