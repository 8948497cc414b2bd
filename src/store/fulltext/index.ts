/**
 * The full-text index of one account: narrowing searches, and keeping it up to date.
 *
 * Emails are indexed in a Worker, in the order of their ids, some time after they arrive: nothing waits for it.
 * `below` shows how far it has come; the search reads messages that are not indexed yet. Results are exact: the
 * index narrows, and the texts decide.
 *
 * @module
 */
import type { EmailId } from "../ids.ts";
import { join } from "node:path";
import type { Log } from "../../log/mod.ts";
import { removeFile } from "../../platform/files.ts";
import { Db } from "../database/database.ts";
import { withoutMarks } from "../search/text.ts";
import type { SearchNode } from "../search/types.ts";
import { trigramQuery } from "./query.ts";
import { KeptTexts } from "./kept_texts.ts";
import { fulltextMigrations, partField, separator } from "./schema.ts";
import { indexInWorker } from "./worker.ts";

/** Milliseconds without new messages before they are indexed, and the longest wait. */
const quiet = 1_000;
const longest = 10_000;

/** What the index needs from its account. */
export interface Indexed {
  dir: string;
  log: Log;
  /** Emails with lower ids already have their rows, or never will. */
  settledBelow(): number;
}

/** What an email's kept texts show about a searched text. */
export interface Kept {
  header: boolean;
  body: boolean;
}

export class FulltextIndex {
  readonly #of: Indexed;
  readonly #db: Db;
  readonly #texts: KeptTexts;
  /** Called when the Worker has written. */
  onIndexed: (() => void) | undefined;
  /** Called when all data derived from emails must be forgotten. */
  onEmptied: (() => void) | undefined;
  #below: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #since = 0;
  #sweep = true;
  /** The current run indexes emails with lower ids. */
  #wanted = 0;
  #running: Promise<void> | undefined;
  #closed = false;
  #held = 0;

  private constructor(of: Indexed, db: Db) {
    this.#of = of;
    this.#db = db;
    this.#texts = new KeptTexts(db);
    this.#below = db.get("SELECT below FROM state")![0];
  }

  /** Opens the index in the account's folder; a damaged one is rebuilt. */
  static async open(of: Indexed): Promise<FulltextIndex> {
    const path = join(of.dir, "fulltext.db");
    let db: Db | undefined;
    try {
      db = await Db.open(path, fulltextMigrations);
      return new FulltextIndex(of, db);
    } catch (err) {
      await db?.close();
      of.log.warn("full-text index can't be opened, making it anew", { err: err as Error, path });
      for (const end of ["", "-wal", "-shm"]) {
        try {
          removeFile(path + end);
        } catch {
          // It does not exist.
        }
      }
      return new FulltextIndex(of, await Db.open(path, fulltextMigrations));
    }
  }

  /** The index's database, for its other contents. */
  get db(): Db {
    return this.#db;
  }

  /** Emails with lower ids are indexed. */
  get below(): number {
    return this.#below;
  }

  /** Upper bound of emails still to be indexed. */
  get behind(): number {
    return Math.max(0, this.#of.settledBelow() - this.#below);
  }

  /** Messages were added, or (with `erased`) permanently removed: the index follows soon. */
  changed(erased = false): void {
    if (erased) this.#sweep = true;
    if (this.#closed || this.#held > 0) return;
    const now = Date.now();
    if (this.#timer === undefined) this.#since = now;
    clearTimeout(this.#timer);
    const wait = Math.max(0, Math.min(quiet, this.#since + longest - now));
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.update();
    }, wait);
    Deno.unrefTimer(this.#timer as unknown as number);
  }

  /**
   * Indexes everything available now; resolves when that is done. Never rejects. Later messages wait for the
   * next run, as a run for a single message costs a hundred times its share of a large run.
   */
  update(): Promise<void> {
    this.#wanted = this.#of.settledBelow();
    this.#running ??= this.#update().catch((err) => {
      this.#of.log.error("full-text index", { err });
    }).finally(() => this.#running = undefined);
    return this.#running;
  }

  async #update(): Promise<void> {
    while (!this.#closed && this.#held === 0) {
      const below = this.#wanted;
      const sweep = this.#sweep;
      if (below <= this.#below && !sweep) return;
      this.#sweep = false;
      this.#below = await indexInWorker({ dir: this.#of.dir, below, sweep });
      this.#texts.forget();
      if (!this.#closed) this.onIndexed?.();
    }
  }

  /**
   * Empties the index while its source data is recomputed; it is filled again afterwards, even if the process
   * ends in the middle.
   */
  async anew<T>(work: () => Promise<T>): Promise<T> {
    this.#held++;
    try {
      await this.#running;
      this.#db.transaction(() =>
        this.#db.exec(
          "DELETE FROM blocks; DELETE FROM long_texts; DELETE FROM columns; DELETE FROM large; " +
            "INSERT INTO trigrams (trigrams) VALUES ('delete-all'); " +
            "UPDATE state SET below = 1, chunks = 0",
        )
      );
      await this.#db.durable();
      this.#below = 1;
      this.#texts.forget();
      this.onEmptied?.();
      return await work();
    } finally {
      this.#held--;
      this.onEmptied?.();
      this.changed();
    }
  }

  /** Indexed emails that may match a tree; undefined if the index can't tell. Texts in the tree are folded. */
  narrow(node: SearchNode): Set<number> | undefined {
    switch (node.op) {
      case "text":
      case "body":
      case "header":
      case "summary":
      case "shown":
        // The index stores letters without marks: it finds too many, and the texts decide.
        return this.#candidates(withoutMarks(node.text));
      case "and": {
        let r: Set<number> | undefined;
        for (const c of node.nodes) {
          const s = this.narrow(c);
          if (s !== undefined) r = r === undefined ? s : r.intersection(s);
          if (r?.size === 0) break;
        }
        return r;
      }
      case "or": {
        let r: Set<number> | undefined = new Set();
        for (const c of node.nodes) {
          const s = this.narrow(c);
          if (s === undefined) return undefined;
          r = r.union(s);
        }
        return r;
      }
      default:
        return undefined;
    }
  }

  #candidates(text: string): Set<number> | undefined {
    const query = trigramQuery(text);
    if (query === undefined) return undefined;
    const ids = new Set<number>(this.#db.all("SELECT id FROM large").map((r) => r[0]));
    for (
      const [id] of this.#db.iterate("SELECT rowid FROM trigrams WHERE trigrams MATCH ?", query)
    ) {
      ids.add(id);
    }
    return ids;
  }

  /** What an email's texts show about a folded text; undefined if they aren't stored here. */
  kept(emailId: EmailId, text: string): Kept | undefined {
    if (emailId >= this.#below) return undefined;
    if (["\0", separator, partField].some((c) => text.includes(c))) return undefined;
    const t = this.#texts.get(emailId);
    return t && { header: t.header.includes(text), body: t.body.includes(text) };
  }

  /**
   * True if a folded text without marks is visible in the message's texts; undefined if they aren't stored
   * here.
   */
  keptShown(emailId: EmailId, text: string): boolean | undefined {
    if (emailId >= this.#below) return undefined;
    if (["\0", separator, partField].some((c) => text.includes(c))) return undefined;
    const t = this.#texts.get(emailId);
    return t && (t.shown ?? withoutMarks(t.body)).includes(text);
  }

  /** True if a field has a folded text ("" for any); undefined if the header isn't stored here. */
  keptHeader(emailId: EmailId, name: string, text: string): boolean | undefined {
    if (emailId >= this.#below) return undefined;
    const header = this.#texts.get(emailId)?.header;
    if (header === undefined) return undefined;
    const start = `${name.toUpperCase()}: `;
    return header.split(separator).some((f) =>
      f.startsWith(start) && f.slice(start.length).includes(text)
    );
  }

  /** Stops; waits for running work in the Worker. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#running;
    await this.#db.close();
  }
}
