/** The Worker side of worker.ts: reads emails and fills the index, in batches. @module */
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { parseSummary } from "../fetch.ts";
import { MessageFiles } from "../message_files.ts";
import { fieldText, MessageText, summaryTexts } from "../search_text.ts";
import { maxKeptText, partField, separator } from "./schema.ts";

export interface IndexRequest {
  id: number;
  /** Folder of the account. */
  dir: string;
  /** Emails with lower ids are to be indexed. */
  below: number;
  /** Take out emails that are gone. */
  sweep: boolean;
}
export interface IndexReply {
  id: number;
  below: number;
  error?: string;
}

/** Emails in a transaction: readers see them all at once, and a crash loses no more. */
const batch = 200;

interface EmailRow {
  id: number;
  prefix: Uint8Array;
  size: number;
  structure: string;
  summary: string;
}

const scope = self as unknown as {
  onmessage: (e: MessageEvent<IndexRequest>) => void;
  postMessage(m: IndexReply): void;
};

scope.onmessage = (e) => {
  const { id } = e.data;
  try {
    scope.postMessage({ id, below: run(e.data) });
  } catch (err) {
    const error = err instanceof Error ? err.message : String(err);
    scope.postMessage({ id, below: 0, error });
  }
};

function run(r: IndexRequest): number {
  const mail = new DatabaseSync(join(r.dir, "index.db"), { readOnly: true, timeout: 5000 });
  const index = new DatabaseSync(join(r.dir, "fulltext.db"), { timeout: 5000 });
  try {
    index.exec("PRAGMA synchronous = NORMAL");
    if (r.sweep) sweep(mail, index);
    return fill(r, mail, index);
  } finally {
    index.close();
    mail.close();
  }
}

function fill(r: IndexRequest, mail: DatabaseSync, index: DatabaseSync): number {
  const files = new MessageFiles(join(r.dir, "msg"));
  const next = mail.prepare(
    `SELECT id, prefix, size, structure, summary FROM emails
     WHERE id >= ? AND id < ? ORDER BY id LIMIT ${batch}`,
  );
  const addTrigrams = index.prepare("INSERT INTO trigrams (rowid, text) VALUES (?, ?)");
  const addText = index.prepare("INSERT OR REPLACE INTO texts (id, header, body) VALUES (?, ?, ?)");
  const setBelow = index.prepare("UPDATE state SET below = ?");
  let below = (index.prepare("SELECT below FROM state").get() as { below: number }).below;
  while (below < r.below) {
    const rows = next.all(below, r.below) as unknown as EmailRow[];
    index.exec("BEGIN IMMEDIATE");
    try {
      for (const row of rows) {
        const t = texts(files, row);
        // An email whose file is gone has no texts, and is not found.
        if (t === undefined) continue;
        addTrigrams.run(row.id, [t.header, t.body, t.summary].join(separator));
        const keep = t.header.length + t.body.length <= maxKeptText && !t.odd;
        addText.run(row.id, keep ? t.header : null, keep ? t.body : null);
      }
      below = rows.length < batch ? r.below : rows[rows.length - 1].id + 1;
      setBelow.run(below);
      index.exec("COMMIT");
    } catch (err) {
      index.exec("ROLLBACK");
      throw err;
    }
  }
  return below;
}

function texts(
  files: MessageFiles,
  row: EmailRow,
): { header: string; body: string; summary: string; odd: boolean } | undefined {
  const text = new MessageText(row.structure, () => files.open(row.id, row.prefix, row.size));
  try {
    const ofParts = [...text.partFields()].map((t) => partField + t);
    const header = text.fields().map(fieldText).concat(ofParts).join(separator);
    const body = [...text.bodyTexts()].join(separator);
    const summary = summaryTexts(parseSummary(row.summary)).join(separator);
    // SQLite's functions end a text at NUL.
    const odd = header.includes("\0") || body.includes("\0");
    const plain = (s: string) => odd ? s.replaceAll("\0", separator) : s;
    return { header: plain(header), body: plain(body), summary: plain(summary), odd };
  } catch (err) {
    if (err instanceof Deno.errors.NotFound) return undefined;
    throw err;
  } finally {
    text.close();
  }
}

/** Takes out what is of emails that are gone: both lists of ids in order, side by side. */
function sweep(mail: DatabaseSync, index: DatabaseSync): void {
  const ids = (db: DatabaseSync, table: string) =>
    (db.prepare(`SELECT id FROM ${table} ORDER BY id`).all() as { id: number }[]).map((r) => r.id);
  const here = ids(mail, "emails");
  const gone: number[] = [];
  let i = 0;
  for (const id of ids(index, "texts")) {
    while (i < here.length && here[i] < id) i++;
    if (here[i] !== id) gone.push(id);
  }
  if (gone.length === 0) return;
  const dropTrigrams = index.prepare("DELETE FROM trigrams WHERE rowid = ?");
  const dropText = index.prepare("DELETE FROM texts WHERE id = ?");
  for (let at = 0; at < gone.length; at += batch) {
    index.exec("BEGIN IMMEDIATE");
    for (const id of gone.slice(at, at + batch)) {
      dropTrigrams.run(id);
      dropText.run(id);
    }
    index.exec("COMMIT");
  }
}
