/** Checks the training of an account's messages against its junk filter. @module */
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Flag } from "../types.ts";
import { ids, never, rows, run, type Say } from "./verify_rows.ts";

/** Messages that may have been trained without their state being stored when a process ended. */
const trainedInOneBatch = 100;
/** The messages' training against what the junk filter knows. */
export function training(db: DatabaseSync, dir: string, fix: boolean, tell: Say): void {
  const { Junk, NotJunk } = Flag;
  never(
    db,
    "SELECT id, trained FROM messages WHERE trained NOT IN (0, 1, 2)",
    ([id, t]) => `message ${id}: junk training state ${t} is none`,
    tell,
    fix
      ? ([id]) => {
        run(db, "UPDATE messages SET trained = 0 WHERE id = ?", id);
        return "set to not trained";
      }
      : undefined,
  );
  never(
    db,
    "SELECT id, trained FROM messages WHERE expunged = 0 AND trained != 0 AND " +
      `flags & ${Junk | NotJunk} = 0`,
    ([id, t]) =>
      `message ${id} is trained as ${t === 2 ? "junk" : "not junk"}, but has neither flag; ` +
      `"mox retrain" sets it right`,
    tell,
  );
  const [[hams, spams]] = rows(
    db,
    "SELECT coalesce(sum(trained = 1), 0), coalesce(sum(trained = 2), 0) FROM messages " +
      "WHERE expunged = 0",
  ) as number[][];
  const known = filterTotals(join(dir, "junkfilter.db"));
  // An unreadable filter is reported by its own check.
  if (known === "unreadable") return;
  for (const [what, is, has] of [["not junk", hams, known.hams], ["junk", spams, known.spams]]) {
    if (Number(has) + trainedInOneBatch >= Number(is)) continue;
    tell(
      `${is} messages are trained as ${what}, but the junk filter knows of ${has}; ` +
        `"mox retrain" sets it right`,
    );
  }
}

/** Number of messages that a junk filter was trained with. */
function filterTotals(path: string): { hams: number; spams: number } | "unreadable" {
  let db: DatabaseSync;
  try {
    Deno.statSync(path);
    db = new DatabaseSync(path, { readOnly: true });
  } catch (err) {
    return err instanceof Deno.errors.NotFound ? { hams: 0, spams: 0 } : "unreadable";
  }
  try {
    let [[hams, spams]] = rows(db, "SELECT hams, spams FROM totals") as number[][];
    for (const kind of ids(db, "SELECT kind FROM journal")) {
      const by = kind & 2 ? -1 : 1;
      if (kind & 1) spams += by;
      else hams += by;
    }
    return { hams, spams };
  } catch {
    return "unreadable";
  } finally {
    db.close();
  }
}
