/** The Worker side of worker.ts: reads emails and fills the index, in batches. @module */
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { answerRequests } from "../../platform/worker.ts";
import { MessageFiles } from "../files/message_files.ts";
import { fieldText, MessageText, summaryTexts, withoutMarks } from "../search/text.ts";
import { isCutSummary, parseSummary } from "../messages/summary.ts";
import { maxIndexedText, maxKeptText, partField, separator } from "./schema.ts";

export interface IndexRequest {
  /** Folder of the account. */
  dir: string;
  /** Emails with lower ids are to be indexed. */
  below: number;
  /** Take out emails that are gone. */
  sweep: boolean;
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

answerRequests(run);

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
  const addText = index.prepare(
    "INSERT OR REPLACE INTO texts (id, header, body, shown) VALUES (?, ?, ?, ?)",
  );
  const addLarge = index.prepare("INSERT OR IGNORE INTO large (id) VALUES (?)");
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
        if (t === "large") {
          addLarge.run(row.id);
          addText.run(row.id, null, null, null);
          continue;
        }
        const all = withoutMarks([t.header, t.body, t.summary].join(separator));
        addTrigrams.run(row.id, t.shown === null ? all : all + separator + t.shown);
        const kept = t.header.length + t.body.length + (t.shown?.length ?? 0) <= maxKeptText;
        const keep = kept && !t.odd;
        addText.run(
          row.id,
          keep ? t.header : null,
          keep ? t.body : null,
          keep ? t.shown : null,
        );
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

/** Texts as one, undefined if they are longer than what is left of the limit. */
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
  const dropLarge = index.prepare("DELETE FROM large WHERE id = ?");
  const dropText = index.prepare("DELETE FROM texts WHERE id = ?");
  for (let at = 0; at < gone.length; at += batch) {
    index.exec("BEGIN IMMEDIATE");
    for (const id of gone.slice(at, at + batch)) {
      dropTrigrams.run(id);
      dropText.run(id);
      dropLarge.run(id);
    }
    index.exec("COMMIT");
  }
}
