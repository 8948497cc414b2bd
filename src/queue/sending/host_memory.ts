/**
 * Facts about hosts remembered between deliveries: addresses that recently did not answer aren't tried again
 * for a while, and after a failure the next attempt prefers another address.
 *
 * In memory only: after a restart all are tried again.
 *
 * @module
 */

/** Milliseconds during which an unreachable address is not tried. */
const unreachableFor = 60_000;
/** Most addresses and hosts remembered. */
const maxEntries = 100_000;

/** A map that forgets the oldest when it is full. */
class Bounded<V> extends Map<string, V> {
  override set(key: string, value: V): this {
    this.delete(key);
    if (this.size >= maxEntries) this.delete(this.keys().next().value!);
    return super.set(key, value);
  }
}

export class HostMemory {
  readonly #unreachable = new Bounded<{ until: number; text: string }>();
  readonly #last = new Bounded<{ ip: string; failed: boolean }>();
  readonly #now: () => number;
  readonly #random: () => number;

  constructor(now: () => number, random: () => number) {
    this.#now = now;
    this.#random = random;
  }

  /** The connection to an address failed. */
  unreachable(ip: string, port: number, text: string): void {
    this.#unreachable.set(`${ip} ${port}`, { until: this.#now() + unreachableFor, text });
  }

  /** Why an address need not be tried now; undefined if it may be. */
  whyNot(ip: string, port: number): string | undefined {
    const key = `${ip} ${port}`;
    const entry = this.#unreachable.get(key);
    if (!entry) return undefined;
    if (entry.until > this.#now()) return entry.text;
    this.#unreachable.delete(key);
    return undefined;
  }

  /** Notes whether an address of a host worked. */
  used(host: string, ip: string, failed: boolean): void {
    this.#last.set(host, { ip, failed });
  }

  /**
   * The addresses of a host in the order to try them: families take turns, IPv6 first; if the last attempt
   * failed, the other family first and the failed address last. A working address is used again.
   */
  order(host: string, ips: readonly string[]): string[] {
    const shuffled = ips.map((ip) => ({ ip, key: this.#random() })).sort((a, b) => a.key - b.key)
      .map((e) => e.ip);
    const isV6 = (ip: string) => ip.includes(":");
    const last = this.#last.get(host);
    const v6First = last ? isV6(last.ip) !== last.failed : true;
    const families = [
      shuffled.filter((ip) => isV6(ip) === v6First),
      shuffled.filter((ip) => isV6(ip) !== v6First),
    ];
    const turns: string[] = [];
    for (let i = 0; i < shuffled.length; i++) {
      for (const f of families) if (i < f.length) turns.push(f[i]);
    }
    if (!last || !turns.includes(last.ip)) return turns;
    const others = turns.filter((ip) => ip !== last.ip);
    return last.failed ? [...others, last.ip] : [last.ip, ...others];
  }
}
