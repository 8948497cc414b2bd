/**
 * Folded texts of emails as the index keeps them: those of sixteen emails in a block, packed together, as texts of one
 * account are much alike. A block takes a third of its texts; unpacking one takes some ten microseconds an email.
 *
 * @module
 */
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import type { RowDb } from "../database/database.ts";

/** Emails of a block: those whose ids are the same but for the last four bits. */
export const blockEmails = 16;

/** The texts of an email. */
export interface EmailTexts {
  header: string;
  body: string;
  /** What people see, where that isn't the body. */
  shown: string | null;
}

/** Texts by place in the block; null for an email that is indexed, but whose texts aren't kept here. */
export type Block = Map<number, EmailTexts | null>;

export function blockOf(emailId: number): { n: number; place: number } {
  return { n: Math.floor(emailId / blockEmails), place: emailId % blockEmails };
}

/** Lengths of texts in a block: header, body, shown (-1 for none); or no texts. */
type Lengths = [place: number, header: number, body: number, shown: number] | [place: number];

/** A block as it is stored: the lengths as JSON, a line end, and all texts. */
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

/** @throws Error if it isn't what was stored */
export function unpackBlock(data: Uint8Array): Block {
  const text = decoder.decode(zstdDecompressSync(data));
  let at = text.indexOf("\n") + 1;
  const block: Block = new Map();
  for (const [place, header, body, shown] of JSON.parse(text.slice(0, at)) as number[][]) {
    if (header === undefined) {
      block.set(place, null);
      continue;
    }
    const next = (length: number) => text.slice(at, at += length);
    block.set(place, {
      header: next(header),
      body: next(body),
      shown: shown < 0 ? null : next(shown),
    });
  }
  return block;
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Bits of the emails in a block. */
export function hereOf(block: Block): number {
  let bits = 0;
  for (const place of block.keys()) bits |= 1 << place;
  return bits;
}

/** Characters of an email's texts above which they are packed alone: others of a block need not be unpacked with them. */
export const longTexts = 8 * 1024;

/** Reads texts, with the last block at hand: who goes through emails in order unpacks each block once. */
export class KeptTexts {
  readonly #db: RowDb;
  #n = -1;
  #block: Block = new Map();

  constructor(db: RowDb) {
    this.#db = db;
  }

  /** The texts of an email; undefined if they aren't kept. */
  get(emailId: number): EmailTexts | undefined {
    const { n, place } = blockOf(emailId);
    if (n !== this.#n) {
      this.#n = -1;
      const row = this.#db.get("SELECT data FROM blocks WHERE n = ?", n);
      try {
        this.#block = row === undefined ? new Map() : unpackBlock(row[0]);
      } catch {
        // Damaged: the message is read.
        this.#block = new Map();
      }
      this.#n = n;
    }
    const t = this.#block.get(place);
    return t === null ? this.#long(emailId) : t;
  }

  #long(emailId: number): EmailTexts | undefined {
    const row = this.#db.get("SELECT data FROM long_texts WHERE id = ?", emailId);
    if (row === undefined) return undefined;
    try {
      return unpackBlock(row[0]).get(0) ?? undefined;
    } catch {
      return undefined;
    }
  }

  /** The index has been written. */
  forget(): void {
    this.#n = -1;
    this.#block = new Map();
  }
}
