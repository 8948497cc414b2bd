/**
 * Whether a message most resembles kept good messages or kept spam. Counting takes each word separately; here
 * words that occur together count, as in the next issue of a newsletter, or the same letter from another
 * sender.
 *
 * The similarity of two messages is the cosine of their words: 1 for the same words, 0 for none in common. A
 * word weighs more if fewer kept messages have it.
 *
 * @module
 */

/** So many of the most similar kept messages of each kind are compared: a single one may be there by chance. */
const nearest = 3;
/** Log odds for a similarity of 1 to spam and of 0 to good mail. */
const usualScore = 20;
/** Number of slots for words, a power of two. */
export const slots = 1 << 17;

/** Weights of the words of the judged message, by slot; all 0 between two calls. */
const asked = new Float64Array(slots);

/** The kept messages of one kind, and their sizes: roots of the sums of their words' weights. */
interface Side {
  messages: readonly Int32Array[];
  sizes: Float64Array;
}

/** The kept messages of a filter, prepared for comparing. Takes 256 KB in addition. */
export class Neighbours {
  /** How many kept messages have words in a slot. */
  readonly #having = new Uint16Array(slots);
  /** Squares of the weights of words, by how many kept messages have them. */
  readonly #weights: Float64Array;
  readonly #hams: Side;
  readonly #spams: Side;

  /** @param hams slots of the kept good messages; `spams` those of the kept spam */
  constructor(hams: readonly Int32Array[], spams: readonly Int32Array[]) {
    const all = [...hams, ...spams];
    for (const message of all) for (const slot of message) this.#having[slot]++;
    this.#weights = Float64Array.from(
      { length: all.length + 1 },
      (_, n) => Math.log(all.length / Math.max(n, 0.5)) ** 2,
    );
    const side = (messages: readonly Int32Array[]): Side => ({
      messages,
      sizes: Float64Array.from(
        messages,
        (m) => Math.sqrt(m.reduce((sum, slot) => sum + this.#weightOf(slot), 0)),
      ),
    });
    this.#hams = side(hams);
    this.#spams = side(spams);
  }

  #weightOf(slot: number): number {
    // Two words of one message may have the same slot.
    return this.#weights[Math.min(this.#having[slot], this.#weights.length - 1)];
  }

  /**
   * Log odds that a message is spam, by similarity, within +-20; above 0 is spam. 0 unless messages of both
   * kinds are kept. Takes time linear in the words of all kept messages: some 0.2 ms for 200.
   * @param own slots of the message's words that the filter knows
   * @param unknown how many more words it has
   */
  logOdds(own: Int32Array, unknown: number): number {
    if (this.#hams.messages.length === 0 || this.#spams.messages.length === 0) return 0;
    let sum = unknown * this.#weights[0];
    for (const slot of own) sum += asked[slot] = this.#weightOf(slot);
    const size = Math.sqrt(sum);
    const odds = usualScore * (nearestOf(this.#spams, size) - nearestOf(this.#hams, size));
    for (const slot of own) asked[slot] = 0;
    return odds;
  }
}

/** Mean similarity of the nearest; if fewer are kept, missing ones count as 0. */
function nearestOf({ messages, sizes }: Side, size: number): number {
  const alike = messages.map((message, i) => {
    let common = 0;
    for (let k = 0; k < message.length; k++) common += asked[message[k]];
    return common === 0 ? 0 : common / (sizes[i] * size);
  });
  return alike.sort((a, b) => b - a).slice(0, nearest).reduce((a, b) => a + b, 0) / nearest;
}
