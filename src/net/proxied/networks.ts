/**
 * Sets of networks.
 *
 * @module
 */
import { networkOf, parseIp } from "../ip.ts";
import { parseNetwork } from "../outbound/user_rule.ts";

/** Networks that an address may be in. */
export class Networks {
  /** By the bits of their prefix and whether they are of IPv4, in CIDR form. */
  readonly #byBits = new Map<string, Set<string>>();

  /** @throws Error naming a text that is no network and no address */
  constructor(networks: readonly string[]) {
    for (const text of networks) {
      const [address, bits] = parseNetwork(text);
      const key = `${address.length} ${bits}`;
      let set = this.#byBits.get(key);
      if (set === undefined) this.#byBits.set(key, set = new Set());
      set.add(networkOf(address, bits));
    }
  }

  /** False for what is no address. */
  has(ip: string): boolean {
    if (this.#byBits.size === 0) return false;
    const bytes = parseIp(ip);
    if (bytes === undefined) return false;
    for (const [key, set] of this.#byBits) {
      const [length, bits] = key.split(" ").map(Number);
      if (bytes.length === length && set.has(networkOf(bytes, bits))) return true;
    }
    return false;
  }
}
