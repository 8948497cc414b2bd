/** DMARC evaluations to be reported to others: `dmarceval.db`. @module */
import { join } from "node:path";
import { Db, type Migration } from "../store/database/database.ts";
import type { DmarcEvaluation } from "./dmarc_build.ts";

const evaluationMigrations: readonly Migration[] = [{
  version: 1,
  sql: `
CREATE TABLE evaluations (
  id INTEGER PRIMARY KEY,
  domain TEXT NOT NULL,
  evaluated INTEGER NOT NULL,
  optional INTEGER NOT NULL,
  interval_hours INTEGER NOT NULL,
  -- JSON of DmarcEvaluation.
  evaluation TEXT NOT NULL
);
CREATE INDEX evaluations_domain ON evaluations (domain, evaluated);
-- Addresses that get no reports for a while, e.g. because they bounced.
CREATE TABLE suppressed (address TEXT PRIMARY KEY, until INTEGER NOT NULL, comment TEXT NOT NULL) WITHOUT ROWID;
`,
}];

/** Pending data for a domain. */
export interface PendingEvaluations {
  domain: string;
  count: number;
  /** False if all are optional: then no report is sent. */
  wanted: boolean;
  /** The shortest requested interval. */
  intervalHours: number;
}

/** Evaluations to be reported. A crash may lose the last ones; reports are best effort. */
export class DmarcEvaluations {
  readonly #db: Db;
  private constructor(db: Db) {
    this.#db = db;
  }

  static async open(dataDir: string): Promise<DmarcEvaluations> {
    return new DmarcEvaluations(await Db.open(join(dataDir, "dmarceval.db"), evaluationMigrations));
  }

  add(evaluation: DmarcEvaluation): void {
    this.#db.run(
      "INSERT INTO evaluations (domain, evaluated, optional, interval_hours, evaluation) VALUES (?, ?, ?, ?, ?)",
      evaluation.policyDomain,
      evaluation.evaluated,
      evaluation.optional ? 1 : 0,
      evaluation.intervalHours,
      JSON.stringify(evaluation),
    );
  }

  /** Domains with evaluations before a time (milliseconds). */
  pending(before: number): PendingEvaluations[] {
    return this.#db.all(
      "SELECT domain, count(*), max(optional = 0), min(interval_hours) FROM evaluations " +
        "WHERE evaluated < ? GROUP BY domain ORDER BY domain",
      before,
    ).map(([domain, count, wanted, hours]) => ({
      domain,
      count,
      wanted: wanted === 1,
      intervalHours: hours,
    }));
  }

  /** Evaluations of a domain before a time, oldest first. */
  list(domain: string, before: number, limit = 100_000): DmarcEvaluation[] {
    return this.#db.all(
      "SELECT evaluation FROM evaluations WHERE domain = ? AND evaluated < ? ORDER BY evaluated, id LIMIT ?",
      domain,
      before,
      limit,
    ).map(([json]) => JSON.parse(json as string) as DmarcEvaluation);
  }

  /** Removes evaluations of a domain before a time, once they have been reported. */
  remove(domain: string, before: number): number {
    return this.#db.run(
      "DELETE FROM evaluations WHERE domain = ? AND evaluated < ?",
      domain,
      before,
    )
      .changes;
  }

  /** Stops reports to an address until a time (milliseconds). */
  suppress(address: string, until: number, comment: string): void {
    this.#db.run(
      "INSERT INTO suppressed VALUES (?, ?, ?) ON CONFLICT (address) DO UPDATE SET until = excluded.until, comment = excluded.comment",
      address.toLowerCase(),
      until,
      comment,
    );
  }
  unsuppress(address: string): void {
    this.#db.run("DELETE FROM suppressed WHERE address = ?", address.toLowerCase());
  }
  suppressed(now = Date.now()): { address: string; until: number; comment: string }[] {
    return this.#db.all(
      "SELECT address, until, comment FROM suppressed WHERE until > ? ORDER BY address",
      now,
    ).map(([address, until, comment]) => ({ address, until, comment }));
  }

  close(): Promise<void> {
    return this.#db.close();
  }
}
