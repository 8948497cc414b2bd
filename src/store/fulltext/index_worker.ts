/** The Worker side of worker.ts: reads emails and fills the index, in batches. @module */
import { asEmailId, type EmailId } from "../ids.ts";
import { join } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { answerRequests } from "../../platform/workers/worker.ts";
import { ChunkBuilder } from "../columns/chunk.ts";
import { chunkEmails } from "../columns/values.ts";
import { MessageFiles } from "../files/message_files.ts";
import { fieldText, MessageText, summaryTexts, withoutMarks } from "../search/text.ts";
import { isCutSummary, parseSummary } from "../messages/summary.ts";
import {
  type Block,
  blockEmails,
  blockOf,
  type EmailTexts,
  hereOf,
  longTexts,
  packBlock,
  unpackBlock,
} from "./kept_texts.ts";
import { maxIndexedText, maxKeptText, partField, separator } from "./schema.ts";

export interface IndexRequest {
  /** Folder of the account. */
  dir: string;
  /** Index emails with lower ids. */
  below: number;
  /** Remove emails that are gone. */
  sweep: boolean;
}

/** Emails per transaction: readers see them all at the same time, and a crash loses no more. */
const batch = 200;

interface EmailRow {
  id: EmailId;
  prefix: Uint8Array;
  size: number;
  structure: string;
  summary: string;
}

answerRequests(run);

function run(request: IndexRequest): number {
  const mail = new DatabaseSync(join(request.dir, "index.db"), { readOnly: true, timeout: 5000 });
  const index = new DatabaseSync(join(request.dir, "fulltext.db"), { timeout: 5000 });
  try {
    index.exec("PRAGMA synchronous = NORMAL");
    if (request.sweep) sweep(mail, index);
    return fill(request, mail, index);
  } finally {
    index.close();
    mail.close();
  }
}

function fill(request: IndexRequest, mail: DatabaseSync, index: DatabaseSync): number {
  const files = new MessageFiles(join(request.dir, "msg"));
  const next = mail.prepare(
    `SELECT id, prefix, size, structure, summary FROM emails
     WHERE id >= ? AND id < ? ORDER BY id LIMIT ${batch}`,
  );
  const addTrigrams = index.prepare("INSERT INTO trigrams (rowid, text) VALUES (?, ?)");
  const blocks = new Blocks(index);
  const addLarge = index.prepare("INSERT OR IGNORE INTO large (id) VALUES (?)");
  const addLong = index.prepare("INSERT OR REPLACE INTO long_texts (id, data) VALUES (?, ?)");
  const setBelow = index.prepare("UPDATE state SET below = ?");
  let below = (index.prepare("SELECT below FROM state").get() as { below: number }).below;
  while (below < request.below) {
    const rows = next.all(below, request.below) as unknown as EmailRow[];
    index.exec("BEGIN IMMEDIATE");
    try {
      for (const row of rows) {
        const t = texts(files, row);
        // An email whose file is missing has no texts and is not found.
        if (t === undefined) continue;
        if (t === "large") {
          addLarge.run(row.id);
          blocks.add(row.id, null);
          continue;
        }
        const all = withoutMarks([t.header, t.body, t.summary].join(separator));
        addTrigrams.run(row.id, t.shown === null ? all : all + separator + t.shown);
        const { header, body, shown } = t;
        const length = header.length + body.length + (shown?.length ?? 0);
        const kept = length <= maxKeptText && !t.odd;
        blocks.add(row.id, kept && length <= longTexts ? { header, body, shown } : null);
        if (kept && length > longTexts) {
          addLong.run(row.id, packBlock(new Map([[0, { header, body, shown }]])));
        }
      }
      blocks.flush();
      below = rows.length < batch ? request.below : rows[rows.length - 1].id + 1;
      setBelow.run(below);
      index.exec("COMMIT");
    } catch (err) {
      index.exec("ROLLBACK");
      throw err;
    }
  }
  addColumns(mail, index, below);
  return below;
}

/** Blocks of texts being filled, in id order. */
class Blocks {
  readonly #read: StatementSync;
  readonly #write: StatementSync;
  readonly #drop: StatementSync;
  #n = -1;
  #block: Block = new Map();

  constructor(index: DatabaseSync) {
    this.#read = index.prepare("SELECT data FROM blocks WHERE n = ?");
    this.#write = index.prepare("INSERT OR REPLACE INTO blocks (n, here, data) VALUES (?, ?, ?)");
    this.#drop = index.prepare("DELETE FROM blocks WHERE n = ?");
  }

  #open(n: number): void {
    if (this.#n === n) return;
    this.flush();
    this.#n = n;
    const row = this.#read.get(n) as { data: Uint8Array } | undefined;
    this.#block = row === undefined ? new Map() : unpackBlock(row.data);
  }

  add(emailId: EmailId, texts: EmailTexts | null): void {
    const { n, place } = blockOf(emailId);
    this.#open(n);
    this.#block.set(place, texts);
  }

  remove(emailId: EmailId): void {
    const { n, place } = blockOf(emailId);
    this.#open(n);
    this.#block.delete(place);
  }

  /** Writes the changed block. */
  flush(): void {
    if (this.#n < 0) return;
    if (this.#block.size === 0) this.#drop.run(this.#n);
    else this.#write.run(this.#n, hereOf(this.#block), packBlock(this.#block));
    this.#n = -1;
  }
}

/** Puts emails into columns: chunks that no further email can join. */
function addColumns(mail: DatabaseSync, index: DatabaseSync, below: number): void {
  const { chunks } = index.prepare("SELECT chunks FROM state").get() as { chunks: number };
  const set = index.prepare("UPDATE state SET chunks = ?");
  for (let n = chunks; (n + 1) * chunkEmails <= below; n++) {
    inTransaction(index, () => {
      writeChunk(mail, index, n);
      set.run(n + 1);
    });
  }
}

function writeChunk(mail: DatabaseSync, index: DatabaseSync, n: number): void {
  const chunk = new ChunkBuilder();
  const rows = mail.prepare("SELECT id, summary FROM emails WHERE id >= ? AND id < ?").all(
    n * chunkEmails,
    (n + 1) * chunkEmails,
  ) as { id: EmailId; summary: string }[];
  for (const { id, summary } of rows) chunk.add(id, summary);
  const write = index.prepare(
    "INSERT OR REPLACE INTO columns (chunk, name, data) VALUES (?, ?, ?)",
  );
  for (const [name, data] of chunk.packed()) write.run(n, name, data);
}

function inTransaction(db: DatabaseSync, fn: () => void): void {
  db.exec("BEGIN IMMEDIATE");
  try {
    fn();
    db.exec("COMMIT");
  } catch (err) {
    db.exec("ROLLBACK");
    throw err;
  }
}

function texts(
  files: MessageFiles,
  row: EmailRow,
):
  | { header: string; body: string; summary: string; shown: string | null; odd: boolean }
  | "large"
  | undefined {
  const text = new MessageText(row.structure, () => files.open(row.id, row.prefix, row.size));
  try {
    const stored = parseSummary(row.summary);
    if (isCutSummary(stored)) return "large";
    const limit = { left: maxIndexedText };
    const own = joined(text.fields().map((f) => [fieldText(f)]), limit);
    const ofParts = joined(text.partFields().map((t) => [partField + t]), limit);
    const header = own === undefined || ofParts === undefined
      ? undefined
      : ofParts === ""
      ? own
      : own + separator + ofParts;
    const body = header === undefined ? undefined : joined(text.bodyTexts(), limit);
    const shown = text.isFormatted
      ? joined([...text.fileNames()].map((n) => [n]), limit)?.concat(separator).concat(
        joined(text.shownTexts(), limit) ?? "",
      )
      : null;
    if (header === undefined || body === undefined || shown === undefined) return "large";
    if (limit.left < 0) return "large";
    const summary = summaryTexts(stored).join(separator);
    // SQLite's functions end a text at NUL.
    const odd = [header, body, shown ?? ""].some((t) => t.includes("\0"));
    const plain = (s: string) => odd ? s.replaceAll("\0", separator) : s;
    return {
      header: plain(header),
      body: plain(body),
      summary: plain(summary),
      shown: shown === null ? null : plain(shown),
      odd,
    };
  } catch (err) {
    if (err instanceof Deno.errors.NotFound) return undefined;
    throw err;
  } finally {
    text.close();
  }
}

/** Texts as one, undefined if they exceed the rest of the limit. */
function joined(
  texts: Iterable<Iterable<string>>,
  limit: { left: number },
): string | undefined {
  const all: string[] = [];
  for (const pieces of texts) {
    const text: string[] = [];
    for (const p of pieces) {
      limit.left -= p.length;
      if (limit.left < 0) return undefined;
      text.push(p);
    }
    all.push(text.join(""));
  }
  return all.join(separator);
}

/** Removes emails that are gone: walks both lists of ids in order. */
function sweep(mail: DatabaseSync, index: DatabaseSync): void {
  const here = (mail.prepare("SELECT id FROM emails ORDER BY id").all() as { id: number }[])
    .map((r) => r.id);
  const gone: EmailId[] = [];
  let i = 0;
  const blocks = index.prepare("SELECT n, here FROM blocks ORDER BY n").all() as {
    n: number;
    here: number;
  }[];
  for (const b of blocks) {
    for (let place = 0; place < blockEmails; place++) {
      if (!(b.here & 1 << place)) continue;
      const id = asEmailId(b.n * blockEmails + place);
      while (i < here.length && here[i] < id) i++;
      if (here[i] !== id) gone.push(id);
    }
  }
  if (gone.length === 0) return;
  const dropTrigrams = index.prepare("DELETE FROM trigrams WHERE rowid = ?");
  const dropLong = index.prepare("DELETE FROM long_texts WHERE id = ?");
  const dropLarge = index.prepare("DELETE FROM large WHERE id = ?");
  const texts = new Blocks(index);
  for (let at = 0; at < gone.length; at += batch) {
    inTransaction(index, () => {
      for (const id of gone.slice(at, at + batch)) {
        dropTrigrams.run(id);
        texts.remove(id);
        dropLarge.run(id);
        dropLong.run(id);
      }
      texts.flush();
    });
  }
  const { chunks } = index.prepare("SELECT chunks FROM state").get() as { chunks: number };
  for (const n of new Set(gone.map((id) => Math.floor(id / chunkEmails)))) {
    if (n < chunks) inTransaction(index, () => writeChunk(mail, index, n));
  }
}
