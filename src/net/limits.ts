/**
 * Limits per IP network: how many connections are open, how often something may happen, how many
 * failed logins are tolerated. Each address is counted in three networks (see networksOf), so that
 * one who owns many addresses doesn't get many allowances.
 *
 * Memory is bounded: what ran out of its window is forgotten, and so is the oldest when there is
 * too much.
 *
 * @module
 */
import { type AuthService, countAuthenticationLimited } from "../metrics/authentication.ts";
import { isLoopbackIp, networksOf } from "./ip.ts";

/** Allowances for the narrow, middle and wide network of an address. */
export type NetworkLimits = readonly [number, number, number];

/** An allowance per window of time. */
export interface RateWindow {
  /** Milliseconds. */
  window: number;
  limits: NetworkLimits;
}

/** New connections of one protocol, per minute. */
export const connectionRate: readonly RateWindow[] = [
  { window: 60_000, limits: [300, 900, 2700] },
];

/** Connections of one protocol that are open at a time. */
export const openConnectionLimits: NetworkLimits = [30, 90, 270];

/** Options that all limiters share. */
export interface LimiterOptions {
  /** Addresses of this machine are never limited (localserve). */
  exemptLoopback?: boolean;
  /** Milliseconds since the epoch; for tests. */
  now?: () => number;
}

const maxNetworks = 100_000;

interface Slot {
  /** Number of the window that the count is of. */
  index: number;
  count: number;
}

/** Counts events per network in windows of time. */
export class RateLimiter {
  readonly #windows: readonly RateWindow[];
  readonly #slots: Map<string, Slot>[];
  readonly #now: () => number;
  readonly #exemptLoopback: boolean;

  constructor(windows: readonly RateWindow[], options: LimiterOptions = {}) {
    this.#windows = windows;
    this.#slots = windows.map(() => new Map());
    this.#now = options.now ?? Date.now;
    this.#exemptLoopback = options.exemptLoopback === true;
  }

  /** True if so many more events would be allowed. */
  allows(ip: string, n = 1): boolean {
    return this.#check(ip, n, false);
  }

  /** Counts the events if they are allowed; false, and nothing counted, if not. */
  take(ip: string, n = 1): boolean {
    return this.#check(ip, n, true);
  }

  /** Forgets what was counted for the address, e.g. after a successful login. */
  reset(ip: string): void {
    const networks = networksOf(ip);
    for (let w = 0; w < this.#windows.length; w++) {
      const own = this.#slots[w].get(networks[0]);
      const index = this.#index(w);
      if (own === undefined || own.index !== index) continue;
      for (const net of networks) {
        const slot = this.#slots[w].get(net);
        if (slot?.index === index) slot.count = Math.max(0, slot.count - own.count);
      }
      this.#slots[w].delete(networks[0]);
    }
  }

  #index(w: number): number {
    return Math.floor(this.#now() / this.#windows[w].window);
  }

  #check(ip: string, n: number, count: boolean): boolean {
    if (this.#exemptLoopback && isLoopbackIp(ip)) return true;
    const networks = networksOf(ip);
    for (let w = 0; w < this.#windows.length; w++) {
      const index = this.#index(w);
      for (let i = 0; i < networks.length; i++) {
        const slot = this.#slots[w].get(networks[i]);
        const used = slot?.index === index ? slot.count : 0;
        if (used + n > this.#windows[w].limits[i]) return false;
      }
    }
    if (count) { for (let w = 0; w < this.#windows.length; w++) this.#count(w, networks, n); }
    return true;
  }

  #count(w: number, networks: readonly string[], n: number): void {
    const index = this.#index(w);
    const slots = this.#slots[w];
    for (const net of new Set(networks)) {
      const slot = slots.get(net);
      if (slot?.index === index) {
        slot.count += n;
        continue;
      }
      // Taken out and put in again: the map stays in order of age, oldest first.
      slots.delete(net);
      slots.set(net, { index, count: n });
    }
    for (const [net, slot] of slots) {
      if (slot.index === index && slots.size <= maxNetworks) break;
      slots.delete(net);
    }
  }
}

/** Counts connections that are open at a time. */
export class ConnectionLimiter {
  readonly #limits: NetworkLimits;
  readonly #open = new Map<string, number>();
  readonly #exemptLoopback: boolean;

  constructor(limits: NetworkLimits, options: LimiterOptions = {}) {
    this.#limits = limits;
    this.#exemptLoopback = options.exemptLoopback === true;
  }

  /** Counts a connection in; false if one of its networks has too many already. */
  add(ip: string): boolean {
    if (this.#exemptLoopback && isLoopbackIp(ip)) return true;
    const networks = networksOf(ip);
    for (let i = 0; i < networks.length; i++) {
      if ((this.#open.get(networks[i]) ?? 0) >= this.#limits[i]) return false;
    }
    for (const net of new Set(networks)) this.#open.set(net, (this.#open.get(net) ?? 0) + 1);
    return true;
  }

  /** Counts a connection out that {@link add} counted in. */
  remove(ip: string): void {
    if (this.#exemptLoopback && isLoopbackIp(ip)) return;
    for (const net of new Set(networksOf(ip))) {
      const n = (this.#open.get(net) ?? 0) - 1;
      if (n > 0) this.#open.set(net, n);
      else this.#open.delete(net);
    }
  }
}

/** The allowance of failed logins: 10 a minute and 50 a day for one address, more for wider networks. */
export const failedAuthWindows: readonly RateWindow[] = [
  { window: 60_000, limits: [10, 30, 90] },
  { window: 86_400_000, limits: [50, 150, 450] },
];

/** An attempt to log in, as the protocols know it. */
export interface AuthAttempt {
  service: AuthService;
  /** Such as "plain". */
  mechanism: string;
  /** "ok", or why not. */
  result: string;
  /** As it was typed. */
  login: string;
  remoteIp: string;
  /** What the program says that it is; "" if it says nothing. */
  client: string;
}

/** Keeps passwords from being guessed: a network with too many failed logins must wait. */
export class FailedAuthLimiter {
  readonly #limiter: RateLimiter;
  /** Is told of attempts. */
  onAttempt: ((a: AuthAttempt) => void) | undefined;

  constructor(options: LimiterOptions & { windows?: readonly RateWindow[] } = {}) {
    this.#limiter = new RateLimiter(options.windows ?? failedAuthWindows, options);
  }

  /** True if a login may be tried now; refusals are counted in a metric. */
  mayTry(ip: string, service: AuthService): boolean {
    if (this.#limiter.allows(ip)) return true;
    countAuthenticationLimited(service);
    return false;
  }

  /** Tells of an attempt, whatever its end. */
  attempted(a: AuthAttempt): void {
    this.onAttempt?.(a);
  }

  /** Notes a failed login. */
  failed(ip: string): void {
    this.#limiter.take(ip);
  }

  /** Notes a successful login: the address starts afresh. */
  succeeded(ip: string): void {
    this.#limiter.reset(ip);
  }
}
