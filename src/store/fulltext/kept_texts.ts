/**
 * Folded texts of emails as the index stores them: four emails per block, packed together, as texts of one
 * account resemble each other. A block takes two fifths of the size of its texts (a third with sixteen emails);
 * unpacking one takes some thirty microseconds, even if only one of its emails is wanted.
 *
 * @module
 */
import type { EmailId } from "../ids.ts";
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import type { RowDb } from "../database/database.ts";

/** Emails per block: ids that differ only in the last two bits. */
export const blockEmails = 4;

/** The texts of an email. */
export interface EmailTexts {
  header: string;
  body: string;
  /** The visible text, where that isn't the body. */
  shown: string | null;
}

/** Texts by place in the block; null for an email that is indexed, but whose texts aren't stored here. */
export type Block = Map<number, EmailTexts | null>;

export function blockOf(emailId: EmailId): { n: number; place: number } {
  return { n: Math.floor(emailId / blockEmails), place: emailId % blockEmails };
}

/** Lengths of texts in a block: header, body, shown (-1 for none); or no texts. */
type Lengths = [place: number, header: number, body: number, shown: number] | [place: number];

/** A block in its stored form: the lengths as JSON, a line end, and all texts. */
export function packBlock(block: Block): Uint8Array {
  const lengths: Lengths[] = [];
  let all = "";
  for (const [place, t] of block) {
    if (t === null) {
      lengths.push([place]);
      continue;
    }
    lengths.push([place, t.header.length, t.body.length, t.shown?.length ?? -1]);
    all += t.header + t.body + (t.shown ?? "");
  }
  return zstdCompressSync(new TextEncoder().encode(`${JSON.stringify(lengths)}\n${all}`));
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** A block being read: texts are extracted on demand. */
class PackedBlock {
  readonly #text: string;
  readonly #lengths: readonly number[][];
  readonly #start: number;

  /** @throws Error if it isn't what was stored */
  constructor(data: Uint8Array) {
    this.#text = decoder.decode(zstdDecompressSync(data));
    this.#start = this.#text.indexOf("\n") + 1;
    this.#lengths = JSON.parse(this.#text.slice(0, this.#start));
  }

  /** Null for an email whose texts aren't stored, undefined for one that isn't indexed. */
  get(wanted: number): EmailTexts | null | undefined {
    let at = this.#start;
    for (const [place, header, body, shown] of this.#lengths) {
      if (place === wanted) {
        if (header === undefined) return null;
        const next = (length: number) => this.#text.slice(at, at += length);
        return {
          header: next(header),
          body: next(body),
          shown: shown < 0 ? null : next(shown),
        };
      }
      if (header !== undefined) at += header + body + Math.max(0, shown);
    }
    return undefined;
  }

  whole(): Block {
    return new Map(this.#lengths.map(([place]) => [place, this.get(place)!]));
  }
}

/** @throws Error if it isn't what was stored */
export function unpackBlock(data: Uint8Array): Block {
  return new PackedBlock(data).whole();
}

/** One bit for each email in a block. */
export function hereOf(block: Block): number {
  let bits = 0;
  for (const place of block.keys()) bits |= 1 << place;
  return bits;
}

/**
 * Texts of an email with more characters are packed separately, so that reading others of the block need not
 * unpack them.
 */
export const longTexts = 8 * 1024;

/** Blocks that stay unpacked: some 25 KB each, 64 KB at most. */
const blocksAtHand = 32;

/**
 * Reads texts and keeps the last blocks unpacked: a pass over emails in order (or nearly, as with emails that
 * arrived together) unpacks each block once.
 */
export class KeptTexts {
  readonly #db: RowDb;
  /** By number, least recently used first; undefined for a missing or damaged one. */
  readonly #blocks = new Map<number, PackedBlock | undefined>();

  constructor(db: RowDb) {
    this.#db = db;
  }

  /** The texts of an email; undefined if they aren't stored. */
  get(emailId: EmailId): EmailTexts | undefined {
    const { n, place } = blockOf(emailId);
    const t = this.#block(n)?.get(place);
    return t === null ? this.#long(emailId) : t;
  }

  #block(n: number): PackedBlock | undefined {
    let block = this.#blocks.get(n);
    if (block === undefined && !this.#blocks.has(n)) {
      const row = this.#db.get("SELECT data FROM blocks WHERE n = ?", n);
      try {
        block = row && new PackedBlock(row[0]);
      } catch {
        // Damaged: the message is read instead.
      }
      if (this.#blocks.size === blocksAtHand) {
        this.#blocks.delete(this.#blocks.keys().next().value!);
      }
    } else this.#blocks.delete(n);
    this.#blocks.set(n, block);
    return block;
  }

  #long(emailId: EmailId): EmailTexts | undefined {
    const row = this.#db.get("SELECT data FROM long_texts WHERE id = ?", emailId);
    if (row === undefined) return undefined;
    try {
      return new PackedBlock(row[0]).get(0) ?? undefined;
    } catch {
      return undefined;
    }
  }

  /** Called when the index has been written. */
  forget(): void {
    this.#blocks.clear();
  }
}
