/**
 * The full-text index of one account: what it knows of a search, and keeping it up to date.
 *
 * Emails are indexed in a Worker, in the order of their ids, some time after they came: nothing waits for
 * it. `below` tells how far it has got; what is not indexed yet is read by the search. A result is exact:
 * the index narrows, and the texts decide.
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

/** Milliseconds without new messages before they are indexed, and the longest they wait. */
const quiet = 1_000;
const longest = 10_000;

/** What the index needs of its account. */
export interface Indexed {
  dir: string;
  log: Log;
  /** Emails with lower ids have their rows already, or never will. */
  settledBelow(): number;
}

/** What the kept texts of an email say of a text. */
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
  /** Called when all that was made of emails is to be forgotten. */
  onEmptied: (() => void) | undefined;
  #below: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #since = 0;
  #sweep = true;
  /** Emails with lower ids are to be indexed by the run that goes on. */
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

  /** Opens the index in the account's folder; one that is damaged is begun anew. */
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
          // Not there.
        }
      }
      return new FulltextIndex(of, await Db.open(path, fulltextMigrations));
    }
  }

  /** The index's database, for what else is in it. */
  get db(): Db {
    return this.#db;
  }

  /** Emails with lower ids are indexed. */
  get below(): number {
    return this.#below;
  }

  /** Emails that may still have to be indexed, at most. */
  get behind(): number {
    return Math.max(0, this.#of.settledBelow() - this.#below);
  }

  /** Messages have come, or (with `erased`) gone for good: the index follows before long. */
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
   * Indexes what there is to index now; resolves when that is done. Never rejects. What comes meanwhile waits for its
   * own turn, as a run for a single message takes a hundred times the work of one that is part of many.
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
   * Empties the index while what it is made of is made anew; it is filled again afterwards, also when the process ends
   * in the middle of that.
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

  /**
   * Emails that a tree may find, among those that are indexed; undefined if the index can't tell.
   * Texts in the tree are folded.
   */
  narrow(node: SearchNode): Set<number> | undefined {
    switch (node.op) {
      case "text":
      case "body":
      case "header":
      case "summary":
      case "shown":
        // The index has no marks on letters: it finds too many, and the texts decide.
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

  /** What an email's texts say of a folded text; undefined if they aren't kept here. */
  kept(emailId: EmailId, text: string): Kept | undefined {
    if (emailId >= this.#below) return undefined;
    if (["\0", separator, partField].some((c) => text.includes(c))) return undefined;
    const t = this.#texts.get(emailId);
    return t && { header: t.header.includes(text), body: t.body.includes(text) };
  }

  /** True if people see a folded text without marks in the message's texts; undefined if they aren't kept here. */
  keptShown(emailId: EmailId, text: string): boolean | undefined {
    if (emailId >= this.#below) return undefined;
    if (["\0", separator, partField].some((c) => text.includes(c))) return undefined;
    const t = this.#texts.get(emailId);
    return t && (t.shown ?? withoutMarks(t.body)).includes(text);
  }

  /** True if a field has a folded text ("" for any); undefined if the header isn't kept here. */
  keptHeader(emailId: EmailId, name: string, text: string): boolean | undefined {
    if (emailId >= this.#below) return undefined;
    const header = this.#texts.get(emailId)?.header;
    if (header === undefined) return undefined;
    const start = `${name.toUpperCase()}: `;
    return header.split(separator).some((f) =>
      f.startsWith(start) && f.slice(start.length).includes(text)
    );
  }

  /** Stops; what is under way in the Worker is waited for. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#running;
    await this.#db.close();
  }
}
