/**
 * Sets of networks.
 *
 * @module
 */
import { networkOf, parseIp } from "../ip.ts";
import { parseNetwork } from "../outbound/user_rule.ts";

/** Networks to match addresses against. */
export class Networks {
  /** By prefix length and IP version, in CIDR form. */
  readonly #byBits = new Map<string, Set<string>>();

  /** @throws Error naming a text that is neither a network nor an address */
  constructor(networks: readonly string[]) {
    for (const text of networks) {
      const [address, bits] = parseNetwork(text);
      const key = `${address.length} ${bits}`;
      let set = this.#byBits.get(key);
      if (set === undefined) this.#byBits.set(key, set = new Set());
      set.add(networkOf(address, bits));
    }
  }

  /** False for anything but an address. */
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
