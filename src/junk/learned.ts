/**
 * What the filter learns from its mistakes, beside counting: a weight for each word, corrected with every message
 * that is trained by as much as the judgement of it was wrong (logistic regression, one step a message). What counting
 * knew of the message before goes into that judgement; so the weights learn what counting gets wrong. Words that
 * always come together share their weight here, where counting takes each for evidence of its own.
 *
 * Mail is often trained by the folder, all good mail and then all spam. So with each message one of the other kind
 * is learned again, out of a few that are kept. What a new message is like among these counts too (likeness.ts).
 *
 * Words share slots by their hash. Stored as rows of the filter's table of chunks.
 *
 * @module
 */
import { Neighbours, slots } from "./likeness.ts";

/** A weight of 1, as stored in 16 bits. */
const unit = 2048;
/** How far a message that is judged wrong moves the weights. */
const rate = 15;
/** Messages of the rarer kind, from which on counting is taken at its word while learning. */
const countingAt = 50;
/** Logarithm of odds beyond which counting is not believed. */
const mostCounting = 8;
/** Their say beside that of counting. More catches hardly more, and is too sure of mail of another time. */
const usualScore = 0.5;
/** Logarithm of odds that they may add at most. */
const mostWeights = 1.5;
/** The same with likeness: alone they never make junk of what counting finds to say nothing. */
const mostLearned = 2;
/** Messages of each kind that are kept to be learned again. */
const keptOfKind = 100;
/** Words of one of them. */
const keptWords = 400;

const chunkBytes = 64 * 1024;
/** Chunk with the numbers of messages, first chunk of the weights, first one of the kept messages. */
const stateChunk = 2000, weightChunk = 2001, keptChunk = 4000;
/** First chunk of messages as they were kept before: slots, without the judgement. */
const oldKeptChunk = 3000;

/** First number of all chunks that are of this module. */
export const firstLearnedChunk = stateChunk;

/** A message that is learned again, with what counting gave it when it came. */
interface Kept {
  /** None in place of a message whose label was taken back. */
  slots: Int32Array;
  counted: number;
}

/** A stored chunk. */
export type Chunk = readonly [chunk: number, bytes: Uint8Array];

/** The weights of one filter. */
export class Learned {
  readonly #weights = new Int16Array(slots);
  /** Messages learned: good ones, spam. */
  readonly #seen: [number, number] = [0, 0];
  /** Messages to be learned again, good ones and spam. */
  readonly #kept: [Kept[], Kept[]] = [[], []];
  /** Kept messages that have not been saved, by their chunk. */
  readonly #unsaved = new Map<number, Kept>();
  /** The kept messages as they are asked; undefined since they changed. */
  #neighbours: Neighbours | undefined;

  /** From stored chunks; those of others are passed over. */
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
        // Chunks come in order: one of today overwrites it.
        l.#kept[i & 1][i >> 1] = { slots, counted: 0 };
      }
    }
    return l;
  }

  /** What has changed since the last call, to be stored. */
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
   * What the weights and the kept messages say, as a logarithm of odds within +-2: above 0 is spam. 0 until messages of
   * both kinds have been learned.
   * @param known hashes of the words to be asked, each once
   * @param words how many words the message has in all
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
   * @param logOdds what counting gives the message, before it is counted
   */
  learn(ham: boolean, hashes: Float64Array, logOdds: number): void {
    if (hashes.length === 0) return;
    const own = Int32Array.from(hashes, slotOf);
    const kind = ham ? 0 : 1;
    const trust = Math.min(1, Math.min(...this.#seen) / countingAt);
    // As it is stored, so that nothing changes by a restart.
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
   * Draws the judgement of a message towards neither, as its label was taken back, and forgets it if it is kept.
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

/** Whether that is what was kept of a message. */
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

/** A number that looks drawn by lot but is the same each time: training played from the journal gives the same. */
function mixed(n: number): number {
  let h = Math.imul(n ^ n >>> 15, 0x2c1b3c6d);
  h = Math.imul(h ^ h >>> 12, 0x297a2d39);
  return (h ^ h >>> 15) >>> 0;
}
