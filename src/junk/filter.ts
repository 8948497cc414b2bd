/**
 * The junk filter of one account, with its own small database.
 *
 * What is stored:
 * - `words`: hash of a word, and in how many ham and spam messages it was counted;
 * - `bloom`: the words seen once so far in ham or in spam, which get a row when seen again; its chunks from
 *   {@link firstLearnedChunk} on hold what the filter learned from its mistakes;
 * - `journal`: trainings not yet merged into the other two. A training touches hundreds of rows all over the
 *   table; so {@link JunkFilter.flush} only appends the message's hashes here, a few KB, and every {@link
 *   mergeAt} words everything is merged in one transaction. When a database is opened, its journal is replayed
 *   into memory.
 *
 * A word's first sight can't be undone. So untraining a message undoes the counts exactly, except for words
 * that were new; those may be off by one, but never below zero. The numbers of messages are always exact.
 * {@link JunkFilter.rebuild} computes all counts again.
 *
 * @module
 */
import { join } from "node:path";
import { Db } from "../store/database/database.ts";
import { Bloom, bloomBytes, sightHash, wordHash } from "./bloom.ts";
import { firstLearnedChunk, formerChunks, Learned } from "./learned.ts";
import { headerSquare } from "./likeness.ts";
import { type JunkParams, junkParams } from "./params.ts";
import { filterMigrations } from "./schema.ts";
import {
  type Classification,
  classifyWords,
  Evidence,
  isOfText,
  silentWords,
  wordScore,
} from "./score.ts";
import { classified, trained } from "./metrics.ts";

/** The journal is merged at this many words; about 12 ms of work, once every 15 messages or so. */
export const mergeAt = 4000;
export const bloomChunk = 64 * 1024;
/**
 * Number of the first chunk; chunks below it belong to older filters that did not distinguish ham from spam.
 */
const firstChunk = 1000;
/** Counts kept in memory between classifications. */
const cacheSize = 50_000;

/** The filter has been closed. */
export class JunkFilterClosedError extends Error {
  override name = "JunkFilterClosedError";
}

/** A message to train on in a rebuild. */
export interface LabelledWords {
  ham: boolean;
  words: Iterable<string>;
}

/** Packs ham and spam count of a word into one number: both are below 2^26. */
const hamUnit = 2 ** 26;
/** The highest of either count. */
export const maxCount = hamUnit - 1;

interface JournalEntry {
  ham: boolean;
  untrain: boolean;
  hashes: Float64Array;
}

/** Bayesian filter, opened once per account; used by one thread. */
export class JunkFilter {
  readonly params: JunkParams;
  #db: Db | undefined;
  #hams = 0;
  #spams = 0;
  /** Counts that differ from those in the database. */
  #changed = new Map<number, number>();
  /** Counts as in the database; -1 for a word without a row. */
  #cache = new Map<number, number>();
  #bloom: Bloom | undefined;
  #learned: Learned | undefined;
  /** Trainings only in memory; below, those in the journal table, counted in words. */
  #unsaved: JournalEntry[] = [];
  #journalled = 0;
  /** Trainings made during a rebuild, to be repeated in the new filter. */
  #meanwhile: JournalEntry[] | undefined;

  private constructor(db: Db, params: JunkParams) {
    this.#db = db;
    this.params = params;
  }

  /**
   * Opens the filter in `junkfilter.db` of an account's folder, creating it if missing.
   * @throws JunkParamsError; errors of SQLite and the file system
   */
  static async open(dir: string, params: Partial<JunkParams> = {}): Promise<JunkFilter> {
    const checked = junkParams(params);
    const db = await Db.open(join(dir, "junkfilter.db"), filterMigrations);
    const f = new JunkFilter(db, checked);
    try {
      f.#load();
    } catch (err) {
      await db.close();
      throw err;
    }
    return f;
  }

  #load(): void {
    const db = this.#opened();
    [this.#hams, this.#spams] = db.get("SELECT hams, spams FROM totals") as [number, number];
    for (const [kind, blob] of db.all("SELECT kind, hashes FROM journal ORDER BY id")) {
      const bytes = blob as Uint8Array;
      const hashes = new Float64Array(bytes.slice().buffer, 0, bytes.length >>> 3);
      this.#apply({ ham: (kind & 1) === 0, untrain: (kind & 2) !== 0, hashes });
      this.#journalled += hashes.length;
    }
  }

  #opened(): Db {
    if (!this.#db) throw new JunkFilterClosedError("junk filter is closed");
    return this.#db;
  }

  /** Messages trained as ham. */
  get hams(): number {
    return this.#hams;
  }
  /** Messages trained as spam. */
  get spams(): number {
    return this.#spams;
  }
  /** Trainings that {@link flush} would save. */
  get unsaved(): number {
    return this.#unsaved.length;
  }

  /** Probability that a message with these words is spam. Synchronous; some microseconds per word. */
  classify(words: Iterable<string>): Classification {
    this.#opened();
    classified.inc();
    const bloom = this.#ensureBloom();
    const learned = this.#ensureLearned();
    return classifyWords(
      this.params,
      words,
      (w) => {
        const hash = wordHash(w);
        const n = this.#count(hash) > 0 ? this.#count(hash) : firstSights(bloom, hash);
        return n <= 0 ? undefined : { ham: Math.floor(n / hamUnit), spam: n % hamUnit };
      },
      this.#hams,
      this.#spams,
      (known, words, counted) =>
        learned.logOdds(hashesOf(known), spaceOf(words) - spaceOf(known), words.length, counted),
    );
  }

  /** Counts of a word, packed; -1 if it has none. */
  #count(hash: number): number {
    const n = this.#changed.get(hash) ?? this.#cache.get(hash);
    if (n !== undefined) return n;
    const row = this.#opened().get("SELECT ham, spam FROM words WHERE hash = ?", hash);
    const stored = row ? (row[0] as number) * hamUnit + (row[1] as number) : -1;
    if (this.#cache.size >= cacheSize) this.#cache.clear();
    this.#cache.set(hash, stored);
    return stored;
  }

  /** Counts a message's words as ham or spam. In memory until {@link flush}. */
  train(ham: boolean, words: Iterable<string>): void {
    this.#record({ ham, untrain: false, hashes: hashesOf(words) });
  }

  /** Undoes an earlier training with the same words. In memory until {@link flush}. */
  untrain(ham: boolean, words: Iterable<string>): void {
    this.#record({ ham, untrain: true, hashes: hashesOf(words) });
  }

  #record(entry: JournalEntry): void {
    this.#opened();
    this.#apply(entry);
    this.#unsaved.push(entry);
    this.#meanwhile?.push(entry);
    trained.inc({ kind: entry.ham ? "ham" : "spam", action: entry.untrain ? "untrain" : "train" });
  }

  #apply(entry: JournalEntry): void {
    const by = entry.untrain ? -1 : 1;
    const known = this.#ensureBloom();
    learnFrom(
      this.#ensureLearned(),
      entry,
      () =>
        judged(
          this.params,
          this.#hams,
          this.#spams,
          entry.hashes,
          (hash) => Math.max(0, this.#count(hash)) || firstSights(known, hash),
        ),
    );
    if (entry.ham) this.#hams = Math.max(0, this.#hams + by);
    else this.#spams = Math.max(0, this.#spams + by);
    const bloom = entry.untrain ? undefined : known;
    for (const hash of entry.hashes) {
      let n = Math.max(0, this.#count(hash));
      if (bloom && n === 0) {
        n = firstSights(bloom, hash);
        bloom.add(sightHash(hash, entry.ham));
        if (n === 0) continue;
      }
      const next = changeCount(n, entry.ham, by);
      if (next !== n) this.#changed.set(hash, next);
    }
  }

  #ensureBloom(): Bloom {
    if (this.#bloom) return this.#bloom;
    const bits = new Uint8Array(bloomBytes);
    for (
      const [chunk, bytes] of this.#opened().all(
        "SELECT chunk, bits FROM bloom WHERE chunk >= ? AND chunk < ?",
        firstChunk,
        firstLearnedChunk,
      )
    ) {
      // An older filter of twice the size is folded onto itself: the lower bits of a position are the same.
      const at = ((chunk as number) - firstChunk) * bloomChunk % bloomBytes;
      for (const [i, b] of (bytes as Uint8Array).entries()) bits[at + i] |= b;
    }
    return this.#bloom = new Bloom(bits);
  }

  #ensureLearned(): Learned {
    if (this.#learned) return this.#learned;
    const rows = this.#opened().all(
      "SELECT chunk, bits FROM bloom WHERE chunk >= ?",
      firstLearnedChunk,
    );
    return this.#learned = Learned.load(
      rows.map(([chunk, bytes]) => [chunk as number, bytes as Uint8Array] as const),
    );
  }

  /** Saves all trainings; resolves when they are on disk. */
  async flush(): Promise<void> {
    const db = this.#opened();
    if (this.#unsaved.length === 0) return;
    const entries = this.#unsaved;
    db.transaction(() => {
      for (const e of entries) {
        const bytes = new Uint8Array(e.hashes.buffer, 0, e.hashes.byteLength);
        db.run(
          "INSERT INTO journal (kind, hashes) VALUES (?, ?)",
          (e.ham ? 0 : 1) | (e.untrain ? 2 : 0),
          bytes,
        );
      }
    });
    this.#unsaved = [];
    for (const e of entries) this.#journalled += e.hashes.length;
    if (this.#journalled >= mergeAt) this.#merge();
    await db.durable();
  }

  /** Merges the journal into the other tables, in one transaction. */
  #merge(): void {
    const db = this.#opened();
    db.transaction(() => {
      writeCounts(db, "words", this.#changed, true);
      if (this.#bloom) writeBloom(db, this.#bloom);
      if (this.#learned) writeLearned(db, this.#learned);
      db.run("UPDATE totals SET hams = ?, spams = ?", this.#hams, this.#spams);
      db.exec("DELETE FROM journal");
    });
    // Unsaved trainings are in the counts just written: their caller is flush(), which has none left.
    this.#changed.clear();
    this.#cache.clear();
    this.#journalled = 0;
  }

  /** Saves, and closes the database. */
  async close(): Promise<void> {
    if (!this.#db) return;
    const db = this.#db;
    try {
      await this.flush();
    } finally {
      this.#db = undefined;
      await db.close();
    }
  }

  /**
   * Rebuilds the filter from all messages, in slices of some 10 ms between which other work runs. Until the end
   * the old filter answers; if it fails or is aborted, the old one stays unchanged. Trainings meanwhile are
   * counted in both. Memory: the words seen twice in a slice.
   */
  async rebuild(
    messages: AsyncIterable<LabelledWords> | Iterable<LabelledWords>,
    signal?: AbortSignal,
  ): Promise<{ hams: number; spams: number }> {
    const db = this.#opened();
    if (this.#meanwhile) throw new Error("a rebuild of this junk filter is running already");
    const meanwhile: JournalEntry[] = this.#meanwhile = [];
    try {
      db.exec(
        "DROP TABLE IF EXISTS words_new; " +
          "CREATE TABLE words_new (hash INTEGER PRIMARY KEY, ham INTEGER NOT NULL, spam INTEGER NOT NULL)",
      );
      const bloom = new Bloom();
      const learned = new Learned();
      let changed = new Map<number, number>();
      let hams = 0, spams = 0;
      const apply = (entry: JournalEntry) => {
        const by = entry.untrain ? -1 : 1;
        // Each is looked up once, for both.
        const counts = new Map<number, number>();
        for (const hash of entry.hashes) {
          let n = changed.get(hash);
          if (n === undefined) {
            const row = db.get("SELECT ham, spam FROM words_new WHERE hash = ?", hash);
            n = row ? (row[0] as number) * hamUnit + (row[1] as number) : 0;
          }
          counts.set(hash, n);
        }
        learnFrom(
          learned,
          entry,
          () =>
            judged(
              this.params,
              hams,
              spams,
              entry.hashes,
              (hash) => counts.get(hash)! || firstSights(bloom, hash),
            ),
        );
        if (entry.ham) hams = Math.max(0, hams + by);
        else spams = Math.max(0, spams + by);
        for (const hash of entry.hashes) {
          let n = counts.get(hash)!;
          if (n === 0 && !entry.untrain) {
            n = firstSights(bloom, hash);
            bloom.add(sightHash(hash, entry.ham));
            if (n === 0) continue;
          }
          changed.set(hash, changeCount(n, entry.ham, by));
        }
      };
      let sliceEnd = performance.now() + 10;
      for await (const m of messages) {
        signal?.throwIfAborted();
        apply({ ham: m.ham, untrain: false, hashes: hashesOf(m.words) });
        if (changed.size >= mergeAt) {
          const counts = changed;
          changed = new Map();
          db.transaction(() => writeCounts(db, "words_new", counts, false));
        }
        if (performance.now() >= sliceEnd) {
          await new Promise((resolve) => setTimeout(resolve, 0));
          sliceEnd = performance.now() + 10;
        }
      }
      signal?.throwIfAborted();
      this.#opened();
      for (const e of meanwhile) apply(e);
      db.transaction(() => {
        writeCounts(db, "words_new", changed, false);
        db.exec("DROP TABLE words; ALTER TABLE words_new RENAME TO words; DELETE FROM journal");
        writeBloom(db, bloom);
        db.run("DELETE FROM bloom WHERE chunk >= ?", firstLearnedChunk);
        writeLearned(db, learned);
        db.run("UPDATE totals SET hams = ?, spams = ?", hams, spams);
      });
      this.#hams = hams;
      this.#spams = spams;
      this.#bloom = bloom;
      this.#learned = learned;
      this.#changed.clear();
      this.#cache.clear();
      this.#unsaved = [];
      this.#journalled = 0;
      await db.durable();
      return { hams, spams };
    } catch (err) {
      if (this.#db) db.exec("DROP TABLE IF EXISTS words_new");
      throw err;
    } finally {
      this.#meanwhile = undefined;
    }
  }
}

/** Hashes of the words, each once: ascending those of the header, then those of the text; see headerWords of learned.ts. */
function hashesOf(words: Iterable<string>): Float64Array {
  const header = new Set<number>(), text = new Set<number>();
  for (const w of words) (isOfText(w) ? text : header).add(wordHash(w));
  const first = Float64Array.from(header).sort();
  const hashes = new Float64Array(first.length + text.size);
  hashes.set(first);
  hashes.set(Float64Array.from(text).sort(), first.length);
  return hashes;
}

/** What words take in a vector of a message, see likeness.ts. */
function spaceOf(words: readonly string[]): number {
  let space = 0;
  for (const word of words) {
    space += silentWords.has(word) ? 0 : isOfText(word) ? 1 : headerSquare;
  }
  return space;
}

function learnFrom(learned: Learned, entry: JournalEntry, logOdds: () => number): void {
  if (entry.untrain) learned.unlearn(entry.ham, entry.hashes);
  else learned.learn(entry.ham, entry.hashes, logOdds());
}

const silentHashes: ReadonlySet<number> = new Set([...silentWords].map(wordHash));

/** The verdict of counting alone on a message, as log odds. `count` returns packed counts, 0 for none. */
function judged(
  params: JunkParams,
  hams: number,
  spams: number,
  hashes: Float64Array,
  count: (hash: number) => number,
): number {
  const evidence = new Evidence();
  for (const hash of hashes) {
    const n = silentHashes.has(hash) ? 0 : count(hash);
    if (n === 0) continue;
    const score = wordScore(params, Math.floor(n / hamUnit), n % hamUnit, hams, spams);
    if (score !== undefined) evidence.add(score);
  }
  return evidence.logOdds;
}

/** Packed counts of a word without a row: its first sights. */
function firstSights(bloom: Bloom, hash: number): number {
  return (bloom.has(sightHash(hash, true)) ? hamUnit : 0) +
    (bloom.has(sightHash(hash, false)) ? 1 : 0);
}

function changeCount(n: number, ham: boolean, by: number): number {
  const count = ham ? Math.floor(n / hamUnit) : n % hamUnit;
  if (by < 0 ? count === 0 : count === maxCount) return n;
  return n + by * (ham ? hamUnit : 1);
}

/** Writes counts, in the order of the table; words without counts are removed. */
function writeCounts(
  db: Db,
  table: "words" | "words_new",
  counts: ReadonlyMap<number, number>,
  remove: boolean,
): void {
  for (const hash of Float64Array.from(counts.keys()).sort()) {
    const n = counts.get(hash)!;
    if (n > 0) {
      db.run(
        `INSERT INTO ${table} VALUES (?, ?, ?) ON CONFLICT (hash) DO UPDATE SET ham = excluded.ham, spam = excluded.spam`,
        hash,
        Math.floor(n / hamUnit),
        n % hamUnit,
      );
    } else if (remove) {
      db.run(`DELETE FROM ${table} WHERE hash = ?`, hash);
    }
  }
}

function writeBloom(db: Db, bloom: Bloom): void {
  const after = firstChunk + bloomBytes / bloomChunk;
  db.run(
    "DELETE FROM bloom WHERE chunk < ? OR chunk BETWEEN ? AND ?",
    firstChunk,
    after,
    firstLearnedChunk - 1,
  );
  for (let i = 0; i < bloomBytes / bloomChunk; i++) {
    writeChunk(db, firstChunk + i, bloom.bits.subarray(i * bloomChunk, (i + 1) * bloomChunk));
  }
}

function writeLearned(db: Db, learned: Learned): void {
  db.run("DELETE FROM bloom WHERE chunk BETWEEN ? AND ?", ...formerChunks);
  for (const [chunk, bytes] of learned.changes()) writeChunk(db, chunk, bytes);
}

function writeChunk(db: Db, chunk: number, bytes: Uint8Array): void {
  db.run(
    "INSERT INTO bloom VALUES (?, ?) ON CONFLICT (chunk) DO UPDATE SET bits = excluded.bits",
    chunk,
    bytes,
  );
}
