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
import { headerSlot, Neighbours, slots } from "./likeness.ts";

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
/** From this many messages of the rarer kind on, the weights have full influence; before, they are wrong too often. */
const weightsAt = 400;
/** Most log odds that similarity to kept messages may add. */
const mostLikeness = 3;
/** Log odds for a message as far above the plane as the nearest kept ones, while all mail is kept. */
const marginScore = 8;
/** Most log odds that all of these may add together. */
const mostLearned = 6;
/** Most log odds they may add beyond counting's: alone they never turn a message that counting finds neutral into junk. */
const mostAlone = 2;
/** Most messages of each kind kept for learning again. */
const keptOfKind = 300;
/** Most words of one of them. */
const keptWords = 400;
/** One in so many kept messages may be replaced before they are prepared afresh, which takes some 15 ms. */
const staleShare = 32;

const chunkBytes = 64 * 1024;
/** Chunk with the numbers of messages, first chunk of the weights, first one of the kept messages. */
const stateChunk = 2000, weightChunk = 2001, keptChunk = 5000;
/** First chunks of kept messages in older forms: slots of four bytes with the verdict, and without it. */
const judgedChunk = 4000, oldKeptChunk = 3000;
/** Most messages of each kind in those. */
const formerlyKept = 100;
/** First and last chunk of the older forms, which are removed when the new ones are written. */
export const formerChunks = [oldKeptChunk, keptChunk - 1] as const;

/** First number of all chunks of this module. */
export const firstLearnedChunk = stateChunk;

/** A message for learning again, with counting's verdict when it was first trained. */
interface Kept {
  /** Its slots, packed by {@link pack}. Empty in place of a message whose label was removed. */
  packed: Uint8Array;
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
  /** Kept messages replaced since then. */
  #stale = 0;

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
      } else if (chunk >= keptChunk && chunk < keptChunk + 2 * keptOfKind && bytes.length >= 4) {
        const i = chunk - keptChunk;
        const [counted] = new Float32Array(bytes.slice(0, 4).buffer);
        l.#kept[i & 1][i >> 1] = { packed: bytes.slice(4), counted };
        l.#unsaved.delete(chunk);
      } else if (chunk >= judgedChunk && chunk < judgedChunk + 2 * formerlyKept) {
        const [counted, ...slots] = new Float32Array(bytes.slice().buffer, 0, bytes.length >> 2);
        l.#keepFormer(chunk - judgedChunk, Int32Array.from(slots), counted);
      } else if (chunk >= oldKeptChunk && chunk < oldKeptChunk + 2 * formerlyKept) {
        // Chunks come in order: one in a newer form overwrites it.
        const slots = new Int32Array(bytes.slice().buffer, 0, bytes.length >> 2);
        l.#keepFormer(chunk - oldKeptChunk, slots, 0);
      }
    }
    return l;
  }

  #keepFormer(i: number, own: Int32Array, counted: number): void {
    this.#keep((i & 1) as 0 | 1, i >> 1, { packed: pack(own), counted });
  }

  /** Changes since the last call, for storing. */
  changes(): Chunk[] {
    const weights = new Uint8Array(this.#weights.buffer);
    const chunks: Chunk[] = [[stateChunk, new Uint8Array(Float64Array.from(this.#seen).buffer)]];
    for (let at = 0; at < weights.length; at += chunkBytes) {
      chunks.push([weightChunk + at / chunkBytes, weights.subarray(at, at + chunkBytes)]);
    }
    for (const [chunk, { packed, counted }] of this.#unsaved) {
      chunks.push([
        chunk,
        Uint8Array.of(...new Uint8Array(Float32Array.of(counted).buffer), ...packed),
      ]);
    }
    this.#unsaved.clear();
    return chunks;
  }

  /**
   * The verdict of the weights and the kept messages, as log odds within +-6: above 0 is spam. 0 until messages
   * of both kinds have been learned.
   * @param known hashes of the known words, each once, those of the header first
   * @param unknown squared length of its other words' vector, in units of one unknown word of the text
   * @param words total number of words of the message
   * @param counted counting's verdict on the message, as log odds
   */
  logOdds(known: Float64Array, unknown: number, words: number, counted: number): number {
    const [hams, spams] = this.#seen;
    if (words === 0 || hams === 0 || spams === 0) return 0;
    const own = slotsOf(known);
    let sum = 0;
    for (const slot of own) sum += this.#weights[slot & (slots - 1)];
    const trust = Math.min(1, Math.min(hams, spams) / weightsAt);
    const weights = trust *
      bounded(usualScore * sum / (unit * Math.sqrt(words)), mostWeights);
    const [goodOnes, badOnes] = this.#kept.map((all) => all.reduce((n) => n + 1, 0));
    if (this.#stale * staleShare > goodOnes + badOnes) this.#neighbours = undefined;
    this.#neighbours ??= this.#ready();
    const { likeness, margin } = this.#neighbours.judge(own, unknown);
    // The plane does not know mail that isn't kept.
    const kept = Math.min(1, (goodOnes + badOnes) / (hams + spams));
    const odds = weights + bounded(likeness, mostLikeness) + marginScore * kept * margin;
    return Math.min(bounded(odds, mostLearned), mostAlone + Math.max(0, counted));
  }

  #ready(): Neighbours {
    this.#stale = 0;
    const [hams, spams] = this.#kept.map((all) =>
      all.map((k) => unpack(k.packed)).filter((own) => own.length > 0)
    );
    return new Neighbours(hams, spams);
  }

  /**
   * Learns from a message, and from an earlier one of the other kind.
   * @param logOdds counting's verdict on the message, before it is counted
   */
  learn(ham: boolean, hashes: Float64Array, logOdds: number): void {
    if (hashes.length === 0) return;
    const own = slotsOf(hashes);
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
    if (again && again.packed.length > 0) {
      this.#step(unpack(again.packed), 1 - kind, again.counted);
    }
    // Each message of the kind has the same chance of being among the kept ones.
    const place = n <= keptOfKind ? n - 1 : mixed(lot) % n;
    if (place < keptOfKind) {
      this.#keep(kind, place, { packed: pack(own), counted });
      this.#stale++;
    }
  }

  /**
   * Moves the verdict on a message towards neutral, as its label was removed, and forgets it if it is kept.
   * @param ham the label
   */
  unlearn(ham: boolean, hashes: Float64Array): void {
    if (hashes.length === 0) return;
    const own = slotsOf(hashes);
    this.#step(own, 0.5, 0);
    const kind = ham ? 0 : 1;
    const packed = pack(own);
    const place = this.#kept[kind].findIndex((k: Kept | undefined) =>
      k !== undefined && k.packed.length === packed.length &&
      k.packed.every((byte, i) => byte === packed[i])
    );
    if (place < 0) return;
    this.#keep(kind, place, { packed: new Uint8Array(0), counted: 0 });
    this.#neighbours = undefined;
  }

  #keep(kind: 0 | 1, place: number, kept: Kept): void {
    this.#kept[kind][place] = kept;
    this.#unsaved.set(keptChunk + 2 * place + kind, kept);
  }

  #step(own: Int32Array, wanted: number, counted: number): void {
    const scale = 1 / Math.sqrt(own.length);
    let sum = 0;
    for (const slot of own) sum += this.#weights[slot & (slots - 1)];
    const wrong = wanted - 1 / (1 + Math.exp(-counted - sum * scale / unit));
    const by = rate * wrong * scale * unit;
    for (const slot of own) {
      const at = slot & (slots - 1);
      const weight = Math.round(this.#weights[at] + by);
      this.#weights[at] = Math.min(Math.max(weight, -0x7fff), 0x7fff);
    }
  }
}

function bounded(x: number, most: number): number {
  return Math.min(Math.max(x, -most), most);
}

/**
 * How many of a message's hashes are of its header: those before the first descent. Earlier versions wrote all hashes
 * to the journal in ascending order; they count as text.
 */
function headerWords(hashes: Float64Array): number {
  for (let i = 1; i < hashes.length; i++) if (hashes[i] < hashes[i - 1]) return i;
  return 0;
}

/** The slots of a message's words. */
function slotsOf(hashes: Float64Array): Int32Array {
  const header = headerWords(hashes);
  return Int32Array.from(
    hashes,
    (hash, i) => ((hash >>> 0) & (slots - 1)) + (i < header ? headerSlot : 0),
  );
}

/** Packs slots for keeping: ascending, each as its distance from the previous one, seven bits a byte. */
function pack(own: Int32Array): Uint8Array {
  const bytes: number[] = [];
  let last = -1;
  for (const slot of own.slice(0, keptWords).sort()) {
    if (slot === last) continue;
    let by = slot - last;
    for (; by > 0x7f; by >>>= 7) bytes.push(0x80 | by & 0x7f);
    bytes.push(by);
    last = slot;
  }
  return Uint8Array.from(bytes);
}

function unpack(packed: Uint8Array): Int32Array {
  const own: number[] = [];
  let last = -1, by = 0, shift = 0;
  for (const byte of packed) {
    by |= (byte & 0x7f) << shift;
    shift += 7;
    if (byte > 0x7f) continue;
    own.push(last += by);
    by = shift = 0;
  }
  return Int32Array.from(own);
}

/** A pseudo-random number that is the same each time: replaying the journal gives the same training. */
function mixed(n: number): number {
  let h = Math.imul(n ^ n >>> 15, 0x2c1b3c6d);
  h = Math.imul(h ^ h >>> 12, 0x297a2d39);
  return (h ^ h >>> 15) >>> 0;
}
