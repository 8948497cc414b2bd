/**
 * A data folder, and everything committed to it, as objects in an object storage: the data that a standby would
 * get, in pieces that never change. A generation begins with all existing data; restoring replays it up to a
 * moment.
 *
 * Names: `<prefix><generation>/<number>-<time>`, where the time is the one as of which the data is complete
 * with this object, or "part" if a later one has the rest.
 *
 * @module
 */
import { DataFeed, type FeedChannel } from "../follow/feed.ts";
import type { FeedOp } from "../follow/protocol.ts";
import { Known, newGeneration } from "./known.ts";
import type { Bucket } from "./s3.ts";
import { generationKey, sealObject } from "./seal.ts";

/** An object is stored after this many bytes of content. */
const objectSize = 16 * 1024 * 1024;
/** Milliseconds between checks of the data. */
const lookInterval = 1000;
/** Milliseconds before the storage is tried again, and after which logs are no longer held. */
const retryAfter = 5_000;
const dayMs = 86_400_000;

export interface JournalOptions {
  dataDir: string;
  configDir: string;
  /** The database that records what is stored. */
  state: string;
  prefix: string;
  key: Uint8Array;
  /** Seconds between objects, days of a generation, days that can be restored. */
  interval: number;
  fullEvery: number;
  keep: number;
}

/** The state of the journal. */
export interface JournalState {
  /** Time as of which the stored data is complete; 0 while it isn't. */
  upToDate: number;
  objects: number;
  bytes: number;
  /** Why the last object was not stored. */
  error?: string;
  /** Why old objects still exist. */
  notRemoved?: string;
}

/** A stored object, by its name. */
export interface StoredObject {
  name: string;
  generation: string;
  number: number;
  /** Undefined for a part. */
  time: number | undefined;
}

/** Parses a name; undefined for other objects. */
export function storedObject(prefix: string, name: string): StoredObject | undefined {
  const m = /^(\d{14}-[0-9a-f]{12})\/(\d{8})-(\d{14}|part)$/.exec(name.slice(prefix.length));
  if (m === null || !name.startsWith(prefix)) return undefined;
  const time = m[3] === "part" ? undefined : Number(m[3]);
  return { name, generation: m[1], number: Number(m[2]), time };
}

export class Journal implements FeedChannel {
  readonly #o: JournalOptions;
  readonly #bucket: Bucket;
  readonly #known: Known;
  #parts: Uint8Array[] = [];
  #size = 0;
  /** A line whose bytes are arriving. */
  #open: { op: FeedOp; parts: Uint8Array[]; left: number } | undefined;
  #changed = false;
  #lastStored = -Infinity;
  /** The last round received. */
  #rounded = 0;
  readonly state: JournalState = { upToDate: 0, objects: 0, bytes: 0 };

  constructor(options: JournalOptions, bucket: Bucket) {
    this.#o = options;
    this.#bucket = bucket;
    this.#known = new Known(options.state);
  }

  /**
   * Stores until the signal is aborted.
   * @param tell is called after each round, and after a failure
   * @throws errors of the data folder
   */
  async run(signal: AbortSignal, tell: (state: JournalState) => void): Promise<void> {
    try {
      while (!signal.aborted) {
        try {
          await this.#generation();
          await this.#follow(signal, tell);
        } catch (err) {
          if (!(err instanceof NotStored)) throw err;
          this.state.error = err.message;
          tell(this.state);
          await pause(retryAfter, signal);
        } finally {
          this.#forget();
        }
      }
    } finally {
      this.#known.close();
    }
  }

  #forget(): void {
    this.#known.lost();
    this.#parts = [];
    this.#size = 0;
    this.#open = undefined;
    this.#changed = false;
  }

  /** Begins a new generation if the last one is old or inconsistent; removes generations that are too old. */
  async #generation(): Promise<void> {
    const now = Date.now();
    const all = await this.#try(() => this.#bucket.list(this.#o.prefix));
    const objects = all.map((name) => storedObject(this.#o.prefix, name)).filter((s) =>
      s !== undefined
    );
    const own = this.#known.generation;
    const stored = objects.filter((s) => s.generation === own?.id);
    // If the process ended in between, there is one more object than recorded; if somebody removed one, there
    // is one less.
    const fits = own !== undefined && stored.length === own.next &&
      stored.every((s, i) => s.number === i);
    if (!fits || now - own.started > this.#o.fullEvery * dayMs) {
      this.#known.begin(newGeneration(now));
    }
    const started = [
      ...new Set(objects.filter((s) => s.time !== undefined).map((s) => s.generation)),
    ].sort();
    for (const s of objects) {
      // The next generation covers all the time that must be kept.
      const next = started.find((g) => g > s.generation);
      if (next === undefined || now - Number(next.slice(0, 14)) <= this.#o.keep * dayMs) continue;
      try {
        await this.#bucket.remove(s.name);
        this.state.notRemoved = undefined;
      } catch (err) {
        // Perhaps a lock of the bucket: tried again with the next generation.
        this.state.notRemoved = (err as Error).message;
        return;
      }
    }
  }

  async #follow(signal: AbortSignal, tell: (state: JournalState) => void): Promise<void> {
    const { dataDir, configDir } = this.#o;
    const feed = new DataFeed({ dataDir, configDir, ownConfig: "" }, this);
    const { started } = this.#known.generation!;
    try {
      for (let last = false; !last;) {
        last = signal.aborted;
        await feed.round();
        await this.#due(last);
        tell(this.state);
        if (Date.now() - started > this.#o.fullEvery * dayMs) return;
        if (!last) await pause(lookInterval, signal);
      }
    } finally {
      feed.close();
    }
  }

  async whole(): Promise<void> {}

  async line(op: FeedOp): Promise<void> {
    this.#known.open();
    this.#add(new TextEncoder().encode(`${JSON.stringify(op)}\n`));
    this.#changed = true;
    const left = payloadSize(op);
    if (left > 0) this.#open = { op, parts: [], left };
    else await this.#done(op, []);
  }

  async bytes(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const o = this.#open!;
    this.#add(bytes);
    o.parts.push(bytes);
    o.left -= bytes.length;
    if (o.left > 0) return;
    this.#open = undefined;
    await this.#done(o.op, o.parts);
  }

  async ask(op: FeedOp): Promise<unknown> {
    if (op.op !== "round") return this.#known.answer(op);
    this.#rounded = op.at;
    return await Promise.resolve(true);
  }

  async #done(op: FeedOp, parts: readonly Uint8Array[]): Promise<void> {
    this.#known.take(op, joined(parts));
    // Only between lines, so that the record matches what is stored.
    if (this.#size >= objectSize) await this.#store("part");
  }

  #add(bytes: Uint8Array): void {
    this.#parts.push(bytes);
    this.#size += bytes.length;
  }

  /** Called after a round: stores the collected data if it is time. */
  async #due(now: boolean): Promise<void> {
    if (!this.#changed && this.#size === 0) {
      this.state.upToDate = this.#rounded;
      return;
    }
    if (!now && performance.now() - this.#lastStored < this.#o.interval * 1000) return;
    await this.#store(String(this.#rounded).padStart(14, "0"));
    this.#changed = false;
    this.state.upToDate = this.#rounded;
  }

  async #store(time: string): Promise<void> {
    const g = this.#known.generation!;
    const name = `${this.#o.prefix}${g.id}/${String(g.next).padStart(8, "0")}-${time}`;
    const object = sealObject(generationKey(this.#o.key, g.id), name, joined(this.#parts));
    await this.#try(() => this.#bucket.put(name, object));
    this.#known.stored(g.next + 1);
    this.#parts = [];
    this.#size = 0;
    this.#lastStored = performance.now();
    this.state.objects++;
    this.state.bytes += object.length;
    this.state.error = undefined;
  }

  async #try<T>(fn: () => Promise<T>): Promise<T> {
    try {
      return await fn();
    } catch (err) {
      throw new NotStored((err as Error).message, { cause: err });
    }
  }
}

/** The storage fails: retried from what is known to be stored. */
class NotStored extends Error {
  override name = "NotStored";
}

/** Bytes that follow a line. */
export function payloadSize(op: FeedOp): number {
  if (op.op === "file" || op.op === "append") return op.size;
  if (op.op !== "base") return 0;
  return op.log + op.blocks.reduce((n, b) => n + Math.min(65536, op.size - b * 65536), 0);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0];
  const all = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const p of parts) {
    all.set(p, at);
    at += p.length;
  }
  return all;
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done);
    if (signal.aborted) done();
  });
}
