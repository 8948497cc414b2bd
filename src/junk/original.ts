/** Takes over the words counted by a junk filter of the Go original, from its `junkfilter.db`. @module */
import { join } from "node:path";
import { RecordFile } from "../store/bolt/records.ts";
import { Db } from "../store/database/database.ts";
import { wordHash } from "./bloom.ts";
import { maxCount } from "./filter.ts";
import { filterMigrations } from "./schema.ts";

/** What was taken over from a filter. */
export interface TakenFilter {
  words: number;
  hams: number;
  spams: number;
}

/** The name of a word here: names of header fields are in lower case. */
function wordHere(word: string): string {
  return word.replace(/^[A-Z][A-Za-z-]*:/, (name) => name.toLowerCase());
}

/**
 * Takes over the counts of the filter in a folder of the original. Words seen only once are in a different
 * Bloom filter there and are dropped: they count again when next seen.
 * @param to the account's folder, without a filter
 * @returns undefined if there is no filter
 * @throws BoltError; errors of SQLite
 */
export async function takeFilter(
  from: string,
  to: string,
): Promise<TakenFilter | undefined> {
  let file: RecordFile;
  try {
    file = RecordFile.open(join(from, "junkfilter.db"));
  } catch (err) {
    if (err instanceof Deno.errors.NotFound) return undefined;
    throw err;
  }
  let failed = true;
  try {
    const db = await Db.open(join(to, "junkfilter.db"), filterMigrations);
    try {
      const taken: TakenFilter = { words: 0, hams: 0, spams: 0 };
      db.transaction(() => {
        for (const w of file.records("wordscore")) {
          const word = w.text("Word");
          const ham = Math.min(maxCount, w.number("Ham"));
          const spam = Math.min(maxCount, w.number("Spam"));
          // The record of this name has the numbers of messages.
          if (word === "-") {
            taken.hams = ham;
            taken.spams = spam;
            continue;
          }
          const hash = wordHash(wordHere(word));
          db.run(
            "INSERT INTO words VALUES (?1, ?2, ?3) ON CONFLICT (hash) DO UPDATE SET " +
              "ham = min(?4, ham + ?2), spam = min(?4, spam + ?3)",
            hash,
            ham,
            spam,
            maxCount,
          );
          taken.words++;
        }
        db.run("UPDATE totals SET hams = ?, spams = ?", taken.hams, taken.spams);
      });
      await db.durable();
      failed = false;
      return taken;
    } finally {
      await db.close();
    }
  } finally {
    file.close(failed);
  }
}
