/**
 * The columns of an account, by chunks of email ids: full chunks from the full-text index's database, where its
 * Worker stores them, and the newest ones, built here from summaries as emails come.
 *
 * All of it can be rebuilt from the summaries, which also answer for emails that are not covered here: for
 * those, columns say "unknown".
 *
 * @module
 */
import type { RowDb } from "../database/database.ts";
import { giveWay } from "../../platform/turns.ts";
import { ChunkBuilder, TextChunk, unpackNumbers, unpackText } from "./chunk.ts";
import { chunkEmails, type NumberColumn, numberColumns, type TextColumn } from "./values.ts";

/** Bytes of unpacked columns kept in memory, over all accounts: the last used ones. */
const keptBytes = 16 * 1024 * 1024;
/** Chunks built here, a megabyte each; with more, the Worker is too far behind. */
const maxOwnChunks = 16;
/** Summaries read between two turns of the event loop. */
const summariesPerSlice = 256;

type Unpacked = TextChunk | Float64Array;

interface Kept {
  data: Unpacked;
  bytes: number;
  /** Of a chunk built here: how much was in it. */
  version: number;
}

/** Least recently used first. */
const kept = new Map<string, Kept>();
let held = 0;
let owners = 0;

function keep(key: string, data: Unpacked, version: number): void {
  const before = kept.get(key);
  if (before) held -= before.bytes;
  kept.delete(key);
  // A text with the ends of its values, plus the overhead of a list.
  const bytes = data instanceof TextChunk ? data.text.length * 2 + 4096 : data.byteLength;
  kept.set(key, { data, bytes, version });
  held += bytes;
  for (const [oldest, k] of kept) {
    if (held <= keptBytes || oldest === key) break;
    kept.delete(oldest);
    held -= k.bytes;
  }
}

/** What the columns need from their account. */
export interface ColumnSource {
  /** The emails' database. */
  mail: RowDb;
  /** The database with stored chunks. */
  index: RowDb;
  /** Emails with lower ids already have their rows, or never will. */
  settledBelow(): number;
}

/** The columns of one open account. */
export class Columns {
  readonly #of: ColumnSource;
  readonly #owner = ++owners;
  /** Chunks with lower numbers are stored. */
  #stored: number;
  /** Chunks built here, by number. */
  #own = new Map<number, ChunkBuilder>();
  /** Emails below this id are in a chunk. */
  #below: number;
  #following: Promise<void> | undefined;
  #generation = 0;

  constructor(of: ColumnSource) {
    this.#of = of;
    this.#stored = this.#readStored();
    this.#below = this.#stored * chunkEmails;
  }

  #readStored(): number {
    return this.#of.index.get("SELECT chunks FROM state")![0];
  }

  /** Emails below this id are covered. */
  get below(): number {
    return this.#below;
  }

  /** Called when the index has been written: chunks built here may be stored now. */
  indexed(): void {
    this.#stored = this.#readStored();
    for (const n of this.#own.keys()) if (n < this.#stored) this.#own.delete(n);
    this.#below = Math.max(this.#below, this.#stored * chunkEmails);
  }

  /** Covers new emails. False if there are too many that the Worker hasn't put into chunks yet. */
  async follow(): Promise<boolean> {
    const settled = this.#of.settledBelow();
    if (settled <= this.#below) return true;
    if (Math.ceil(settled / chunkEmails) - this.#stored > maxOwnChunks) return false;
    this.#following ??= this.#read(settled).finally(() => this.#following = undefined);
    await this.#following;
    return true;
  }

  async #read(settled: number): Promise<void> {
    const generation = this.#generation;
    for (;;) {
      const rows = this.#of.mail.all(
        "SELECT id, summary FROM emails WHERE id >= ? AND id < ? ORDER BY id LIMIT ?",
        this.#below,
        settled,
        summariesPerSlice,
      );
      for (const [id, summary] of rows) {
        const n = Math.floor(id / chunkEmails);
        let own = this.#own.get(n);
        if (!own) this.#own.set(n, own = new ChunkBuilder());
        own.add(id, summary);
      }
      this.#below = rows.length < summariesPerSlice ? settled : rows[rows.length - 1][0] + 1;
      if (this.#below === settled) return;
      await giveWay();
      // The Worker has stored them meanwhile, or everything starts again.
      if (this.#below >= settled || this.#generation !== generation) return;
    }
  }

  /** A chunk's texts; undefined if it has none. */
  text(n: number, column: TextColumn): TextChunk | undefined {
    const found = this.#find(n, column);
    return found instanceof TextChunk ? found : undefined;
  }

  /** A chunk's numbers; undefined if it has none. */
  numbers(n: number, column: NumberColumn): Float64Array | undefined {
    const own = this.#ownChunk(n);
    if (own) return own.numbers(column);
    const found = this.#find(n, column);
    return found instanceof Float64Array ? found : undefined;
  }

  #ownChunk(n: number): ChunkBuilder | undefined {
    return n < this.#stored ? undefined : this.#own.get(n);
  }

  #find(n: number, column: TextColumn | NumberColumn): Unpacked | undefined {
    const own = this.#ownChunk(n);
    const version = own?.version ?? 0;
    const key = `${this.#owner} ${n} ${column}`;
    const have = kept.get(key);
    if (have && (!own || have.version === version)) {
      kept.delete(key);
      kept.set(key, have);
      return have.data;
    }
    let data: Unpacked;
    if (own) data = new TextChunk(own.text(column as TextColumn));
    else {
      const row = this.#of.index.get(
        "SELECT data FROM columns WHERE chunk = ? AND name = ?",
        n,
        column,
      );
      if (row === undefined) return undefined;
      try {
        data = numberNames.has(column) ? unpackNumbers(row[0]) : unpackText(row[0]);
      } catch {
        // Damaged: the summaries are used instead.
        return undefined;
      }
    }
    keep(key, data, version);
    return data;
  }

  /** Starts again, as the emails' values have changed. */
  emptied(): void {
    this.close();
    this.#stored = this.#readStored();
    this.#below = this.#stored * chunkEmails;
    this.#generation++;
  }

  /** Frees the memory. */
  close(): void {
    this.#own = new Map();
    const mine = `${this.#owner} `;
    for (const [key, k] of kept) {
      if (!key.startsWith(mine)) continue;
      kept.delete(key);
      held -= k.bytes;
    }
  }
}

const numberNames: ReadonlySet<string> = new Set<string>(numberColumns);
