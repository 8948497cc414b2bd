/**
 * Unpacking bzip2, which Node's zlib doesn't support: blocks of up to 900,000 bytes, each sorted and Huffman
 * coded. @module
 */
import { giveWay } from "../../platform/turns.ts";
import { UnpackError } from "./unpacking.ts";

/** Symbols per group; a group shares a code table. */
const groupSize = 50;
/** The longest code, in bits. */
const maxCodeLength = 20;
/** Steps between two checks of the clock. */
const stepsPerLook = 20_000;

/** Unpacks all streams, checking the CRC of each block. @throws UnpackError */
export async function unpackBzip2(bytes: Uint8Array, limit: number): Promise<Uint8Array> {
  const out = new Output(limit);
  const bits = new Bits(bytes);
  do {
    if (bits.read(24) !== 0x425a68) throw new UnpackError("damaged");
    const level = bits.read(8) - 0x30;
    if (level < 1 || level > 9) throw new UnpackError("damaged");
    const table = new Uint32Array(level * 100_000);
    for (;;) {
      const magic = [bits.read(24), bits.read(24)];
      if (magic[0] === 0x177245 && magic[1] === 0x385090) {
        bits.read(32);
        break;
      }
      if (magic[0] !== 0x314159 || magic[1] !== 0x265359) throw new UnpackError("damaged");
      await readBlock(bits, table, out);
    }
    bits.align();
  } while (!bits.atEnd);
  return out.taken();
}

/** Bits, the highest of each byte first. */
class Bits {
  readonly #bytes: Uint8Array;
  #at = 0;
  #held = 0;
  #count = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  bit(): number {
    if (this.#count === 0) {
      if (this.#at >= this.#bytes.length) throw new UnpackError("damaged");
      this.#held = this.#bytes[this.#at++];
      this.#count = 8;
    }
    return this.#held >> --this.#count & 1;
  }

  /** @param n up to 32 */
  read(n: number): number {
    let value = 0;
    for (let i = 0; i < n; i++) value = value * 2 + this.bit();
    return value;
  }

  align(): void {
    this.#count = 0;
  }

  get atEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }
}

/** Unpacked bytes. */
class Output {
  #bytes = new Uint8Array(64 * 1024);
  #used = 0;
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  put(byte: number): void {
    if (this.#used === this.#limit) throw new UnpackError("large");
    if (this.#used === this.#bytes.length) {
      const bigger = new Uint8Array(this.#used * 2);
      bigger.set(this.#bytes);
      this.#bytes = bigger;
    }
    this.#bytes[this.#used++] = byte;
  }

  taken(): Uint8Array {
    return this.#bytes.slice(0, this.#used);
  }
}

/** A Huffman code, by the lengths of its symbols' codes. */
class Code {
  readonly #first = new Int32Array(maxCodeLength + 2);
  readonly #counts = new Int32Array(maxCodeLength + 2);
  readonly #symbols: number[] = [];

  constructor(lengths: readonly number[]) {
    for (const length of lengths) this.#counts[length]++;
    for (let length = 1; length <= maxCodeLength; length++) {
      lengths.forEach((l, symbol) => {
        if (l === length) this.#symbols.push(symbol);
      });
      this.#first[length + 1] = (this.#first[length] + this.#counts[length]) * 2;
    }
  }

  read(bits: Bits): number {
    let code = 0, before = 0;
    for (let length = 1; length <= maxCodeLength; length++) {
      code = code << 1 | bits.bit();
      const i = code - this.#first[length];
      if (i >= 0 && i < this.#counts[length]) return this.#symbols[before + i];
      before += this.#counts[length];
    }
    throw new UnpackError("damaged");
  }
}

/** The byte values that occur in a block. */
function readUsed(bits: Bits): Uint8Array {
  const used: number[] = [];
  const ranges = bits.read(16);
  for (let range = 0; range < 16; range++) {
    if ((ranges >> 15 - range & 1) === 0) continue;
    const values = bits.read(16);
    for (let i = 0; i < 16; i++) if (values >> 15 - i & 1) used.push(range * 16 + i);
  }
  if (used.length === 0) throw new UnpackError("damaged");
  return Uint8Array.from(used);
}

/** The code of each group of symbols. */
function readSelectors(bits: Bits, codes: number): number[] {
  const count = bits.read(15);
  if (count === 0) throw new UnpackError("damaged");
  const recent = [...Array(codes).keys()];
  const selectors: number[] = [];
  for (let i = 0; i < count; i++) {
    let at = 0;
    while (bits.bit()) if (++at >= codes) throw new UnpackError("damaged");
    recent.unshift(...recent.splice(at, 1));
    selectors.push(recent[0]);
  }
  return selectors;
}

function readCode(bits: Bits, symbols: number): Code {
  const lengths: number[] = [];
  let length = bits.read(5);
  for (let i = 0; i < symbols; i++) {
    for (;;) {
      if (length < 1 || length > maxCodeLength) throw new UnpackError("damaged");
      if (bits.bit() === 0) break;
      length += bits.bit() ? -1 : 1;
    }
    lengths.push(length);
  }
  return new Code(lengths);
}

async function readBlock(bits: Bits, table: Uint32Array, out: Output): Promise<void> {
  const crc = bits.read(32);
  // Blocks that were "randomised" have not been written since 1997.
  if (bits.bit()) throw new UnpackError("damaged");
  const origin = bits.read(24);
  const recent = readUsed(bits);
  const symbols = recent.length + 2;
  const codeCount = bits.read(3);
  if (codeCount < 2 || codeCount > 6) throw new UnpackError("damaged");
  const selectors = readSelectors(bits, codeCount);
  const codes = Array.from({ length: codeCount }, () => readCode(bits, symbols));

  // Symbols: runs of the most recent byte (written with two digits), other bytes by recency, the end.
  const counts = new Uint32Array(257);
  let length = 0, run = 0, weight = 1, group = 0;
  const put = (byte: number, times: number) => {
    if (times > table.length - length) throw new UnpackError("damaged");
    counts[byte + 1] += times;
    table.fill(byte, length, length + times);
    length += times;
  };
  for (let n = 0;; n++) {
    if (n % groupSize === 0 && n > 0 && ++group >= selectors.length) {
      throw new UnpackError("damaged");
    }
    if (n % stepsPerLook === 0) await giveWay();
    const symbol = codes[selectors[group]].read(bits);
    if (symbol <= 1) {
      run += weight << symbol;
      weight <<= 1;
      if (run > table.length) throw new UnpackError("damaged");
      continue;
    }
    if (run > 0) put(recent[0], run);
    run = 0;
    weight = 1;
    if (symbol === symbols - 1) break;
    const byte = recent[symbol - 1];
    for (let i = symbol - 1; i > 0; i--) recent[i] = recent[i - 1];
    recent[0] = byte;
    put(byte, 1);
  }
  if (origin >= length) throw new UnpackError("damaged");
  // Undoes the sorting: the upper bits of each entry point to the following byte.
  for (let i = 1; i < 257; i++) counts[i] += counts[i - 1];
  for (let i = 0; i < length; i++) {
    table[counts[table[i] & 0xff]++] |= i << 8;
    if (i % stepsPerLook === 0) await giveWay();
  }
  await writeBlock(table, origin, length, crc, out);
}

/** Writes a block's bytes; four equal bytes are followed by a repeat count. */
async function writeBlock(
  table: Uint32Array,
  origin: number,
  length: number,
  crc: number,
  out: Output,
): Promise<void> {
  let at = table[origin] >>> 8, sum = 0xffffffff, equal = 0, last = -1;
  const write = (byte: number) => {
    out.put(byte);
    sum = (sum << 8 ^ crcTable[sum >>> 24 ^ byte]) >>> 0;
  };
  for (let i = 0; i < length; i++) {
    if (i % stepsPerLook === 0) await giveWay();
    const byte = table[at] & 0xff;
    at = table[at] >>> 8;
    if (equal === 4) {
      for (let n = 0; n < byte; n++) write(last);
      equal = 0;
      last = -1;
      continue;
    }
    equal = byte === last ? equal + 1 : 1;
    last = byte;
    write(byte);
  }
  if ((sum ^ 0xffffffff) >>> 0 !== crc) throw new UnpackError("damaged");
}

/** CRC-32 with the highest bit first, as in bzip2. */
const crcTable = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 24;
  for (let i = 0; i < 8; i++) crc = crc & 0x80000000 ? crc << 1 ^ 0x04c11db7 : crc << 1;
  return crc >>> 0;
});
