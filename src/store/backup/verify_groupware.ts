/** Address books and calendars of an account: the index against the stored objects. @module */
import type { DatabaseSync } from "node:sqlite";
import { etagOf } from "../groupware/rows.ts";
import { never, numberOf, rows, run, type Say } from "./verify_rows.ts";

/** Checks `groupware.db`; with `fix`, mends what loses nothing. */
export function verifyGroupware(db: DatabaseSync, fix: boolean, tell: Say): void {
  const modseq = numberOf(db, "SELECT modseq FROM state");
  const highest = numberOf(
    db,
    "SELECT max((SELECT coalesce(max(modseq), 0) FROM collections), " +
      "(SELECT coalesce(max(modseq), 0) FROM objects), " +
      "(SELECT coalesce(max(modseq), 0) FROM tombstones), " +
      "(SELECT coalesce(max(modseq), 0) FROM gone))",
  );
  if (highest > modseq) {
    if (fix) run(db, "UPDATE state SET modseq = ?", highest);
    tell(
      `modseq is ${modseq}, but ${highest} is given`,
      fix ? `set to ${highest}` : undefined,
    );
  }
  for (const table of ["objects", "tombstones", "properties", "grants"]) {
    never(
      db,
      `SELECT t.collection_id FROM ${table} t LEFT JOIN collections c ON c.id = t.collection_id ` +
        "WHERE c.id IS NULL GROUP BY t.collection_id",
      ([id]) => `${table} of collection ${id}, which does not exist`,
      tell,
    );
  }
  let after = 0;
  for (;;) {
    const list = rows(
      db,
      "SELECT id, name, size, etag, content FROM objects WHERE id > ? ORDER BY id LIMIT 200",
      after,
    ) as [number, string, number, string, Uint8Array][];
    for (const [id, name, size, etag, content] of list) {
      after = id;
      const wrong = [
        content.length !== size ? `size is ${size}, should be ${content.length}` : "",
        etagOf(content) !== etag ? "its etag is not the one of its content" : "",
      ].filter((x) => x !== "");
      if (wrong.length === 0) continue;
      if (fix) {
        run(
          db,
          "UPDATE objects SET size = ?, etag = ? WHERE id = ?",
          content.length,
          etagOf(content),
          id,
        );
      }
      tell(`object ${id} (${name}): ${wrong.join(", ")}`, fix ? "set anew" : undefined);
    }
    if (list.length < 200) return;
  }
}
