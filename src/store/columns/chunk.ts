/**
 * A chunk of columns: the values of the emails in a range of ids, as one text or one list of numbers per
 * column, so that a search scans one text of a thousand subjects rather than a thousand rows.
 *
 * @module
 */
import type { EmailId } from "../ids.ts";
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { parseSummary } from "../messages/summary.ts";
import {
  chunkEmails,
  type EmailValues,
  type NumberColumn,
  numberColumns,
  type TextColumn,
  textColumns,
  valueEnd,
  valuesOf,
} from "./values.ts";

/**
 * Texts of a column: a value for each of the chunk's ids, "" where there is no email, each with an end mark.
 */
export class TextChunk {
  readonly text: string;
  #ends: Uint32Array | undefined;

  constructor(text: string) {
    this.text = text;
  }

  /** Values, by place in the chunk. */
  values(): string[] {
    const values = this.text.split(valueEnd);
    values.pop();
    return values;
  }

  /** The place to which a position in the text belongs; the search starts at an earlier place's. */
  placeOf(position: number): number {
    const ends = this.#ends ??= this.#findEnds();
    let lo = 0;
    let hi = ends.length - 1;
    while (lo < hi) {
      const mid = (lo + hi) >>> 1;
      if (ends[mid] < position) lo = mid + 1;
      else hi = mid;
    }
    return lo;
  }

  /** The end of a place's value. */
  endOf(place: number): number {
    return (this.#ends ??= this.#findEnds())[place];
  }

  #findEnds(): Uint32Array {
    const ends = new Uint32Array(chunkEmails);
    let at = -1;
    let n = 0;
    while ((at = this.text.indexOf(valueEnd, at + 1)) >= 0 && n < chunkEmails) ends[n++] = at;
    return ends.subarray(0, n);
  }
}

/** Builds the columns of a chunk from summaries. */
export class ChunkBuilder {
  readonly #texts: Record<TextColumn, string[]>;
  readonly #numbers: Record<NumberColumn, Float64Array>;
  /** Counts additions. */
  version = 0;

  constructor() {
    const texts = {} as Record<TextColumn, string[]>;
    for (const c of textColumns) texts[c] = new Array(chunkEmails).fill("");
    this.#texts = texts;
    const numbers = {} as Record<NumberColumn, Float64Array>;
    for (const c of numberColumns) numbers[c] = new Float64Array(chunkEmails).fill(NaN);
    this.#numbers = numbers;
  }

  /** @param summary in its stored form */
  add(emailId: EmailId, summary: string): void {
    const place = emailId % chunkEmails;
    const v: EmailValues = valuesOf(parseSummary(summary));
    for (const c of textColumns) this.#texts[c][place] = v[c];
    for (const c of numberColumns) this.#numbers[c][place] = v[c];
    this.version++;
  }

  text(column: TextColumn): string {
    return this.#texts[column].join(valueEnd) + valueEnd;
  }

  numbers(column: NumberColumn): Float64Array {
    return this.#numbers[column];
  }

  /** All columns in their stored form. */
  *packed(): Generator<[TextColumn | NumberColumn, Uint8Array]> {
    for (const c of textColumns) {
      yield [c, zstdCompressSync(new TextEncoder().encode(this.text(c)))];
    }
    for (const c of numberColumns) {
      yield [c, zstdCompressSync(new Uint8Array(this.#numbers[c].buffer))];
    }
  }
}

/** @throws Error if it isn't what was stored */
export function unpackText(data: Uint8Array): TextChunk {
  return new TextChunk(new TextDecoder().decode(zstdDecompressSync(data)));
}

/** @throws Error if it isn't what was stored */
export function unpackNumbers(data: Uint8Array): Float64Array {
  const bytes = zstdDecompressSync(data);
  const out = new Float64Array(chunkEmails);
  new Uint8Array(out.buffer).set(bytes);
  return out;
}
