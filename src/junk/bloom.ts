/**
 * A Bloom filter that remembers which words have been seen once in ham, and which in spam, so that the many
 * words that never recur take a few bits and no row.
 *
 * 512 KiB and 7 bits per word: with 250,000 words 1 in 2,000 unseen words is mistaken for seen, with 500,000
 * words 1 in 50. That does little harm: the word is counted once more than it was seen.
 *
 * @module
 */

/** Size of the filter in bytes; a power of two. */
export const bloomBytes = 1 << 19;
const bitsPerWord = 7;
const mask = bloomBytes * 8 - 1;

/**
 * A 53-bit hash of a word, as a number that SQLite can use as a rowid. Two multiplicative hashes of 32 bits
 * over the UTF-16 units, mixed at the end. Words are chosen by senders, who could make two words collide; all
 * they gain is what writing the other word would gain them.
 */
export function wordHash(word: string): number {
  let a = 0x9e3779b9 | 0, b = 0x85ebca6b | 0;
  for (let i = 0; i < word.length; i++) {
    const c = word.charCodeAt(i);
    a = Math.imul(a ^ c, 0x01000193);
    b = Math.imul(b ^ c, 0x5bd1e995) + 0x27d4eb2f | 0;
  }
  a = Math.imul(a ^ (a >>> 16), 0x7feb352d) ^ Math.imul(b ^ (b >>> 13), 0x846ca68b);
  b = Math.imul(b ^ (b >>> 16), 0x2c1b3c6d) ^ Math.imul(a ^ (a >>> 12), 0x297a2d39);
  return (a >>> 11) * 4294967296 + (b >>> 0);
}

/** The hash under which a word is remembered as seen in ham or in spam. */
export function sightHash(hash: number, ham: boolean): number {
  if (ham) return hash;
  return Math.floor(hash / 4294967296) * 4294967296 + ((hash ^ 0x1f83d9ab) >>> 0);
}

/** The filter, by hashes of {@link sightHash}. */
export class Bloom {
  readonly bits: Uint8Array;

  /** @param bits exactly {@link bloomBytes} long, taken over; empty if not given */
  constructor(bits: Uint8Array = new Uint8Array(bloomBytes)) {
    if (bits.length !== bloomBytes) throw new RangeError(`bloom filter of ${bits.length} bytes`);
    this.bits = bits;
  }

  /** Whether the word is there, or seems to be. */
  has(hash: number): boolean {
    return this.#visit(hash, false);
  }

  /** Adds the word. Returns whether it was there already (or seemed to be). */
  add(hash: number): boolean {
    return this.#visit(hash, true);
  }

  #visit(hash: number, add: boolean): boolean {
    const low = hash >>> 0, high = Math.floor(hash / 4294967296);
    // Double hashing; an odd step visits different bits.
    const step = (Math.imul(high, 0x9e3779b1) ^ low >>> 15) | 1;
    let seen = true;
    for (let i = 0, bit = low; i < bitsPerWord; i++, bit = bit + step | 0) {
      const at = (bit & mask) >>> 3, m = 1 << (bit & 7);
      if ((this.bits[at] & m) === 0) {
        if (!add) return false;
        seen = false;
        this.bits[at] |= m;
      }
    }
    return seen;
  }
}
