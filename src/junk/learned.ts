/**
 * What the filter learns from its mistakes, in addition to counting: a weight for each word, corrected with
 * every trained message by the error of its verdict (logistic regression, one step per message). The verdict
 * includes counting; so the weights learn what counting gets wrong. Words that always occur together share
 * their weight here, while counting takes each as separate evidence.
 *
 * Mail is often trained folder by folder, first all good mail and then all spam. So with each message one of
 * the other kind is learned again, from a few that are kept. A new message's similarity to these also counts
 * (likeness.ts).
 *
 * Words share slots by their hash. Stored as rows of the filter's table of chunks.
 *
 * @module
 */
import { Neighbours, slots } from "./likeness.ts";

/** A weight of 1, as stored in 16 bits. */
const unit = 2048;
/** How far a misjudged message moves the weights. */
const rate = 15;
/** From this many messages of the rarer kind on, learning fully trusts counting. */
const countingAt = 50;
/** Log odds beyond which counting is not believed. */
const mostCounting = 8;
/**
 * Their influence relative to counting. More catches hardly more, and is overconfident about mail from another
 * time.
 */
const usualScore = 0.5;
/** Most log odds that they may add. */
const mostWeights = 1.5;
/** The same including similarity: alone they never turn a message that counting finds neutral into junk. */
const mostLearned = 2;
/** Most messages of each kind kept for learning again. */
const keptOfKind = 100;
/** Most words of one of them. */
const keptWords = 400;

const chunkBytes = 64 * 1024;
/** Chunk with the numbers of messages, first chunk of the weights, first one of the kept messages. */
const stateChunk = 2000, weightChunk = 2001, keptChunk = 4000;
/** First chunk of kept messages in the old form: slots without the verdict. */
const oldKeptChunk = 3000;

/** First number of all chunks of this module. */
export const firstLearnedChunk = stateChunk;

/** A message for learning again, with counting's verdict when it was first trained. */
interface Kept {
  /** Empty in place of a message whose label was removed. */
  slots: Int32Array;
  counted: number;
}

/** A stored chunk. */
export type Chunk = readonly [chunk: number, bytes: Uint8Array];

/** The weights of one filter. */
export class Learned {
  readonly #weights = new Int16Array(slots);
  /** Number of messages learned: good ones, spam. */
  readonly #seen: [number, number] = [0, 0];
  /** Messages to be learned again, good ones and spam. */
  readonly #kept: [Kept[], Kept[]] = [[], []];
  /** Kept messages that have not been saved, by their chunk. */
  readonly #unsaved = new Map<number, Kept>();
  /** The kept messages prepared for comparing; undefined after a change. */
  #neighbours: Neighbours | undefined;

  /** Loads from stored chunks; others are skipped. */
  static load(chunks: Iterable<Chunk>): Learned {
    const l = new Learned();
    const weights = new Uint8Array(l.#weights.buffer);
    for (const [chunk, bytes] of chunks) {
      const at = (chunk - weightChunk) * chunkBytes;
      if (chunk === stateChunk && bytes.length === 16) {
        const state = new Float64Array(bytes.slice().buffer);
        l.#seen[0] = state[0], l.#seen[1] = state[1];
      } else if (at >= 0 && at + bytes.length <= weights.length) {
        weights.set(bytes, at);
      } else if (chunk >= keptChunk && chunk < keptChunk + 2 * keptOfKind) {
        const [counted, ...slots] = new Float32Array(bytes.slice().buffer, 0, bytes.length >> 2);
        const i = chunk - keptChunk;
        l.#kept[i & 1][i >> 1] = { slots: Int32Array.from(slots), counted };
      } else if (chunk >= oldKeptChunk && chunk < oldKeptChunk + 2 * keptOfKind) {
        const i = chunk - oldKeptChunk;
        const slots = new Int32Array(bytes.slice().buffer, 0, bytes.length >> 2);
        // Chunks come in order: one in the current form overwrites it.
        l.#kept[i & 1][i >> 1] = { slots, counted: 0 };
      }
    }
    return l;
  }

  /** Changes since the last call, for storing. */
  changes(): Chunk[] {
    const weights = new Uint8Array(this.#weights.buffer);
    const chunks: Chunk[] = [[stateChunk, new Uint8Array(Float64Array.from(this.#seen).buffer)]];
    for (let at = 0; at < weights.length; at += chunkBytes) {
      chunks.push([weightChunk + at / chunkBytes, weights.subarray(at, at + chunkBytes)]);
    }
    for (const [chunk, { slots, counted }] of this.#unsaved) {
      chunks.push([chunk, new Uint8Array(Float32Array.of(counted, ...slots).buffer)]);
    }
    this.#unsaved.clear();
    return chunks;
  }

  /**
   * The verdict of the weights and the kept messages, as log odds within +-2: above 0 is spam. 0 until messages
   * of both kinds have been learned.
   * @param known hashes of the known words, each once
   * @param words total number of words of the message
   */
  logOdds(known: ArrayLike<number>, words: number): number {
    const [hams, spams] = this.#seen;
    if (words === 0 || hams === 0 || spams === 0) return 0;
    const own = Int32Array.from(known, slotOf);
    let sum = 0;
    for (const slot of own) sum += this.#weights[slot];
    const weights = usualScore * sum / (unit * Math.sqrt(words));
    this.#neighbours ??= this.#ready();
    return bounded(
      bounded(weights, mostWeights) + this.#neighbours.logOdds(own, words - own.length),
      mostLearned,
    );
  }

  #ready(): Neighbours {
    const [hams, spams] = this.#kept.map((all) =>
      all.map((k) => k.slots).filter((own) => own.length > 0)
    );
    return new Neighbours(hams, spams);
  }

  /**
   * Learns from a message, and from an earlier one of the other kind.
   * @param logOdds counting's verdict on the message, before it is counted
   */
  learn(ham: boolean, hashes: Float64Array, logOdds: number): void {
    if (hashes.length === 0) return;
    const own = Int32Array.from(hashes, slotOf);
    const kind = ham ? 0 : 1;
    const trust = Math.min(1, Math.min(...this.#seen) / countingAt);
    // With the precision of storage, so that a restart changes nothing.
    const counted = Math.fround(
      trust * Math.min(Math.max(logOdds, -mostCounting), mostCounting),
    );
    this.#step(own, kind, counted);
    const other = this.#kept[1 - kind];
    const n = ++this.#seen[kind];
    const lot = mixed(n * 2 + kind);
    const again = other[lot % Math.max(1, other.length)];
    if (again && again.slots.length > 0) this.#step(again.slots, 1 - kind, again.counted);
    // Each message of the kind has the same chance of being among the kept ones.
    const place = n <= keptOfKind ? n - 1 : mixed(lot) % n;
    if (place < keptOfKind) {
      this.#keep(kind, place, { slots: own.slice(0, keptWords), counted });
    }
  }

  /**
   * Moves the verdict on a message towards neutral, as its label was removed, and forgets it if it is kept.
   * @param ham the label
   */
  unlearn(ham: boolean, hashes: Float64Array): void {
    if (hashes.length === 0) return;
    const own = Int32Array.from(hashes, slotOf);
    this.#step(own, 0.5, 0);
    const kind = ham ? 0 : 1;
    const place = this.#kept[kind].findIndex((k: Kept | undefined) =>
      k !== undefined && sameSlots(k.slots, own)
    );
    if (place < 0) return;
    this.#keep(kind, place, { slots: new Int32Array(0), counted: 0 });
  }

  #keep(kind: 0 | 1, place: number, kept: Kept): void {
    this.#kept[kind][place] = kept;
    this.#unsaved.set(keptChunk + 2 * place + kind, kept);
    this.#neighbours = undefined;
  }

  #step(own: Int32Array, wanted: number, counted: number): void {
    const scale = 1 / Math.sqrt(own.length);
    let sum = 0;
    for (const slot of own) sum += this.#weights[slot];
    const wrong = wanted - 1 / (1 + Math.exp(-counted - sum * scale / unit));
    const by = rate * wrong * scale * unit;
    for (const slot of own) {
      const weight = Math.round(this.#weights[slot] + by);
      this.#weights[slot] = Math.min(Math.max(weight, -0x7fff), 0x7fff);
    }
  }
}

/** Whether a kept entry is that of a message. */
function sameSlots(kept: Int32Array, message: Int32Array): boolean {
  return kept.length === Math.min(message.length, keptWords) &&
    kept.every((slot, i) => slot === message[i]);
}

function bounded(x: number, most: number): number {
  return Math.min(Math.max(x, -most), most);
}

function slotOf(hash: number): number {
  return (hash >>> 0) & (slots - 1);
}

/** A pseudo-random number that is the same each time: replaying the journal gives the same training. */
function mixed(n: number): number {
  let h = Math.imul(n ^ n >>> 15, 0x2c1b3c6d);
  h = Math.imul(h ^ h >>> 12, 0x297a2d39);
  return (h ^ h >>> 15) >>> 0;
}
