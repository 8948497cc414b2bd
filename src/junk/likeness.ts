/**
 * What the kept messages tell about a message. Counting takes each word separately; here words that occur together
 * count, as in the next issue of a newsletter, or the same letter from another sender. There are two answers: which
 * of them it most resembles, and on which side it is of the plane that separates good mail from spam with the widest
 * margin.
 *
 * A message is a vector of its words, of length 1. A word weighs more if fewer kept messages have it, and words of
 * the header weigh double: they are few, and tell who wrote and how the message came.
 *
 * @module
 */
import { wordHash } from "./bloom.ts";
import { silentWords } from "./score.ts";

/** So many of the most similar kept messages of each kind are compared: a single one may be there by chance. */
const nearest = 3;
/** Log odds for a similarity of 1 to spam and of 0 to good mail. */
const usualScore = 20;
/** Slots of words: each is below this, a power of two. */
export const slots = 1 << 17;
/** Added to the slot of a word of the header. */
export const headerSlot = slots;
/** Square of a header word's weight, relative to that of a word of the text. */
export const headerSquare = 4;
/** Cost of a kept message on the wrong side, relative to a wide margin. */
const cost = 3;
/** How often each kept message is visited to find the plane. */
const passes = 10;

const silentSlots: ReadonlySet<number> = new Set(
  // They are named like words of the header.
  [...silentWords].map((word) => ((wordHash(word) >>> 0) & (slots - 1)) + headerSlot),
);

/** Weights of the words of the judged message, by their place; all 0 between two calls. Grows as needed. */
let asked = new Float64Array(1 << 12);

/** A kept message: places of its words, length of its vector before scaling, and 1 for spam, -1 for good mail. */
interface Kept {
  words: Uint32Array;
  length: number;
  side: 1 | -1;
}

/** The kept messages of a filter, made ready to be compared with. */
export class Neighbours {
  /** Slots that any of them has, ascending; the place of a word is where its slot stands here. */
  readonly #slots: Int32Array;
  /** Lengths of the vectors of single words, by place. */
  readonly #weights: Float64Array;
  readonly #unseen: number;
  readonly #kept: readonly Kept[];
  readonly #both: boolean;
  /** The plane, by place of word; what it gives a message without words. */
  readonly #plane: Float64Array;
  #offset = 0;

  /** @param hams slots of the kept good messages; `spams` those of the kept spam */
  constructor(hams: readonly Int32Array[], spams: readonly Int32Array[]) {
    const all = [...hams, ...spams];
    this.#both = hams.length > 0 && spams.length > 0;
    const every = new Int32Array(all.reduce((sum, m) => sum + m.length, 0));
    let at = 0;
    for (const message of all) every.set(message, at), at += message.length;
    every.sort();
    let distinct = 0;
    const having = new Uint32Array(every.length);
    for (let i = 0; i < every.length; i++) {
      if (i === 0 || every[i] !== every[distinct - 1]) every[distinct++] = every[i];
      having[distinct - 1]++;
    }
    this.#slots = every.slice(0, distinct);
    const rarity = (n: number) => Math.log(all.length / n);
    this.#unseen = rarity(0.5) ** 2;
    this.#weights = Float64Array.from(this.#slots, (slot, place) => {
      if (silentSlots.has(slot)) return 0;
      // Two words of one message may have the same slot.
      const weight = rarity(Math.min(having[place], all.length));
      return slot >= headerSlot ? weight * Math.sqrt(headerSquare) : weight;
    });
    this.#kept = all.map((message, i) => {
      const words = Uint32Array.from(message, (slot) => this.#placeOf(slot));
      const square = words.reduce((sum, place) => sum + this.#weights[place] ** 2, 0);
      return { words, length: Math.sqrt(square), side: i < hams.length ? -1 : 1 };
    });
    this.#plane = new Float64Array(distinct);
    if (this.#both) this.#part();
  }

  /** Where a slot stands, -1 if it doesn't. */
  #placeOf(slot: number): number {
    let low = 0, high = this.#slots.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#slots[middle] < slot) low = middle + 1;
      else high = middle;
    }
    return this.#slots[low] === slot ? low : -1;
  }

  /**
   * Finds the plane, by descent along one message after the other (a support vector machine with squared losses, in
   * its dual form). The same messages give the same plane.
   */
  #part(): void {
    const shares = new Float64Array(this.#kept.length);
    const order = this.#kept.map((_, i) => i);
    const slack = 1 / (2 * cost);
    let lot = 12345;
    for (let pass = 0; pass < passes; pass++) {
      for (let i = order.length - 1; i > 0; i--) {
        lot = (Math.imul(lot, 1664525) + 1013904223) >>> 0;
        const j = Math.floor(lot / 2 ** 32 * (i + 1));
        [order[i], order[j]] = [order[j], order[i]];
      }
      for (const i of order) {
        const { words, length, side } = this.#kept[i];
        if (length === 0) continue;
        const wrong = side * this.#height(words, length) - 1 + shares[i] * slack;
        const share = Math.max(0, shares[i] - wrong / (2 + slack));
        const by = (share - shares[i]) * side;
        if (by === 0) continue;
        shares[i] = share;
        this.#offset += by;
        const step = by / length;
        for (let k = 0; k < words.length; k++) {
          this.#plane[words[k]] += step * this.#weights[words[k]];
        }
      }
    }
  }

  /** How far above the plane a message is whose vector has that length. */
  #height(words: Uint32Array | readonly number[], length: number): number {
    let sum = 0;
    for (let k = 0; k < words.length; k++) sum += this.#plane[words[k]] * this.#weights[words[k]];
    return this.#offset + sum / length;
  }

  /**
   * What the kept messages say. Both are 0 unless messages of both kinds are kept. Takes time linear in the words of all
   * of them: some 0.4 ms for 600.
   * @param own slots of the message's words that the filter knows
   * @param unknown how many more words it has, one of the header as {@link headerSquare}
   */
  judge(own: Int32Array, unknown: number): { likeness: number; margin: number } {
    if (!this.#both) return { likeness: 0, margin: 0 };
    if (asked.length < this.#slots.length) asked = new Float64Array(2 * this.#slots.length);
    let square = unknown * this.#unseen;
    const words: number[] = [];
    for (const slot of own) {
      const place = this.#placeOf(slot);
      if (place < 0) {
        square += silentSlots.has(slot)
          ? 0
          : this.#unseen * (slot >= headerSlot ? headerSquare : 1);
      } else {
        words.push(place);
        square += asked[place] = this.#weights[place] ** 2;
      }
    }
    const length = Math.sqrt(square);
    const likeness = usualScore * (this.#nearestOf(1, length) - this.#nearestOf(-1, length));
    for (const place of words) asked[place] = 0;
    return { likeness, margin: length === 0 ? 0 : this.#height(words, length) };
  }

  /** Mean likeness of the nearest; where fewer are kept, those that are missing are like nothing. */
  #nearestOf(side: 1 | -1, size: number): number {
    const alike = this.#kept.filter((m) => m.side === side).map(({ words, length }) => {
      let common = 0;
      for (let k = 0; k < words.length; k++) common += asked[words[k]];
      return common === 0 ? 0 : common / (length * size);
    });
    return alike.sort((a, b) => b - a).slice(0, nearest).reduce((a, b) => a + b, 0) / nearest;
  }
}
