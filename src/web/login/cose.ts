/**
 * Public keys as authenticators give them (COSE keys in CBOR: RFC 9052 §7, RFC 9053, RFC 8230; W3C Web Authentication
 * §6.5.1): as far as the algorithms that are taken need it.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createPublicKey, type KeyObject } from "node:crypto";

type Value = number | string | Uint8Array | Map<number | string, Value>;

/** Levels of maps in a key (a valid one has a single level), and entries of each. */
const maxDepth = 2;
const maxEntries = 20;

class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  #take(n: number): Uint8Array {
    if (this.#at + n > this.#bytes.length) throw new Error("key is cut off");
    return this.#bytes.subarray(this.#at, this.#at += n);
  }

  /** RFC 8949 §3: the first byte of an item and its argument. */
  #head(): [major: number, argument: number] {
    const [first] = this.#take(1);
    const low = first & 31;
    if (low < 24) return [first >> 5, low];
    if (low > 26) throw new Error("key has lengths that no key has");
    const bytes = this.#take(1 << (low - 24));
    return [first >> 5, bytes.reduce((n, b) => n * 256 + b, 0)];
  }

  value(depth = 0): Value {
    const [major, n] = this.#head();
    switch (major) {
      case 0:
        return n;
      case 1:
        return -1 - n;
      case 2:
        return this.#take(n);
      case 3:
        return new TextDecoder().decode(this.#take(n));
      case 5: {
        if (depth >= maxDepth || n > maxEntries) throw new Error("key has too much in it");
        const map = new Map<number | string, Value>();
        for (let i = 0; i < n; i++) {
          const key = this.value(depth + 1);
          if (typeof key !== "number" && typeof key !== "string") throw new Error("name expected");
          map.set(key, this.value(depth + 1));
        }
        return map;
      }
      default:
        throw new Error("key has values of other kinds");
    }
  }
}

/**
 * The key at the start of the bytes, and its algorithm.
 * @throws Error if it can't be used
 */
export function coseKey(bytes: Uint8Array): { key: KeyObject; algorithm: number } {
  const map = new Reader(bytes).value();
  if (!(map instanceof Map)) throw new Error("key is no map");
  const text = (label: number): string => {
    const v = map.get(label);
    if (!(v instanceof Uint8Array)) throw new Error("key lacks a number");
    return Buffer.from(v).toString("base64url");
  };
  const algorithm = map.get(3);
  if (typeof algorithm !== "number") throw new Error("key has no algorithm");
  const kind = `${map.get(1)} ${algorithm} ${map.get(1) === 3 ? "" : map.get(-1)}`;
  switch (kind) {
    case "2 -7 1":
      return { algorithm, key: jwk({ kty: "EC", crv: "P-256", x: text(-2), y: text(-3) }) };
    case "1 -8 6":
      return { algorithm, key: jwk({ kty: "OKP", crv: "Ed25519", x: text(-2) }) };
    case "3 -257 ":
      return { algorithm, key: jwk({ kty: "RSA", n: text(-1), e: text(-2) }) };
    default:
      throw new Error("key is of a kind that is not known");
  }
}

function jwk(key: Record<string, string>): KeyObject {
  return createPublicKey({ key, format: "jwk" });
}
