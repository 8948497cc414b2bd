/**
 * Limits per IP network: open connections, and how often something may happen (login_guard.ts adds more for
 * logins). Each address is counted in three networks (see networksOf), so that an owner of many addresses
 * doesn't get many allowances.
 *
 * Memory is bounded: unused entries are forgotten, and so are the oldest if there are too many.
 *
 * @module
 */
import { isLoopbackIp, networksOf } from "./ip.ts";

/** Allowances for the narrow, middle and wide network of an address. */
export type NetworkLimits = readonly [number, number, number];

/** An allowance that refills completely within a time window. */
export interface RateWindow {
  /** Milliseconds. */
  window: number;
  limits: NetworkLimits;
}

/** New connections of one protocol, per minute. */
export const connectionRate: readonly RateWindow[] = [
  { window: 60_000, limits: [300, 900, 2700] },
];

/** Most open connections of one protocol. */
export const openConnectionLimits: NetworkLimits = [30, 90, 270];

/** Options that all limiters share. */
export interface LimiterOptions {
  /** Addresses of this machine are never limited (localserve). */
  exemptLoopback?: boolean;
  /** Milliseconds since the epoch; for tests. */
  now?: () => number;
}

/** Most entries remembered per window; the oldest are forgotten first. */
const maxKept = 100_000;

/**
 * Allowances that refill steadily (the generic cell rate algorithm): a full allowance may be used in one go,
 * and then refills over time. Nothing depends on where a minute or a day begins.
 */
export class SlidingAllowance {
  /** When the allowance will be full again, by key; in order of last use. */
  readonly #full = new Map<string, number>();
  /** Milliseconds in which an empty allowance becomes full. */
  readonly #window: number;

  constructor(window: number) {
    this.#window = window;
  }

  /** Milliseconds until `n` of an allowance of `limit` can be used; 0 if they can now, Infinity if never. */
  wait(key: string, limit: number, n: number, now: number): number {
    if (n > limit) return Infinity;
    const each = this.#window / limit;
    const left = Math.max(0, (this.#full.get(key) ?? 0) - now);
    return Math.max(0, Math.ceil(left + n * each - this.#window - 1e-6));
  }

  /** How much of an allowance of `limit` is used now; a fraction while one refills. */
  used(key: string, limit: number, now: number): number {
    return Math.max(0, (this.#full.get(key) ?? 0) - now) / (this.#window / limit);
  }

  /** Uses `n`; a negative number gives back. */
  use(key: string, limit: number, n: number, now: number): void {
    const before = Math.max(now, this.#full.get(key) ?? 0);
    const full = before + n * (this.#window / limit);
    // Removed and inserted again to keep the map in order of use.
    this.#full.delete(key);
    if (full > now) this.#full.set(key, full);
    for (const [k, until] of this.#full) {
      if (until > now && this.#full.size <= maxKept) break;
      this.#full.delete(k);
    }
  }
}

/** Counts events per network. Each window's limit may be used in one go, and refills over its window. */
export class RateLimiter {
  readonly #windows: readonly { limits: NetworkLimits; allowance: SlidingAllowance }[];
  readonly #now: () => number;
  readonly #exemptLoopback: boolean;

  constructor(windows: readonly RateWindow[], options: LimiterOptions = {}) {
    this.#windows = windows.map((window) => ({
      limits: window.limits,
      allowance: new SlidingAllowance(window.window),
    }));
    this.#now = options.now ?? Date.now;
    this.#exemptLoopback = options.exemptLoopback === true;
  }

  /** True if `n` more events would be allowed. */
  allows(ip: string, n = 1): boolean {
    if (this.#exemptLoopback && isLoopbackIp(ip)) return true;
    const now = this.#now();
    const networks = networksOf(ip);
    return this.#windows.every(({ limits, allowance }) =>
      networks.every((net, i) => allowance.wait(net, limits[i], n, now) === 0)
    );
  }

  /** Counts the events if they are allowed; false, and nothing counted, if not. */
  take(ip: string, n = 1): boolean {
    if (this.#exemptLoopback && isLoopbackIp(ip)) return true;
    if (!this.allows(ip, n)) return false;
    const now = this.#now();
    const networks = networksOf(ip);
    for (const { limits, allowance } of this.#windows) {
      // Anything but an address counts as one network.
      for (const [i, net] of networks.entries()) {
        if (networks.indexOf(net) === i) allowance.use(net, limits[i], n, now);
      }
    }
    return true;
  }
}

/** Counts open connections. */
export class ConnectionLimiter {
  readonly #limits: NetworkLimits;
  readonly #open = new Map<string, number>();
  readonly #exemptLoopback: boolean;

  constructor(limits: NetworkLimits, options: LimiterOptions = {}) {
    this.#limits = limits;
    this.#exemptLoopback = options.exemptLoopback === true;
  }

  /** Counts a new connection; false if one of its networks already has too many. */
  add(ip: string): boolean {
    if (this.#exemptLoopback && isLoopbackIp(ip)) return true;
    const networks = networksOf(ip);
    for (let i = 0; i < networks.length; i++) {
      if ((this.#open.get(networks[i]) ?? 0) >= this.#limits[i]) return false;
    }
    for (const net of new Set(networks)) this.#open.set(net, (this.#open.get(net) ?? 0) + 1);
    return true;
  }

  /** Uncounts a connection that {@link add} has counted. */
  remove(ip: string): void {
    if (this.#exemptLoopback && isLoopbackIp(ip)) return;
    for (const net of new Set(networksOf(ip))) {
      const n = (this.#open.get(net) ?? 0) - 1;
      if (n > 0) this.#open.set(net, n);
      else this.#open.delete(net);
    }
  }
}
